"""The words with which this plugin refuses a call: what was wrong, where, and what would be right."""

from collections.abc import Iterable

import grpc

from hector_sdk import Status


def quoted(text: str) -> str:
    """Foreign text for a message: at most 80 characters, on one line, in double quotes."""
    short = text if len(text) <= 80 else f"{text[:77]}..."
    return '"' + short.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def invalid(field: str, problem: str) -> Status:
    """The request's field breaks a rule of the contract."""
    return Status(grpc.StatusCode.INVALID_ARGUMENT, f"{field}: {problem}")


def no_collection(name: str, existing: Iterable[str]) -> Status:
    """The collection is not there; says which are."""
    others = ", ".join(quoted(other) for other in sorted(existing)[:20])
    there = f"there are {others}" if others else "there is none yet"
    return Status(grpc.StatusCode.NOT_FOUND, f"no collection {quoted(name)}: {there}")


def no_room(directory: str, reason: str) -> Status:
    """The disk took nothing more."""
    return Status(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"cannot write to {directory}: {reason}; what was answered before is safe, free some space and repeat the call",
    )
