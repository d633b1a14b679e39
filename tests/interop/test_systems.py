"""The Go plugins build for every system that their hosts run on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/go.mod"))


@pytest.mark.timeout(600)  # the first time, Go builds its own library for each of them
@pytest.mark.parametrize("processor", ["amd64", "arm64"])
@pytest.mark.parametrize("system", ["linux", "darwin", "windows"])
@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_go_plugin_builds(go_tool, plugin, system, processor, tmp_path):
    env = os.environ | {"GOWORK": "off", "GOOS": system, "GOARCH": processor, "CGO_ENABLED": "0"}
    built = tmp_path / plugin.name
    subprocess.run([go_tool, "build", "-o", built, "."], cwd=plugin, env=env, check=True)
    magic = built.read_bytes()[:2]
    assert magic == {"linux": b"\x7fE", "darwin": b"\xcf\xfa", "windows": b"MZ"}[system]
