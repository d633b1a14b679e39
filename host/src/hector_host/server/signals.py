"""The signals that end a host: the first asks, the next insists."""

from __future__ import annotations

import asyncio
import signal
from typing import Self

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Takes the signals while it is entered; those that this process was started to ignore stay ignored.

    Attributes:
        first: Set by the first signal.
        second: Set by the second.
        number: Of the newest; 0 before the first.
    """

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self.number = 0
        self._taken: list[signal.Signals] = []

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or in the background of a script
                loop.add_signal_handler(number, self._take, number)
                self._taken.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._taken:
            asyncio.get_running_loop().remove_signal_handler(number)
        self._taken.clear()

    def _take(self, number: signal.Signals) -> None:
        self.number = number
        (self.second if self.first.is_set() else self.first).set()
