"""`hector chat`: a conversation with an agent, until the user leaves."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.options import ConfigOption, LLMOption, SessionOption, VerboseOption

if TYPE_CHECKING:
    from hector_host.runtime.runtime import RunRequest, Runtime

LEAVE = frozenset({"exit", "quit", "/exit", "/quit"})


def chat(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent to talk to.", show_default=False)],
    *,
    config: ConfigOption = None,
    llm: LLMOption = None,
    session: SessionOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Talk to an agent.

    Leave with /exit or Ctrl-D; Ctrl-C stops the answer that is being given. The conversation is kept: go on with it
    later by --session. Example:

        hector chat assistant --session friday
    """
    from hector_host.cli.hosting import run

    run(_chat(agent, config, llm, session, verbose=verbose))


async def _chat(agent: str, path: Path | None, llm: str | None, session: str | None, *, verbose: bool) -> None:
    from hector_host.cli.hosting import hosting
    from hector_host.config import load

    config = load(path)
    plugins = config.plugins_of(config.agent(agent), llm)
    async with hosting(config, plugins, verbose=verbose) as host:
        from hector_host.cli.question import ask_on_terminal, reader
        from hector_host.runtime.ids import session_id
        from hector_host.runtime.runtime import RunRequest

        session = session_id(session)
        print(f"{agent}, session {session}. Leave with /exit.", file=sys.stderr)
        read, ask = reader(), ask_on_terminal()
        while (line := await read("You: ")) is not None and line.strip() not in LEAVE:
            if line.strip():
                await _answer(host.runtime, RunRequest(agent, line, session, llm, ask=ask))


async def _answer(runtime: Runtime, request: RunRequest) -> None:
    """One turn. What goes wrong with it is told, and the conversation goes on; Ctrl-C ends the turn alone."""
    import signal

    from hector_host.cli.transcript import Transcript, print_sources
    from hector_host.errors import HectorError

    transcript = Transcript(stream=True)

    async def follow() -> None:
        async with aclosing(runtime.run(request)) as events:
            async for event in events:
                transcript.show(event)

    turn = asyncio.create_task(follow())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, turn.cancel)
    try:
        await turn
        print_sources(transcript.finished.sources)
    except HectorError as error:
        print(f"hector: {error}", file=sys.stderr)
    except asyncio.CancelledError:
        if not turn.cancelled() or (current := asyncio.current_task()) is None or current.cancelling():
            raise
        print("\n(stopped)", file=sys.stderr)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
