"""Nothing that is committed names a package index, a registry or a path of somebody's machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

INDEXES = re.compile(
    r"pypi\.org|pythonhosted\.org|proxy\.golang\.org|sum\.golang\.org|download\.pytorch\.org|registry\.npmjs|"
    r"--(?:extra-)?index-url|--find-links\s+\S*://|\[\[tool\.uv\.index\]\]|GOPROXY=http",
)
REGISTRIES = re.compile(r"\b(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|[\w.-]+\.pkg\.dev)\b")
MACHINES = re.compile(r"(?<![\w.])/(?:root(?!/\.cache)|work|home/\w+|Users/\w+)/|\.pyenv\b")
THE_GUIDE = Path("tests/guide")  # a text that came from outside, kept as it is


@pytest.mark.parametrize("forbidden", [INDEXES, REGISTRIES, MACHINES], ids=["indexes", "registries", "machines"])
def test_no_file_names_where_it_was_made(root: Path, tracked: list[Path], forbidden: re.Pattern[str]) -> None:
    found = []
    for path in tracked:
        if path == Path(__file__).relative_to(root) or path.is_relative_to(THE_GUIDE):
            continue
        for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), start=1):
            found += [f"{path}:{number}: {match[0]}" for match in forbidden.finditer(line)]
    assert found == []


def test_constraints_are_pins_and_nothing_else(root: Path) -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+(?: ; .+)?")
    lines = (root / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#") and not pin.fullmatch(line)] == []
    assert len(lines) > 50


def test_no_lock_file_is_committed(tracked: list[Path]) -> None:
    locks = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "pylock.toml", "package-lock.json"}
    assert [str(path) for path in tracked if path.name in locks] == []
