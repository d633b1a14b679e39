"""Lets calls in while the plugin is ready, and knows when the last one left: providers stop when nobody uses them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_sdk.errors import Status

if TYPE_CHECKING:
    import grpc


class Gate:
    """Shut at first."""

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        self._refusal: tuple[grpc.StatusCode, str] | None = (code, reason)
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """Let a call in, which leaves by `leave`.

        Raises:
            Status: Why it is refused.
        """
        if self._refusal is not None:
            raise Status(*self._refusal)
        self._calls += 1
        self._idle.clear()

    def leave(self) -> None:
        """A call that was let in has ended."""
        self._calls -= 1
        if self._calls == 0:
            self._idle.set()

    def open(self) -> None:
        """From now on calls are let in."""
        self._refusal = None

    def shut(self, code: grpc.StatusCode, reason: str) -> None:
        """From now on calls are refused, with these words."""
        self._refusal = (code, reason)

    async def idle(self) -> None:
        """Wait until nobody is inside."""
        await self._idle.wait()
