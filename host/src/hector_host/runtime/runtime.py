"""Runs agents: what a door calls. A run is prepared, then accepted (journaled), then told as events until it ends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector.host.v1.run_pb2 import RunEvent, RunFailed, RunFinished, RunStarted, Step
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector.plugin.v1.reasoning_pb2 import InitializeRequest
from hector_host.errors import HectorError
from hector_host.providers.call import Call
from hector_host.providers.prompt import text_of
from hector_host.runtime.default_engine import DefaultEngine
from hector_host.runtime.effects import Performer
from hector_host.runtime.events import Events
from hector_host.runtime.ids import new_id, session_id
from hector_host.runtime.journal import NewRun, RunEnd, Status
from hector_host.runtime.loop import Loop
from hector_host.runtime.messages import Messages
from hector_host.runtime.scope import Scope
from hector_host.runtime.strategy import bounded
from hector_host.runtime.toolset import Toolset, plugin_tools, search_offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from hector.plugin.v1.reasoning_pb2 import InitializeResponse
    from hector_host.config import AgentConfig, Config
    from hector_host.registry import Registry
    from hector_host.runtime.effects import Ask
    from hector_host.runtime.journal import Journal
    from hector_host.runtime.strategy import Strategy
    from hector_host.runtime.toolset import OfferedTool

PATIENCE = 5.0
"""Seconds for which a run waits for a plugin that is being started again."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a door asks of an agent.

    Attributes:
        session: The conversation that the run goes on with. None: a new one.
        llm: The model to use instead of the agent's own.
        ask: Called with a question of the agent; None: nobody can answer.
    """

    agent: str
    message: str
    session: str | None = None
    llm: str | None = None
    user: str = ""
    ask: Ask | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A run that can begin."""

    run: NewRun
    agent: AgentConfig
    strategy: Strategy
    begun: InitializeResponse
    toolset: Toolset
    messages: Messages
    call: Call
    steps: list[Step]


class Runtime:
    """The agents of one configuration."""

    def __init__(self, config: Config, registry: Registry, journal: Journal) -> None:
        self._config = config
        self._registry = registry
        self._journal = journal

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """The events of a new run, from `run_started` to `run_finished` or `run_failed`.

        Closing the iterator before its end cancels the run.

        Raises:
            HectorError: The run could not begin. What goes wrong later is the event `run_failed`.
        """
        prepared = await self._prepare(request)
        events = Events(prepared.run.id)
        task = asyncio.create_task(self._execute(prepared, request, events))
        task.add_done_callback(lambda _: events.close())
        try:
            async for event in events.read():
                yield event
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _prepare(self, request: RunRequest) -> _Prepared:
        agent = self._config.agent(request.agent)
        self._config.plugins_of(agent, request.llm)  # whatever it names is declared, or the file is to blame by line
        llm = self._config.llm_of(agent, request.llm).id
        run, session, steps = new_id(), session_id(request.session), list[Step]()
        call = Call(
            run=run,
            session=session,
            agent=request.agent,
            user=request.user,
            patience=PATIENCE,
            record=steps.append,
        )
        conversation, toolset, model = await asyncio.gather(
            self._conversation(request.session),
            self._toolset(request.agent, agent, call),
            self._registry.llm(llm).model(call),
        )
        messages = Messages(run, conversation)
        question = messages.add(Message(role=ROLE_USER, parts=[Part(text=request.message)]))
        messages.given.append(question.id)
        setup = InitializeRequest(
            max_iterations=agent.reasoning.max_iterations,
            temperature=self._config.llm(llm).temperature or 0.0,
            system_prompt=agent.prompt.system_prompt or "",
            tools=toolset.tools,
            model=model,
            llms={llm: model},
        )
        asked = InitializeRequest(messages=[*conversation, question])
        asked.MergeFrom(setup)
        asked.options.update(agent.reasoning.options)
        setup.options.update(self._redacted(agent.reasoning.options))  # the journal keeps no secrets
        asked.context.update({"agent": request.agent, "session": session, "user": request.user})
        strategy = self._strategy(agent)
        begun = await strategy.initialize(asked, call)
        bounded(begun.state, engine_label(agent))
        engine = agent.reasoning.engine
        new = NewRun(
            run, session, request.agent, request.user, engine, llm, setup, question, begun.state, begun.state_version
        )
        return _Prepared(new, agent, strategy, begun, toolset, messages, call, steps)

    async def _conversation(self, session: str | None) -> Sequence[Message]:
        return () if session is None else await self._journal.conversation(session)

    def _redacted(self, options: dict[str, Any]) -> dict[str, Any]:
        redacted: dict[str, Any] = json.loads(self._config.redact(json.dumps(options)))
        return redacted

    def _strategy(self, agent: AgentConfig) -> Strategy:
        plugin = self._config.engine_of(agent)
        return self._registry.reasoning(plugin.name) if plugin is not None else DefaultEngine()

    async def _toolset(self, name: str, agent: AgentConfig, call: Call) -> Toolset:
        offered = await plugin_tools(self._config, agent, self._registry, call)
        if agent.document_stores:
            offered.append(self._search(name, agent))
        return Toolset(name, offered)

    def _search(self, name: str, agent: AgentConfig) -> OfferedTool:
        from hector_host.documents.store import Store
        from hector_host.documents.tool import SearchTool

        stores = [Store.open(self._config, self._registry, store.name) for store in self._config.stores_of(agent)]
        search = SearchTool(stores)
        search.check()
        return search_offer(search, name)

    async def _execute(self, prepared: _Prepared, request: RunRequest, events: Events) -> None:
        """The run itself; whatever happens, its last event is published and its end journaled."""
        run = prepared.run
        scope = Scope(run.id, run.llm, prepared.messages, self._journal, events, prepared.call)
        reasoning = prepared.agent.reasoning
        performer = Performer(
            scope, self._registry, prepared.toolset, ask=request.ask, streaming=reasoning.enable_streaming
        )
        loop = Loop(scope, performer, prepared.strategy, engine_label(prepared.agent), reasoning.max_iterations)
        try:
            started = RunStarted(session_id=run.session, agent=run.agent, engine=run.engine, llm=run.llm)
            performer.note(self._journal.begin(run), RunEvent(run_started=started))
            answer = await loop.answer(prepared.begun)
        except asyncio.CancelledError:
            await asyncio.shield(self._end(prepared, performer, RunEnd(Status.CANCELLED)))
            raise
        except HectorError as error:
            await self._fail(prepared, performer, events, error)
        except Exception as error:
            bug = HectorError(f"internal error: {type(error).__name__}", "This is a bug of Hector.")
            await self._fail(prepared, performer, events, bug)
            raise
        else:
            await self._finish(prepared, performer, events, answer)

    async def _finish(self, prepared: _Prepared, performer: Performer, events: Events, answer: Message) -> None:
        try:
            await self._end(prepared, performer, RunEnd(Status.FINISHED, answer))
        except HectorError as error:  # the answer is not on disk, so it is not given
            events.publish(RunEvent(run_failed=self._failed(prepared, performer, error)))
            return
        finished = RunFinished(
            answer=text_of(answer),
            parts=answer.parts,
            usage=performer.usage,
            sources=performer.best_sources(),
            steps=prepared.steps,
        )
        events.publish(RunEvent(run_finished=finished))

    async def _fail(self, prepared: _Prepared, performer: Performer, events: Events, error: HectorError) -> None:
        failed = self._failed(prepared, performer, error)
        try:
            await self._end(prepared, performer, RunEnd(Status.FAILED, error=failed.error, error_kind=failed.kind))
        finally:
            events.publish(RunEvent(run_failed=failed))

    def _failed(self, prepared: _Prepared, performer: Performer, error: HectorError) -> RunFailed:
        return RunFailed(
            error=self._config.redact(str(error)),
            kind=next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == HectorError.__module__),
            usage=performer.usage,
            steps=prepared.steps,
        )

    async def _end(self, prepared: _Prepared, performer: Performer, end: RunEnd) -> None:
        await performer.flush(self._journal.end(prepared.run.id, end, performer.usage, prepared.steps))


def engine_label(agent: AgentConfig) -> str:
    """How messages name what decides for an agent."""
    plugin = agent.reasoning.plugin
    return "engine default" if plugin is None else f"reasoning_strategy/{plugin}"
