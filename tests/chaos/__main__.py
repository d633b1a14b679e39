"""`python -m chaos [--seed N] [--faults N] [--light]`: the long run. Exit code 1: something was not as it must be."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from chaos.driver import run
from chaos.plan import plan
from chaos.report import report


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description="Random faults over all reference plugins.")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="what the faults follow from")
    parser.add_argument("--faults", type=int, default=1000, help="how many, the host's deaths counted in")
    parser.add_argument("--light", action="store_true", help="embed without a model")
    given = parser.parse_args()
    print(f"chaos: seed {given.seed}, {given.faults} faults", flush=True)
    with tempfile.TemporaryDirectory(prefix="hector-chaos-") as folder:
        drawn = plan(given.seed, given.faults, light=given.light)
        outcome = asyncio.run(run(drawn, Path(folder), light=given.light, progress=tell))
    print(report(outcome))
    return 1 if outcome.oracle.violations else 0


def tell(text: str) -> None:
    print(f"chaos: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
