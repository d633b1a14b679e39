"""Imports go one way: downwards inside the host, and from the host and the plugins to the contract alone."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# From top to bottom, as docs/architecture.md draws them. Modules on one line may not import each other.
LAYERS = [
    {"cli"},
    {"authoring"},
    {"server"},
    {"api"},
    {"runtime"},
    {"documents"},
    {"registry"},
    {"providers"},
    {"manager"},
    {"config", "hosts"},
    {"errors"},
]
DATA = {"examples"}  # files that `hector init` writes
CONTRACT = {"hector", "hector_plugins_pb2", "hector_plugins_pb2_grpc", "grpc", "google"}
SDK = {"hector_sdk", "grpc_health"}  # and what it brings on purpose


def imports(path: Path, package: str) -> Iterator[str]:
    """Full names of the modules that a file imports anywhere in it; `package` is the one that it lies in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None] if node.level else []
            module = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_layers(package: Path, file: Path) -> set[str]:
    inside = ".".join(file.parent.relative_to(package.parent).parts)
    names = (name.split(".") for name in imports(file, inside))
    return {name[1] for name in names if name[0] == package.name and len(name) > 1}


def test_the_host_imports_downwards_only(root: Path) -> None:
    package = root / "host/src/hector_host"
    depth = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    upward = []
    for file in sorted(package.rglob("*.py")):
        layer = file.relative_to(package).with_suffix("").parts[0]
        if layer in depth:
            below = {name for name in depth if depth[name] > depth[layer]} | {layer}
            upward += [f"{file.relative_to(package)} imports {name}" for name in imported_layers(package, file) - below]
    assert upward == []


def test_of_the_command_line_only_the_verb_serve_knows_the_server(root: Path) -> None:
    package = root / "host/src/hector_host"
    assert [file.name for file in (package / "cli").glob("*.py") if "server" in imported_layers(package, file)] == [
        "serve.py"
    ]


def test_the_package_of_the_host_imports_nothing_of_its_own(root: Path) -> None:
    package = root / "host/src/hector_host"
    assert imported_layers(package, package / "__init__.py") == set()


def test_each_layer_stands_in_the_architecture(root: Path) -> None:
    package = root / "host/src/hector_host"
    modules = {file.relative_to(package).with_suffix("").parts[0] for file in package.rglob("*.py")}
    assert modules - {"__init__"} - DATA == set.union(*LAYERS)


def top_level(folder: Path, package: str) -> dict[str, set[str]]:
    """By file, the top-level modules that it imports."""
    return {
        str(file.relative_to(folder)): {name.partition(".")[0] for name in imports(file, package)}
        for file in sorted(folder.rglob("*.py"))
    }


def test_host_and_plugins_meet_in_the_contract_alone(root: Path, plugins: list[Path]) -> None:
    packages = {path.parent.name for plugin in plugins for path in plugin.glob("src/*/__init__.py")}
    foreign = {
        root / "host/src": packages | {"hector_sdk"},
        root / "sdk/python/src": packages | {"hector_host"},
        **{
            plugin / "src": packages - {path.name for path in plugin.glob("src/*")} | {"hector_host"}
            for plugin in plugins
        },
    }
    crossing = [
        f"{folder.relative_to(root) / file}: {name}"
        for folder, names in foreign.items()
        for file, imported in top_level(folder, "").items()
        for name in sorted(imported & names)
    ]
    assert crossing == []


def test_a_plugin_imports_only_what_it_declares(plugins: list[Path]) -> None:
    modules = importlib.metadata.packages_distributions()
    undeclared = []
    for plugin in (path for path in plugins if (path / "pyproject.toml").exists()):
        manifest = tomllib.loads((plugin / "pyproject.toml").read_text())
        wanted = manifest["project"]["dependencies"] + manifest["dependency-groups"]["dev"]
        declared = {normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in wanted}
        own = (
            {path.name for path in plugin.glob("src/*")} | {path.stem for path in plugin.glob("tests/*.py")} | {"tests"}
        )
        for file, imported in top_level(plugin, "").items():
            if file.startswith((".venv", "dist")):
                continue
            for name in sorted(imported - own - CONTRACT - SDK - sys.stdlib_module_names):
                if declared.isdisjoint(normal(distribution) for distribution in modules.get(name, [])):
                    undeclared.append(f"{plugin.name}/{file}: {name}")  # noqa: PERF401  a comprehension of four loops
    assert undeclared == []


def normal(distribution: str) -> str:
    """A distribution's name as all its spellings have it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
