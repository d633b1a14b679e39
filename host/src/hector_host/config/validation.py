"""Values become models, and every problem of a value becomes one of its document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from hector_host.config.entry import Section
from hector_host.config.problems import shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from hector_host.config.document import Document
    from hector_host.config.entry import Place
    from hector_host.config.problems import KeyPath

M = TypeVar("M", bound=Section)


def read(model: type[M], value: Any, key: KeyPath, place: Place, document: Document) -> M | None:
    """The model of a value that stands at `key`; None when it has problems, which are then the document's."""
    if not isinstance(value, dict):
        what = f"{as_written(value, key, document)} is not a mapping"
        document.blame(key, what, "Write keys and values: {key: value}.")
        return None
    before = len(document.problems)
    prepared = _prepared(model, value, key, document)
    try:
        entry = model.model_validate(prepared, context=place)
    except ValidationError as error:
        from hector_host.config.wording import Wording

        for detail in error.errors(include_url=False):
            Wording(model, key, document).blame(detail)
        return None
    return entry if len(document.problems) == before else None


def as_written(value: Any, path: KeyPath, document: Document) -> str:
    """The value as errors repeat it: where a variable brought it, as the file writes it, for it may be a secret."""
    source = document.sources.get(path)
    return shown(source.text if source else value)


def fields(model: type[Section]) -> dict[str, tuple[str, FieldInfo]]:
    """By the keys that a mapping of this model may have: the field's name in Python, and the field."""
    return {field.alias or name: (name, field) for name, field in model.model_fields.items()}


def inner(field: FieldInfo) -> type[Section] | None:
    """The model of a field that holds a mapping of its own."""
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def _prepared(model: type[Section], value: dict[str, Any], key: KeyPath, document: Document) -> dict[str, Any]:
    """The mapping with empty sections made `{}`. Blames keys without a value, and keys that do not go together."""
    known = fields(model)
    for clash in model.clashes(value):
        document.blame((*key, *clash.path), clash.what, clash.step)
    prepared = dict(value)
    for name in [name for name in value if name in known]:
        field = known[name][1]
        below = inner(field)
        if value[name] is None and (below or get_origin(field.annotation) is dict):
            prepared[name] = {}
        elif value[name] is None:
            document.blame((*key, name), "has no value", "Write one, or remove the key.")
        elif below and isinstance(value[name], dict):
            prepared[name] = _prepared(below, value[name], (*key, name), document)
    return prepared
