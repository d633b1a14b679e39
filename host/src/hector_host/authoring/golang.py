"""A plugin's program in Go: built so that the same sources give the same bytes, wherever they lie."""

from __future__ import annotations

import os
import shutil
from pathlib import PurePath
from typing import TYPE_CHECKING

from hector_host.authoring.command import run
from hector_host.errors import HectorError, PluginError

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.config.manifest import Manifest

_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=")


def is_go(folder: Path) -> bool:
    """Whether the folder holds a module of Go."""
    return (folder / "go.mod").is_file()


def program(manifest: Manifest, where: str) -> PurePath:
    """The program that is built, relative to the module's folder, in which it stays whoever wrote the manifest.

    Args:
        where: Names the manifest in errors.

    Raises:
        PluginError: The command names none there.
    """
    word = manifest.command[0] if manifest.command else ""
    path = PurePath(word)
    if os.sep not in word or path.is_absolute() or ".." in path.parts:
        raise PluginError(
            f"{where}: plugin.command names no program in this folder",
            f"Name what go build makes, for example command: [./{manifest.name}].",
        )
    return path


def build(plugin: str, folder: Path, output: Path) -> None:
    """Builds the package in the folder. GOOS and GOARCH choose another platform, as they always do.

    Raises:
        HectorError: There is no Go toolchain.
        PluginError: It does not build; with the compiler's last lines.
    """
    go = shutil.which("go")
    if go is None:
        raise HectorError(f"{plugin}: there is no go on the PATH to build it", "Install Go 1.24 or newer.")
    run(
        plugin,
        (go, "build", *_FLAGS, "-o", output.absolute(), "."),
        folder,
        "Mend the sources. Modules that are not on this machine need a network or a GOPROXY.",
        {"CGO_ENABLED": "0", "GOWORK": "off"},
    )
