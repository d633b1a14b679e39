"""SIGTERM and SIGHUP become the cancellation of a task: a host that is asked to end stops its plugins first."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Terminations:
    """Watches for the signals on behalf of one task, where nobody else in the process does.

    Attributes:
        received: The signal that came; 0 when none did.
    """

    def __init__(self) -> None:
        self.received = 0
        self._task: asyncio.Task[Any] | None = None
        self._watched: list[signal.Signals] = []

    def watch(self) -> None:
        """Begins for the current task, in the main thread; elsewhere signals are not ours to take."""
        self._task = asyncio.current_task()
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                asyncio.get_running_loop().add_signal_handler(number, self._cancel, number)
                self._watched.append(number)

    def forget(self) -> None:
        """Gives the signals back."""
        for number in self._watched:
            asyncio.get_running_loop().remove_signal_handler(number)
        self._watched.clear()

    def _cancel(self, number: signal.Signals) -> None:
        self.received = number
        if self._task is not None:
            self._task.cancel()
