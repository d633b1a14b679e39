"""`conformance.yaml`: what the suite is told of a plugin by its author. Read with bounds, since it may be anybody's.

    config: {replies: ["one", "two"]}     # options; --config is laid over them
    model: script                         # of a language model or embedder; without it the plugin's default
    timeout: 60s                          # for a start, and for each case
    tools:
      harmless: {tool: read_file, parameters: {path: x}}
      receipt: {tool: run, parameters: {command: mktemp a.XXX}, other: {command: mktemp b.XXX}}
    excused:
      llm.usage_is_plausible: "the service counts what it likes"

Every key is optional.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hector_host.config import units
from hector_host.config.problems import meant
from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from pathlib import Path

FILE = "conformance.yaml"
SIZE = 64 << 10
"""Bytes that the file may have."""
LIMIT = 30.0
"""Seconds for a start, and for each case, unless the file says otherwise."""
LONGEST = 3600.0

Text = Annotated[str, Field(min_length=1, max_length=1000)]


def _seconds(value: Any) -> Any:
    """`30s` or `2m`, as in a configuration; or a number of seconds."""
    if not isinstance(value, str):
        return value
    try:
        return units.seconds(value)
    except units.UnitError as error:
        raise ValueError(str(error.args[0])) from None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Part):
    """A call of a tool, as a sample."""

    tool: Text
    parameters: dict[str, Any] = Field(default_factory=dict)


class ReceiptCall(Call):
    """A call of a tool that keeps receipts."""

    other: dict[str, Any] = Field(default_factory=dict)
    """Other parameters for the same tool, as harmless."""


class ToolSamples(_Part):
    """Calls that the suite may make. Tools that do not say `read_only` are called only by these."""

    harmless: Call | None = None
    """Succeeds, and changes nothing that matters."""
    receipt: ReceiptCall | None = None
    """Answers something new each time that it is executed. Its tool keeps receipts."""


class Settings(_Part):
    """What the file says."""

    config: dict[str, Any] = Field(default_factory=dict)
    """Options of the plugin."""
    model: str = ""
    """The model that is asked. Empty: the plugin's default."""
    timeout: Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=LONGEST)] = LIMIT
    """Seconds for a start, and for each case."""
    tools: ToolSamples = ToolSamples()
    excused: dict[Text, Text] = Field(default_factory=dict, max_length=200)
    """By names of cases, the reasons why they may fail."""


def read(file: Path) -> Settings:
    """Reads the file.

    Raises:
        ConfigError: It cannot be read, or is wrong; all its problems in one message.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(SIZE + 1)
    except OSError as error:
        words = os.strerror(error.errno or 0)
        raise ConfigError(f"{file}: cannot be read: {words}", "Mend it, or remove it.") from None
    if len(data) > SIZE:
        raise ConfigError(f"{file}: is larger than {SIZE >> 10} KiB", "It holds settings, and nothing large.")
    try:
        value = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: is not YAML: {quoted(str(error), 200)}", "Mend it, or remove it.") from None
    try:
        return Settings.model_validate({} if value is None else value)
    except ValidationError as error:
        lines = [
            f"{file}: {_place(each['loc'])}{quoted(each['msg'].removeprefix('Value error, '), 200)}"
            for each in error.errors()[:20]
        ]
        raise ConfigError("\n".join(lines), f"Known keys: {', '.join(Settings.model_fields)}.") from None


def check_excused(settings: Settings, file: Path, names: list[str]) -> None:
    """Judges the names of excused cases.

    Raises:
        ConfigError: There is no such case.
    """
    for name in settings.excused:
        if name not in names:
            raise ConfigError(f"{file}: excused.{quoted(name, 100)}: no such case", meant(name, names, "Cases"))


def _place(path: tuple[str | int, ...]) -> str:
    return f"{quoted('.'.join(map(str, path)), 100)}: " if path else ""
