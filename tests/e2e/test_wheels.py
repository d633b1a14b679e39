"""The wheels alone, in an empty environment outside the checkout, run an agent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import Hector

ROOT = Path(__file__).parents[2]
PLUGINS = [path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
DISTRIBUTIONS = [ROOT / "gen", ROOT / "sdk/python", ROOT / "host", *PLUGINS]
UV = Path(sys.executable).with_name("uv")


def uv(*arguments: str | Path) -> None:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_wheels_run_an_agent(hector: Hector, tmp_path: Path) -> None:
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    for distribution in DISTRIBUTIONS:
        uv("build", "--quiet", "--wheel", "--out-dir", wheels, distribution)
    assert len(list(wheels.glob("*.whl"))) == len(DISTRIBUTIONS)
    uv("venv", "--quiet", "--python", sys.executable, venv)
    uv(
        *("pip", "install", "--quiet", "--python", venv, "--constraint", ROOT / "constraints.txt"),
        *("--find-links", wheels, "hector-host", "hector-echo-llm", "hector-shell-tools"),
    )
    hector.program = venv / "bin/hector"
    assert hector.answer("init") == 'Wrote hector.yaml. Next:\n  hector call assistant "Hello"\n'
    ended = hector("call", "assistant", "Hello")
    assert (ended.code, ended.out, ended.err) == (0, "Hello\n", "")
    imported = subprocess.run(
        [venv / "bin/python", "-c", "import hector_host, hector_sdk; print(hector_host.__file__, hector_sdk.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert all(path.startswith(str(venv)) for path in imported.stdout.split())
