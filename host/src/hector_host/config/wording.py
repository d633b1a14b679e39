"""What pydantic finds, in our own words: what is wrong with the value, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.config.descriptions import descriptions
from hector_host.config.fields import UNFIT
from hector_host.config.problems import meant
from hector_host.config.validation import as_written, fields, inner

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from hector_host.config.document import Document
    from hector_host.config.entry import Section
    from hector_host.config.problems import KeyPath

_OF_VALUES = {
    UNFIT: ("{what}", "{step}"),
    "string_type": ("is not text", "{quotes}"),
    "int_type": ("is not a whole number", "Write it without quotes and fraction, as 4."),
    "int_from_float": ("is not a whole number", "Write it without quotes and fraction, as 4."),
    "float_type": ("is not a number", "Write it without quotes, as 0.7."),
    "bool_type": ("is not true or false", "Write true or false, without quotes."),
    "list_type": ("is not a list", "Write it in brackets: [one, two]."),
    "dict_type": ("is not a mapping", "Write keys and values: {{key: value}}."),
    "model_type": ("is not a mapping", "Write keys and values: {{key: value}}."),
    "greater_than_equal": ("is less than {ge}", "Write {ge} or more."),
    "greater_than": ("is not more than {gt}", "Write more than {gt}."),
    "less_than_equal": ("is more than {le}", "Write {le} or less."),
    "literal_error": ("is not known here", "Write {expected}."),
}
"""By pydantic's types of errors. What is wrong is read after the value; braces are filled from the error's context."""


_EMPTY = frozenset({"string_too_short", "too_short"})

_IMPLIED = "default_factory_not_called"
"""Its default follows from a field that has a problem of its own."""


def _context(detail: ErrorDetails, value: str) -> dict[str, str]:
    """What braces are filled from: pydantic's context, and the value as it would be in quotes."""
    context = {
        key: f"{part:g}" if isinstance(part, float) else str(part) for key, part in detail.get("ctx", {}).items()
    }
    scalar = not isinstance(detail["input"], (list, dict))
    context["quotes"] = f'Write it in quotes: "{value.strip(chr(34))}".' if scalar else "Write a text."
    if detail["type"] == "literal_error":
        context["expected"] = context["expected"].replace("'", "")
    return context


class Wording:
    """Puts what was found in one entry into words."""

    def __init__(self, model: type[Section], key: KeyPath, document: Document) -> None:
        self._model = model
        self._key = key
        self._document = document

    def blame(self, detail: ErrorDetails) -> None:
        """Adds the problem to the document."""
        if detail["type"] == _IMPLIED:
            return
        path = (*self._key, *detail["loc"])
        if detail["type"] in _OF_VALUES:
            value = as_written(detail["input"], path, self._document)
            context = _context(detail, value)
            what, step = (words.format_map(context) for words in _OF_VALUES[detail["type"]])
            self._document.blame(path, f"{value} {what}", step)
        else:
            self._document.blame(path, *self._of_key(detail))

    def _of_key(self, detail: ErrorDetails) -> tuple[str, str]:
        if detail["type"] in _EMPTY:
            return "is empty", "Write something, or remove the key."
        holder, key = self._holder(detail["loc"]), str(detail["loc"][-1])
        known = fields(holder)
        if detail["type"] == "missing":
            return "is missing", f"Add it: {descriptions(holder)[known[key][0]]}"
        if detail["type"] == "extra_forbidden":
            return "unknown key", meant(key, known, "Known keys")
        return detail["msg"], ""

    def _holder(self, loc: tuple[int | str, ...]) -> type[Section]:
        """The model of the innermost mapping on the way to `loc`."""
        model = self._model
        for key in loc[:-1]:
            _, field = fields(model).get(str(key), ("", None))
            model = (field and inner(field)) or model
        return model
