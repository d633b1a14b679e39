"""Files written and read in an empty folder, so that errors name them `hector.yaml`."""

import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hector_host import config
from hector_host.config import Config
from hector_host.errors import ConfigError

Load = Callable[..., Config]
Refused = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Loads a text as `hector.yaml`; variables are keyword arguments."""

    def read(text: str, **variables: str) -> Config:
        (folder / "hector.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return config.load(environ=variables)

    return read


@pytest.fixture
def refused(load: Load) -> Refused:
    """The whole message with which a text is refused."""

    def read(text: str, **variables: str) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, **variables)
        return str(caught.value)

    return read


@pytest.fixture
def chance() -> random.Random:
    """The same random numbers in every run."""
    return random.Random(7)  # noqa: S311 (nothing is secret here)
