"""The first configuration of a fork: an agent that answers through it, from this folder alone or with little beside."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from hector_host.authoring.templates import origin
from hector_host.config.kinds import Kind

if TYPE_CHECKING:
    from pathlib import Path

_ECHO = """\
    echo: {package: hector-echo-llm} # needs no network: it repeats, recites or quotes
"""

_BODIES = {
    Kind.LLM: """\
plugins:
  llm_providers:
    NAME: {path: .}

llms:
  NAME: {type: "plugin:NAME"}

agents:
  NAME: {llm: NAME}
""",
    Kind.TOOL: """\
plugins:
  llm_providers:
    echo:
      package: hector-echo-llm
      config:
        # What the model `script` says: it calls a tool of the plugin, then it ends.
        replies:
          - tool_calls: [{tool: TOOL, arguments: ARGUMENTS}]
          - The tool was called; `hector call --steps` shows what came of it.
  tool_providers:
    NAME: {path: .OPTIONS}

llms:
  script: {type: "plugin:echo", model: script}

tools:
  NAME: {type: "plugin:NAME"}

agents:
  NAME: {llm: script}
""",
    Kind.DATABASE: f"""\
plugins:
  llm_providers:
{_ECHO}\
  embedder_providers:
    hashing: {{package: hector-hashing-embedder}}
  database_providers:
    NAME: {{path: .}}

llms:
  reader: {{type: "plugin:echo", model: reader}}

embedders:
  words: {{type: "plugin:hashing"}}

databases:
  NAME: {{type: "plugin:NAME"}}

document_stores:
  readme: {{path: ., include: [README.md], embedder: words, database: NAME}}

agents:
  NAME: {{llm: reader, tools: [], document_stores: [readme]}}
""",
    Kind.EMBEDDER: f"""\
plugins:
  llm_providers:
{_ECHO}\
  embedder_providers:
    NAME: {{path: .}}
  database_providers:
    faiss: {{package: hector-faiss-database}}

llms:
  reader: {{type: "plugin:echo", model: reader}}

embedders:
  NAME: {{type: "plugin:NAME"}}

databases:
  faiss: {{type: "plugin:faiss"}}

document_stores:
  readme: {{path: ., include: [README.md], embedder: NAME, database: faiss}}

agents:
  NAME: {{llm: reader, tools: [], document_stores: [readme]}}
""",
    Kind.REASONING: f"""\
plugins:
  llm_providers:
{_ECHO}\
  reasoning_strategies:
    NAME: {{path: .}}

llms:
  echo: {{type: "plugin:echo"}}

agents:
  NAME:
    llm: echo
    reasoning: {{engine: "plugin:NAME"}}
""",
}
_BESIDE = {
    Kind.LLM: (),
    Kind.TOOL: ("hector-echo-llm",),
    Kind.DATABASE: ("hector-echo-llm", "hector-hashing-embedder"),
    Kind.EMBEDDER: ("hector-echo-llm", "hector-faiss-database"),
    Kind.REASONING: ("hector-echo-llm",),
}


def configuration(kind: Kind, name: str, tool: tuple[str, str, str] = ("", "{}", "")) -> str:
    """The text of hector.yaml.

    Args:
        kind: What the fork provides.
        name: Its name, and the agent's.
        tool: Of a tool provider, the tool to call, its arguments as YAML, and the plugin's options as YAML or nothing.
    """
    called, arguments, options = tool
    body = _BODIES[kind].replace("TOOL", called).replace("ARGUMENTS", arguments)
    body = body.replace("OPTIONS", f", config: {options}" if options else "").replace("NAME", name)
    return f'# An agent that answers through {name}, the plugin in this folder.\nversion: "1"\n\n{body}'


def calls(kind: Kind, name: str) -> tuple[str, ...]:
    """The commands that try it, in the fork's folder."""
    if kind in {Kind.DATABASE, Kind.EMBEDDER}:
        return "hector index", f'hector call {name} "How is it tested?"'
    steps = " --steps" if kind is Kind.TOOL else ""
    return (f'hector call {name} "Hello"{steps}',)


def missing(kind: Kind) -> tuple[Path, ...]:
    """The sources of what the configuration names and is not installed beside the host: no index has to know them."""
    place = origin()
    absent = [place / "plugins" / name.removeprefix("hector-") for name in _BESIDE[kind] if not _installed(name)]
    sdk = [place / "sdk" / "python"] if absent and not _installed("hector-sdk") else []
    return (*sdk, *absent)


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
