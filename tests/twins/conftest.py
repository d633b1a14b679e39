"""Both twins: built once for all tests, and served once for those that only ask."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from twins import cases, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[programs.Twin, programs.Twin]:
    """The programs: Python, Go."""
    return programs.both(tmp_path_factory.mktemp("go"))


@pytest.fixture(params=["Python", "Go"])
def twin(both: tuple[programs.Twin, programs.Twin], request: pytest.FixtureRequest) -> programs.Twin:
    """One after the other."""
    return both[request.param == "Go"]


@pytest.fixture(scope="session")
def channels(both: tuple[programs.Twin, programs.Twin]) -> Iterator[tuple[grpc.Channel, grpc.Channel]]:
    """To both, served with the same options, and ready."""
    with tempfile.TemporaryDirectory(prefix="ht") as folder, ExitStack() as stack:
        options = ("--config", json.dumps(cases.OPTIONS))
        served = [stack.enter_context(each.listening(f"unix:{folder}/{each.name}", *options)) for each in both]
        for each in served:
            programs.configure(each.channel, cases.OPTIONS)  # joins the start, and awaits its end
        yield served[0].channel, served[1].channel


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A short folder: the path of a socket holds about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="ht") as folder:
        yield Path(folder)
