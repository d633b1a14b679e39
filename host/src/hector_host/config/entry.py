"""What all models of the configuration share: strict fields, no unknown keys, and the place an entry came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from hector_host.config.kinds import Kind
from hector_host.config.problems import KeyPath


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands, handed to its validation.

    Attributes:
        folder: What relative paths are relative to.
        key: The path of keys that leads to the entry.
        name: Its own name.
        kind: A plugin's kind, where its group tells.
        variables: The variables that the entry names, with their values.
    """

    folder: Path
    key: KeyPath = ()
    name: str = ""
    kind: Kind | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clash:
    """Keys of one entry that do not go together: the path of the one to blame, inside the entry."""

    path: KeyPath
    what: str
    step: str = ""


class Section(BaseModel):
    """A mapping of the file. Frozen; its types are YAML's, never converted."""

    model_config = ConfigDict(
        defer_build=True,
        extra="forbid",
        frozen=True,
        strict=True,
    )

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """What is wrong between the keys that are given, as they stand in the file."""
        del given
        yield from ()


class Entry(Section):
    """A mapping that has a name."""

    _place: Place = Place(Path())

    def model_post_init(self, context: Any, /) -> None:
        """Remembers where the entry stands."""
        if isinstance(context, Place):
            self._place = context

    @property
    def key(self) -> KeyPath:
        """The path of keys that leads to it, for `Config.locate`."""
        return self._place.key

    @property
    def id(self) -> str:
        """The name by which other entries and commands call it."""
        return self._place.name
