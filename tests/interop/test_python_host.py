"""A smoke test with python-plugin, a port of go-plugin to Python with a gRPC of its own: its host runs our plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOST = Path(__file__).with_name("python_host.py")


@pytest.mark.parametrize("tls", ["plain", "automtls"])
@pytest.mark.parametrize("plugin", ["our Python", "our Go"])
def test_its_host_runs_it(programs, plugin, tls):
    command = [sys.executable, str(HOST), tls, *programs.plugins[plugin]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "Hello 0\n"), ended.stderr
