"""What the documents show is what the project holds: code is a file's, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "plugins/*/*.md",
        "sdk/*/*.md",
        "gen/*.md",
        "host/*.md",
        "conformance/*.md",
        "examples/**/*.md",
    )
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
SHOWN = re.compile(r"^<!-- (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(?:#[^)]*)?\)")


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_code_that_names_a_file_is_that_file(document: Path) -> None:
    differing = [name for name, code in SHOWN.findall(document.read_text()) if code != (ROOT / name).read_text()]
    assert differing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_links_lead_to_files(document: Path) -> None:
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert broken == []


def test_every_file_of_the_authoring_example_is_shown(tracked: list[Path]) -> None:
    guides = [ROOT / "docs/authoring.md", ROOT / "docs/protocol.md"]
    shown = {name for guide in guides for name, _ in SHOWN.findall(guide.read_text())}
    example = {str(path) for path in tracked if path.is_relative_to("examples/authoring")}
    told_in_words = ("go.sum", "go/hector.yaml", "bare/hector.yaml", "test_counting.py", "counting/main_test.go")
    beside = {name for name in example if name.endswith(told_in_words)}
    assert shown == example - beside
