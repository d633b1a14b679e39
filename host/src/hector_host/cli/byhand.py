"""A host for one plugin that no file declares: a program to be started as a host starts it, or an address.

The plugin's own manager does all of it, so what is seen here is what a host will see: environment, handshake, options,
supervision, and nothing left at the end.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hector_host.errors import ConfigError, HectorError, PluginError, about, quoted
from hector_host.manager.lease import Ticket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hector_host.config import Config, Kind
    from hector_host.manager import Manager, Plugin, StateChange
    from hector_host.manager.lease import Lease
    from hector_host.manager.logs.lines import Record

CONFIG_SIZE = 1 << 20
"""Bytes read of a file of options."""
PATIENCE = 30.0
"""Seconds that a call waits for a plugin that ended and is started again."""

_OPTION = re.compile(r"^[^\n]*?: plugins\.[^\n]*?\.config(?:\.(?P<key>\S+))?: ", re.MULTILINE)
_PLACE = re.compile(r"\S*hector-run-[^\s:]*:\d+: plugins\.[^\s:]*[^\s:.,]")
"""A place in the file that nobody wrote: what stands there was named on the command line."""
_WORDS = (
    ("PLACE names it: ", ""),
    ("mend PLACE", "name another"),
    ("Mend PLACE", "Name another"),
    (": PLACE, or add tls if it speaks TLS", "; one that speaks TLS is reached from a configuration, by tls"),
    ("add tls beside PLACE", "reach it from a configuration, by tls"),
    (": PLACE", ""),
)
"""Of next steps, what a person means who named no place in a file."""
_COMMAND = "chmod "
"""How a next step begins that is a command, to be copied as it is."""
_MOVE = re.compile(r"List it under plugins\.\w+, or name another plugin\.")


class ByHand:
    """One plugin under a person's hands.

    Attributes:
        target: As the person named it, for messages.
        name: What its host calls it.
        data: The directory that it may write.
    """

    def __init__(self, target: str, name: str, manager: Manager, data: Path) -> None:
        self.target = target
        self.name = name
        self.data = data
        self._manager = manager

    async def ready(self) -> Plugin:
        """The plugin, once it takes calls; waited for while it is started again.

        Raises:
            PluginError: It does not start, or has ended too often.
            ConfigError: It rejects its options, or its manifest is wrong.
        """
        try:
            return await self._manager.ready(self.name, PATIENCE)
        except ConfigError as error:
            what = _OPTION.sub(lambda found: f"{self.target}: option {found['key'] or ''}".strip() + ": ", error.what)
            raise ConfigError(what, "Give it other options: --config JSON or FILE.") from None
        except HectorError as error:
            who, _, what = error.what.partition(": ")
            what = (what or who).replace("the configuration lists it as", "--kind says", 1)
            raise PluginError(about(self.target, what), _own(error.step)) from None

    async def lease(self, rpc: str) -> Lease:
        """A place for one call, once the plugin takes calls. Who calls gives it back.

        Raises:
            PluginError, ConfigError: It does not start again, or has ended too often.
        """
        return await self._manager.lease(self.name, Ticket(rpc), PATIENCE)

    def serving(self) -> Plugin | None:
        """The plugin, if it takes calls."""
        return self._manager.serving(self.name)


def _own(step: str) -> str:
    """A next step for who named the plugin on the command line, and keeps no log."""
    step = _MOVE.sub("Leave out --kind, or name another plugin.", _PLACE.sub("PLACE", step))
    for theirs, ours in _WORDS:
        step = step.replace(theirs, ours)
    lines = [line for line in step.splitlines() if "hector-run-" not in line]
    return "\n".join(line if line.startswith(_COMMAND) else line[:1].upper() + line[1:] for line in lines)


@asynccontextmanager
async def by_hand(
    target: str,
    kind: Kind | None,
    options: dict[str, Any] | None,
    on_log: Callable[[str, Record], None],
    on_change: Callable[[StateChange], None],
) -> AsyncIterator[ByHand]:
    """The plugin at a path, which is being started, or at an address. At the end nothing of it is left.

    Args:
        kind: What it is taken for; None: what it says itself.
        options: None: it gets none, and one at an address is left as it is.

    Raises:
        ConfigError: There is no such plugin, or the options cannot be meant.
    """
    from hector_host.manager import Manager

    source = _source(target)
    place = Path(source["path"]).stem if "path" in source else source["address"]
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", place).strip("-.")[:64] or "plugin"
    with tempfile.TemporaryDirectory(prefix="hector-run-", ignore_cleanup_errors=True) as folder:
        config = _config(Path(folder), kind, name, source, options)
        async with Manager(config, on_change, on_log=on_log, notice=lambda _: None) as manager:
            manager.start([name])
            yield ByHand(quoted(target, 200), name, manager, config.storage.path / "plugins" / name)


def options_of(given: str | None) -> dict[str, Any] | None:
    """The options of `--config`: a JSON object, or a file that holds one.

    Raises:
        ConfigError: It is neither.
    """
    if given is None:
        return None
    text, step = given, 'Write a JSON object, such as \'{"mark": "!"}\', or name a file that holds one.'
    if not given.lstrip().startswith("{"):
        try:
            with Path(given).open("rb") as file:
                text = file.read(CONFIG_SIZE + 1).decode()
        except OSError as error:
            raise ConfigError(f"--config {quoted(given, 200)}: {error.strerror}", step) from None
        except ValueError:
            raise ConfigError(f"--config {quoted(given, 200)}: is no text", step) from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--config: is not JSON: {error}", step) from None
    if not isinstance(value, dict):
        raise ConfigError("--config: is not a JSON object", step)
    return value


def _source(target: str) -> dict[str, str]:
    """Its source, as a configuration says it: what is there as a file or a folder is one, else it is an address."""
    from hector_host.config import units

    path = Path(os.path.abspath(Path(target).expanduser()))  # noqa: PTH100 (resolve() would follow links)
    if path.exists() and not path.is_socket():
        return {"path": str(path)}
    try:
        units.address(target)
    except units.UnitError:
        raise ConfigError(
            f"{quoted(target, 200)}: there is no such file, and it is no address",
            "Name a folder with plugin.yaml, an executable, a .py file, or an address: host:port or unix:PATH.",
        ) from None
    socket = target.removeprefix("unix:")
    return {"address": target if socket == target else f"unix:{Path.cwd() / socket.removeprefix('//')}"}


def _config(
    folder: Path, kind: Kind | None, name: str, source: dict[str, str], options: dict[str, Any] | None
) -> Config:
    """What a file would say that declares this plugin alone; relative paths begin where the person is."""
    from hector_host.config import load

    entry: dict[str, Any] = {**source}
    if options is not None:
        entry["config"] = options
    plugins = {name: entry} if kind is None else {kind.group: {name: entry}}
    file = folder / "hector.yaml"
    file.write_text(json.dumps({"plugins": plugins, "storage": {"path": str(folder / "storage")}}), encoding="utf-8")
    return replace(load(file), folder=Path.cwd())
