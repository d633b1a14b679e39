"""`${NAME}` in texts: real variables first, then `.env` beside the file.

${NAME}             its value; not being set is an error
${NAME:-default}    its value; the default when it is not set or empty. Variables may stand in the default
$$                  a dollar
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.config.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TOKEN = re.compile(r"\$\$|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEXT = re.compile(r"\$\$|\$\{|\}")

_DEPTH_LIMIT = 20
"""Variables in defaults of variables in defaults …"""


class VariableError(Exception):
    """A text names a variable that is not set, or names none. Arguments: what, and the next step."""

    def __init__(self, what: str, step: str) -> None:
        super().__init__(what, step)
        self.what = what
        self.step = step


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its variables replaced.

    Attributes:
        text: What it means.
        used: The variables whose values are in it. Defaults are not: they stand in the file for all to see.
        whole: It is one `${…}` and nothing else.
    """

    text: str
    used: frozenset[str]
    whole: bool


def expand(text: str, variables: Mapping[str, str]) -> Expansion:
    """Replaces every `${…}` and `$$`.

    Raises:
        VariableError: A variable is not set, or `${` begins none.
    """
    reader = _Reader(text, variables)
    expanded = "".join(reader.top())
    return Expansion(expanded, frozenset(reader.used), reader.whole)


def escaped(text: str) -> str:
    """The text that `expand` turns into this one."""
    return text.replace("$", "$$")


class _Reader:
    """Reads a text once, from left to right."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._at = 0
        self._depth = 0
        self.used: set[str] = set()
        self.whole = False

    def top(self) -> Iterator[str]:
        while token := _TOKEN.search(self._text, self._at):
            yield self._text[self._at : token.start()]
            self._at = token.end()
            if token.group() == "$$":
                yield "$"
            else:
                yield self._variable(needed=True)
                self.whole = token.start() == 0 and self._at == len(self._text)
        yield self._text[self._at :]

    def _variable(self, *, needed: bool) -> str:
        """What stands after `${`, up to its `}`. One that is not `needed` (its value goes nowhere) may be unset."""
        begin = self._at - 2
        match = _NAME.match(self._text, self._at)
        if match is None:
            raise self._malformed(begin)
        name = match.group()
        self._at = match.end()
        value = self._variables.get(name)
        if self._text.startswith("}", self._at):
            self._at += 1
            if value is None and needed:
                raise VariableError(
                    f"${{{name}}} is not set",
                    f"Set it in the environment or in .env beside the file, or write ${{{name}:-default}}.",
                )
        elif self._text.startswith(":-", self._at):
            self._at += 2
            default = self._default(begin, needed=needed and not value)
            if not value:
                return default
        else:
            raise self._malformed(begin)
        if needed:
            self.used.add(name)
        return value or ""

    def _default(self, begin: int, *, needed: bool) -> str:
        parts = []
        self._depth += 1
        while self._depth <= _DEPTH_LIMIT and (token := _NEXT.search(self._text, self._at)):
            parts.append(self._text[self._at : token.start()])
            self._at = token.end()
            if token.group() == "}":
                self._depth -= 1
                return "".join(parts)
            parts.append("$" if token.group() == "$$" else self._variable(needed=needed))
        raise self._malformed(begin)

    def _malformed(self, begin: int) -> VariableError:
        return VariableError(
            f"{shown(self._text[begin:])} is no variable",
            "Write ${NAME} or ${NAME:-default}; a dollar is written $$.",
        )


def beside(folder: Path, problems: list[Problem]) -> dict[str, str]:
    """The variables in the folder's `.env`; none without that file. What cannot be read is added to the problems."""
    file = folder / ".env"
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problems.append(Problem(0, (), f"cannot be read: {reason}"))
        return {}
    return _assignments(text, problems)


def _assignments(text: str, problems: list[Problem]) -> dict[str, str]:
    import io

    from dotenv.parser import parse_stream

    found = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(Problem(binding.original.line, (), "is no assignment", "Write NAME=value, one in a line."))
        elif binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found
