"""Which commands may run: those that begin with the words of an entry. There is no shell to lead around the list."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hector_sdk import Failure, InvalidOptions
from hector_shell_tools.words import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPERATORS = frozenset(("|", "||", "&", "&&", ";", ">", ">>", "<", "<<", "2>", "2>&1", "&>"))


def allowed(commands: Sequence[str]) -> list[list[str]]:
    """The words that each allowed command begins with.

    Raises:
        InvalidOptions: An entry is no command, or names its program by a relative path.
    """
    entries = []
    for index, command in enumerate(commands):
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise InvalidOptions(f"allowed_commands[{index}]", str(error).lower()) from error
        if not words:
            raise InvalidOptions(f"allowed_commands[{index}]", "is empty: write the name of a program")
        if "/" in words[0] and not words[0].startswith("/"):
            # A program below the working directory could be one that a tool has just written.
            raise InvalidOptions(f"allowed_commands[{index}]", f'"{words[0]}": give a name on PATH or an absolute path')
        entries.append(words)
    return entries


def parse(command: str, allowed: Sequence[Sequence[str]]) -> list[str]:
    """The words of `command`, which must begin with the words of one of `allowed`.

    Raises:
        Failure: It cannot be split, wants a shell, or is not allowed.
    """
    if "\0" in command:
        raise Failure("a command cannot contain a NUL character")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Failure(f"the command cannot be split into words: {str(error).lower()}") from error
    if not words:
        raise Failure("the command is empty")
    if operator := _operator(command):
        raise Failure(f"there is no shell, so `{operator}` has no meaning: run one command, and quote such an argument")
    if not any(words[: len(entry)] == list(entry) for entry in allowed):
        there = ", ".join(map(shlex.join, allowed)) or "nothing"
        raise Failure(f"`{printable(words[0])}` is not allowed here. Allowed: {there}")
    return words


def _operator(command: str) -> str | None:
    """The first word that a shell would have understood: quoted ones keep their quotes in this reading."""
    lexer = shlex.shlex(command, posix=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return next((word for word in lexer if word in _OPERATORS), None)
    except ValueError:
        return None  # a quote that only the reading with escapes can close: no operator stands alone there
