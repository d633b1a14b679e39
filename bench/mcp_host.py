"""What a host made with the Model Context Protocol's Python client has when its server is killed.

Prints one JSON object: seconds until the call after the kill ended, and how; seconds until a session that was made anew
had its answer.
"""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

PATIENCE = 5.0
SERVER = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("mcp_server.py"))])


async def session(scope: AsyncExitStack) -> ClientSession:
    silence = scope.enter_context(Path(os.devnull).open("w"))  # noqa: SIM115 (the scope closes it)
    streams = await scope.enter_async_context(stdio_client(SERVER, errlog=silence))
    made = await scope.enter_async_context(ClientSession(*streams, read_timeout_seconds=PATIENCE))
    await made.initialize()
    return made


async def ask(made: ClientSession) -> int:
    answer = await made.call_tool("pid", {})
    return int(answer.content[0].text)


async def killed() -> tuple[float, str]:
    """Seconds until the call after the kill ended, and how."""
    outcome, after = "", 0.0
    with suppress(Exception):  # what the client raises when it is left with a dead server is not measured
        async with AsyncExitStack() as scope:
            made = await session(scope)
            os.kill(await ask(made), signal.SIGKILL)
            started = time.perf_counter()
            try:
                await ask(made)
                outcome = "answered"
            except Exception as error:  # noqa: BLE001 (whatever it raises is what its user gets)
                outcome = f"{type(error).__name__}: {error}"
            after = time.perf_counter() - started
    return after, outcome


async def anew() -> float:
    """Seconds of a new session up to its first answer."""
    started = time.perf_counter()
    async with AsyncExitStack() as scope:
        await ask(await session(scope))
        return time.perf_counter() - started


async def main() -> None:
    after, outcome = await killed()
    print(json.dumps({"after": after, "outcome": outcome, "anew": await anew()}))


asyncio.run(main())
