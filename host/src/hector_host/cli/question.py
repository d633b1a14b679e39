"""Lines that a person types, read without holding up the plugins: the loop goes on while the person thinks."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING

from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.host.v1.run_pb2 import QuestionAsked
    from hector_host.runtime.effects import Ask


def on_terminal() -> bool:
    """Whether somebody is there to type and to read."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_on_terminal() -> Ask | None:
    """Asks an agent's questions on the terminal; None where nobody is there."""
    if not on_terminal():
        return None

    async def ask(question: QuestionAsked) -> str:
        hint = f" (as JSON: {quoted(question.answer_schema)})" if question.answer_schema else ""
        print(f"? {quoted(question.text)}{hint}", file=sys.stderr)
        return await reader()("> ") or ""  # made now: what it imports is slow, and few runs ask

    return ask


def reader() -> Callable[[str], asyncio.Future[str | None]]:
    """A function that shows a prompt and reads one line; None at the end of input."""
    return _terminal_reader() if on_terminal() else _pipe_reader()


def _terminal_reader() -> Callable[[str], asyncio.Future[str | None]]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.output import create_output

    session: PromptSession[str] = PromptSession(output=create_output(sys.stderr))

    async def read(prompt: str) -> str | None:
        try:
            return await session.prompt_async(prompt)
        except EOFError:
            return None

    return lambda prompt: asyncio.ensure_future(read(prompt))


def _pipe_reader() -> Callable[[str], asyncio.Future[str | None]]:
    """Reads in a thread that may be left behind: a read from a pipe cannot be cancelled."""

    def read(_: str) -> asyncio.Future[str | None]:
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str | None] = loop.create_future()

        def deliver(text: str) -> None:
            if not line.done():
                line.set_result(text.removesuffix("\n") if text else None)

        def wait() -> None:
            text = sys.stdin.readline()
            if not loop.is_closed():
                loop.call_soon_threadsafe(deliver, text)

        threading.Thread(target=wait, daemon=True, name="stdin").start()
        return line

    return read
