"""Measures every claim and prints the table: `python -m bench [NAME …]`. Exit code 1 when a claim does not hold."""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import markdown, plot

if TYPE_CHECKING:
    from bench.sample import Comparison

NAMES = (
    "calls",
    "starts",
    "processes",
    "runs",
    "recovery",
    "fleet",
    "interop",
    "embedding",
    "onnx",
    "vectors",
    "peers",
    "retrieval",
    "indexing",
)
RESULTS = Path(__file__).parent / "results"


async def measure(names: list[str]) -> list[Comparison]:
    """Every comparison of these modules, told as it comes."""
    measured: list[Comparison] = []
    for name in names:
        async for comparison in importlib.import_module(f"bench.{name}").measure():
            print(f"{comparison.claim}: {comparison.ratio:.2f}", file=sys.stderr, flush=True)
            measured.append(comparison)
    return measured


def main() -> int:
    unknown = set(sys.argv[1:]) - set(NAMES)
    if unknown:
        print(f"bench: there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    measured = asyncio.run(measure(sys.argv[1:] or list(NAMES)))
    table = markdown(measured)
    print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.md").write_text(table + "\n", encoding="utf-8")
    plot(measured, RESULTS / "results.png")
    return 0 if all(one.holds for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
