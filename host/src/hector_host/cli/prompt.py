"""The prompt at which calls of a plugin are typed: names of RPCs complete, and then an example of the request."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.output import create_output
from prompt_toolkit.patch_stdout import StdoutProxy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from hector_host.cli.rpcs import Rpc

WORDS = ("help", "exit")


@contextmanager
def prompting(rpcs: dict[str, Rpc]) -> Iterator[Callable[[str], Awaitable[str | None]]]:
    """Gives a function that shows a prompt and reads a line; None at the end. What is logged meanwhile stands above."""
    terminal, output = sys.stderr, create_output(sys.stderr)
    session: PromptSession[str] = PromptSession(output=output, completer=_Calls(rpcs), complete_while_typing=False)

    async def read(prompt: str) -> str | None:
        # Only while the prompt stands is there a line to write above: what goes through the proxy comes late.
        with StdoutProxy() as above:
            sys.stderr = above
            try:
                return await session.prompt_async(prompt)
            except EOFError:
                return None
            finally:
                sys.stderr = terminal

    with create_app_session(output=output):
        yield read


class _Calls(Completer):
    def __init__(self, rpcs: dict[str, Rpc]) -> None:
        self._rpcs = rpcs

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The names that begin so; behind a name and a space, its example."""
        del complete_event
        name, space, request = document.text_before_cursor.lstrip().partition(" ")
        if not space:
            for each in (*self._rpcs, *WORDS):
                if each.lower().startswith(name.lower()):
                    yield Completion(each, start_position=-len(name))
        elif name in self._rpcs and self._rpcs[name].example.startswith(request):
            yield Completion(self._rpcs[name].example, start_position=-len(request))
