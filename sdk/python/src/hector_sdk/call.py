"""What the host says about the call in progress: facts that are not its arguments and travel as metadata."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CREDENTIAL_PREFIX = "hector-credential-"


@dataclass(frozen=True)
class Call:
    """One call. A fact that the host did not give is empty.

    Attributes:
        run: The run that the call belongs to.
        session: Its conversation.
        agent: The agent's key in the host's configuration.
        user: Who asked.
        credentials: The user's own secrets for this plugin, by name in lower case. Never log them.
        metadata: Every text entry of the metadata, traceparent included; of a repeated key the last.
    """

    run: str = ""
    session: str = ""
    agent: str = ""
    user: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str | bytes]]) -> Call:
        """Read the metadata of an RPC."""
        metadata = {key: value for key, value in pairs if isinstance(value, str)}
        facts = {name: _decoded(metadata.get(f"hector-{name}", "")) for name in ("run", "session", "agent", "user")}
        credentials = {
            key.removeprefix(CREDENTIAL_PREFIX): value
            for key, value in metadata.items()
            if key.startswith(CREDENTIAL_PREFIX)
        }
        return cls(credentials=credentials, metadata=metadata, **facts)


def _decoded(value: str) -> str:
    """The value of one of our keys: what metadata cannot carry is percent-encoded."""
    if "%" not in value:
        return value
    from urllib.parse import unquote

    return unquote(value)


_current: ContextVar[Call | None] = ContextVar("hector_call", default=None)


def enter(pairs: Iterable[tuple[str, str | bytes]]) -> None:
    """Make these the metadata of everything that the running task does from here on."""
    _current.set(Call.of(pairs))


def current_call() -> Call:
    """The call in progress, in tools that run in threads too; an empty one outside of calls."""
    return _current.get() or Call()
