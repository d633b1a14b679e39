"""One call of an agent through a server: its run, the reader of its events, and the questions that wait for answers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from hector_host.errors import HectorError
from hector_host.runtime.runtime import RunRequest
from hector_host.server.backlog import Backlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector.host.v1.hector_pb2 import CallRequest
    from hector.host.v1.run_pb2 import QuestionAsked, RunEvent
    from hector_host.runtime.runtime import Runtime

    Write = Callable[[RunEvent], Awaitable[None]]


class TooSlowError(HectorError):
    """The caller reads the events more slowly than the run makes them."""


class Call:
    """A run and its reader; when one of them ends, so does the other.

    Attributes:
        run_id: Empty until the run has begun.
    """

    def __init__(self, runtime: Runtime, request: CallRequest) -> None:
        self.run_id = ""
        self._runtime = runtime
        self._request = request
        self._backlog = Backlog()
        self._questions: dict[str, asyncio.Future[str]] = {}
        self._limit = asyncio.timeout(None)
        self._followed = False
        self._cut_by: HectorError | None = None

    async def follow(self, write: Write) -> None:
        """Runs, and writes every event; cancelled, it cancels the run.

        Raises:
            HectorError: The run could not begin, or was cut.
        """
        run = asyncio.create_task(self._run())
        try:
            async with self._limit:
                self._followed = True
                while (event := await self._backlog.get()) is not None:
                    await write(event)
                await run
        except TimeoutError:
            if self._cut_by is None:
                raise
        finally:
            self._followed = False
            self._backlog.clear()
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        if self._cut_by is not None:
            raise self._cut_by

    def cut(self, error: HectorError) -> None:
        """Ends the run, and the call with this error; events that wait are not written any more."""
        if self._followed and self._cut_by is None:
            self._cut_by = error
            self._limit.reschedule(asyncio.get_running_loop().time())

    def answer(self, effect: str, answer: str) -> bool:
        """Answers a question; False when that effect waits for no answer."""
        question = self._questions.pop(effect, None)
        if question is None or question.done():
            return False
        question.set_result(answer)
        return True

    async def _run(self) -> None:
        try:
            async with aclosing(self._runtime.run(self._run_request())) as events:
                async for event in events:
                    self.run_id = event.run_id
                    if not self._backlog.put(event):
                        self.cut(self._too_slow())
                        return
        finally:
            self._backlog.close()

    def _run_request(self) -> RunRequest:
        request = self._request
        return RunRequest(
            request.agent,
            request.message,
            request.session_id or None,
            request.llm or None,
            request.user,
            self._ask if request.interactive else None,
        )

    async def _ask(self, question: QuestionAsked) -> str:
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._questions[question.effect_id] = waiting
        try:
            return await waiting
        finally:
            self._questions.pop(question.effect_id, None)

    def _too_slow(self) -> HectorError:
        return TooSlowError(
            f"run {self.run_id}: cancelled: its events were read too slowly, and too many of them waited",
            "Read the events as they come, or start the run where somebody does.",
        )
