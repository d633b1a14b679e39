"""What the fields of a model are for: the docstrings below them, read from its source.

Pydantic can do this when a class is made, which costs every command 15 ms; only the schema and a few errors need it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from hector_host.config.entry import Section

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def descriptions(model: type[Section]) -> dict[str, str]:
    """The description of every field, by the name that it has in Python."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Section):
            found.update(_documented(base))
    return {name: text for name, text in found.items() if name in model.model_fields}


def _documented(model: type[Section]) -> Iterator[tuple[str, str]]:
    source = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    for field, below in pairwise(source.body if isinstance(source, ast.ClassDef) else ()):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                yield field.target.id, " ".join(text.split())
