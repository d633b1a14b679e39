"""The host under test, a process of its own: `python -m chaos.host CONFIGURATION LIFE INTERVAL`.

LIFE counts the hosts of a run, INTERVAL is that of health checks. It tells what happens on its stdout and takes
commands on its stdin, both as lines of JSON, and ends when its stdin does.
"""

import asyncio
import gc
import json
import os
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import leftovers

from chaos.callers import Callers
from chaos.calls import SHELF, SHELF_DIMENSION, Desk, WrongAnswerError, found, numbers_of, until_answered
from hector_host.cli.hosting import Host
from hector_host.config import Config, load
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.manager import Manager, StateChange, health
from hector_host.providers.call import Call
from hector_host.registry import Registry
from hector_host.runtime.runtime import Runtime
from hector_host.runtime.sqlite import open_journal


def tell(what: str, **facts: Any) -> None:
    """One line, for the driver."""
    print(json.dumps({"what": what} | facts), flush=True)


class Told:
    """The manager's changes, as they come."""

    manager: Manager | None = None

    def __call__(self, change: StateChange) -> None:
        replicas = self.manager.status(change.name).replicas if self.manager is not None else ()
        pid = next((replica.pid for replica in replicas if replica.number == change.replica), 0)
        tell("change", plugin=change.name, state=change.new.value, reason=change.reason, pid=pid)


async def serve(config: Config, life: int) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: tell("stray", text=repr(context)))
    told = Told()
    async with Manager(config, told) as manager, open_journal(config.storage.path) as journal:
        told.manager = manager
        manager.start(config.plugins)
        registry = Registry(config, manager)
        host = Host(config, manager, registry, Runtime(config, registry, journal), journal)
        desk = Desk(host, tell, numbers_of(life))
        callers = Callers(desk)
        working = asyncio.create_task(callers.serve())
        try:
            await obey(desk, callers)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def obey(desk: Desk, callers: Callers) -> None:
    """Does what the driver asks, one thing after the other."""
    commands = await _lines(sys.stdin.fileno())
    while line := await commands.readline():
        asked = json.loads(line)
        match asked["do"]:
            case "prepare":
                await prepare(desk)
            case "work":
                callers.work()
            case "rest":
                await callers.rest()
            case "check":
                await check(desk, asked["stored"], asked["runs"])
            case "figures":
                tell("figures", **figures())
        tell("done", number=asked["number"])


async def prepare(desk: Desk) -> None:
    """Fills what searches look into; nothing happens where it is filled."""
    config, registry = desk.host.config, desk.host.registry
    call = Call(patience=60)
    await until_answered(lambda: index(Store.open(config, registry, "docs"), call))
    await until_answered(lambda: registry.database("d").create_collection(SHELF, SHELF_DIMENSION, call))


async def check(desk: Desk, stored: list[int], runs: list[str]) -> None:
    """Tells what is not there of all that was acknowledged, by this host or an earlier one."""
    for number in stored:
        try:
            await until_answered(lambda number=number: found(desk, number))
        except WrongAnswerError as error:
            tell("lost", text=f"vector {number} was acknowledged: {error}")
    for run in runs:
        status = (await desk.host.journal.run(run)).summary.status
        if status != "finished":
            tell("lost", text=f"run {run} was answered, and is {status} in the journal")


def figures() -> dict[str, Any]:
    """What the process has at this moment."""
    gc.collect()
    rollup = dict(
        line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:] if ":" in line
    )
    own = sum(int(rollup[key].split()[0]) for key in ("Private_Clean", "Private_Dirty")) / 1024
    kinds: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was the listing's own
            kinds[_kind(str(entry.readlink()))] += 1
    names = sorted(thread.name for thread in threading.enumerate())
    lasting = [name for name in names if not name.startswith("asyncio_")]  # the loop's own pool grows to its bound
    return {
        "megabytes": own,
        "descriptors": dict(kinds),
        "threads": lasting,
        "system_threads": len(list(Path("/proc/self/task").iterdir())) - (len(names) - len(lasting)),
        "tasks": dict(Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())),
    }


def _kind(link: str) -> str:
    """What is open, without what differs from one start of a plugin to the next."""
    sockets = os.environ["XDG_RUNTIME_DIR"]
    return f"below {sockets}" if link.startswith(sockets) else link.partition(":[")[0]


async def _lines(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=64 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", closefd=False)
    )
    return reader


def main() -> None:
    config = load(Path(sys.argv[1]))
    health.INTERVAL = float(sys.argv[3])
    before = leftovers.descriptors(config.storage.path)
    asyncio.run(serve(config, int(sys.argv[2])))
    gc.collect()
    tell(
        "closed",
        descriptors=[link for link in leftovers.descriptors(config.storage.path) if link not in before],
        threads=[thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    )


if __name__ == "__main__":
    main()
