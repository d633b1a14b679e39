"""The plugins of the authoring guide answer under a host, as the guide says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/authoring"
HECTOR = Path(sys.executable).with_name("hector")


def call(folder: Path, message: str) -> subprocess.CompletedProcess[str]:
    command = [HECTOR, "call", "herald", message, "--config", "hector.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "answer"), [("python", "HELLO!!\n"), ("bare", "olleh\n")])
def test_a_plugin_in_one_file(tmp_path: Path, name: str, answer: str) -> None:
    shutil.copytree(EXAMPLE / name, tmp_path, dirs_exist_ok=True)
    called = call(tmp_path, "hello")
    assert (called.stdout, called.returncode) == (answer, 0), called.stderr


def test_the_twin_in_go(tmp_path: Path) -> None:
    build = ["go", "build", "-C", str(EXAMPLE / "go"), "-o", str(tmp_path / "shout"), "."]
    subprocess.run(build, check=True)
    shutil.copy(EXAMPLE / "go/hector.yaml", tmp_path)
    called = call(tmp_path, "hello")
    assert (called.stdout, called.returncode) == ("HELLO!!\n", 0), called.stderr


def test_started_by_hand_it_says_what_it_is() -> None:
    started = subprocess.run([sys.executable, EXAMPLE / "python/shout.py"], capture_output=True, text=True, check=False)
    assert "shout 0.1.0: Answers in capitals." in started.stderr
    assert "--listen ADDRESS" in started.stderr
    assert (started.stdout, started.returncode) == ("", 1)


def test_without_an_sdk_it_says_what_it_is_too() -> None:
    started = subprocess.run([sys.executable, EXAMPLE / "bare/reverse.py"], capture_output=True, text=True, check=False)
    assert started.stderr == "reverse is a Hector plugin: name it in a configuration and call an agent\n"
    assert (started.stdout, started.returncode) == ("", 1)


def test_it_serves_where_it_is_told_and_says_how_it_is(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 's'}"
    shout = [sys.executable, EXAMPLE / "python/shout.py"]
    with subprocess.Popen([*shout, "--listen", address], stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline() == f"shout listens on {address}\n"
            health = subprocess.run([*shout, "--health", address], capture_output=True, text=True, check=False)
        finally:
            serving.terminate()
    assert (health.stdout, health.returncode) == ("SERVING\n", 0)
    assert serving.returncode == 0
