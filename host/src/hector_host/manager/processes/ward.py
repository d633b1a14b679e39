"""A plugin's process in the hands of the warden, as the host knows it: asked for, running, ended, given back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from hector_host.manager.failure import Failure

LOST = "the process that watches over it was killed"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Attributes:
        code: Its exit code; minus the signal's number if a signal ended it; None when nobody was left to see it.
    """

    code: int | None

    @property
    def reason(self) -> str:
        """As it stands in a change of state: `exit:1`, `signal:9`, or `warden`."""
        if self.code is None:
            return "warden"
        return f"signal:{-self.code}" if self.code < 0 else f"exit:{self.code}"

    def __str__(self) -> str:
        if self.code is None:
            return LOST
        return f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"


class Ward:
    """One process. Must be made in a running event loop.

    Attributes:
        number: By which the host and the warden know it.
        pid: Its process; 0 until it is spawned.
        exit: How it ended; None before, and when it never ran.
        spawned: Its number, once its program runs; or the error why it does not.
        exited: Done when it has ended; with the same error if it never ran.
        gone: The warden has nothing to do with it any more.
        lost: Its warden has ended before it did, or before anybody heard of its end.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.exit: Exit | None = None
        loop = asyncio.get_running_loop()
        self.spawned: asyncio.Future[int] = loop.create_future()
        self.exited: asyncio.Future[Exit] = loop.create_future()
        self.gone = False
        self.lost = False

    @property
    def over(self) -> bool:
        """It has ended, or will never run."""
        return self.gone or self.exit is not None

    @classmethod
    def failed(cls, error: Exception) -> Self:
        """One that nobody could be asked for."""
        new = cls(0)
        new.fail(error)
        return new

    def begin(self, pid: int) -> None:
        """Its program runs."""
        self.pid = pid
        if not self.spawned.done():
            self.spawned.set_result(pid)

    def fail(self, error: Exception) -> None:
        """It will never run."""
        self.gone = True
        for future in (self.spawned, self.exited):
            if not future.done():
                future.set_exception(error)
                future.exception()  # so that nobody warns of it where nobody waits for it

    def end(self, end: Exit) -> None:
        """It has ended."""
        self.exit = end
        if not self.exited.done():
            self.exited.set_result(end)

    def lose(self) -> None:
        """Its warden has ended."""
        self.gone = self.lost = True
        if self.pid:
            self.end(Exit(None))
        else:
            self.fail(Failure("warden", f"could not be started: {LOST}"))
