"""`hector list`: the agents of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, ServerOption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.hector_pb2 import Agent
    from hector_host.cli.client import Client


def list_agents(*, config: ConfigOption = None, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the agents that the configuration declares. Nothing is started.

    For example:

        hector list --config examples/quickstart.yaml
    """
    from hector_host.cli.hosting import run

    run(_list(connected(config, server, looking=True), as_json=as_json))


async def _list(host: AbstractAsyncContextManager[Client], *, as_json: bool) -> None:
    async with host as client:
        agents = await client.agents()
    if as_json:
        print_json([_record(agent) for agent in agents])
        return
    if not agents:
        print(f"{client.file} declares no agents.")
        return
    _print_table(agents)
    print('\nAsk one: hector call AGENT "MESSAGE". Look at one: hector info AGENT.')


def _record(agent: Agent) -> dict[str, str | list[str] | None]:
    return {
        "agent": agent.id,
        "name": agent.name,
        "description": agent.description,
        "llm": agent.llm,
        "engine": agent.engine,
        "tools": None if agent.all_tools else list(agent.tools),
        "document_stores": list(agent.document_stores),
    }


def _print_table(agents: Sequence[Agent]) -> None:
    from hector_host.cli.columns import aligned
    from hector_host.errors import printable, quoted

    rows = [("agent", "llm", "engine", "description")]
    rows += [
        (printable(agent.id), printable(agent.llm), printable(agent.engine), quoted(agent.description or agent.name))
        for agent in agents
    ]
    print(aligned(rows))
