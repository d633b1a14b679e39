"""Who may change what lies in a discovery folder: nobody but root and this user, for whatever lies there is run."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def trust(path: Path) -> None:
    """Makes sure that nobody else may change a file or folder; links are followed.

    Raises:
        ConfigError: Somebody else may.
        OSError: It is not there, or cannot be looked at.
    """
    found = path.stat()
    if found.st_uid not in {0, os.geteuid()}:
        step = f"chown {_user(os.geteuid())} {path}, or declare the plugin in the configuration by its path."
        raise ConfigError(f"{path}: belongs to {_user(found.st_uid)}, so nothing of it is run", step)
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError(f"{path}: everybody may write it, so nothing of it is run", f"chmod o-w {path}")


def contain(path: Path, folder: Path) -> None:
    """Makes sure that a path leads, through whatever links, to something in the folder.

    Raises:
        ConfigError: It leads out of it, to what those who look after the folder do not see.
    """
    target = os.path.realpath(path)
    if os.path.commonpath([target, os.path.realpath(folder)]) != os.path.realpath(folder):
        step = "Copy the plugin into the folder, or declare it in the configuration by its path."
        raise ConfigError(f"{path}: leads out of the discovery folder, to {target}", step)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
