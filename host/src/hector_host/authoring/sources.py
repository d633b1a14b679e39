"""Which files of a folder are its sources: what was written, and nothing that was built, cached or stored there.

The build of the host's wheel runs this file by itself, so it imports nothing of the host.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT_FOLDERS = frozenset({"build", "data", "dist", "htmlcov", "venv"})
"""Folders at the top that tools make, and `data`: what a plugin stores when it is tried out in its own folder."""
LEFT_OUT_SUFFIXES = (".pyc", ".pyo", ".egg-info", ".swp", "~")
SECRETS = (".env", ".pem", ".key")
"""Endings of files that hold secrets as a rule."""
KEPT = frozenset({".dockerignore", ".gitignore"})
"""All other names that begin with a dot are left out: environments, caches, version control, `.env`."""

CARRIED_PLUGINS = (
    "echo-llm",
    "echo-llm-go",
    "faiss-database",
    "hashing-embedder",
    "react-reasoning",
    "shell-tools",
    "text-tools-go",
)
"""The reference plugins that `hector plugin new` forks."""


def source_files(folder: Path) -> list[Path]:
    """The sources in a folder, relative to it, sorted. Links are not followed: nothing behind them is a source.

    A file that has its folder's name is left out beside a go.mod: it is what `go build` made there.
    """
    built = {folder.resolve().name + end for end in ("", ".exe")} if (folder / "go.mod").is_file() else set()
    return sorted(
        path
        for path in (path.relative_to(folder) for path in _walk(folder))
        if path.parts[0] not in built and not (len(path.parts) > 1 and path.parts[0] in LEFT_OUT_FOLDERS)
    )


def secrets(folder: Path) -> list[str]:
    """Names of files in the folder itself that are left out because they may hold secrets, sorted."""
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.name.endswith(SECRETS))


def carried_files(origin: Path) -> list[Path]:
    """What the host's wheel carries for forks, relative to the checkout.

    That is the templates, and the contract and the SDKs as forks need them: without their tests.
    """
    folders = [*(f"plugins/{name}" for name in CARRIED_PLUGINS), "gen", "sdk/python", "sdk/go"]
    found = [Path(folder, path) for folder in folders for path in source_files(origin / folder)]
    return [Path("LICENSE"), *(path for path in found if path.parts[0] == "plugins" or not _is_test(path))]


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if (name.startswith(".") and name not in KEPT) or name.endswith((*LEFT_OUT_SUFFIXES, *SECRETS)):
                continue
            if entry.is_dir(follow_symlinks=False) and name != "__pycache__":
                yield from _walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name.endswith("_test.go") or path.name == "protoc_gen_grpc_python.py"
