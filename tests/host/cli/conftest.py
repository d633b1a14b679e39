"""The command line inside the test's own process, for verbs that start nothing."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import Ended

from hector_host.cli.main import main


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs `hector` with the arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HECTOR_CONFIG", "HECTOR_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no other host of this user is found
    monkeypatch.setenv("COLUMNS", "400")  # so that what typer puts into boxes stays on one line

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hector", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run
