"""What is kept of runs, as values, and the interface of whatever keeps them.

Nothing is kept twice: a message is one row; a generation names its messages by id, and only those that its predecessor
did not name; of a strategy's state only the newest is there, and none once the run has ended (the strategy is pure, so
earlier ones follow by running it over the journal). So a journal grows with what was said and not with its square.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from google.protobuf.struct_pb2 import Struct

    from hector.host.v1.run_pb2 import Step
    from hector.plugin.v1.llm_pb2 import TokenUsage
    from hector.plugin.v1.message_pb2 import Message
    from hector.plugin.v1.reasoning_pb2 import Effect, InitializeRequest, Outcome


class Status(enum.StrEnum):
    """Where a run is. A running one whose process is gone is told as "interrupted"."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run at its beginning.

    Attributes:
        setup: What the strategy was initialised with, its messages and context left out: those follow from the run.
    """

    id: str
    session: str
    agent: str
    user: str
    engine: str
    llm: str
    setup: InitializeRequest
    question: Message
    state: Struct
    state_version: int


@dataclass(frozen=True, slots=True)
class NewIteration:
    """One answer of the strategy: the effects that it wants.

    Attributes:
        now: The clock that the strategy was given, in microseconds since the epoch.
        messages: What the strategy itself wrote for a generation, not journaled before.
        naming: For each generation the ids of its messages, as the change against the generation before (`ids.change`).
    """

    number: int
    now: int
    thought: str
    state: Struct
    state_version: int
    effects: Sequence[Effect]
    messages: Sequence[Message]
    naming: dict[str, str]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended: an answer, or an error."""

    status: Status
    answer: Message | None = None
    error: str = ""
    error_kind: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of `hector runs list`. Times are seconds since the epoch."""

    id: str
    session: str
    agent: str
    llm: str
    engine: str
    status: str
    created: float
    finished: float | None
    iterations: int
    question: str
    error: str
    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """An effect and what came of it. `finished` is None while nobody knows."""

    iteration: int
    id: str
    kind: str
    request: Effect
    created: float
    finished: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that is kept of a run."""

    summary: RunSummary
    messages: Sequence[Message]
    thoughts: dict[int, str]
    effects: Sequence[EffectRecord]
    steps: Sequence[Step]
    answer: Message | None


class Journal(Protocol):
    """Keeps runs. What returns a future is on disk when the future is done; writes happen in the order of the calls.

    Every method raises HectorError when the storage fails.
    """

    async def conversation(self, session: str) -> Sequence[Message]:
        """What user and agent said to each other in the finished runs of a session, oldest first.

        Runs that failed or were cancelled are left out, and runs that begin at the same time do not see each other.
        """
        ...

    def begin(self, run: NewRun) -> asyncio.Future[None]:
        """A run that has been accepted, with its question."""
        ...

    def iterate(self, run: str, iteration: NewIteration) -> asyncio.Future[None]:
        """What the strategy wants, before any of it is performed."""
        ...

    def settle(self, run: str, outcome: Outcome) -> asyncio.Future[None]:
        """What came of one effect; its message becomes part of the run."""
        ...

    def end(self, run: str, end: RunEnd, usage: TokenUsage, steps: Sequence[Step]) -> asyncio.Future[None]:
        """The end of a run; its state is dropped."""
        ...

    async def runs(self, limit: int, session: str = "") -> Sequence[RunSummary]:
        """The newest runs first."""
        ...

    async def run(self, run: str) -> RunRecord:
        """One run whole.

        Raises:
            NotFoundError: There is none of that id.
        """
        ...
