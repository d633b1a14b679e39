"""The deliberately wrong program in Go, built once for all tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WRONG = Path(__file__).parent / "wrong"


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program, its manifest and its conformance.yaml."""
    folder = tmp_path_factory.mktemp("wrong")
    subprocess.run(["go", "build", "-C", str(WRONG / "go"), "-o", str(folder / "wrong"), "."], check=True)
    for name in ("plugin.yaml", "conformance.yaml"):
        shutil.copy(WRONG / "go" / name, folder)
    return folder
