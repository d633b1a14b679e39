"""What is tested: a plugin to be started, or the address of one that runs; and how a configuration names it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hector_conformance.settings import FILE
from hector_host.config import units
from hector_host.errors import ConfigError, quoted

_UNNAMED = "plugin"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the plugin is.

    Attributes:
        text: As the user wrote it, made safe to print.
        path: A folder with plugin.yaml, an executable or a .py file; absolute. None: it runs somewhere.
        address: Where it listens. Empty: it is started here.
    """

    text: str
    path: Path | None = None
    address: str = ""

    @property
    def name(self) -> str:
        """A key for it in a configuration."""
        stem = self.address if self.path is None else self.path.stem
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:64] or _UNNAMED

    @property
    def stem(self) -> str:
        """What it goes by where nobody says its name; safe to print."""
        if self.path is None:
            return self.text
        return quoted(self.path.name if self.path.is_dir() else self.path.stem, 60)

    @property
    def source(self) -> dict[str, Any]:
        """Its source, as a configuration says it."""
        return {"address": self.address} if self.path is None else {"path": str(self.path)}

    @property
    def settings_file(self) -> Path | None:
        """Where its `conformance.yaml` may lie: beside plugin.yaml, or as `<executable>.conformance.yaml`."""
        if self.path is None:
            return None
        return self.path / FILE if self.path.is_dir() else self.path.with_name(f"{self.path.name}.{FILE}")


def target(text: str) -> Target:
    """Reads what the user wrote: what is there as a file or folder is one, else it is an address.

    Raises:
        ConfigError: It is neither.
    """
    path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100  resolve() would follow links
    shown = quoted(text, 200)
    if path.exists() and not path.is_socket():
        return Target(shown, path=path)
    try:
        return Target(shown, address=units.address(text))
    except units.UnitError:
        raise ConfigError(
            f"{shown}: there is no such file, and it is no address",
            "Name a folder with plugin.yaml, an executable, a .py file, or an address: host:port or unix:PATH.",
        ) from None
