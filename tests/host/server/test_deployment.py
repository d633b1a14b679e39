"""What runs run on, replaced while some are under way."""

import asyncio

import pytest
import yaml

from hector_host import config
from hector_host.manager import Manager
from hector_host.registry import Registry
from hector_host.runtime.runtime import Runtime
from hector_host.runtime.sqlite import open_journal
from hector_host.server.deployment import Deployment, Deployments, plugins_needed

DOCUMENT = {
    "plugins": {"llm_providers": {name: {"command": ["/bin/true"]} for name in ("one", "two", "spare")}},
    "llms": {name: {"type": f"plugin:{name}"} for name in ("one", "two", "spare")},
    "agents": {"a": {"llm": "one"}, "b": {"llm": "two"}, "c": {"llm": "one"}},
}


@pytest.fixture
def loaded(tmp_path):
    def load(**more):
        file = tmp_path / "hector.yaml"
        file.write_text(yaml.safe_dump(DOCUMENT | more))
        return config.load(file)

    return load


@pytest.fixture
async def made(loaded, tmp_path):
    """Deployments of nothing in particular."""
    loaded = loaded()
    registry = Registry(loaded, Manager(loaded))
    async with open_journal(tmp_path) as journal:
        yield lambda: Deployment(loaded, registry, Runtime(loaded, registry, journal))


async def test_a_run_stays_on_what_it_began_with(made):
    first, second = made(), made()
    deployments = Deployments(first)
    with deployments.use() as used:
        deployments.current = second
        assert used is first
        with deployments.use() as other:
            assert other is second


async def test_old_ones_are_waited_for_and_the_current_one_is_not(made):
    deployments = Deployments(made())
    with deployments.use():
        await deployments.old_ones_unused()
        with deployments.use():
            deployments.current = made()
            waiting = asyncio.create_task(deployments.old_ones_unused())
            with deployments.use():
                for _ in range(5):
                    await asyncio.sleep(0)
                assert not waiting.done()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)


def test_the_plugins_of_all_agents_are_needed_once(loaded):
    assert plugins_needed(loaded()) == ["one", "two"]


def test_an_agent_whose_references_do_not_hold_keeps_none_of_the_others_from_being_served(loaded):
    assert plugins_needed(loaded(agents={"a": {"llm": "nothing"}, "b": {"llm": "two"}})) == ["two"]
