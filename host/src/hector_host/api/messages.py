"""Agents, runs and modes of searching as the messages of the host's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.host.v1 import search_pb2
from hector.host.v1.hector_pb2 import Agent, GetRunResponse, RunEffect, RunIteration, RunSummary

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from hector.host.v1.search_pb2 import SearchMode
    from hector_host.config import AgentConfig
    from hector_host.config.search import Mode
    from hector_host.runtime import journal

SEARCH_MODES: dict[Mode | None, SearchMode] = {
    None: search_pb2.SEARCH_MODE_UNSPECIFIED,
    "hybrid": search_pb2.SEARCH_MODE_HYBRID,
    "vector": search_pb2.SEARCH_MODE_VECTOR,
    "keyword": search_pb2.SEARCH_MODE_KEYWORD,
}
"""None: as the store is configured."""


def agent_message(agent: AgentConfig) -> Agent:
    """An agent as it is declared."""
    return Agent(
        id=agent.id,
        name=agent.name,
        description=agent.description,
        llm=agent.llm,
        engine=agent.reasoning.engine,
        tools=agent.tools or (),
        all_tools=agent.tools is None,
        document_stores=agent.document_stores,
    )


def run_summary(run: journal.RunSummary) -> RunSummary:
    """A run in short."""
    summary = RunSummary(
        run_id=run.id,
        session_id=run.session,
        agent=run.agent,
        llm=run.llm,
        engine=run.engine,
        status=f"RUN_STATUS_{run.status.upper()}",
        iterations=run.iterations,
        question=run.question,
        error=run.error,
        usage=run.usage,
    )
    date(summary.created, run.created)
    if run.finished is not None:
        date(summary.finished, run.finished)
    return summary


def run_record(run: journal.RunRecord) -> GetRunResponse:
    """All that is kept of a run."""
    return GetRunResponse(
        summary=run_summary(run.summary),
        messages=run.messages,
        iterations=[RunIteration(number=number, thought=thought) for number, thought in run.thoughts.items()],
        effects=[_effect(effect) for effect in run.effects],
        steps=run.steps,
        answer=run.answer,
    )


def date(timestamp: Timestamp, seconds: float) -> None:
    """Sets a timestamp to a moment of Unix time."""
    timestamp.FromNanoseconds(round(seconds * 1e9))


def _effect(record: journal.EffectRecord) -> RunEffect:
    effect = RunEffect(iteration=record.iteration, request=record.request, outcome=record.outcome)
    date(effect.created, record.created)
    if record.finished is not None:
        date(effect.finished, record.finished)
    return effect
