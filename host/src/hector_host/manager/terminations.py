"""Signals that ask a host to end become the cancellation of a task: it stops its plugins first.

SIGINT is asyncio's own to handle: `asyncio.run` cancels its task at the first one and raises KeyboardInterrupt at the
next, wherever the event loop is, which may then never run what it was about to. So the first is left to it, and each
further one cancels the task again.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_NOT_ASYNCIO = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler, None)


class Terminations:
    """Watches for the signals on behalf of one task, where nobody else in the process does.

    Attributes:
        received: The signal that came, SIGINT aside; 0 when none did.
    """

    def __init__(self) -> None:
        self.received = 0
        self._task: asyncio.Task[Any] | None = None
        self._watched: list[signal.Signals] = []
        self._interrupt: Callable[..., Any] | None = None
        self._interrupts = 0

    def watch(self) -> None:
        """Begins for the current task, in the main thread; elsewhere signals are not ours to take."""
        self._task = asyncio.current_task()
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, self._cancel, number)
                self._watched.append(number)
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and handler not in _NOT_ASYNCIO and isinstance(_owner(handler), asyncio.Runner):
            self._interrupt = handler
            loop.add_signal_handler(signal.SIGINT, self._interrupted)

    def forget(self) -> None:
        """Gives the signals back."""
        loop = asyncio.get_running_loop()
        for number in self._watched:
            loop.remove_signal_handler(number)
        self._watched.clear()
        if self._interrupt is not None:
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, self._interrupt)
            self._interrupt = None
        for _ in range(self._interrupts - 1):  # asyncio tells an interrupt by the one cancellation that it made
            if self._task is not None:
                self._task.uncancel()

    def _cancel(self, number: signal.Signals) -> None:
        self.received = number
        if self._task is not None:
            self._task.cancel()

    def _interrupted(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1 and self._interrupt is not None:
            self._interrupt(signal.SIGINT, None)
        elif self._task is not None:
            self._task.cancel()


def _owner(handler: Callable[..., Any]) -> object:
    """Whose method a handler is; asyncio wraps its own in a partial."""
    function = getattr(handler, "func", handler)
    return getattr(function, "__self__", None)
