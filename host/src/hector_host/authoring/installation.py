"""A plugin put where hosts discover it: whole or not at all.

It is unpacked and built in a folder beside the others whose name begins with a dot, which discovery passes over, and
then renamed. Whoever is killed before leaves such a folder and nothing else; the next installation removes it. One
installation at a time works in a folder: it holds a lock on the folder itself.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.authoring import golang
from hector_host.authoring.archive import MANIFEST, SAFE, pack
from hector_host.authoring.environment import Environment, relocate
from hector_host.authoring.platforms import runs_on, this_platform
from hector_host.authoring.unpacking import check_sum, unpack
from hector_host.config.manifest import read_manifest
from hector_host.errors import ConfigError, HectorError, PluginError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hector_host.config.manifest import Manifest

STAGE = ".installing-"
"""How the names of unfinished folders begin."""
_PYTHONS = frozenset({"python", "python3"})
_AT_CWD, _EXCHANGE = -100, 2  # of renameat2(2)


@dataclass(frozen=True, slots=True)
class Request:
    """What to install, and how.

    Attributes:
        source: A plugin's folder, or its archive.
        folder: Where plugins are discovered.
        sha256: What the archive's checksum must be; None for whatever lies beside it.
        replace: Take the place of an installed plugin of that name.
        find_links: Folders of wheels.
    """

    source: Path
    folder: Path
    sha256: str | None = None
    replace: bool = False
    find_links: tuple[Path, ...] = ()


def install(request: Request, report: Callable[[str], None]) -> Manifest:
    """Installs a plugin.

    Args:
        request: Which and where.
        report: Told what is being done, in lines.

    Returns:
        The manifest where it is now.

    Raises:
        HectorError: It is not installed, and everything is as it was.
    """
    if request.sha256 is not None and request.source.is_dir():
        raise ConfigError(f"--sha256: {request.source} is a folder", "Only an archive has a checksum.")
    if not request.source.is_dir():
        check_sum(request.source, request.sha256)
    with _stage(request.folder, report) as stage:
        archive = request.source
        if archive.is_dir():
            archive = pack(archive, stage / "packed").path
        made = stage / "plugin"
        unpack(archive, made)
        manifest = _checked(request, made)
        target = request.folder / manifest.name
        _build(request, manifest, made, report)
        relocate(made, made.absolute(), target.absolute())
        _put(made, target)
    return read_manifest(target / MANIFEST)


@contextmanager
def _stage(folder: Path, report: Callable[[str], None]) -> Iterator[Path]:
    """A folder for what is unfinished; what others left there is removed."""
    umask = os.umask(0o022)  # discovery runs nothing that others may change
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HectorError(f"{folder}: cannot be used: {error.strerror}", "Choose another folder by --into.") from None
    try:
        _lock(lock, folder, report)
        for left in folder.glob(f"{STAGE}*"):
            shutil.rmtree(left, ignore_errors=True)
        try:
            stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=folder))
        except OSError as error:
            step = "Choose another folder by --into."
            raise HectorError(f"{folder}: cannot be written: {error.strerror}", step) from None
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    finally:
        os.close(lock)
        os.umask(umask)


def _lock(lock: int, folder: Path, report: Callable[[str], None]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        report(f"{folder}: another installation is at work; waiting for its end")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _checked(request: Request, made: Path) -> Manifest:
    """The manifest of what was unpacked, if it may be installed here."""
    try:
        manifest = read_manifest(made / MANIFEST)
    except ConfigError as error:
        what = error.what.replace(str(made / MANIFEST), f"{request.source}: {MANIFEST}")
        raise PluginError(what, error.step) from None
    name, here = manifest.name, this_platform()
    if not SAFE.fullmatch(name):
        raise PluginError(f'{request.source}: its name "{quoted(name)}" cannot be that of a folder')
    if not runs_on(manifest.platforms, here):
        raise PluginError(
            f"{request.source}: is for {', '.join(manifest.platforms)}, and this machine is {here}",
            "Get the archive for this machine, or install it from its sources.",
        )
    target = request.folder / name
    if os.path.lexists(target) and not request.replace:
        raise PluginError(
            f"{name}: is installed already: {_version(target)} in {target}",
            f"--replace puts {manifest.version} in its place.",
        )
    for other in sorted(request.folder.glob(f"*/{MANIFEST}")):
        if other.parent != target and not other.parent.name.startswith(".") and _name(other) == name:
            raise PluginError(
                f"{name}: is the name of the plugin in {other.parent} too",
                "Remove that one, or go elsewhere by --into.",
            )
    return manifest


def _build(request: Request, manifest: Manifest, made: Path, report: Callable[[str], None]) -> None:
    """What the plugin needs before it can start."""
    if golang.is_go(made):
        program = made / golang.program(manifest, f"{request.source}: {MANIFEST}")
        if program.exists():
            return
        report(f"Building {manifest.name} with go")
        golang.build(manifest.name, made, program)
    elif (made / "pyproject.toml").is_file() or (manifest.command and manifest.command[0] in _PYTHONS):
        environment = Environment(manifest.name, made, find_links=request.find_links)
        report(environment.described())
        environment.build()


def _put(made: Path, target: Path) -> None:
    """Renames the finished folder into its place; what was there goes to the stage, to be removed with it."""
    try:
        if not os.path.lexists(target):
            made.rename(target)
        elif not _exchange(made, target):
            target.rename(made.with_name("replaced"))
            made.rename(target)
    except OSError as error:
        raise HectorError(f"{target}: cannot be written: {error.strerror}") from None


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two folders in one step, where the system can."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE) == 0


def _version(target: Path) -> str:
    try:
        return read_manifest(target / MANIFEST).version
    except ConfigError:
        return "something without a manifest"


def _name(manifest: Path) -> str | None:
    try:
        return read_manifest(manifest).name
    except ConfigError:
        return None
