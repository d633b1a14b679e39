"""Prints the events of a run: the answer alone on stdout, everything else on stderr."""

from __future__ import annotations

import re
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from hector.host.v1.run_pb2 import RunFinished, RunStarted
from hector_host.cli.columns import aligned
from hector_host.cli.objects import usage_object
from hector_host.errors import HectorError, class_named, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from hector.host.v1.run_pb2 import (
        GenerationFinished,
        RunEvent,
        RunFailed,
        Source,
        Step,
        TextDelta,
        ToolFinished,
        ToolStarted,
    )

SHOWN = 100
"""Characters shown of a tool's arguments, its result or a passage."""

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing."""


class Transcript:
    """One run as text.

    Pieces of a generation that may still end in tool calls are no answer yet: on a terminal they are shown as they
    come, elsewhere they wait until it is known, so that what a script reads is the answer and nothing else.

    Args:
        stream: Print pieces as they come; else the whole answer at the end.
        quiet: Print nothing.

    Attributes:
        started: The run's first event.
        finished: Its last, once it has an answer.
    """

    def __init__(self, *, stream: bool, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._terminal = sys.stdout.isatty()
        self._held: dict[str, list[str]] = {}
        self._printed = ""
        self._run = ""
        self.started = RunStarted()
        self.finished = RunFinished()

    async def follow(self, events: AsyncGenerator[RunEvent, None]) -> None:
        """Prints a run to its end.

        Raises:
            HectorError: The run could not begin, it failed, or its host has gone.
        """
        try:
            async with aclosing(events):
                async for event in events:
                    self.show(event)
        except HectorError:
            self._end_line()
            raise

    def show(self, event: RunEvent) -> None:
        """Prints one event.

        Raises:
            HectorError: The run failed; of the class that the event names.
        """
        kind = event.WhichOneof("event")
        if kind == "run_started":
            self._run = event.run_id
            self.started = event.run_started
        elif kind == "text_delta":
            self._delta(event.text_delta)
        elif kind == "generation_finished":
            self._generation_finished(event.generation_finished)
        elif kind == "thought":
            self._note(f"· {quoted(event.thought.text)}")
        elif kind == "tool_started":
            self._tool_started(event.tool_started)
        elif kind == "tool_finished":
            self._tool_finished(event.tool_finished)
        elif kind == "run_finished":
            self._finish(event.run_finished)
        elif kind == "run_failed":
            raise failure(event.run_failed)

    def _delta(self, delta: TextDelta) -> None:
        if not self._stream or not delta.text:
            return
        if delta.provisional and not self._terminal:
            self._held.setdefault(delta.effect_id, []).append(delta.text)
        else:
            self._print(delta.text)

    def _generation_finished(self, finished: GenerationFinished) -> None:
        from hector.plugin.v1.llm_pb2 import FINISH_REASON_TOOL_CALLS

        held = self._held.pop(finished.effect_id, [])
        if finished.error or finished.finish_reason == FINISH_REASON_TOOL_CALLS:
            self._end_line()
            self._printed = ""
            if held:
                self._note(f"· {quoted(''.join(held))}")
        elif held:
            self._print("".join(held))

    def _tool_started(self, started: ToolStarted) -> None:
        self._note(f"→ {quoted(started.tool)} {quoted(started.arguments, SHOWN)}")

    def _tool_finished(self, finished: ToolFinished) -> None:
        mark = "✗" if finished.failed else "←"
        self._note(f"{mark} {quoted(finished.tool)}: {quoted(finished.result, SHOWN)}")

    def _finish(self, finished: RunFinished) -> None:
        self.finished = finished
        answer = finished.answer
        if not answer.startswith(self._printed.rstrip()):
            self._end_line()
            self._printed = ""
        rest = answer[len(self._printed) :]
        if rest:
            self._print(rest)
        self._end_line()

    def _print(self, text: str) -> None:
        if self._quiet:
            return
        self._printed += text
        sys.stdout.write(shown(text) if self._terminal else text)
        sys.stdout.flush()

    def _end_line(self) -> None:
        if self._printed and not self._printed.endswith("\n"):
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._printed += "\n"

    def _note(self, line: str) -> None:
        if self._quiet:
            return
        self._end_line()
        print(line, file=sys.stderr)

    def record(self) -> dict[str, Any]:
        """The finished run as one JSON object."""
        finished = self.finished
        return {
            "run_id": self._run,
            "session_id": self.started.session_id,
            "agent": self.started.agent,
            "answer": finished.answer,
            "sources": [
                {"source": source.location, "store": source.store, "score": source.score, "text": source.text}
                for source in finished.sources
            ],
            "usage": usage_object(finished.usage),
            "steps": [
                {
                    "kind": step.kind,
                    "provider": step.provider,
                    "plugin": step.plugin,
                    "pid": step.pid,
                    "seconds": step.seconds,
                    "ok": step.ok,
                }
                for step in finished.steps
            ],
        }


def shown(text: str) -> str:
    """A model's text for a terminal: without the control characters that would steer it."""
    return STEERING.sub("", text)


def failure(failed: RunFailed) -> HectorError:
    """The error that ended a run, of the class that it had in the host."""
    what, _, step = failed.error.partition("\n")
    return class_named(failed.kind)(what, "\n".join(line.strip() for line in step.splitlines()))


def print_sources(sources: Iterable[Source]) -> None:
    """The passages that an answer came from, on stderr."""
    listed = list(sources)
    if not listed:
        return
    rows = [(quoted(source.location), f"{source.score:.2f}", quoted(source.text, SHOWN)) for source in listed]
    print(f"Sources:\n{aligned(rows, '  ')}", file=sys.stderr)


def print_steps(steps: Iterable[Step]) -> None:
    """Which process did what, and for how long, on stderr."""
    rows = [("did", "as", "plugin", "process", "ms")]
    rows += [
        (step.kind, step.provider, step.plugin, str(step.pid or "-"), f"{step.seconds * 1000:.1f}") for step in steps
    ]
    print(aligned(rows, "  "), file=sys.stderr)
