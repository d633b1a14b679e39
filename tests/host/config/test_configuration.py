"""Who uses whom, what is said when a name is wrong, and what must not be said."""

# ruff: noqa: E501, S106 (messages stand as they are printed; nothing is secret here)

import pytest

from hector_host.config import configuration
from hector_host.errors import ConfigError, NotFoundError

TEXT = """\
plugins:
  llm_providers: {model: {path: .}, other: {path: .}}
  embedder_providers: {embed: {path: .}}
  database_providers: {base: {path: .}}
  tool_providers: {shell: {path: .}, web: {path: .}}
  reasoning_strategies: {react: {path: .}}
llms: {m: {type: "plugin:model"}, o: {type: "plugin:other"}, lost: {type: "plugin:gone"}}
embedders: {e: {type: "plugin:embed"}}
databases: {d: {type: "plugin:base"}}
tools: {run: {type: "plugin:shell"}, read: {type: "plugin:shell"}, fetch: {type: "plugin:web"}}
document_stores: {books: {path: ., embedder: e, database: d}, torn: {path: ., embedder: f, database: g}}
agents:
  plain: {llm: m, tools: []}
  all: {llm: m}
  whole: {llm: m, tools: [read], document_stores: [books], reasoning: {engine: "plugin:react"}}
  wrong: {llm: gpt-4o, tools: [reed], document_stores: [book, z], reasoning: {engine: "plugin:reakt"}}
  torn: {llm: lost, document_stores: [torn], tools: []}
"""


@pytest.fixture
def config(load):
    return load(TEXT)


@pytest.mark.parametrize(
    ("agent", "llm", "plugins"),
    [
        ("plain", None, ["model"]),
        ("plain", "o", ["other"]),
        ("all", None, ["model", "shell", "web"]),
        ("whole", None, ["model", "shell", "embed", "base", "react"]),
        ("whole", "o", ["other", "shell", "embed", "base", "react"]),
    ],
)
def test_an_agent_needs_the_plugins_behind_what_it_uses(config, agent, llm, plugins):
    assert config.plugins_of(config.agent(agent), llm) == plugins


def test_what_an_agent_uses_is_found(config):
    whole = config.agent("whole")
    assert config.llm_of(whole) is config.llm("m")
    assert config.llm_of(whole, "o") is config.llm("o")
    assert config.tools_of(whole) == [config.tool("read")]
    assert config.tools_of(config.agent("all")) == [config.tool("run"), config.tool("read"), config.tool("fetch")]
    assert config.stores_of(whole) == [config.document_store("books")]
    assert config.embedder_of(config.document_store("books")) is config.embedder("e")
    assert config.database_of(config.document_store("books")) is config.database("d")
    assert config.engine_of(whole) is config.plugin("react")
    assert config.engine_of(config.agent("plain")) is None
    assert config.plugin_of(config.tool("fetch")) is config.plugin("web")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda config: config.agent("plian"), "plian: no agent is named so\n  Did you mean plain?"),
        (lambda config: config.agent("xyz"), "xyz: no agent is named so\n  There are: plain, all, whole, wrong, torn."),
        (lambda config: config.llm("gpt-4o"), "gpt-4o: no llm is named so\n  There are: m, o, lost."),
        (lambda config: config.embedder("x"), "x: no embedder is named so\n  There are: e."),
        (lambda config: config.database("x"), "x: no database is named so\n  There are: d."),
        (lambda config: config.tool("runn"), "runn: no tool is named so\n  Did you mean run?"),
        (lambda config: config.document_store("bok"), "bok: no document store is named so\n  Did you mean books?"),
        (
            lambda config: config.plugin("zzz"),
            "zzz: no plugin is named so\n  There are: model, other, embed, base, shell, web, react.",
        ),
        (
            lambda config: config.plugins_of(config.agent("plain"), "x"),
            "x: no llm is named so\n  There are: m, o, lost.",
        ),
        (
            lambda config: config.agent("a\x1b[0m"),
            "a\\x1b[0m: no agent is named so\n  There are: plain, all, whole, wrong, torn.",
        ),
    ],
)
def test_a_name_that_a_user_gives_and_nothing_has(config, ask, message):
    with pytest.raises(NotFoundError) as caught:
        ask(config)
    assert str(caught.value) == message
    assert caught.value.exit_code == 4


def test_a_name_where_there_is_none_at_all(load):
    with pytest.raises(NotFoundError) as caught:
        load("version: '1'").agent("x")
    assert str(caught.value) == "x: no agent is named so\n  hector.yaml declares none."


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda config, agent: config.llm_of(agent),
            'hector.yaml:16: agents.wrong.llm: no llm is named "gpt-4o"\n  There are: m, o, lost.',
        ),
        (
            lambda config, agent: config.tools_of(agent),
            'hector.yaml:16: agents.wrong.tools[0]: no tool is named "reed"\n  Did you mean read?',
        ),
        (
            lambda config, agent: config.stores_of(agent),
            'hector.yaml:16: agents.wrong.document_stores[0]: no document store is named "book"\n  Did you mean books?',
        ),
        (
            lambda config, agent: config.engine_of(agent),
            'hector.yaml:16: agents.wrong.reasoning.engine: no plugin is named "reakt"\n  Did you mean react?',
        ),
        (
            lambda config, _: config.embedder_of(config.document_store("torn")),
            'hector.yaml:11: document_stores.torn.embedder: no embedder is named "f"\n  There are: e.',
        ),
        (
            lambda config, _: config.database_of(config.document_store("torn")),
            'hector.yaml:11: document_stores.torn.database: no database is named "g"\n  There are: d.',
        ),
        (
            lambda config, _: config.plugin_of(config.llm("lost")),
            'hector.yaml:7: llms.lost.type: no plugin is named "gone"\n  There are: model, other, embed, base, shell, web, react.',
        ),
        (
            lambda config, agent: config.plugins_of(agent, "m"),
            'hector.yaml:16: agents.wrong.document_stores[0]: no document store is named "book"\n  Did you mean books?',
        ),
    ],
)
def test_a_name_that_the_file_gives_and_nothing_has(config, ask, message):
    with pytest.raises(ConfigError) as caught:
        ask(config, config.agent("wrong"))
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_a_name_in_a_file_that_declares_none_of_its_kind(load):
    config = load("agents: {a: {llm: gpt-4o}}")
    with pytest.raises(ConfigError) as caught:
        config.llm_of(config.agent("a"))
    assert str(caught.value) == 'hector.yaml:1: agents.a.llm: no llm is named "gpt-4o"\n  Declare it under llms.'


def test_every_key_can_be_located(config):
    assert config.locate("plugins", "llm_providers", "model", "path") == (
        "hector.yaml:2: plugins.llm_providers.model.path"
    )
    assert config.locate("agents", "whole", "tools", 0) == "hector.yaml:15: agents.whole.tools[0]"
    assert config.locate(*config.agent("plain").key, "prompt", "system_prompt") == (
        "hector.yaml:13: agents.plain.prompt.system_prompt"
    )
    assert config.locate("server") == "hector.yaml: server"


SECRETS = """\
plugins:
  p:
    path: .
    config: {key: "${KEY}", url: "postgres://u:${PASSWORD}@h", short: "${SHORT}", open: "${NONE:-default-text}"}
"""


def test_values_of_variables_are_redacted(load):
    config = load(SECRETS, KEY="sk-12345", PASSWORD='p"w\nä\\', SHORT="on", UNUSED="unused-value")
    text = 'sk-12345 and {"pw": "p\\"w\\n\\u00e4\\\\"} and p"w\nä\\ and on, unused-value, default-text'
    assert config.redact(text) == (
        '${KEY} and {"pw": "${PASSWORD}"} and ${PASSWORD} and on, unused-value, default-text'
    )


def test_a_value_inside_another_does_not_uncover_it(load):
    config = load(SECRETS, KEY="secret", PASSWORD="my-secret-password", SHORT="x")
    assert config.redact("my-secret-password secret") == "${PASSWORD} ${KEY}"


def test_values_of_several_lines_are_redacted_line_by_line(load):
    config = load(SECRETS, KEY="--BEGIN--\nabcdef\nxy\n--END--", PASSWORD="KEY-of-all", SHORT="x")
    assert config.redact("a --BEGIN-- | abcdef | xy") == "a ${KEY} | ${KEY} | xy"
    assert config.redact('{"k": "--BEGIN--\\nabcdef\\nxy\\n--END--"}') == '{"k": "${KEY}"}'
    assert config.redact("KEY-of-all") == "${PASSWORD}"


def test_without_variables_nothing_is_redacted(load):
    assert load("version: '1'").redact("any text") == "any text"


def test_no_value_of_a_variable_is_in_what_python_prints(load):
    config = load(
        """\
        plugins:
          p:
            path: .
            config: {key: "${KEY}"}
            env: {A: "${KEY}"}
          q: {address: "h:1", metadata: {a: "${KEY}"}}
        llms: {m: {type: "plugin:p", config: {key: "${KEY}"}}}
        """,
        KEY="sk-12345",
    )
    assert config.plugins["p"].config == {"key": "sk-12345"}
    assert "sk-12345" not in repr(config)
    assert "sk-12345" not in str(config.plugins["p"])


def test_a_name_from_a_variable_is_not_repeated_either(load):
    config = load("agents: {a: {llm: '${LLM}'}}", LLM="internal-model")
    assert config.warnings == ['hector.yaml:1: agents.a.llm: no llm is named "${LLM}"']
    with pytest.raises(ConfigError) as caught:
        config.llm_of(config.agent("a"))
    assert str(caught.value) == 'hector.yaml:1: agents.a.llm: no llm is named "${LLM}"\n  Declare it under llms.'


def test_values_of_earlier_editions_are_redacted_the_newest_of_them_without_an_end(load, monkeypatch):
    monkeypatch.setattr(configuration, "EARLIER_LIMIT", 2)
    now = load(SECRETS, PASSWORD="value-0", KEY="same-key", SHORT="x")
    for number in range(1, 4):
        now = load(SECRETS, PASSWORD=f"value-{number}", KEY="same-key", SHORT="x").after(now)
    assert now.redact("value-0 value-1 value-2 value-3") == "value-0 ${PASSWORD} ${PASSWORD} ${PASSWORD}"
    assert now.redact("same-key") == "${KEY}"
    assert now.earlier_secrets == (("PASSWORD", "value-1"), ("PASSWORD", "value-2"))  # and not what is still in use


SEARCHED = """\
plugins:
  embedder_providers: {embed: {path: .}, cross: {path: .}}
  database_providers: {base: {path: .}}
embedders: {e: {type: "plugin:embed"}, r: {type: "plugin:cross"}}
databases: {d: {type: "plugin:base"}}
document_stores:
  usual: {path: ., embedder: e, database: d}
  words: {path: ., embedder: e, database: d, search: {mode: keyword}}
  best: {path: ., embedder: e, database: d, search: {rerank: {embedder: r}}}
"""


@pytest.mark.parametrize(
    ("store", "modes", "rerank", "plugins"),
    [
        ("usual", (), True, ["embed", "base"]),
        ("usual", ("keyword",), True, []),
        ("words", (), True, []),
        ("words", ("keyword", "vector"), True, ["embed", "base"]),
        ("best", (), True, ["embed", "base", "cross"]),
        ("best", ("keyword",), True, ["cross"]),
        ("best", (), False, ["embed", "base"]),
    ],
)
def test_the_plugins_that_a_search_needs(load, store, modes, rerank, plugins):
    config = load(SEARCHED)
    assert config.search_plugins(config.document_store(store), modes, rerank=rerank) == plugins
