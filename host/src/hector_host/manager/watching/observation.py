"""What has really changed among the files that are watched: settled, and other in content.

A change counts when its subject has looked the same for a while: a file that is still being copied is waited for, and
one that is gone for a moment, because somebody replaces it, is not missed. It counts by content: what is touched, or
written again as it was, has not changed. One that never rests delays nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.manager.watching.watched import Concern, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hector_host.manager.watching.watched import Sight, Subject

QUIET = 0.3
"""Seconds for which a subject must have looked the same."""

PATIENCE = 2.0
"""The same where files that were there are gone."""

LARGE = 256 << 20
"""Bytes from which on a file is not read: it has changed when the system says that it was written."""

Files = dict["Path", Status]


@dataclass(frozen=True, slots=True)
class Changed:
    """What has changed.

    Attributes:
        config: The configuration's file, or the variables beside it.
        discovery: What lies in the discovery folders.
        plugins: Names of those whose files have changed.
    """

    config: bool = False
    discovery: bool = False
    plugins: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything has."""
        return self.config or self.discovery or bool(self.plugins)


class Contents:
    """Fingerprints of files, each read again only when it looks different."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[Status, bytes]] = {}

    def of(self, files: Files) -> bytes:
        """The fingerprint of all of them: names, rights and contents."""
        digest = hashlib.blake2b()
        for path, status in sorted(files.items()):
            digest.update(f"{path}\0{status.mode}\0{status.owner}\0".encode(errors="surrogateescape"))
            digest.update(self._of(path, status))
        return digest.digest()

    def keep(self, files: set[Path]) -> None:
        """Forgets all others."""
        self._read = {path: read for path, read in self._read.items() if path in files}

    def _of(self, path: Path, status: Status) -> bytes:
        if not status.inode:  # not looked at for its content
            return b""
        known = self._read.get(path)
        if known is not None and known[0] == status:
            return known[1]
        digest = _digest(path, status)
        self._read[path] = (status, digest)
        return digest


def _digest(path: Path, status: Status) -> bytes:
    if status.size > LARGE:
        return repr(status).encode()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return b"unreadable"


@dataclass(frozen=True, slots=True)
class _Known:
    files: Files
    content: bytes


@dataclass(frozen=True, slots=True)
class _Moving:
    files: Files
    since: float


class Observation:
    """Compares each look with what was known; how a subject looks the first time is what is known of it then."""

    def __init__(self) -> None:
        self._contents = Contents()
        self._known: dict[Subject, _Known] = {}
        self._moving: dict[Subject, _Moving] = {}

    @property
    def settled(self) -> bool:
        """Whether nothing looks different from what is known."""
        return not self._moving

    def compare(self, sights: Mapping[Subject, Sight], now: float) -> Changed:
        """What has changed and settled by the time `now`, in seconds. Reads what looks different."""
        self._known = {subject: known for subject, known in self._known.items() if subject in sights}
        self._moving = {subject: moving for subject, moving in self._moving.items() if subject in sights}
        changed = [subject for subject, sight in sights.items() if self._has_changed(subject, sight.files, now)]
        self._contents.keep({path for known in self._known.values() for path in known.files})
        return Changed(
            config=any(subject.concern is Concern.CONFIG for subject in changed),
            discovery=any(subject.concern is Concern.DISCOVERY for subject in changed),
            plugins=frozenset(subject.plugin for subject in changed if subject.concern is Concern.PLUGIN),
        )

    def _has_changed(self, subject: Subject, files: Files, now: float) -> bool:
        known = self._known.get(subject)
        if known is None:
            self._known[subject] = _Known(files, self._contents.of(files))
            return False
        if files == known.files:
            self._moving.pop(subject, None)
            return False
        moving = self._moving.get(subject)
        if moving is None or moving.files != files:
            self._moving[subject] = _Moving(files, now)
            return False
        if now - moving.since < (PATIENCE if known.files.keys() - files.keys() else QUIET):
            return False
        del self._moving[subject]
        self._known[subject] = _Known(files, self._contents.of(files))
        return self._known[subject].content != known.content
