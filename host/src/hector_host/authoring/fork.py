"""A fork of a reference plugin: its sources under another name, in a folder of their own, with nothing outside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.authoring.example import configuration
from hector_host.authoring.readme import forked_readme
from hector_host.authoring.sources import carried_files
from hector_host.authoring.templates import Language, Template, module
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

THIRD_PARTY = "third_party/hector"
"""Where a fork in Go keeps the contract and the SDK; the folder's layout is the checkout's."""
_CLASSES = {
    "echo-llm": "EchoLLM",
    "shell-tools": "ShellTools",
    "faiss-database": "FaissDatabase",
    "hashing-embedder": "HashingEmbedder",
    "react-reasoning": "React",
}
"""The providers' classes, which carry the plugins' names too."""
_TOOLS = {
    "shell-tools": ("list_files", "{}", "{working_directory: .}"),
    "text-tools-go": ("count_text", "{text: three short words}", ""),
}
"""What the first configuration of a tool provider calls: the tool, its arguments, the plugin's options."""
_IGNORED = {
    Language.PYTHON: "__pycache__/\n*.egg-info/\n.pytest_cache/\n.venv/\ndist/\n.hector/\n.env\n",
    Language.GO: "/{name}\n/{name}.exe\n*.tar.gz\n*.sha256\n.hector/\n.env\n",
}


def fork(template: Template, name: str, folder: Path) -> None:
    """Writes the fork into a folder, which may be there if it is empty.

    Raises:
        ConfigError: There is something in it, or it cannot be written.
    """
    files = _files(template, name)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is there and not empty" if folder.is_dir() else "is there and no folder"
            raise ConfigError(f"{folder}: {what}", "Choose another name, or another folder by --into.")
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        step = "Choose a folder that is yours and has room by --into."
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}", step) from None


def _files(template: Template, name: str) -> Mapping[Path, bytes]:
    renamed = _renaming(template, name)
    files = {Path(renamed(str(path))): _text(renamed, content) for path, content in template.sources().items()}
    readme = Path("README.md")
    files[readme] = forked_readme(files[readme].decode(), name, template).encode()
    files[Path(".gitignore")] = _IGNORED[template.language].format(name=name).encode()
    tool = _TOOLS.get(template.name, ("", "{}", ""))
    files[Path("hector.yaml")] = configuration(template.kind, name, tool).encode()
    dockerfile, beside = Path("Dockerfile"), "PATH/TO/HECTOR" if template.language is Language.PYTHON else THIRD_PARTY
    files[dockerfile] = files[dockerfile].replace(b"hector=../..", f"hector={beside}".encode())
    if template.language is Language.GO:
        files |= _third_party(template.origin)
        go_mod = files[Path("go.mod")].decode()
        for there in ("gen", "sdk/go"):
            go_mod = go_mod.replace(f"=> ../../{there}\n", f"=> ./{THIRD_PARTY}/{there}\n")
        comment = "// In the tree the SDK comes from here; a fork points these two at its copy.\n"
        files[Path("go.mod")] = go_mod.replace(comment, "// The copies that came with the fork.\n").encode()
    return files


def _third_party(origin: Path) -> dict[Path, bytes]:
    """The contract and the SDK, as Go needs them."""
    wanted = [
        path
        for path in carried_files(origin)
        if str(path) == "LICENSE" or path.parts[:2] == ("sdk", "go") or (path.parts[0] == "gen" and _is_go(path))
    ]
    return {Path(THIRD_PARTY, path): (origin / path).read_bytes() for path in wanted}


def _is_go(path: Path) -> bool:
    return path.suffix == ".go" or path.name in {"go.mod", "go.sum"}


def _renaming(template: Template, name: str) -> _Renaming:
    old, class_name = template.name, "".join(word.capitalize() for word in name.split("-"))
    words = {f"hector-{old}": name, f"hector_{module(old)}": module(name), old: name}
    used = re.compile(rf"\b{class_name}\b".encode())
    if old in _CLASSES and not any(used.search(content) for content in template.sources().values()):
        words[_CLASSES[old]] = class_name
    return _Renaming(words)


class _Renaming:
    """Puts the new names where the old ones stand as whole words: of `echo-llm-go` the Python twin renames nothing."""

    def __init__(self, words: Mapping[str, str]) -> None:
        longest_first = sorted(words, key=len, reverse=True)
        self._words = words
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w]|-\w)")

    def __call__(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._words[match[0]], text)


def _text(renamed: _Renaming, content: bytes) -> bytes:
    try:
        return renamed(content.decode()).encode()
    except UnicodeDecodeError:
        return content
