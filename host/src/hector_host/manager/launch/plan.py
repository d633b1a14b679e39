"""What has to be run, or dialled, for a plugin of the configuration: its launch plan. Reads files, executes nothing."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, quoted
from hector_host.manager.failure import Failure
from hector_host.manager.launch import package
from hector_host.manager.launch.environment import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector_host.config import Config, PluginConfig
    from hector_host.config.manifest import Manifest

MANIFEST = package.MANIFEST
PYTHONS = frozenset({"python", "python3"})
"""Words for the plugin's own interpreter, if there is a .venv beside it, else for the host's."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Manifests spell them as Go does."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """How a plugin is reached.

    Attributes:
        command: Program and arguments; empty for an address.
        folder: Where the program runs.
        manifest: What the plugin's author says of it, if there is a manifest.
    """

    command: tuple[str, ...]
    folder: Path
    manifest: Manifest | None = None


def plan(plugin: PluginConfig, config: Config, environ: Mapping[str, str]) -> LaunchPlan:
    """The plan for one plugin.

    Args:
        plugin: It has a path, a package or a command.
        config: Where it stands.
        environ: The host's environment; its PATH decides which program a bare name is, unless the plugin has its own.

    Raises:
        Failure: There is nothing that could be run.
        ConfigError: Its manifest is wrong, or does not allow for what the configuration asks for.
    """
    own_python = None
    if plugin.path is not None:
        made = _from_path(plugin.path, config.locate(*plugin.key, "path"), config.folder)
        own_python = (plugin.path if plugin.path.is_dir() else plugin.path.parent) / ".venv" / "bin" / "python"
    elif plugin.package is not None:
        made = _from_manifest(package.manifest_path(plugin.package, plugin.name), config.folder)
    else:
        made = LaunchPlan(tuple(plugin.command or ()), config.folder)
    if made.manifest is not None and made.manifest.exclusive and plugin.replicas > 1:
        place = config.locate(*plugin.key, "replicas")
        raise ConfigError(
            f"{place}: {plugin.replicas} processes cannot share the data directory of {plugin.name}",
            f"Remove it, or write replicas: 1: {made.manifest.file} says exclusive: true.",
        )
    program, *arguments = made.command
    if program in PYTHONS:
        found = str(own_python) if own_python is not None and own_python.exists() else sys.executable
    else:
        found = _program(program, made.folder, plugin.env.get("PATH") or environ.get("PATH", DEFAULT_PATH))
    return replace(made, command=(found, *arguments))


def _from_path(path: Path, place: str, folder: Path) -> LaunchPlan:
    if not path.exists():
        raise Failure("exec", f"there is nothing at {path}", f"{place} names it: build the plugin, or mend the path.")
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise Failure(
                "exec",
                f"the folder {path} has no {MANIFEST}",
                f"{place} names it: write its manifest, or name the executable itself.",
            )
        return _from_manifest(path / MANIFEST, path)
    sidecar = path.with_name(f"{path.name}.{MANIFEST}")
    manifest = _read(sidecar) if sidecar.is_file() else None
    if manifest is not None and manifest.command:
        return LaunchPlan(manifest.command, path.parent, manifest)
    command = ("python", str(path)) if path.suffix == ".py" else (str(path),)
    return LaunchPlan(command, folder, manifest)


def _from_manifest(path: Path, folder: Path) -> LaunchPlan:
    manifest = _read(path)
    if not manifest.command:
        raise Failure(
            "exec", f"its manifest {path} has no command", "Add one, for example command: [python, -m, my_plugin]."
        )
    return LaunchPlan(manifest.command, folder, manifest)


def _read(path: Path) -> Manifest:
    from hector_host.config.manifest import read_manifest

    manifest = read_manifest(path)
    system, machine = platform.system().lower(), platform.machine().lower()
    here = f"{system}/{_ARCHITECTURES.get(machine, machine)}"
    if manifest.platforms and not {here, system} & set(manifest.platforms):
        raise Failure(
            "exec",
            f"runs on {', '.join(manifest.platforms)}, and this machine is {here}",
            "Build the plugin for this machine and name the platform in its manifest.",
        )
    return manifest


def _program(name: str, folder: Path, search: str) -> str:
    """The file that a command's first word means."""
    if os.sep not in name:
        found = shutil.which(name, path=search)
        if found is None:
            raise Failure(
                "exec",
                f"its command {quoted(name)} is not on the PATH",
                f"Install {quoted(name)}, or write the command with its whole path.",
            )
        return found
    path = folder / Path(name).expanduser()
    if not path.exists():
        raise Failure("exec", f"there is nothing at {path}", _building(path, folder))
    if not path.is_file() or not os.access(path, os.X_OK):
        raise Failure("exec", f"{path} is not executable", f"chmod +x {path}")
    return str(path)


def _building(path: Path, folder: Path) -> str:
    """The next step where a command names what is not there."""
    if not (folder / "go.mod").is_file():
        return "Its command names it: build the plugin, or mend the command."
    program = os.path.relpath(path, folder)
    # Without the workspace, in which a fork inside a checkout is not listed.
    return f"It is not built yet: cd {shlex.quote(str(folder))} && GOWORK=off go build -o {shlex.quote(program)} ."
