"""What travels with a call beside its arguments: who asks, in which run, and who notes that it happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.host.v1.run_pb2 import Step

Metadata = tuple[tuple[str, str], ...]


def _ignore(step: Step) -> None:
    """Nobody notes the steps of this call."""


@dataclass(frozen=True, slots=True)
class Call:
    """The facts of one call; empty ones are not sent.

    Attributes:
        patience: Seconds to wait for a plugin that is down and about to be started again.
        record: Told of every RPC made for this call once it has ended.
    """

    run: str = ""
    session: str = ""
    agent: str = ""
    user: str = ""
    patience: float = 0.0
    record: Callable[[Step], None] = _ignore
    metadata: Metadata = field(init=False)

    def __post_init__(self) -> None:
        facts = {"run": self.run, "session": self.session, "agent": self.agent, "user": self.user}
        metadata = tuple((f"hector-{name}", _ascii(value)) for name, value in facts.items() if value)
        object.__setattr__(self, "metadata", metadata)


def _ascii(value: str) -> str:
    """Metadata carries printable ASCII alone; anything else, and %, is percent-encoded, as in a URL."""
    if value.isascii() and value.isprintable() and "%" not in value:
        return value
    from urllib.parse import quote

    return quote(value, safe=" ")
