"""What came of the cases, for people: by kind and group, one line each, and the counts."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from hector_conformance.runner import Verdict
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_conformance.runner import Outcome
    from hector_conformance.subject import Subject

MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.NOT_OFFERED: "–", Verdict.EXCUSED: "~"}  # noqa: RUF001
NARROWEST = 40
EVERY = "every plugin"


class Report:
    """Writes outcomes as they come.

    Args:
        width: Columns of the terminal.
    """

    def __init__(self, width: int = 80) -> None:
        self._width = max(width, NARROWEST)
        self._family = self._group = ""

    def opening(self, subject: Subject) -> str:
        """Whose report it is, and where it is unless the name tells that."""
        version = f" {quoted(subject.version, 60)}" if subject.version else ""
        where = subject.target.text
        place = "" if where.strip("./") in {"", subject.name} else f" ({where})"
        return self._wrapped(f"{subject.name}{version}{place}: {', '.join(subject.kinds)}", "", "  ")

    def line(self, outcome: Outcome) -> str:
        """A case, under its headings where they are new."""
        family, group = outcome.case.kind or EVERY, outcome.case.group
        headings = []
        if family != self._family:
            headings += ["", family]
        if (family, group) != (self._family, self._group):
            headings.append(f"  {group}")
        self._family, self._group = family, group
        words = outcome.case.title
        if outcome.verdict is Verdict.FAILED:
            words += f"\n{outcome.words}\n({outcome.case.name})"
        elif outcome.words:
            words += f"\n{outcome.verdict}: {outcome.words}"
        first, *rest = words.split("\n")
        lines = [self._wrapped(first, f"    {MARKS[outcome.verdict]} ", "      ")]
        return "\n".join([*headings, *lines, *(self._wrapped(each, "        ", "        ") for each in rest)])

    def counts(self, outcomes: Sequence[Outcome]) -> str:
        """The last line."""
        found = Counter(outcome.verdict for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes)
        return f"\n{', '.join(f'{found[verdict]} {verdict}' for verdict in Verdict)} in {seconds:.1f} s"

    def _wrapped(self, text: str, first: str, rest: str) -> str:
        return textwrap.fill(text, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
