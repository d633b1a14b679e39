"""What tests of several folders share: the command `hector` in an empty folder, and nothing left of it afterwards."""

from collections.abc import Iterator
from pathlib import Path

import leftovers
import pytest
from commandline import Hector


@pytest.fixture
def hector(tmp_path: Path) -> Iterator[Hector]:
    with leftovers.none(tmp_path) as sockets:
        yield Hector(tmp_path, sockets)
