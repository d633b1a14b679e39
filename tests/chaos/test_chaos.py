"""The short run: the same faults over all reference plugins, few of them, with an embedder that loads no model."""

import pytest

from chaos import world
from chaos.driver import run
from chaos.plan import counted, plan
from chaos.report import report

SEED = 20
FAULTS = 32
HASTE = 0.5
"""Seconds between two health checks, so that a stopped plugin is noticed within this run."""


@pytest.mark.timeout(240)
async def test_nothing_is_lost_unnamed_or_left(tmp_path):
    drawn = plan(SEED, FAULTS, light=True)
    outcome = await run(drawn, tmp_path, light=True, interval=HASTE)
    assert outcome.oracle.violations == [], report(outcome)
    assert outcome.inflicted.total() == FAULTS
    assert {caller for caller, error in outcome.oracle.calls if not error} == {
        "librarian",
        "clerk",
        "scribe",
        "embed",
        "store",
        "search",
        "list_tools",
        "execute",
    }
    assert {name for name, number in outcome.oracle.starts.items() if number > 1} == set(world.PLUGINS)


def test_a_plan_follows_from_its_seed():
    assert plan(7, 1000, light=False) == plan(7, 1000, light=False)
    assert plan(7, 1000, light=False) != plan(8, 1000, light=False)


def test_a_plan_has_as_many_faults_as_it_should():
    drawn = plan(7, 1000, light=False)
    assert counted(drawn) == {"kill": 394, "stop": 117, "socket": 117, "garbage": 176, "flood": 176, "host": 20}
    assert len(drawn.plugins[world.EMBEDDER]) == 20
    others = [len(kinds) for name, kinds in drawn.plugins.items() if name != world.EMBEDDER]
    assert sum(others) == 960
    assert max(others) - min(others) <= 1
    assert all(set(kinds) <= set(counted(drawn)) for kinds in drawn.plugins.values())
