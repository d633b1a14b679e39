"""The Go plugin builds for every system that hosts run on; that the SDK does is tested beside it.

Neither processor nor cgo is chosen: so Go finds what it built of its own library for the SDK's test, and what is left
are seconds.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "plugins/echo-llm-go"
MAGIC = {"linux": b"\x7fELF", "darwin": b"\xcf\xfa\xed\xfe", "windows": b"MZ"}
"""How an executable of each begins."""


@pytest.mark.timeout(600)  # the first time, Go builds its own library for each of them
@pytest.mark.parametrize("system", MAGIC)
def test_the_go_plugin_builds(go_tool, system, tmp_path):
    built = tmp_path / "plugin"
    env = os.environ | {"GOWORK": "off", "GOOS": system}
    subprocess.run([go_tool, "build", "-o", built, "."], cwd=PLUGIN, env=env, check=True)
    assert built.read_bytes().startswith(MAGIC[system])
