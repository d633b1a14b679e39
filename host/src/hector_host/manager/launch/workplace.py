"""What one start of a plugin has on disk: a private folder for its socket, its data directory and the lock on that."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure
from hector_host.manager.launch.lock import DirectoryLock

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.manager.processes.custody import Warden


class Workplace:
    """The folders of one start.

    Attributes:
        sockets: Private, new, in the host's runtime folder, and gone with `clear`.
        data: The plugin's own, which outlives it.
        lock: On `data`, once somebody asked for it.

    Raises:
        Failure: A folder cannot be made.
    """

    def __init__(self, warden: Warden, data: Path) -> None:
        self.data = data
        self.lock: DirectoryLock | None = None
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.sockets = warden.new_folder()
        except OSError as error:
            raise Failure(
                "exec", f"{error.filename} cannot be made: {error.strerror}", "Mend storage.path, TMPDIR or the disk."
            ) from None

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that the plugin's process keeps open."""
        return () if self.lock is None else (self.lock.descriptor,)

    def claim(self) -> bool:
        """Asks for the lock; False when another process has it, for whose end `lock.wait` waits."""
        try:
            self.lock = DirectoryLock(self.data)
            return self.lock.take()
        except OSError as error:
            raise Failure(
                "lock",
                f"its directory {self.data} cannot be locked: {error.strerror}",
                "Mend the directory, or give this configuration another storage.path, on a file system that has locks.",
            ) from None

    def clear(self) -> None:
        """Removes what is not to outlive the plugin. May be called again."""
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self.lock is not None:
            self.lock.release()
