"""What came of the cases, for machines: JUnit's XML, as continuous integration reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hector_conformance.runner import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_conformance.runner import Outcome


def document(name: str, outcomes: Sequence[Outcome]) -> bytes:
    """The document of one plugin. What is not offered or excused is skipped, with its reason."""
    failed = sum(outcome.verdict is Verdict.FAILED for outcome in outcomes)
    skipped = sum(outcome.verdict in {Verdict.NOT_OFFERED, Verdict.EXCUSED} for outcome in outcomes)
    seconds = f"{sum(outcome.seconds for outcome in outcomes):.3f}"
    counts = {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0", "skipped": str(skipped)}
    suites = ET.Element("testsuites", {"name": "hector-conformance", "time": seconds, **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": name, "time": seconds, **counts})
    for outcome in outcomes:
        family, _, case = outcome.case.name.partition(".")
        classname = f"{family}.{outcome.case.group.replace(' ', '_')}"
        attributes = {"classname": classname, "name": case, "time": f"{outcome.seconds:.3f}"}
        element = ET.SubElement(suite, "testcase", attributes)
        if outcome.verdict is Verdict.FAILED:
            ET.SubElement(element, "failure", {"message": outcome.words}).text = outcome.case.title
        elif outcome.verdict is not Verdict.PASSED:
            ET.SubElement(element, "skipped", {"message": f"{outcome.verdict}: {outcome.words}"})
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written
