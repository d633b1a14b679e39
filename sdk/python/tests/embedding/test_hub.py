"""The question to the hub, answered by a server of this machine or by nobody."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from huggingface_hub import constants

from hector_sdk import Status
from hector_sdk.embedding.hub import Commit, commit, fetched

NEWEST, OLDER = "a" * 40, "b" * 40


FILES = {"modules.json": b"[]", "0/model.safetensors": b"w" * 1000, "onnx/model.onnx": b"o" * 5000}
SIZES = tuple((name, len(content)) for name, content in FILES.items())


class Hub(BaseHTTPRequestHandler):
    """Knows org/mini and its revision v1, with FILES."""

    answers = {"/api/models/org/mini": NEWEST, "/api/models/org/mini/revision/v1": OLDER}  # noqa: RUF012 - read only

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if "/resolve/" in path:
            self.wfile.write(self._file(path))
            return
        digest = self.answers.get(path)
        siblings = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
        known = {"id": "org/mini", "sha": digest, "siblings": siblings}
        body = json.dumps(known if digest else {"error": "Repository not found"}).encode()
        self.send_response(200 if digest else 404)
        if not digest:
            self.send_header("X-Error-Code", "RevisionNotFound" if "revision" in path else "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self._file(self.path)

    def _file(self, path: str) -> bytes:
        _, commit_and_name = path.split("/resolve/")
        digest, name = commit_and_name.split("/", 1)
        content = FILES.get(name)
        self.send_response(404 if content is None else 200)
        self.send_header("X-Repo-Commit", digest)
        self.send_header("ETag", f'"{name.replace("/", "-")}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content or b""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def _hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)  # the port is closed again
    return address


@pytest.fixture
def cached(tmp_path: Path) -> Callable[[str], str]:
    def cache(digest: str) -> str:
        folder = tmp_path / "models--org--mini"
        (folder / "snapshots" / digest).mkdir(parents=True)
        (folder / "snapshots" / digest / "modules.json").write_text("[]")
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(digest)
        return str(folder / "snapshots" / digest)

    return cache


def refusal(model: str, revision: str = "") -> tuple[grpc.StatusCode, str]:
    with pytest.raises(Status) as caught:
        commit(model, revision)
    return caught.value.code, str(caught.value)


@pytest.mark.usefixtures("_hub")
def test_the_hub_names_the_commit(cached):
    cached(OLDER)
    assert commit("org/mini", "") == Commit(NEWEST, files=SIZES)
    assert commit("org/mini", "v1") == Commit(OLDER, files=SIZES)


@pytest.mark.usefixtures("_hub")
def test_what_is_needed_is_fetched_and_told(tmp_path, caplog):
    caplog.set_level(logging.INFO, "hector_sdk")
    state = fetched("org/mini", "v1", lambda files: [name for name in files if not name.startswith("onnx/")])
    folder = tmp_path / "models--org--mini" / "snapshots" / OLDER
    assert state == Commit(OLDER, str(folder))
    there = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == {name: FILES[name] for name in ("modules.json", "0/model.safetensors")}
    said = [record.getMessage() for record in caplog.records if record.name.startswith("hector")]
    assert said[0] == "fetching org/mini: 2 files, 0.0 MB"
    assert re.fullmatch(r"fetched org/mini after \d+\.\d s", said[-1])


@pytest.mark.usefixtures("_hub")
def test_a_file_that_the_hub_does_not_give(monkeypatch):
    def choose(files):
        monkeypatch.delitem(FILES, "modules.json")
        return files

    with pytest.raises(Status) as caught:
        fetched("org/mini", "", choose)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert str(caught.value).startswith(f"fetching modules.json of org/mini@{NEWEST} broke off: An error happened ")


@pytest.mark.usefixtures("_hub")
def test_the_hub_has_no_such_model():
    words = "or none for everybody (a private one needs HF_TOKEN)"
    assert refusal("org/other") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'the hub has no model "org/other", {words}',
    )
    assert refusal("org/mini", "v9") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'the hub has no model "org/mini" with revision "v9", {words}',
    )


def test_without_the_hub_the_cache_does(nobody, cached, caplog):
    here = Commit(OLDER, cached(OLDER))
    assert commit("org/mini", "") == here
    assert [record.getMessage() for record in caplog.records if record.name.startswith("hector")] == [
        f"{nobody} does not answer ([Errno 111] Connection refused): taking org/mini@{OLDER} from the cache"
    ]


def test_neither_hub_nor_cache(nobody, tmp_path):
    assert refusal("org/mini") == (
        grpc.StatusCode.FAILED_PRECONDITION,
        f'no model "org/mini": it is not in {tmp_path}, and {nobody} does not answer: [Errno 111] Connection refused',
    )


def test_offline_by_the_environment(cached, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    here = Commit(OLDER, cached(OLDER))
    assert commit("org/mini", "") == fetched("org/mini", "", list) == here
