"""What came of a run, for people."""

from collections import Counter

from chaos import world
from chaos.calls import CALLERS
from chaos.faults import FAULTS
from chaos.oracle import Oracle
from chaos.outcome import Outcome


def report(outcome: Outcome) -> str:
    """Tables and figures."""
    oracle = outcome.oracle
    restarts = sum(oracle.deaths.values())
    failed = ", ".join(f"{number} {kind}" for kind, number in sorted(oracle.failed.items())) or "none"
    total = max(1, oracle.calls.total())
    lines = [
        f"seed {outcome.plan.seed}, {outcome.inflicted.total()} faults in {outcome.seconds:.0f} s",
        "",
        *_faults(outcome),
        "",
        f"calls: {oracle.calls.total()}, answered {oracle.answered} ({oracle.answered / total:.1%}), failed: {failed}",
        *_calls(outcome.oracle),
        f"restarts of plugins: {restarts}; vectors kept: {len(oracle.stored)}; runs kept: {len(oracle.runs)}",
        f"longest until all was gone after the host's death: {outcome.slowest_end:.2f} s",
    ]
    if outcome.before and outcome.after:
        lines += [f"host, warm and in the end: {_held(outcome.before)}; {_held(outcome.after)}"]
    lines += ["", "errors, one of each:"] if oracle.samples else []
    lines += [f"  {caller}: {kind}: {text}" for (caller, kind), text in sorted(oracle.samples.items())]
    lines += ["", f"violations: {len(oracle.violations)}"]
    lines += [f"  {violation}" for violation in oracle.violations]
    return "\n".join(lines)


def _faults(outcome: Outcome) -> list[str]:
    rows = [["", *FAULTS, "all"]]
    for name in (*world.PLUGINS, "host"):
        numbers = [outcome.inflicted[name, kind] for kind in FAULTS]
        rows.append([name, *map(str, numbers), str(sum(numbers))])
    sums: Counter[str] = Counter()
    for (_, kind), number in outcome.inflicted.items():
        sums[kind] += number
    rows.append(["all", *(str(sums[kind]) for kind in FAULTS), str(sums.total())])
    return ["".join(f"{cell:>9}" for cell in row) for row in rows]


def _calls(oracle: Oracle) -> list[str]:
    rows = []
    for caller in dict.fromkeys(one.__name__ for one in CALLERS):
        ends = {error: number for (name, error), number in sorted(oracle.calls.items()) if name == caller}
        told = ", ".join(f"{number} {error or 'answered'}" for error, number in ends.items())
        rows.append(f"{caller:>12}: {told}")
    return rows


def _held(figures: dict[str, object]) -> str:
    descriptors = figures["descriptors"]
    assert isinstance(descriptors, dict)
    return (
        f"{figures['megabytes']:.1f} MB, {sum(descriptors.values())} descriptors, {figures['system_threads']} threads"
    )
