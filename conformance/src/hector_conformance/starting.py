"""A start that comes to nothing, in words of who runs the suite: the host's own, without the file that it was given."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.authoring.templates import origin
from hector_host.errors import ConfigError, HectorError, StartError, about
from hector_host.manager.failure import Failure
from hector_host.manager.launch.plan import plan

if TYPE_CHECKING:
    from hector_conformance.target import Target
    from hector_host.config import Config
    from hector_host.manager.launch.plan import LaunchPlan

_PLACE = re.compile(r"^\S*hector-[^/\s]*\.yaml(?::\d+)?: plugins\.\S+?\.config(?:\.(?P<key>\S+))?: ", re.MULTILINE)
_NAMES_IT = re.compile(r"^.*?hector-[^/\s]*\.yaml(?::\d+)?: plugins\.\S+ names it: (?P<first>.)")
_OURS = re.compile(r"^Its log: |hector-[^/\s]*\.yaml")
"""Lines of the host's next steps about files that are gone with the suite."""
_MOVE = re.compile(r"^List it under plugins\.\w+, or name another plugin\.$")
_LISTED = "the configuration lists it as"
_STEP = "A plugin prints a handshake as its first line or listens on a port, and serves a service of hector.plugin.v1."
_SLOW_STEP = f"{_STEP}\nGive a slow one more time: timeout in conformance.yaml beside it."
_KIND_STEP = "Say what it provides with --kind, for example --kind llm."
_LATE = re.compile(r" within [0-9.]+ s\b")
_ADDRESS_STEP = "Name the address of a plugin that runs: of a gRPC server with a service of hector.plugin.v1."
_ABSENT = re.compile(r"\bNo module named '?(?P<module>[\w.]+)")


def planned(config: Config, target: Target) -> LaunchPlan:
    """How the plugin is started.

    Raises:
        StartError: There is nothing that could be run.
        ConfigError: Its manifest is wrong.
    """
    try:
        return plan(config.plugins[target.name], config, os.environ)
    except Failure as failure:
        raise StartError(about(target.text, failure.what), _own(failure.step, "")) from None


def refused(error: HectorError, target: Target, launch: LaunchPlan | None) -> HectorError:
    """The host's error about the plugin, about what the user named.

    Args:
        launch: How it was started; None for an address.
    """
    if isinstance(error, ConfigError):
        what = _PLACE.sub(lambda found: f"{target.text}: option {found['key']}: " if found["key"] else "", error.what)
        return ConfigError(what, "Give the options that it needs with --config, or in conformance.yaml beside it.")
    what = error.what.partition(": ")[2] or error.what
    told = about(target.text, what.replace(_LISTED, "--kind says", 1))
    if what.startswith("nothing says what it provides"):
        return StartError(told, _KIND_STEP)
    if launch is None:
        return StartError(told, _own(error.step, what) if what.startswith(_LISTED) else _ADDRESS_STEP)
    if _LATE.search(what):
        return StartError(told, _SLOW_STEP)
    return StartError(told, _environment(what, launch) or _own(error.step, what))


def _own(step: str, what: str) -> str:
    """The host's next step, for who named no configuration; where nothing is left of it, the general one."""
    kept = [line for line in _NAMES_IT.sub(lambda found: found["first"].upper(), step).splitlines() if line]
    moved = "Leave out --kind, or name another plugin." if what.startswith(_LISTED) else "Mend kinds in its manifest."
    return "\n".join(_MOVE.sub(moved, line) for line in kept if not _OURS.search(line)) or _STEP


def _environment(what: str, launch: LaunchPlan) -> str:
    """The next step of a plugin in Python that lacks a module; empty for every other."""
    absent = _ABSENT.search(what)
    python = Path(launch.command[0])
    if absent is None or not python.name.startswith("python"):
        return ""
    folder = launch.folder
    if (folder / ".venv" / "bin" / "python").exists() or not (folder / "pyproject.toml").is_file():
        return f"Install what has {absent['module']} for the Python that runs it, {python}, or into a .venv beside it."
    sources = shlex.join(str(origin() / part) for part in ("gen", "sdk/python"))
    install = f".venv/bin/pip install {sources} -e ."
    return f"It has no .venv yet: cd {shlex.quote(str(folder))} && python3 -m venv .venv && {install}"
