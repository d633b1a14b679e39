"""Runs in the host's container: calls its agents without a break, and tells of each call as a JSON line.

It is handed over as text, so it imports what that container has, and nothing beside it. It ends when its standard input
does, with the calls under way.
"""

import asyncio
import json
import sys
import time

import grpc

from hector.host.v1.hector_pb2 import CallRequest
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector_host.api.errors import rebuilt

ADDRESS = "127.0.0.1:8080"
CALLERS = (("librarian", "How does the host stop a plugin?"),) * 3 + (("clerk", "How long is the architecture?"),) * 2
PAUSE = 0.1
"""Seconds between two calls of a caller."""
LIMIT = 30.0
"""Seconds after which a call counts as hanging."""


async def called(stub: HectorStub, agent: str, message: str) -> dict[str, object]:
    """One call: its answer, or the name of its error and its words."""
    began, last, failed = time.time(), None, ""
    outcome: dict[str, object] = {"agent": agent, "began": began, "answer": "", "error": "", "words": ""}
    try:
        async with asyncio.timeout(LIMIT):
            async for event in stub.Call(CallRequest(agent=agent, message=message)):
                last = event
                if event.tool_finished.failed:
                    failed = event.tool_finished.result
    except TimeoutError:
        outcome |= {"error": "Hangs", "words": f"no end within {LIMIT:g} s"}
    except grpc.aio.AioRpcError as error:
        told = rebuilt(error)
        outcome |= {"error": type(told or error).__name__, "words": str(told or error)}
    else:
        if failed:  # the model was told, and makes the best of it
            outcome |= {"error": "FailedTool", "words": failed}
        elif last is not None and last.HasField("run_finished"):
            outcome |= {"answer": last.run_finished.answer}
        elif last is not None and last.HasField("run_failed"):
            outcome |= {"error": last.run_failed.kind, "words": last.run_failed.error}
        else:
            outcome |= {"error": "NoEnd", "words": f"the last event is {last}"}
    return outcome | {"ended": time.time()}


async def caller(stub: HectorStub, agent: str, message: str, ending: asyncio.Event) -> None:
    """One call after the other."""
    while not ending.is_set():
        print(json.dumps(await called(stub, agent, message)), flush=True)
        await asyncio.sleep(PAUSE)


async def main() -> None:
    """All callers side by side."""
    ending = asyncio.Event()
    async with grpc.aio.insecure_channel(ADDRESS) as channel, asyncio.TaskGroup() as group:
        for agent, message in CALLERS:
            group.create_task(caller(HectorStub(channel), agent, message, ending))
        await asyncio.to_thread(sys.stdin.read)
        ending.set()


if __name__ == "__main__":
    asyncio.run(main())
