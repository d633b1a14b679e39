"""How a plugin died: what a person wants to know of it afterwards, kept on disk over restarts of the host.

A dossier is a file of JSON that only the user may read, of bounded size, and there whole or not at all. Whatever is
wrong with the disk or with a file is told as a notice and never raised: a death has to be dealt with in any case.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Notice = Callable[[str], None]
    """Told, in one line, what could not be done."""

KEPT = 5
"""Dossiers kept of each plugin."""
LOG_LIMIT = 1 << 20
"""Bytes of log lines that a dossier holds; the newest ones."""
TEXT_LIMIT = 8 << 10
"""Characters kept of each other text."""
CALL_LIMIT = 100
"""Calls in flight that a dossier lists; those that ran longest."""
FORMAT = 1
"""Of the file. Whoever reads it ignores keys that it does not know, so only a changed meaning makes a new one, which
whoever is older refuses."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallInFlight:
    """A call that the plugin had not answered.

    Attributes:
        method: Of the service, for example "GenerateText".
        run: The run for which it was made; empty for none.
        agent: The agent that asked; empty for none.
        seconds: For how long it had been under way.
    """

    method: str
    run: str = ""
    agent: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Dossier:
    """One death of one replica, or a start that came to nothing. Texts are printable and free of secrets.

    Attributes:
        plugin: Its key in the configuration.
        reason: As in `StateChange`: `exit:1`, `signal:9`, `oom`, `start_timeout`, `health`, `handshake`, …
        died: In seconds of Unix time.
        started: The same, of this process; None when nothing was started.
        kind: What it provides; empty while that is unknown, or for several.
        replica: Its number.
        pid: Of its process; 0 for none.
        version: What it said of itself; empty when it did not.
        words: The reason in a sentence for people.
        exit_code: None when it did not exit by itself.
        signal: The number of the signal that ended it; None when none did.
        out_of_memory: The kernel killed it for its memory, as far as that can be told (see `memory`).
        state: That of the replica afterwards: "backoff" or "failed".
        next_attempt: When it is started again, in seconds of Unix time; None: it is not, by itself.
        restarts: How often the replica had been started again by itself before.
        deaths: How many deaths, this one included, counted against it.
        log: Its last lines, oldest first.
        log_dropped: Lines that came too fast to be kept.
        calls: What it was working on.
        command: How it was started, for people; empty for a plugin that somebody else runs.
        host_pid: The host's process.
        host_version: The host's version.
    """

    plugin: str
    reason: str
    died: float
    started: float | None = None
    kind: str = ""
    replica: int = 1
    pid: int = 0
    version: str = ""
    words: str = ""
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    state: str = ""
    next_attempt: float | None = None
    restarts: int = 0
    deaths: int = 0
    log: tuple[str, ...] = ()
    log_dropped: int = 0
    calls: tuple[CallInFlight, ...] = ()
    command: str = ""
    host_pid: int = 0
    host_version: str = ""


def folder_in(storage: Path) -> Path:
    """Where a host keeps its dossiers."""
    return storage / "dossiers"


def path(folder: Path, name: str) -> Path:
    """Where the newest dossier of a plugin is. No name leads out of the folder."""
    return folder / f"{quote(name, safe=' ')}.json"


def write(folder: Path, dossier: Dossier, notice: Notice = _log.warning) -> bool:
    """Makes it the newest of its plugin; whether that worked. Waits for the disk: not for an event loop's own thread.

    Args:
        folder: Is made where it is missing.
        dossier: What does not fit is left out of the file.
    """
    file = path(folder, dossier.plugin)
    try:
        _replace(file, _encoded(dossier))
    except OSError as error:
        notice(f"{dossier.plugin}: its crash dossier {file} could not be written: {error.strerror}")
        return False
    return True


def read(folder: Path, name: str, notice: Notice = _log.warning) -> Dossier | None:
    """The newest dossier of a plugin; None when there is none, or, after a notice, when it cannot be read."""
    newest = path(folder, name)
    for file in (newest, _older(newest, 1)):  # a host that was killed while it wrote leaves the second alone
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            notice(f"{name}: its crash dossier {file} cannot be read: {error.strerror}")
            return None
        if _format(content) > FORMAT:
            notice(f"{name}: the crash dossier {file} is of a newer version of Hector: read it with that one")
            return None
        found = _decoded(content)
        if found is None:
            notice(f"{name}: {file} is no crash dossier that this version of Hector can read: remove it")
        return found
    return None


def _older(newest: Path, age: int) -> Path:
    """`x.json.1` and not `x.1.json`, which would be the newest of a plugin named `x.1`."""
    return newest.with_name(f"{newest.name}.{age}")


def _encoded(dossier: Dossier) -> bytes:
    text = json.dumps({"format": FORMAT, **asdict(_fitted(dossier))}, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "replace")


def _format(content: bytes) -> int:
    """Of a file; 0 when it does not say."""
    try:
        told = json.loads(content)["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    return told if isinstance(told, int) else 0


def _decoded(content: bytes) -> Dossier | None:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Dossier).validate_json(content)
    except ValidationError:
        return None


def _fitted(dossier: Dossier) -> Dossier:
    room, lines = LOG_LIMIT, 0
    for line in reversed(dossier.log):
        room -= len(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace"))
        if room < 0:
            break
        lines += 1
    calls = sorted(dossier.calls, key=lambda call: -call.seconds)[:CALL_LIMIT]
    return replace(
        dossier,
        log=dossier.log[len(dossier.log) - lines :],
        calls=tuple(replace(each, run=_cut(each.run), agent=_cut(each.agent)) for each in calls),
        words=_cut(dossier.words),
        version=_cut(dossier.version),
        command=_cut(dossier.command),
    )


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + " …"


def _replace(newest: Path, content: bytes) -> None:
    newest.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(newest.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # without locks, two deaths in one moment may cost an older dossier
            fcntl.flock(folder, fcntl.LOCK_EX)
        new = newest.with_name(f"{newest.name}.new")
        _store(new, content)
        for age in range(KEPT - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(newest if age == 1 else _older(newest, age - 1), _older(newest, age))  # noqa: PTH105 (as below)
        new.replace(newest)
        os.fsync(folder)
    finally:
        os.close(folder)


def _store(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)  # of a host that was killed while it wrote
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        try:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        except OSError:
            file.unlink(missing_ok=True)  # a full disk needs the room
            raise
