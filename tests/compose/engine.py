"""A container engine for a block: the one that answers, or else one of its own, stopped on every way out."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docker/engine.sh"


@contextmanager
def engine() -> Iterator[float]:
    """Gives the seconds that it took to have one; 0 where one answers already, which is left as it is."""
    if answers():
        yield 0.0
        return
    started = time.monotonic()
    try:
        subprocess.run([SCRIPT, "up"], check=True)
        yield time.monotonic() - started
    finally:
        subprocess.run([SCRIPT, "stop"], check=True)


def answers() -> bool:
    """Whether `docker` is installed and reaches an engine."""
    try:
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except FileNotFoundError:
        return False
