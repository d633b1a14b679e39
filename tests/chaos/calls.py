"""What is asked of the host while it suffers: agents' runs and calls of providers. Each has one right answer."""

import asyncio
import itertools
import random
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chaos import world
from chaos.endpoint import ANSWER
from hector_host.cli.hosting import Host
from hector_host.errors import HectorError
from hector_host.providers.call import Call
from hector_host.providers.packed import Row, components
from hector_host.runtime.runtime import RunRequest

PATIENCE = 5.0
SHELF = "shelf"
"""The collection of numbered vectors."""
SHELF_DIMENSION = 16


class WrongAnswerError(Exception):
    """A call was answered, and not as it should be."""


class FailedError(Exception):
    """A run ended with an error, or its answer is one: the name of the error's class, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


@dataclass(slots=True)
class Desk:
    """What the callers have in common.

    Attributes:
        tell: Tells the driver of something, by its name and facts.
        numbers: Of vectors to be stored, never given before.
        stored: Those that were acknowledged in this life of the host.
        chance: Chooses what is asked.
    """

    host: Host
    tell: Callable[..., None]
    numbers: Iterator[int]
    stored: list[int] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)
    _embedded: dict[str, list[float]] = field(default_factory=dict)

    def same(self, text: str, vector: Sequence[float]) -> bool:
        """Whether a text was always embedded so, but for the last digits."""
        known = self._embedded.setdefault(text, list(vector))
        return len(vector) == len(known) and max(abs(a - b) for a, b in zip(vector, known, strict=True)) < 1e-4


async def librarian(desk: Desk) -> None:
    """react, a model in Python, a search: embedder and database."""
    answer = await _run(desk, "librarian", world.QUESTION)
    if told := world.SEARCH_FAILED.fullmatch(answer):
        raise FailedError("CallError", told["error"])
    expect(answer, world.PASSAGE)


async def clerk(desk: Desk) -> None:
    """The default engine, a model in Go, a command."""
    expect(await _run(desk, "clerk", "How many words are there?"), world.COUNTED)


async def scribe(desk: Desk) -> None:
    """react, a model behind HTTP, streamed."""
    expect(await _run(desk, "scribe", "Begin."), ANSWER)


async def embed(desk: Desk) -> None:
    """The same text is the same vector, whichever process embeds it."""
    text = desk.chance.choice(list(world.DOCUMENTS.values()))
    (vector,) = await desk.host.registry.embedder("e").embed([text], call=Call(patience=PATIENCE))
    if not desk.same(text, array("f", vector)):
        raise WrongAnswerError(f"{text!r} is embedded otherwise than before")


async def store(desk: Desk) -> None:
    """What is acknowledged is there for ever."""
    number = next(desk.numbers)
    row = Row(str(number), numbered(number))
    await desk.host.registry.database("d").upsert(SHELF, [row], Call(patience=PATIENCE))
    desk.stored.append(number)
    desk.tell("stored", number=number)


async def search(desk: Desk) -> None:
    """Finds what was stored."""
    if desk.stored:
        await found(desk, desk.chance.choice(desk.stored))


async def list_tools(desk: Desk) -> None:
    names = set(await desk.host.registry.tools("shell").tools(Call(patience=PATIENCE)))
    expect(names, {"run", "read_file", "write_file", "list_files", "search_files"})


async def execute(desk: Desk) -> None:
    """A command that takes its time, so that it is there when its plugin dies."""
    parameters = {"command": "sleep 0.3"}
    key = f"chaos-{desk.chance.getrandbits(64):x}"
    await desk.host.registry.tools("shell").execute("run", parameters, key, Call(patience=PATIENCE))


CALLERS: tuple[Callable[[Desk], Awaitable[None]], ...] = (
    *(librarian,) * 4,
    *(clerk,) * 2,
    *(scribe,) * 2,
    *(embed,) * 2,
    *(store,) * 2,
    *(search,) * 2,
    list_tools,
    execute,
)


def expect(answer: Any, known: Any) -> None:
    if answer != known:
        raise WrongAnswerError(f"the answer is {answer!r}, not {known!r}")


async def found(desk: Desk, number: int) -> None:
    """A stored vector is the nearest to itself."""
    database, call = desk.host.registry.database("d"), Call(patience=PATIENCE)
    results = await database.search(SHELF, numbered(number), limit=1, call=call)
    expect([result.id for result in results], [str(number)])


def numbered(number: int) -> bytes:
    """The vector of a number, the same in every process."""
    chance = random.Random(number)
    return components(chance.gauss(0, 1) for _ in range(SHELF_DIMENSION))


async def _run(desk: Desk, agent: str, message: str) -> str:
    last = None
    async for event in desk.host.runtime.run(RunRequest(agent, message)):
        last = event
    if last is None or not (last.HasField("run_finished") or last.HasField("run_failed")):
        raise WrongAnswerError(f"the last event of a run is {last}")
    if last.HasField("run_failed"):
        raise FailedError(last.run_failed.kind, last.run_failed.error)
    desk.tell("finished", run=last.run_id)
    answer: str = last.run_finished.answer
    return answer


async def until_answered(one: Callable[[], Awaitable[Any]], seconds: float = 120.0) -> Any:
    """Repeats a call that fails with a name: what is checked is there, though its plugin may be down just now."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(HectorError):
                return await one()
            await asyncio.sleep(0.1)


def numbers_of(life: int) -> Iterator[int]:
    """The numbers of one host's life; another life has others."""
    return itertools.count(life * 1_000_000)
