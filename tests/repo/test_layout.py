"""Every module is small, every plugin complete, and the SDKs are twins file by file."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
import yaml

LONGEST = 400
"""Lines. A module with more holds two ideas."""

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())

# By what Python calls it, what its twin in Go is called. A Python module `serve` would hide the function.
OTHER_NAMES = {"serving": "serve", "schemas": "schema", "providers": "plugin", "binding": "guard", "testing": "sdktest"}
# Modules that only one SDK has, with the reason.
ONE_SIDED = {
    "docstrings": "a tool's description in Python is its docstring",
    "functions": "tools as annotated functions",
    "identity": "an installed distribution knows its name and version",
    "ledger": "what receipts are written to",
    "receipts": "a Go tool that remembers its calls does so itself",
    "threads": "blocking functions beside an event loop",
    "values": "protobuf gives Go plain values by itself",
    "vectors": "Go reads packed floats fast by itself",
    "decoder": "JSON values over Go structs; pydantic does it in Python",
    "endpoint": "in Go a listener is wrapped in TLS whoever serves it",
    "relay": "Go's TLS verifies every curve; gRPC's own does not",
    "orphan": "in Python a few lines of `serving`; in Go each system's own file",
}


def is_module(path: Path) -> bool:
    """Written by hand, and no test."""
    generated = path.is_relative_to("gen/python") or path.is_relative_to("gen/go")
    test = "tests" in path.parts or path.name.endswith("_test.go")
    return path.suffix in {".py", ".go", ".proto"} and not generated and not test


def test_no_module_is_long(root: Path, tracked: list[Path]) -> None:
    lengths = {str(path): len((root / path).read_text().splitlines()) for path in filter(is_module, tracked)}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_has_all_that_a_fork_needs(plugin: Path) -> None:
    needed = {"plugin.yaml", "README.md", "Dockerfile"}
    present = {path.name for path in plugin.iterdir()}
    assert needed - present == set()
    assert {"pyproject.toml", "go.mod"} & present
    assert list(plugin.glob("tests/test_*.py")) or list(plugin.glob("*_test.go"))


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_manifest_agrees_with_its_folder(plugin: Path) -> None:
    manifest = yaml.safe_load((plugin / "plugin.yaml").read_text())["plugin"]
    assert manifest["name"] == plugin.name
    assert manifest["description"]
    if (plugin / "pyproject.toml").exists():
        project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
        assert project["name"] == f"hector-{plugin.name}"
        assert project["version"] == manifest["version"]
        assert plugin.name in project["entry-points"]["hector.plugins"]


@pytest.mark.parametrize(
    "main", sorted((ROOT / "plugins").glob("*/src/*/__main__.py")), ids=lambda path: path.parent.name
)
def test_a_plugin_takes_stdout_before_it_imports_anything_else(main: Path) -> None:
    imports = [node for node in ast.parse(main.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(imports[0]) == "from hector_sdk import serve"


@pytest.mark.parametrize(
    "plugin", [path for path in PLUGINS if (path / "pyproject.toml").exists()], ids=lambda path: path.name
)
def test_python_plugins_have_one_way_into_an_image(plugin: Path) -> None:
    lines = (plugin / "Dockerfile").read_text().splitlines()
    assert f"#   docker build --build-context hector=../.. -t {plugin.name} ." in lines
    assert [line for line in lines if line.startswith(("FROM ", "COPY "))] == [
        "FROM python:3.12-slim-bookworm AS build",
        "COPY --from=hector gen /src/gen",
        "COPY --from=hector sdk/python /src/sdk",
        "COPY pyproject.toml plugin.yaml README.md /src/plugin/",
        "COPY src /src/plugin/src",
        "FROM python:3.12-slim-bookworm",
        "COPY --from=build /opt/plugin /opt/plugin",
    ]


def test_the_sdks_are_twins_file_by_file(root: Path) -> None:
    modules = {path.stem for path in (root / "sdk/python/src/hector_sdk").glob("*.py")} - {"__init__"}
    python = {OTHER_NAMES.get(name, name) for name in modules}
    go = {path.stem for path in (root / "sdk/go").glob("*.go") if not path.stem.endswith("_test")}
    go = {name.removesuffix("_unix").removesuffix("_other") for name in go}
    go |= {path.parent.name for path in (root / "sdk/go").glob("*/*.go")}
    assert python ^ go == ONE_SIDED.keys()


def test_init_writes_what_the_examples_hold(root: Path) -> None:
    written = {path.name: path.read_text() for path in (root / "host/src/hector_host/examples").glob("*.yaml")}
    assert written == {name: (root / "examples" / name).read_text() for name in written}
    assert written.keys() == {"quickstart.yaml", "documents.yaml"}
