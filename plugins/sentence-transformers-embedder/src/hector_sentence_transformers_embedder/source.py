"""Where a model comes from: the hub, a folder, or a package that carries it. Packages are looked into, never imported.

Rule: whatever is local is found, or refused with what was looked at, before anything heavy is imported.
"""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import grpc

from hector_sdk import InvalidOptions, Status

MARKS = ("modules.json", "config.json")
"""Files of which a model's folder has one: sentence-transformers' own list of modules, or a bare transformer's."""

LIBRARY = "sentence-transformers"
"""Whose hub models may be named without an organisation, as the library itself has it."""


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


def found(model: str, revision: str) -> Source:
    """Where the model of these options is.

    Raises:
        InvalidOptions: They contradict each other.
        Status: FAILED_PRECONDITION when it is not there.
    """
    package = model.removeprefix("package:")
    is_package, is_folder = package != model, model.startswith(("/", "./", "../", "~"))
    if not package:
        raise InvalidOptions("model", "is empty: name a hub model, a folder or package:DISTRIBUTION")
    if not is_package and not is_folder:
        full_name = model if "/" in model else f"{LIBRARY}/{model}"
        return Source(location=full_name, name=full_name, revision=revision, local=False)
    if revision:
        raise InvalidOptions("revision", "only a model of the hub has revisions")
    return _in_package(package) if is_package else _in_folder(Path(model).expanduser().resolve())


def _in_package(name: str) -> Source:
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise _absent(f'the package "{name}" is not installed beside this plugin: pip install it there') from None
    files = package.files or []
    folders = [Path(str(file.locate())).parent for mark in MARKS for file in files if file.name == mark]
    if not folders:
        raise _absent(f'the package "{name}" carries no model: it has no file {" or ".join(MARKS)}')
    folder = min(folders, key=lambda each: len(each.parts))
    return Source(location=str(folder), name=name, revision=package.version, local=True)


def _in_folder(folder: Path) -> Source:
    if not folder.is_dir():
        raise _absent(f"there is no folder {folder}")
    if not any((folder / mark).is_file() for mark in MARKS):
        raise _absent(f"the folder {folder} holds no model: it has no file {' or '.join(MARKS)}")
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
