"""The types of fields: how a text becomes a value, how the value is written again, and what an editor is told."""

import os.path
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from hector_host.config import units
from hector_host.config.entry import Place

UNFIT = "unfit"
"""The type of pydantic errors whose context holds our own words: `what` and `step`."""


def unfit(what: str, step: str = "") -> PydanticCustomError:
    """The pydantic error that carries our own words."""
    return PydanticCustomError(UNFIT, "{what}", {"what": what, "step": step})


def _reads(unit: Callable[[str], Any]) -> BeforeValidator:
    """Reads by a function of `units`. What is no text is as wrong as an empty one."""

    def validate(value: Any) -> Any:
        try:
            return unit(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise unfit(*error.args) from None

    return BeforeValidator(validate)


def absolute(folder: Path, text: str) -> Path:
    """The path that a text means in a file of that folder: `~` is the home, `..` is resolved, links are kept."""
    return Path(os.path.normpath(folder / Path(text).expanduser()))


def _path(value: Any, info: ValidationInfo) -> Any:
    text = str(value) if isinstance(value, Path) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise unfit("is not a path", "Write a path; a relative one begins at the folder of this file.")
    place = info.context
    try:
        return absolute(place.folder if isinstance(place, Place) else Path(), text)
    except RuntimeError:
        raise unfit("has no home folder", "Write the folder instead of ~.") from None


def _address(value: Any, info: ValidationInfo) -> Any:
    """`unix:` with a relative path begins at the file's folder, as every path does."""
    try:
        text = units.address(value if isinstance(value, str) else "")
    except units.UnitError as error:
        raise unfit(*error.args) from None
    place = info.context
    path = text.removeprefix("unix:").removeprefix("//")
    return f"unix:{absolute(place.folder, path)}" if text.startswith("unix:") and isinstance(place, Place) else text


def _text_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Duration = Annotated[
    float,
    _reads(units.seconds),
    PlainSerializer(units.duration),
    _text_schema(r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$", "30s"),
]
"""Seconds, written `30s`."""

Size = Annotated[
    int, _reads(units.size), PlainSerializer(units.bytes_text), _text_schema(r"^[0-9]+(\.[0-9]+)?[KMGT]i?B$", "1GB")
]
"""Bytes, written `1GB`."""

Reference = Annotated[
    str, _reads(units.reference), PlainSerializer("plugin:{}".format), _text_schema("^plugin:.+$", "plugin:NAME")
]
"""The name of a plugin, written `plugin:NAME`."""

FilePath = Annotated[
    Path, BeforeValidator(_path), PlainSerializer(str), WithJsonSchema({"type": "string", "minLength": 1})
]
"""An absolute path; in the file it may be relative to the file's folder."""

Address = Annotated[str, BeforeValidator(_address), WithJsonSchema({"type": "string", "examples": ["localhost:8081"]})]
"""Where a running plugin listens."""

Network = Annotated[str, _reads(units.network), WithJsonSchema({"type": "string", "examples": ["localhost"]})]
"""One entry of `allowed_networks`."""

Text = Annotated[str, Field(min_length=1)]
"""A text that says something."""

Name = Annotated[str, _reads(units.name), WithJsonSchema({"type": "string", "pattern": units.NAME})]
"""A name that can stand in paths, labels and URLs."""
