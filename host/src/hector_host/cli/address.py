"""Where a live host is: the address that the user names, or the one of a host that has left its record.

The order is `--server`, `$HECTOR_SERVER`, the live host of the same configuration file, and where no file is found the
user's only live host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host import hosts
from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hector_host.hosts import Record

VARIABLE = "HECTOR_SERVER"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a live host is.

    Attributes:
        target: As gRPC takes it.
        label: How messages call it.
        otherwise: How the user gets along without it, to be read after "or".
        config_file: The configuration of the host that is meant; empty when the user names the address alone.
    """

    target: str
    label: str
    otherwise: str
    config_file: str = ""


def named(config: Path | None, server: str | None, environ: Mapping[str, str]) -> Address | None:
    """The host that the user names.

    Raises:
        ConfigError: The address is none, or a configuration is named too: a live host has its own.
    """
    given, way, otherwise = server, "--server", "leave --server out"
    if given is None:
        given, way, otherwise = environ.get(VARIABLE) or None, f"${VARIABLE}", f"unset {VARIABLE}"
    if given is None:
        return None
    label = f"{way} {quoted(given, 200)}"
    target = _target(given, label)
    if config is not None:
        what = f"{label}: a live host has its own configuration, and --config {quoted(str(config))} is given too"
        raise ConfigError(what, f"Leave --config out, or {otherwise}.")
    return Address(target, label, otherwise)


def of_file(config: Path | None, environ: Mapping[str, str]) -> Address | None:
    """The live host of the configuration that is found; where none is, the user's only live host.

    Raises:
        ConfigError: No configuration is found, and not one host.
    """
    from hector_host.config.finding import find

    try:
        file = find(config, environ)
    except ConfigError as error:
        return _only(error)
    record = hosts.of(file)
    return None if record is None else of_record(record)


def of_record(record: Record) -> Address:
    """Where the host of a record is."""
    label = f"the live host of {quoted(record.config_file)} (process {record.pid}) at {quoted(record.address, 200)}"
    return Address(record.address, label, f"end it: kill {record.pid}", record.config_file)


def _only(no_file: ConfigError) -> Address:
    live = hosts.all_live()
    if not live:
        raise no_file
    if len(live) == 1:
        return of_record(live[0])
    listed = "\n".join(f"  {quoted(record.address, 200)}, of {quoted(record.config_file)}" for record in live)
    raise ConfigError(
        f"{no_file.what}; and there are {len(live)} live hosts:\n{listed}",
        "Name the one that is meant: --server ADDRESS, or --config FILE.",
    )


def _target(address: str, label: str) -> str:
    from hector_host.config import units

    try:
        return units.address(address)
    except units.UnitError as error:
        raise ConfigError(f"{label}: {error.args[0]}", "Write host:port, as 127.0.0.1:8080, or unix:PATH.") from None
