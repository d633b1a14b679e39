"""The command line inside the test's own process, for verbs that start nothing."""

import sys
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
    monkeypatch.delenv("HECTOR_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "400")  # so that what typer puts into boxes stays on one line

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hector", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run
