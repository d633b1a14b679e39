"""What the owner of a plugin may set, and the limits that follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hector_sdk import InvalidOptions

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZE = re.compile(r"(\d+)(B|KB|MB|GB)?")
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_LARGEST = 512 * 1024


@dataclass(frozen=True)
class Options:
    """Options of shell-tools."""

    working_directory: str = ""
    """The directory of all tools, where the plugin starts if relative. Empty: `work` in its data directory."""
    allowed_commands: tuple[str, ...] = ()
    """What `run` may run, each with the words it must begin with: `ls`, `git log`. Empty: there is no `run`."""
    timeout: float | str = "30s"
    """How long a command may run: seconds, or a duration such as 30s or 5m."""
    max_output: int | str = "64KB"
    """How much a tool may return: bytes, or a size such as 64KB, up to 512KB."""


@dataclass(frozen=True)
class Limits:
    """What a command may take: seconds, and bytes of output."""

    seconds: float = 30.0
    output: int = 64 * 1024


def limits(options: Options) -> Limits:
    """The limits in plain units.

    Raises:
        InvalidOptions: One is not a duration or size, or out of bounds.
    """
    return Limits(_seconds(options.timeout), _output(options.max_output))


def _seconds(value: float | str) -> float:
    if isinstance(value, str):
        if not (found := _DURATION.fullmatch(value)):
            raise InvalidOptions("timeout", f'"{value}" is not a duration: write it as 30s or 5m')
        value = float(found[1]) * _SECONDS[found[2]]
    if not 0 < value <= 86400:
        raise InvalidOptions("timeout", f"{value:g} s is not between 0 and 24h")
    return value


def _output(value: int | str) -> int:
    if isinstance(value, str):
        if not (found := _SIZE.fullmatch(value)):
            raise InvalidOptions("max_output", f'"{value}" is not a size: write it as 64KB or 1MB')
        value = int(found[1]) * _BYTES[found[2] or "B"]
    if not 1024 <= value <= _LARGEST:
        raise InvalidOptions("max_output", f"{value} bytes are not between 1KB and 512KB")
    return value


def directory(options: Options, data_dir: Path | None) -> Path:
    """The working directory: the one that is named, which must be there, or one of the plugin's own, made if missing.

    Raises:
        InvalidOptions: There is none.
    """
    if options.working_directory:
        named = Path(options.working_directory).expanduser().absolute()
        if not named.is_dir():
            raise InvalidOptions("working_directory", f"{named} is not a directory")
        return named
    if data_dir is None:
        raise InvalidOptions("working_directory", "is required where the plugin has no data directory")
    own = data_dir.absolute() / "work"
    own.mkdir(parents=True, exist_ok=True)
    return own
