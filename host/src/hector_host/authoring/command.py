"""A tool of the author's machine (uv, pip, go), run to its end; what it said last becomes part of the error."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hector_host.errors import HectorError, PluginError, printable_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LINES = 12
"""Of its output that an error shows."""
WIDTH = 500
"""Characters of such a line."""
_FOREIGN = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "GOWORK")
"""What is set for the host and would mislead a tool that works for a plugin."""


def run(who: str, command: Sequence[str | Path], folder: Path, step: str, env: Mapping[str, str] | None = None) -> str:
    """Runs the command in a folder, with the author's environment.

    Args:
        who: Whom an error is about.
        command: The program and its arguments.
        folder: Where it runs.
        step: The next step when it fails.
        env: Variables to add.

    Returns:
        What it printed on stdout.

    Raises:
        PluginError: It failed; with its last lines.
        HectorError: It is not there.
    """
    words = [str(word) for word in command]
    environ = {name: value for name, value in os.environ.items() if name not in _FOREIGN} | dict(env or {})
    try:
        ended = subprocess.run(  # noqa: S603 - the program is one of the few that this package names
            words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise HectorError(f"{words[0]}: cannot be run: {error.strerror}", step) from None
    if ended.returncode:
        said = last_lines(ended.stderr or ended.stdout)
        raise PluginError(f"{who}: {_shown(words)} failed with exit code {ended.returncode}\n{said}".rstrip(), step)
    return ended.stdout.decode(errors="replace")


def last_lines(output: bytes) -> str:
    """The last lines that are not empty, safe to print and indented."""
    lines = [line.rstrip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(f"  | {printable_lines(line[:WIDTH])}" for line in lines[-LINES:])


def _shown(words: Sequence[str]) -> str:
    """The command's name and its verb, without paths and flags."""
    return " ".join([os.path.basename(words[0]), *(word for word in words[1:3] if word.isalpha())])  # noqa: PTH119
