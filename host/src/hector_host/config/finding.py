"""Where the configuration is. What only wants to know that imports none of the models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = ("hector.yaml", "config.yaml")
"""The names that are looked for in the current folder."""

OTHERWISE = "hector init writes one to begin with."
"""The next step of who has no file."""


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The file to read: the one that is given, $HECTOR_CONFIG, or the first of `FILES` in the current folder.

    Raises:
        ConfigError: There is none.
    """
    given = path or environ.get("HECTOR_CONFIG")
    if given:
        return Path(os.path.expanduser(given))  # noqa: PTH111 (an unknown ~user is a file that is not there)
    found = next((Path(name) for name in FILES if Path(name).is_file()), None)
    if found is None:
        looked = ", ".join(["--config", "$HECTOR_CONFIG", *FILES])
        raise ConfigError(f"no configuration: looked for {looked}", OTHERWISE)
    return found
