"""Every error that Hector reports on purpose.

    HectorError                 exit 1
    ├── ConfigError             exit 2    the file is wrong: file, line, key path, value
    ├── QuestionError           exit 2    what was asked of document stores cannot be meant
    ├── PluginError             exit 3    one plugin misbehaved
    │   ├── StartError                    it never became ready
    │   └── CallError                     one RPC failed
    ├── NotFoundError           exit 4    no such agent, run, model; says what there is instead
    └── RunError                exit 5    the run ended without an answer

An error reads `who: what happened`, then, indented, the next step. Only `cli` turns them into exit codes.
What a plugin says of itself is untrusted: it passes `quoted` before it becomes part of a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grpc import StatusCode

QUOTE_LIMIT = 1000
"""Characters kept of a text that comes from a plugin, a model or a client."""


def printable(text: str) -> str:
    """The text with every character escaped that is not printable: none of it can steer a terminal or begin a line."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def printable_lines(text: str) -> str:
    """The same of a text of several lines, which stay what they are."""
    return "\n".join(map(printable, text.split("\n")))


def quoted(text: str, limit: int = QUOTE_LIMIT) -> str:
    """Foreign text made safe to print: one line, control characters escaped, `limit` characters at most."""
    cut = text.strip()[:limit]
    return printable(" ".join(cut.split())) + (" …" if len(text.strip()) > limit else "")


def about(who: str, what: str) -> str:
    """`who: what`; of a path that `what` names in full anyway, `what` alone."""
    told = what.partition("\n")[0]
    return what if who.startswith("/") and who in told and not told.startswith("its ") else f"{who}: {what}"


class HectorError(Exception):
    """`who: what`, and the next step.

    Attributes:
        what: One or several lines; the first begins with who it is about.
        step: What the reader can do now. Empty when there is nothing.
    """

    exit_code = 1

    def __init__(self, what: str, step: str = "") -> None:
        super().__init__(what, step)
        self.what = what
        self.step = step

    def __str__(self) -> str:
        if not self.step:
            return self.what
        return self.what + "\n" + "\n".join(f"  {line}" for line in self.step.splitlines())


class ConfigError(HectorError):
    """The configuration is wrong: `file:line: key.path: what`."""

    exit_code = 2


class QuestionError(HectorError):
    """What was asked of document stores cannot be meant: the question, or how to search."""

    exit_code = 2


class PluginError(HectorError):
    """One plugin misbehaved: `kind/name: what`."""

    exit_code = 3


class StartError(PluginError):
    """A plugin never became ready."""


class CallError(PluginError):
    """One RPC failed, or its answer was the domain's no.

    Attributes:
        code: The gRPC status. None when the plugin answered `success = false`: a final no of the domain.
        detail: The plugin's own words as they are, several lines maybe; `quoted` makes them safe to print.
        retryable: Worth a retry by somebody who knows that it is harmless.
        outcome_unknown: A side effect may or may not have happened.
    """

    def __init__(  # noqa: PLR0913 - each is a fact that some caller decides by
        self,
        what: str,
        step: str = "",
        *,
        code: StatusCode | None = None,
        detail: str = "",
        retryable: bool = False,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(what, step)
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown


class NotFoundError(HectorError):
    """Nothing has that name."""

    exit_code = 4


class RunError(HectorError):
    """A run ended without an answer."""

    exit_code = 5


_CLASSES: dict[str, type[HectorError]] = {
    kind.__name__: kind
    for kind in (HectorError, ConfigError, QuestionError, PluginError, StartError, CallError, NotFoundError, RunError)
}


def class_named(name: str) -> type[HectorError]:
    """The class of the name that another process tells; `HectorError` when it is none of these."""
    return _CLASSES.get(name, HectorError)
