"""Values become models, and what pydantic finds becomes problems in our own words.

A value that a variable brought is never repeated: the problem shows how the file writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import ValidationError

from hector_host.config.entry import Section
from hector_host.config.fields import UNFIT
from hector_host.config.problems import meant, shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from hector_host.config.document import Document
    from hector_host.config.entry import Place
    from hector_host.config.problems import KeyPath

M = TypeVar("M", bound=Section)

_TYPES = {
    "string_type": ("is not text", 'Write it in quotes: "…".'),
    "int_type": ("is not a whole number", "Write it without quotes, as 4."),
    "int_from_float": ("is not a whole number", "Write it without a fraction, as 4."),
    "float_type": ("is not a number", "Write it without quotes, as 0.7."),
    "bool_type": ("is not true or false", "Write true or false."),
    "list_type": ("is not a list", "Write it in brackets: [one, two]."),
    "dict_type": ("is not a mapping", "Write keys and values: {key: value}."),
    "model_type": ("is not a mapping", "Write keys and values: {key: value}."),
}
_BOUNDS = {
    "greater_than_equal": ("is less than {ge}", "Write {ge} or more."),
    "greater_than": ("is not more than {gt}", "Write more than {gt}."),
    "less_than_equal": ("is more than {le}", "Write {le} or less."),
}


def read(model: type[M], value: Any, key: KeyPath, place: Place, document: Document) -> M | None:
    """The model of a value that stands at `key`; None when it has problems, which are then the document's."""
    if not isinstance(value, dict):
        _, step = _TYPES["model_type"]
        document.blame(key, f"{as_written(value, key, document)} is not a mapping", step)
        return None
    before = len(document.problems)
    prepared = _prepared(model, value, key, document)
    try:
        entry = model.model_validate(prepared, context=place)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _blame(detail, model, key, document)
        return None
    return entry if len(document.problems) == before else None


def as_written(value: Any, path: KeyPath, document: Document) -> str:
    """The value as errors repeat it: where a variable brought it, as the file writes it."""
    source = document.sources.get(path)
    return shown(source.text if source else value)


def keys(model: type[Section]) -> dict[str, FieldInfo]:
    """The keys that a mapping of this model may have."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def inner(field: FieldInfo) -> type[Section] | None:
    """The model of a field that holds a mapping of its own."""
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def _prepared(model: type[Section], value: dict[str, Any], key: KeyPath, document: Document) -> dict[str, Any]:
    """The mapping with empty sections made `{}`. Blames keys without a value, and keys that do not go together."""
    for clash in model.clashes(value):
        document.blame((*key, *clash.path), clash.what, clash.step or _step(model, clash.path))
    fields = keys(model)
    prepared = dict(value)
    for name in value.keys() & fields.keys():
        below = inner(fields[name])
        if value[name] is None and (below or fields[name].annotation is dict or _is_dict(fields[name])):
            prepared[name] = {}
        elif value[name] is None:
            document.blame((*key, name), "has no value", "Write one, or remove the key.")
        elif below and isinstance(value[name], dict):
            prepared[name] = _prepared(below, value[name], (*key, name), document)
    return prepared


def _is_dict(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is dict


def _step(model: type[Section], path: KeyPath) -> str:
    return meant(str(path[-1]), keys(model)) if path else ""


def _blame(detail: ErrorDetails, model: type[Section], key: KeyPath, document: Document) -> None:
    if detail["type"] == "default_factory_not_called":
        return  # its default follows from a field that has a problem of its own
    path = (*key, *detail["loc"])
    what, step = _words(detail, model)
    repeated = detail["type"] not in _BARE
    document.blame(path, f"{as_written(detail['input'], path, document)} {what}" if repeated else what, step)


_BARE = frozenset({"missing", "extra_forbidden", "string_too_short", "too_short"})
"""Problems of a key and not of its value."""


def _words(detail: ErrorDetails, model: type[Section]) -> tuple[str, str]:
    """What is wrong, to be read after the value, and the next step."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == UNFIT:
        return context["what"], context["step"]
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        what, step = _BOUNDS[kind]
        return what.format(**context), step.format(**context)
    if kind == "literal_error":
        return "is not known here", f"Write {context['expected'].replace(chr(39), '')}."
    if kind in {"string_too_short", "too_short"}:
        return "is empty", "Write something, or remove the key."
    holder, name = _holder(model, detail["loc"]), str(detail["loc"][-1])
    if kind == "missing":
        return "is missing", f"Add it: {keys(holder)[name].description}"
    if kind == "extra_forbidden":
        return "unknown key", meant(name, keys(holder))
    return detail["msg"], ""


def _holder(model: type[Section], loc: tuple[int | str, ...]) -> type[Section]:
    """The model of the innermost mapping on the way to `loc`."""
    for name in loc[:-1]:
        field = keys(model).get(str(name))
        model = (field and inner(field)) or model
    return model
