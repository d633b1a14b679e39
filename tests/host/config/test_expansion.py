"""The file written out with its defaults means what the file means, and holds no secret."""

import random

import pytest
import yaml

from hector_host.config import Config
from hector_host.config.expansion import expanded

TEXT = """\
plugins:
  plugin_discovery: {paths: ["${DIR}"]}
  llm_providers:
    - name: model
      path: ./model
      config:
        key: "${KEY}"
        number: ${NUMBER:-7}
        quoted: "${NUMBER:-7}"
        cost: $$5
        gap: {}
        yes: yes
        when: 1e5x
      security: {timeout: 30s, allowed_networks: []}
      env: {TOKEN: "Bearer ${KEY}"}
  base: {address: "h:1", tls: true, metadata: {authorization: "${KEY}"}}
llms: {m: {type: "plugin:model"}}
tools: [{name: t, type: "plugin:base"}]
agents: {a: {llm: m, tools: [], reasoning: {engine: "plugin:base", depth: "${NUMBER:-7}"}}, b: {llm: m}}
"""

EXPANDED = """\
version: "1"
plugins:
  discovery:
    enabled: false
    paths:
    - "${DIR}"
  llm_providers:
    model:
      type: grpc
      path: FOLDER/model
      config:
        key: "${KEY}"
        number: ${NUMBER:-7}
        quoted: "${NUMBER:-7}"
        cost: $$5
        gap: {}
        'yes': 'yes'
        when: 1e5x
      security:
        timeout: 30s
        allowed_networks: []
      env:
        TOKEN: Bearer ${KEY}
      restart:
        max_deaths: 5
        window: 1m
      replicas: 1
      max_concurrency: 16
      max_queue: 64
      start_timeout: 1m
  base:
    type: grpc
    address: h:1
    max_concurrency: 16
    max_queue: 64
    tls: true
    metadata:
      authorization: "${KEY}"
    start_timeout: 1m
llms:
  m:
    type: plugin:model
    model: ""
    stop: []
tools:
  t:
    type: plugin:base
agents:
  a:
    name: a
    description: ""
    llm: m
    tools: []
    document_stores: []
    prompt:
      system_prompt: ""
    reasoning:
      engine: plugin:base
      max_iterations: 20
      enable_streaming: true
      depth: "${NUMBER:-7}"
  b:
    name: b
    description: ""
    llm: m
    document_stores: []
    prompt:
      system_prompt: ""
    reasoning:
      engine: default
      max_iterations: 20
      enable_streaming: true
storage:
  path: FOLDER/.hector
server:
  host: 127.0.0.1
  port: 8080
"""

VARIABLES = {"KEY": "sk-12345", "DIR": "elsewhere", "NUMBER": "42"}


def everything(config: Config) -> dict[str, object]:
    """All that a file says, in plain values."""
    sections = ("plugins", "llms", "embedders", "databases", "tools", "document_stores", "agents")
    entries = {name: {key: entry.model_dump() for key, entry in getattr(config, name).items()} for name in sections}
    kinds = {name: plugin.kind for name, plugin in config.plugins.items()}
    rest = (config.discovery.model_dump(), config.storage.model_dump(), config.server.model_dump())
    return {**entries, "kinds": kinds, "rest": rest}


def test_defaults_are_filled_in_and_variables_stay_variables(load, folder):
    assert expanded(load(TEXT, **VARIABLES)) == EXPANDED.replace("FOLDER", str(folder))


def test_no_value_of_a_variable_is_written(load):
    assert "sk-12345" not in expanded(load(TEXT, **VARIABLES))


@pytest.mark.parametrize("variables", [VARIABLES, {"KEY": "other", "DIR": "/x"}])
def test_what_is_written_means_the_same(load, variables):
    config = load(TEXT, **VARIABLES)
    written = expanded(config)
    assert everything(load(written, **VARIABLES)) == everything(config)
    assert expanded(load(written, **VARIABLES)) == written
    assert everything(load(written, **variables)) == everything(load(TEXT, **variables))


def test_any_text_survives(load, chance):
    for _ in range(60):
        options = {f"k{index}": _value(chance) for index in range(6)}
        plugins = {"plugins": {"p": {"path": ".", "config": options}}}
        config = load(yaml.safe_dump(plugins, allow_unicode=True).replace("$", "$$"), A="value of a", B="12")
        assert config.plugins["p"].config == options
        assert load(expanded(config), A="value of a", B="12").plugins["p"].config == options


def _value(chance: random.Random) -> object:
    words = [
        "$",
        "{",
        "}",
        "${A}",
        "$$",
        ":",
        " ",
        "#",
        "'",
        '"',
        "-",
        "\n",
        "yes",
        "1",
        "1.5",
        "null",
        "é",
        "\t",
        "|",
        "~",
        "0x1",
    ]
    text = "".join(chance.choice(words) for _ in range(chance.randint(0, 5)))
    return chance.choice(
        [text, text, text, [text, 1], {"in": text, "n": None}, chance.randint(-5, 5), 1.5, True, {}, []]
    )


def test_what_is_discovered_is_not_written_for_it_is_found_again(load, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    (folder / "plugins/found").mkdir(parents=True)
    manifest = "plugin: {name: found, version: v1, kinds: [llm_provider], command: [x]}"
    (folder / "plugins/found/plugin.yaml").write_text(manifest, encoding="utf-8")
    first = load("plugins: {discovery: {enabled: true}, other: {path: .}}")
    text = expanded(first)
    assert yaml.safe_load(text)["plugins"]["discovery"] == {"enabled": True, "paths": [f"{folder}/plugins"]}
    assert "found" not in text.replace(str(folder), "")
    assert load(text).plugins == first.plugins
