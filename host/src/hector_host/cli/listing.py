"""`hector list`: the agents of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from hector_host.config import AgentConfig, Config


def list_agents(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the agents that the configuration declares. Nothing is started.

    For example:

        hector list --config examples/quickstart.yaml
    """
    from hector_host.config import load

    loaded = load(config)
    if as_json:
        print_json([_record(agent) for agent in loaded.agents.values()])
        return
    if not loaded.agents:
        print(f"{loaded.file.name} declares no agents.")
        return
    _print_table(loaded)
    print('\nAsk one: hector call AGENT "MESSAGE". Look at one: hector info AGENT.')


def _record(agent: AgentConfig) -> dict[str, str | list[str] | None]:
    return {
        "agent": agent.id,
        "name": agent.name,
        "description": agent.description,
        "llm": agent.llm,
        "engine": agent.reasoning.engine,
        "tools": agent.tools,
        "document_stores": list(agent.document_stores),
    }


def _print_table(config: Config) -> None:
    from hector_host.cli.columns import aligned

    rows = [("agent", "llm", "engine", "description")]
    rows += [
        (agent.id, agent.llm, agent.reasoning.engine, agent.description or agent.name)
        for agent in config.agents.values()
    ]
    print(aligned(rows))
