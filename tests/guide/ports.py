"""The guide's ports, :8081 to :8085, belong to one test at a time.

The guide's servers cannot be told to listen elsewhere, so whoever starts one holds this lock meanwhile, in every
process of every test run on this machine.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held() -> Iterator[None]:
    """Hold the ports."""
    lock = os.open(tempfile.gettempdir(), os.O_RDONLY)  # the folder itself: a file in it would be left there
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go when the process ends, however it ends
        yield
    finally:
        os.close(lock)
