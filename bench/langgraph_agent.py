"""The peer of `runs`: LangGraph's prebuilt ReAct agent, its SQLite checkpointer, an instant model in its process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.prebuilt import create_react_agent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


@tool
def look(place: str) -> str:
    """Looks at a place."""
    return f"nothing to see at {place}"


class Scripted(BaseChatModel):
    """Calls the tool `steps` times in each turn, then answers."""

    steps: int = 1

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_: Any, **__: Any) -> Scripted:
        return self

    def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
        turn = 0
        for message in reversed(messages):
            if isinstance(message, HumanMessage):
                break
            turn += isinstance(message, AIMessage)
        if turn >= self.steps:
            answer = AIMessage("I looked.")
        else:
            call = {"name": "look", "args": {"place": "here"}, "id": f"call-{len(messages)}"}
            answer = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=answer)])


@contextlib.asynccontextmanager
async def agent(file: Path, steps: int = 1) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """A function that asks the agent once in the thread of the given name."""
    async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
        graph = create_react_agent(Scripted(steps=steps), [look], checkpointer=saver)

        async def ask(thread: str) -> None:
            config = {"configurable": {"thread_id": thread}, "recursion_limit": 100}
            state = await graph.ainvoke({"messages": [HumanMessage("Look around.")]}, config)
            assert state["messages"][-1].content == "I looked."

        yield ask
