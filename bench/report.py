"""What was measured, as Markdown and as a plot."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.sample import Comparison

DISTRIBUTIONS = ("hector-host", "grpcio", "protobuf", "langgraph", "langgraph-checkpoint-sqlite")


def markdown(measured: Sequence[Comparison]) -> str:
    """A table with a row for each claim, and the machine below."""
    lines = ["| claim | ours | beside | ratio | at most | |", "| --- | --- | --- | --- | --- | --- |"]
    for one in measured:
        ours = f"{one.ours_name} {one.ours_median:.3g} {one.unit}"
        theirs = f"{one.theirs_name} {one.theirs_median:.3g} {one.unit}"
        limit = "" if one.limit is None else f"{one.limit:g}"
        verdict = "holds" if one.holds else "**does not hold**"
        lines.append(f"| {one.claim} | {ours} | {theirs} | **{one.ratio:.3g}** | {limit} | {verdict} |")
    lines += ["", *(f"- {one.claim}: {one.note}" for one in measured if one.note), "", machine()]
    return "\n".join(lines)


def machine() -> str:
    """Versions and machine, in a sentence."""
    versions = ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS)
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"Medians. Python {platform.python_version()}, {versions};"
        f" {platform.system()} {platform.machine()}, {cores} cores, load {load:.1f} at the end."
    )


def plot(measured: Sequence[Comparison], file: Path) -> None:
    """A bar for each ratio, with a mark where its limit is."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 0.5 * len(measured) + 1.2), layout="constrained")
    names = [one.claim for one in measured]
    ratios = [one.ratio for one in measured]
    colours = ["#4878a8" if one.holds else "#b85450" for one in measured]
    axes.barh(names, ratios, color=colours)
    for position, one in enumerate(measured):
        axes.text(max(one.ratio, one.limit or 0) + 0.03, position, f"{one.ratio:.3g}", va="center")
        if one.limit is not None:
            axes.plot([one.limit, one.limit], [position - 0.4, position + 0.4], color="black", linewidth=2)
    axes.invert_yaxis()
    axes.set_xlabel("ratio of medians, ours to what stands beside it; the mark is what is claimed at most")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)
    print(f"plot: {file}", file=sys.stderr)
