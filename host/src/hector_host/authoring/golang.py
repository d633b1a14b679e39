"""A plugin's program in Go: built so that the same sources give the same bytes, wherever they lie."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hector_host.authoring.command import run
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=")


def is_go(folder: Path) -> bool:
    """Whether the folder holds a module of Go."""
    return (folder / "go.mod").is_file()


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
