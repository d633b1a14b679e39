"""Watches the files of a live host, and tells what has changed.

Notifications of the system only wake it up; what has changed is found by looking. So it also looks from time to time:
network file systems send no notifications, and what a queue or a limit of the system loses is found a little later.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from hector_host.manager.watching.observation import QUIET, Changed, Observation
from hector_host.manager.watching.watched import look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from watchfiles._rust_notify import RustNotify

    from hector_host.config import Config
    from hector_host.manager.watching.watched import Sight, Subject

T = TypeVar("T")

PERIOD = 5.0
"""Seconds after which it looks without having been woken."""

_STEP = 50
"""Milliseconds between two looks of the library into its own queue."""


async def _in_thread(call: Callable[[], T], stop: Callable[[], object] | None = None) -> T:
    """What `call` returns in a thread of its own, which has ended when this has: `stop` makes it end early."""
    thread = asyncio.create_task(asyncio.to_thread(call))
    try:
        return await asyncio.shield(thread)
    finally:
        if stop is not None:
            stop()
        await asyncio.wait((thread,))


class Alarm:
    """Wakes whoever waits when something happens directly in one of the folders.

    Args:
        report: Told when the system gives no notifications.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._folders: dict[str, tuple[int, int]] = {}
        self._notify: RustNotify | None = None
        self._mute = False

    def arm(self, folders: set[Path]) -> bool:
        """Watches these folders; those that are not there are left out. False when they were watched already."""
        found = {}
        for folder in folders:
            try:
                status = folder.stat()
            except OSError:
                continue
            found[str(folder)] = (status.st_dev, status.st_ino)  # a folder that takes its place is another
        if found == self._folders:
            return False
        self.close()
        self._folders = found
        if found:
            self._notify = self._watch(sorted(found))
        return True

    def close(self) -> None:
        """Watches nothing more. May be called again."""
        self._folders = {}
        if self._notify is not None:
            self._notify.close()
            self._notify = None

    async def wait(self, limit: float) -> None:
        """Returns when something happens, or has happened since it was armed; after `limit` seconds anyway."""
        if self._notify is None:
            await asyncio.sleep(limit)
            return
        stop = threading.Event()
        milliseconds = max(1, round(limit * 1000))  # 0 would be for ever
        notify = self._notify
        await _in_thread(lambda: notify.watch(_STEP, _STEP, milliseconds, stop), stop.set)

    def _watch(self, folders: list[str]) -> RustNotify | None:
        # The library's documented lower half: its upper one does not tell when it has begun to watch.
        from watchfiles._rust_notify import RustNotify

        try:
            return RustNotify(folders, False, False, 0, recursive=False, ignore_permission_denied=True)
        except FileNotFoundError:  # one of them went away just now
            self._folders = {}
        except (OSError, RuntimeError) as error:
            if not self._mute:
                self._report(
                    f"watch: the system gives no notifications ({error}): looking every {PERIOD:g} s instead\n"
                    "  Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances."
                )
            self._mute = True
        return None


class Watch:
    """An async context manager: what is found when it is entered is what changes are told against.

    Attributes:
        everything: It watches the file and the plugins too.

    Args:
        current: The configuration whose files are watched, as it is at each moment.
        everything: Watch its file and the files of its plugins, and not its discovery folders alone.
        report: Told what does not work, a line or two.
        period: Seconds after which it looks without having been woken.
    """

    def __init__(
        self, current: Callable[[], Config], report: Callable[[str], None], *, everything: bool, period: float = PERIOD
    ) -> None:
        self._current = current
        self.everything = everything
        self._period = period
        self._alarm = Alarm(report)
        self._observation = Observation()

    async def __aenter__(self) -> Self:
        await _in_thread(self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._alarm.close()

    async def changed(self) -> Changed:
        """Waits until something has changed: settled, and other in content."""
        while not (found := await _in_thread(self._look)):
            if self._observation.settled:
                await self._alarm.wait(self._period)
            else:
                await asyncio.sleep(QUIET)
        return found

    def _look(self) -> Changed:
        sights = self._sights()
        if self._alarm.arm({folder for sight in sights.values() for folder in sight.folders}):
            sights = self._sights()  # what happened before it was armed
        return self._observation.compare(sights, time.monotonic())

    def _sights(self) -> dict[Subject, Sight]:
        return look(self._current(), everything=self.everything)
