"""The schema that editors use says what loading says."""

# ruff: noqa: E501 (YAML stands as people write it)

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from hector_host import config
from hector_host.config.schema import schema
from hector_host.errors import ConfigError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def guide_blocks() -> list[str]:
    text = (ROOT / "tests/guide/plugin-development-guide.md").read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


GUIDE = guide_blocks()
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def test_it_is_a_schema(validator):
    Draft202012Validator.check_schema(validator.schema)


def test_the_guide_has_its_blocks():
    assert len(GUIDE) == 8


@pytest.mark.parametrize("block", GUIDE)
def test_every_block_of_the_guide_loads_and_validates(load, validator, block):
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), "given")
    loaded = load(block, **variables)
    assert loaded.plugins
    for plugin in loaded.plugins.values():
        assert plugin.source == "path"
        assert plugin.type == "grpc"
    validator.validate(yaml.safe_load(block))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_loads_and_validates(validator, file):
    assert config.load(file, {}).agents
    validator.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


VALID = [
    'version: "1"',
    "version: 1",
    "plugins:\nllms:\nagents:\nstorage:\nserver:",
    "plugins: [{name: x, path: .}]",
    "plugins: {llm_providers: [{name: x, command: [a, b]}], y: {package: p}, tool_providers: {}}",
    "plugins: {plugin_discovery: {enabled: true, paths: [a]}}",
    'plugins: {x: {address: "h:1", tls: true}, y: {address: "h:1", tls: {ca: a}}}',
    "plugins: {x: {path: ., security: {timeout: 1.5s, max_memory: 512MiB, sandbox: false}, start_timeout: 5m}}",
    "plugins: {x: {path: ., security: {timeout: '${T:-5s}', max_memory: '${M:-1GB}'}, replicas: 2, max_queue: 0}}",
    "plugins: {x: {path: ., config: , env: {A: b}, restart: {max_deaths: 0, window: 1h}}}",
    "llms:\n  m:\n    type: ${R:-plugin:x}\n    temperature: ${T:-0.5}\n    max_tokens: 5\n    stop: [a]\n    config: {a: [1]}",
    "server:\n  port: ${PORT:-8080}",
    'tools: [{name: t, type: "plugin:p", config: {tool_name: x}}]',
    'databases: {d: {type: "plugin:p", config: {metric: l2, dimension: 3}}}',
    "agents:\n  a:\n    llm: m\n    tools: []\n    reasoning: {engine: 'plugin:x', anything: [1]}\n    prompt:",
    "agents:\n  a:\n    llm: m\n    reasoning:\n      enable_streaming: ${S:-false}",
    "document_stores: {s: {path: ., embedder: e, database: d, chunk_size: 100, chunk_overlap: 0}}",
]
INVALID = [
    "version: 2",
    "lms: {}",
    "agents: []",
    "agents: {a: {}}",
    "agents: {a: {llm: 5}}",
    "agents: {'a b': {llm: m}}",
    "agents: {a: {llm: m, promt: {}}}",
    "agents: {a: {llm: m, tools: x}}",
    "agents: {a: {llm: m, reasoning: {engine: react}}}",
    "agents: {a: {llm: m, reasoning: {max_iterations: 0}}}",
    "plugins: {x: {type: http, path: .}}",
    "plugins: {x: {type: grpc}}",
    "plugins: {x: {path: ., command: [a]}}",
    "plugins: [{path: .}]",
    "plugins: {x: {path: ., security: {timeout: 30}}}",
    "plugins: {x: {path: ., security: {max_memory: 1XB}}}",
    "plugins: {x: {path: ., security: {cpu: 1}}}",
    "plugins: {x: {path: ., env: {A: 1}}}",
    "plugins: {x: {path: ., replicas: 0}}",
    "plugins: {x: {path: ., max_concurrency: 0}}",
    "plugins: {x: {path: ., max_queue: -1}}",
    "plugins: {x: {command: []}}",
    "llms: {m: {type: openai}}",
    "llms: {m: {type: 'plugin:x', temperature: warm}}",
    "llms: {m: {type: 'plugin:x', temperature: 3}}",
    "databases: {d: {type: 'plugin:p', config: {metric: manhattan}}}",
    "document_stores: {s: {path: ., embedder: e}}",
    "server: {port: 70000}",
    "server: {prt: 1}",
    "storage: {path: 5}",
]


@pytest.mark.parametrize("text", VALID)
def test_what_loads_validates(load, folder, validator, text):
    (folder / "a").mkdir()
    load(text)
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", INVALID)
def test_what_is_refused_does_not_validate(load, validator, text):
    with pytest.raises(ConfigError):
        load(text)
    assert not validator.is_valid(yaml.safe_load(text))


def test_every_key_says_what_it_is_for(validator):
    document = validator.schema
    objects = [document, *document["$defs"].values()]
    described = [
        (owner.get("title"), key)
        for owner in objects
        for key, form in owner.get("properties", {}).items()
        if form.get("description")
    ]
    everything = [(owner.get("title"), key) for owner in objects for key in owner.get("properties", {})]
    assert described == everything
    assert len(everything) > 70


def test_descriptions_are_the_docstrings_of_the_fields(validator):
    agent = validator.schema["$defs"]["AgentConfig"]["properties"]
    assert agent["tools"]["description"] == "Keys under tools. Not given: all of them. []: none."
    assert agent["llm"] == {"description": "A key under llms.", "minLength": 1, "type": "string"}
    llm = validator.schema["$defs"]["LLMConfig"]["properties"]
    assert llm["type"]["description"] == 'The plugin behind it: "plugin:NAME".'
    reasoning = validator.schema["$defs"]["Reasoning"]["properties"]
    assert reasoning["max_iterations"] == {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, {"$ref": "#/$defs/Variable"}],
        "default": 20,
        "description": "Rounds of generating and using tools at most; the last one has to answer.",
    }
