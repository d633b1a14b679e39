"""A plugin's own description of itself: `plugin.yaml` in its folder, or `<executable>.plugin.yaml` beside a program.

It is read before the plugin runs and whether or not it ever will, so nothing in it is executed or expanded.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hector_host.config.document import read as read_document
from hector_host.config.entry import Clash, Place, Section
from hector_host.config.fields import Name, Text
from hector_host.config.kinds import Kind
from hector_host.config.problems import meant
from hector_host.config.validation import read as read_model

_ROOT = "plugin"
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file that changes once more has another time of change, on every file system."""
_PLATFORM = re.compile(r"(linux|darwin|windows)(/(amd64|arm64))?")

KindName = Literal["llm_provider", "database_provider", "embedder_provider", "tool_provider", "reasoning_strategy"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a plugin says of itself.

    Attributes:
        file: The manifest, absolute.
        name: The name it goes by.
        version: Of the plugin.
        kinds: What it provides; at least one.
        command: The program and its arguments, run in the manifest's folder, that of a package in the configuration's.
            Empty beside an executable.
        description: What it is for.
        exclusive: It owns its data directory: no two processes of it share one.
        platforms: Where it runs, as `linux` or `linux/amd64`. Empty: everywhere.
    """

    file: Path
    name: str
    version: str
    kinds: tuple[Kind, ...]
    command: tuple[str, ...] = ()
    description: str = ""
    exclusive: bool = False
    platforms: tuple[str, ...] = ()


class _Body(Section):
    """The mapping under `plugin`."""

    name: Name
    """The name it goes by."""
    version: Text
    """The version of the plugin."""
    type: KindName | None = None
    """What it provides, where that is one kind."""
    kinds: Annotated[list[KindName], Field(min_length=1)] | None = None
    """What it provides."""
    command: Annotated[list[Text], Field(min_length=1)] | None = None
    """The program and its arguments."""
    description: str = ""
    """What it is for, in a sentence."""
    exclusive: bool = False
    """Whether it owns its data directory."""
    platforms: list[Text] = Field(default_factory=list)
    """Where it runs."""

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """The kinds are said once; platforms are those that Hector knows."""
        if "type" in given and "kinds" in given:
            yield Clash(("type",), "says what kinds says", "Keep one of them.")
        elif "type" not in given and "kinds" not in given:
            yield Clash((), "does not say what it provides", f"Add kinds: one or several of {', '.join(Kind)}.")
        platforms = given.get("platforms")
        for index, platform in enumerate(platforms if isinstance(platforms, list) else []):
            if isinstance(platform, str) and platform and not _PLATFORM.fullmatch(platform):
                step = "Write linux, darwin or windows; /amd64 or /arm64 may follow."
                yield Clash(("platforms", index), "is not a platform", step)


def read_manifest(file: Path) -> Manifest:
    """Reads a manifest; one that is as it was when it was read last is not read again, since every restart asks.

    Raises:
        ConfigError: There is none, or it is wrong; all its problems in one message.
    """
    try:
        status = file.stat()
    except OSError:
        return _read(file)
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    if not file.is_absolute() or not 0 < changed < time.time_ns() - _SETTLED:
        return _read(file)
    return _known(file, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@lru_cache(maxsize=256)
def _known(file: Path, stamp: tuple[int, ...]) -> Manifest:  # noqa: ARG001 (another stamp is another file)
    return _read(file)


def _read(file: Path) -> Manifest:
    document = read_document(file, str(file), None, "Write a manifest there, or name another path.")
    value = document.value if isinstance(document.value, dict) else {}
    for key in value:
        if key != _ROOT:
            document.blame((key,), "unknown key", meant(key, [_ROOT], "Known keys"))
    body = None
    if _ROOT in value:
        body = read_model(_Body, value[_ROOT], (_ROOT,), Place(file.parent), document)
    else:
        document.blame((), "has no key plugin", "Write everything below plugin: name, version, kinds, command.")
    document.refuse()
    assert body is not None  # noqa: S101 (no body has problems)
    names = body.kinds or ([body.type] if body.type else [])
    return Manifest(
        file=file.absolute(),
        name=body.name,
        version=body.version,
        kinds=tuple(Kind(name) for name in names),
        command=tuple(body.command or ()),
        description=body.description,
        exclusive=body.exclusive,
        platforms=tuple(body.platforms),
    )
