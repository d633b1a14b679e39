"""What came of the cases, for people in 80 columns and for machines."""

from __future__ import annotations

import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hector_conformance import junit
from hector_conformance.case import Case
from hector_conformance.report import Report
from hector_conformance.runner import Outcome, Verdict
from hector_conformance.settings import Settings
from hector_conformance.subject import Subject
from hector_conformance.target import Target, target
from hector_host.config import Kind

BARE = Path(__file__).parents[2] / "examples/authoring/bare/reverse.py"


async def nothing(_: object) -> None:
    """Never run."""


def outcome(verdict: Verdict, words: str = "", kind: Kind | None = Kind.LLM) -> Outcome:
    case = Case(kind, "statuses", f"llm.{verdict.name.lower()}", "A model that does not exist is refused", (), nothing)
    return Outcome(case, verdict, words, 0.25)


OUTCOMES = [
    outcome(Verdict.PASSED, kind=None),
    outcome(Verdict.PASSED),
    outcome(Verdict.FAILED, "GenerateText with a model that does not exist is NOT_FOUND; it answered INTERNAL <a&b>"),
    outcome(Verdict.NOT_OFFERED, "it has no StreamText"),
    outcome(Verdict.EXCUSED, "the service counts what it likes (both words)"),
]


def test_the_report_fits_into_80_columns() -> None:
    report = Report(80)
    text = "\n".join(report.line(each) for each in OUTCOMES) + report.counts(OUTCOMES)
    assert text == textwrap.dedent("""
        every plugin
          statuses
            ✓ A model that does not exist is refused

        llm_provider
          statuses
            ✓ A model that does not exist is refused
            ✗ A model that does not exist is refused
                GenerateText with a model that does not exist is NOT_FOUND; it answered
                INTERNAL <a&b>
                (llm.failed)
            {dash} A model that does not exist is refused
                not offered: it has no StreamText
            ~ A model that does not exist is refused
                excused: the service counts what it likes (both words)
        2 passed, 1 failed, 1 not offered, 1 excused in 1.2 s""").replace("{dash}", "\N{EN DASH}")


@pytest.mark.parametrize(
    ("text", "name", "opening"),
    [
        (".", "shout", "shout 0.1.0: llm_provider"),
        ("./shout", "shout", "shout 0.1.0: llm_provider"),
        ("./main.py", "shout", "shout 0.1.0 (./main.py): llm_provider"),
        ("127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1 0.1.0: llm_provider"),
    ],
)
def test_it_opens_with_the_plugins_own_name(text: str, name: str, opening: str) -> None:
    subject = Subject(Target(text), Settings(), kind=Kind.LLM)
    subject.name, subject.version = name, "0.1.0"
    assert Report(80).opening(subject) == opening


def test_junit_counts_and_escapes() -> None:
    root = ET.fromstring(junit.document("a", OUTCOMES))  # noqa: S314  our own
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.attrib == {
        "name": "a",
        "time": "1.250",
        "tests": "5",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"].endswith("it answered INTERNAL <a&b>")
    assert [each.attrib["message"] for each in suite.iter("skipped")] == [
        "not offered: it has no StreamText",
        "excused: the service counts what it likes (both words)",
    ]
    assert [each.attrib["classname"] for each in suite.iter("testcase")] == ["llm.statuses"] * 5


async def test_the_name_is_its_manifests_or_its_own(tmp_path: Path) -> None:
    plugin = "from hector_sdk import LLM, serve\nclass Thing(LLM):\n    async def generate_text(self, request): ...\n"
    (tmp_path / "main.py").write_text(f"{plugin}serve(Thing(), name='thing', version='1')\n")
    assert await name_of(tmp_path / "main.py") == "thing"
    manifest = "plugin: {name: mine, version: '1', kinds: [llm_provider], command: [python, main.py]}\n"
    (tmp_path / "plugin.yaml").write_text(manifest)
    assert await name_of(tmp_path) == "mine"


async def test_the_name_of_one_that_says_none_is_its_files() -> None:
    assert await name_of(BARE, Kind.LLM) == "reverse"


async def name_of(path: Path, kind: Kind | None = None) -> str:
    async with Subject(target(str(path)), Settings(), kind=kind) as subject, subject.running():
        return subject.name
