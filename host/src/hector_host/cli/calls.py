"""Calls that a person types, or a pipe holds: made one after another, whatever becomes of each."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from hector_host.cli.rpcs import chosen, text_of
from hector_host.errors import CallError, HectorError, printable_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector_host.cli.byhand import ByHand
    from hector_host.cli.rpcs import Rpc

LEAVE = frozenset({"exit", "quit"})
HELP = "help"


class Calls:
    """Calls of one plugin.

    Args:
        rpcs: Those that it serves, by their names.
    """

    def __init__(self, running: ByHand, rpcs: dict[str, Rpc]) -> None:
        self._running = running
        self._rpcs = rpcs

    async def make(self, name: str, request: str) -> None:
        """Makes one call, and prints its answer.

        Raises:
            HectorError: There is no such RPC, or the request is none of it.
            CallError: It failed.
        """
        rpc = chosen(self._rpcs, name)
        message = rpc.request(request)
        lease, code = await self._running.lease(rpc.name), None
        terminal = sys.stdout.isatty()
        try:
            async for answer in rpc.answers(lease.plugin, message):
                text = text_of(answer, indent=2 if terminal and not rpc.streams else None)
                print(printable_lines(text) if terminal else text, flush=True)
        except CallError as error:
            code = error.code
            raise
        finally:
            lease.release(code)

    async def follow(self) -> bool:
        """Makes the calls that are typed or piped in until there are no more; whether all were answered."""
        from hector_host.cli.question import on_terminal, reader

        if not on_terminal():
            return await self._each(reader())
        from hector_host.cli.prompt import prompting

        print('Type a call, as RPC {"field": "value"}; help lists them; Ctrl-D ends.', file=sys.stderr)
        with prompting(self._rpcs) as read:
            await self._each(read)
        return True

    async def _each(self, read: Callable[[str], Awaitable[str | None]]) -> bool:
        answered = True
        while (line := await read(f"{self._running.name}> ")) is not None and line.strip() not in LEAVE:
            name, _, request = line.strip().partition(" ")
            if name.lower() == HELP:
                self._help(request.strip())
            elif name and not name.startswith("#"):
                answered &= await self._tried(name, request.strip())
        return answered

    async def _tried(self, name: str, request: str) -> bool:
        """One call. What goes wrong with it is told; Ctrl-C ends it alone."""
        call = asyncio.create_task(self.make(name, request))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, call.cancel)
        try:
            await call
        except HectorError as error:
            print(printable_lines(f"hector: {error}"), file=sys.stderr)
            return False
        except asyncio.CancelledError:
            if not call.cancelled() or (current := asyncio.current_task()) is None or current.cancelling():
                raise
            print("(stopped)", file=sys.stderr)
            return False
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        return True

    def _help(self, name: str) -> None:
        try:
            begin_so = [rpc for rpc in self._rpcs.values() if rpc.name.lower().startswith(name.lower())]
            rpcs = begin_so or [chosen(self._rpcs, name)]
        except HectorError as error:
            print(printable_lines(f"hector: {error}"), file=sys.stderr)
            return
        for rpc in rpcs:
            print(f"{rpc.name} {rpc.example}{'   answers with a stream' if rpc.streams else ''}", file=sys.stderr)
