"""What a new plugin may be called: its name becomes a folder, a distribution, a module and a key of the YAML."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from typing import TYPE_CHECKING

from hector_host.authoring.templates import Language, Template, module
from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

LONGEST = 50
"""Characters: as a folder of sockets and as a key it still fits everywhere."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OURS = frozenset({"hector", "src", "test", "tests", "main", "internal", "vendor", "third-party"})


def check_name(name: str, template: Template) -> None:
    """Makes sure that a fork of the template may have the name.

    Raises:
        ConfigError: It may not: it is no name, or something else is imported by it.
    """
    example = "Choose another one, for example my-llm."
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise ConfigError(
            f'"{quoted(name, LONGEST)}" cannot be the name of a plugin',
            f"Write small letters and digits, words joined by one hyphen, {LONGEST} characters at most: my-llm.",
        )
    if name in _OURS or name.startswith("hector-"):
        raise ConfigError(f'"{name}" is taken: Hector or its tools use the name themselves', example)
    if template.language is Language.PYTHON:
        _check_module(module(name), name, template.imported(), example)


def _check_module(made: str, name: str, imported: AbstractSet[str], step: str) -> None:
    if keyword.iskeyword(made):
        raise ConfigError(f'"{name}" is taken: the word is a keyword of Python', step)
    if made in sys.stdlib_module_names:
        raise ConfigError(f'"{name}" is taken: its module would hide {made} of the standard library', step)
    if made in imported or importlib.util.find_spec(made) is not None:
        raise ConfigError(f'"{name}" is taken: its module would hide the installed module {made}', step)
