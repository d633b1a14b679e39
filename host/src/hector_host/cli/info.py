"""`hector info`: an agent, and what its plugins say of themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, VerboseOption

if TYPE_CHECKING:
    from hector_host.cli.hosting import Host
    from hector_host.config import AgentConfig


def info(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent to look at.", show_default=False)],
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show an agent: its model, its tools, and what each of its plugins says of itself. Starts them for that.

    It looks at the configuration as it is now, so it uses no live host: what one runs, `hector plugin list` shows.

    For example:

        hector info assistant
    """
    from hector_host.cli.hosting import run

    run(_info(agent, config, as_json=as_json, verbose=verbose))


async def _info(name: str, path: Path | None, *, as_json: bool, verbose: bool) -> None:
    from hector_host.cli.hosting import hosting
    from hector_host.config import load

    config = load(path)
    agent = config.agent(name)
    async with hosting(config, config.plugins_of(agent), verbose=verbose) as host:
        record = await _record(host, agent)
    if as_json:
        print_json(record)
    else:
        _print(record)


async def _record(host: Host, agent: AgentConfig) -> dict[str, Any]:
    from hector_host.providers.call import Call
    from hector_host.runtime.toolset import plugin_tools

    plugins = await asyncio.gather(*(_plugin(host, name) for name in host.config.plugins_of(agent)))
    model = await host.registry.llm(agent.llm).model(Call())
    offers = await plugin_tools(host.config, agent, host.registry, Call())
    return {
        "agent": agent.id,
        "name": agent.name,
        "description": agent.description,
        "llm": agent.llm,
        "model": model.id,
        "tool_calling": model.tool_calling,
        "engine": agent.reasoning.engine,
        "document_stores": list(agent.document_stores),
        "tools": [
            {"name": offer.tool.name, "description": offer.tool.description, "from": offer.origin} for offer in offers
        ],
        "plugins": list(plugins),
    }


async def _plugin(host: Host, name: str) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    from hector.plugin.v1.plugin_pb2 import DescribeRequest, DescribeResponse
    from hector.plugin.v1.plugin_pb2_grpc import PluginStub
    from hector_host.providers.call import Call
    from hector_host.providers.rpc import Rpc

    plugin = await host.manager.ready(name)
    described = DescribeResponse()
    if plugin.serves_plugin:
        described = await Rpc(name, name, host.manager, PluginStub).unary("Describe", DescribeRequest(), Call())
    return {
        "plugin": name,
        "kind": plugin.kind.value if plugin.kind else "",
        "pid": plugin.pid,
        "name": described.name,
        "version": described.version,
        "description": described.description,
        # Sorted: the wire keeps no order of them.
        "options": dict(sorted(MessageToDict(described.config_schema).get("properties", {}).items())),
    }


def _print(record: dict[str, Any]) -> None:
    from hector_host.errors import quoted

    print(f"{record['agent']}: {record['description'] or record['name']}")
    calls = "calls tools" if record["tool_calling"] else "calls no tools"
    print(f"  llm     {record['llm']}, model {quoted(record['model']) or '(the default of the plugin)'}, {calls}")
    print(f"  engine  {record['engine']}")
    for store in record["document_stores"]:
        print(f"  store   {store}, searched by the tool `search`")
    for tool in record["tools"]:
        print(f"  tool    {quoted(tool['name'])}: {quoted(tool['description'], 100)}")
    for plugin in record["plugins"]:
        print(f"\nplugin {plugin['plugin']}: {plugin['kind']}, {quoted(plugin['name'])} {quoted(plugin['version'])}")
        if plugin["description"]:
            print(f"  {quoted(plugin['description'])}")
        for name, option in plugin["options"].items():
            print(f"  option  {quoted(name)}: {quoted(option.get('description', option.get('type', '')), 100)}")
