"""The reference plugins that forks begin as, and where they are: in the host's wheel, or in its checkout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.authoring.sources import source_files
from hector_host.config.kinds import Kind
from hector_host.errors import ConfigError, HectorError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping


class Language(StrEnum):
    """What a fork is written in."""

    PYTHON = "python"
    GO = "go"

    @property
    def proper(self) -> str:
        """As people write it."""
        return self.value.capitalize()


SHORT = {"llm": Kind.LLM, "database": Kind.DATABASE, "embedder": Kind.EMBEDDER, "tool": Kind.TOOL} | {
    "tools": Kind.TOOL,
    "reasoning": Kind.REASONING,
}
"""Other words for the kinds."""

_TEMPLATES = {
    (Kind.LLM, Language.PYTHON): "echo-llm",
    (Kind.LLM, Language.GO): "echo-llm-go",
    (Kind.TOOL, Language.PYTHON): "shell-tools",
    (Kind.TOOL, Language.GO): "text-tools-go",
    (Kind.DATABASE, Language.PYTHON): "faiss-database",
    (Kind.EMBEDDER, Language.PYTHON): "hashing-embedder",
    (Kind.REASONING, Language.PYTHON): "react-reasoning",
}
_IMPORT = re.compile(r"^\s*(?:from|import)\s+([A-Za-z_]\w*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A reference plugin.

    Attributes:
        name: Its own, and its folder's.
        kind: What it provides.
        language: What it is written in.
        origin: The folder that holds `plugins`, `gen` and `sdk`.
    """

    name: str
    kind: Kind
    language: Language
    origin: Path

    @property
    def folder(self) -> Path:
        """Where its sources are."""
        return self.origin / "plugins" / self.name

    def sources(self) -> Mapping[Path, bytes]:
        """Its files, by their paths in its folder."""
        return {path: (self.folder / path).read_bytes() for path in source_files(self.folder)}

    def imported(self) -> set[str]:
        """The top-level modules that its Python files import."""
        texts = (path.read_text("utf-8") for path in self.folder.rglob("*.py"))
        return {name for text in texts for name in _IMPORT.findall(text)} - {f"hector_{module(self.name)}"}


def kind_named(text: str) -> Kind:
    """The kind that a word means: `llm_provider`, or `llm`.

    Raises:
        ConfigError: It means none.
    """
    words = {kind.value: kind for kind in Kind} | SHORT
    if text not in words:
        short = ", ".join(word for word in SHORT if word != "tools")
        raise ConfigError(
            f'--kind: "{quoted(text)}" is no kind of plugin', f"There are {', '.join(Kind)}; or for short {short}."
        )
    return words[text]


def language_named(text: str) -> Language:
    """The language that a word means.

    Raises:
        ConfigError: There are no templates in it.
    """
    if text not in set(Language):
        raise ConfigError(
            f'--language: "{quoted(text)}" has no templates',
            "There are python and go. In any other language a plugin is written from the contract alone:"
            " docs/protocol.md.",
        )
    return Language(text)


def template(kind: Kind, language: Language) -> Template:
    """The reference plugin that is nearest.

    Raises:
        ConfigError: There is none in this language.
    """
    name = _TEMPLATES.get((kind, language))
    if name is None:
        there = ", ".join(each for each, written in _TEMPLATES if written is language)
        raise ConfigError(
            f"--language: there is no template for {kind} in {language.proper}",
            f"In {language.proper} there are {there}."
            f" Write it in {Language.PYTHON.proper}, or in {language.proper} from docs/protocol.md.",
        )
    return Template(name, kind, language, origin())


def origin() -> Path:
    """The folder that holds `plugins`, `gen` and `sdk`, in the layout of the checkout.

    Raises:
        HectorError: This host was installed without them.
    """
    package = Path(__file__).parents[1]
    places = (package / "templates", package.parents[2])
    for place in places:
        if (place / "plugins").is_dir() and (place / "gen" / "pyproject.toml").is_file():
            return place
    raise HectorError(f"{package}: has no templates", "Install hector-host from its wheel or from a checkout.")


def module(name: str) -> str:
    """The Python module of a distribution's name."""
    return name.replace("-", "_")
