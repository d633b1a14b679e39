"""Names of runs, sessions and messages, and the short way to write a list of them."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from hector_host.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME_LIMIT = 128


def new_id() -> str:
    """20 hexadecimal digits: milliseconds since the epoch, then 36 random bits. Later ones sort behind."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.randbits(36):09x}"


def session_id(name: str | None) -> str:
    """The session that a caller names, or a new one.

    Raises:
        NotFoundError: Nothing can have that name.
    """
    if name is None:
        return new_id()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise NotFoundError(
            f"session {name[:NAME_LIMIT]!r}: not a name",
            f"Use 1 to {NAME_LIMIT} printable characters, or leave it out.",
        )
    return name


def change(before: Sequence[str], after: Sequence[str]) -> str:
    """`after` as what it changes of `before`: JSON of how many ids it keeps from the front, and the ids that follow.

    A generation names all messages of its conversation. Written out each time, a session's journal would grow with
    the square of its length; as a change it grows with what was said.
    """
    keep = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        keep += 1
    return json.dumps([keep, *after[keep:]], separators=(",", ":"))


def apply(before: Sequence[str], text: str) -> list[str]:
    """The list that `change` wrote."""
    keep, *added = json.loads(text)
    return [*before[:keep], *added]
