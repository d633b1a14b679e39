"""What makes a difference between two configurations, and what does not."""

import pytest

from hector_host.config.differences import Differences, differences

TEXT = """\
plugins:
  llm_providers:
    model: {path: ./model, config: {key: "${KEY}"}}
    other: {path: ./other}
  far: {address: "h:1", metadata: {a: b}}
llms: {m: {type: "plugin:model"}}
agents: {a: {llm: m}}
"""
NOTHING = Differences((), (), (), ())


@pytest.fixture
def found(load):
    """What changes when TEXT becomes another text, or its variable another value."""

    def compare(old="", new="", key="1"):
        assert old in TEXT
        return differences(load(TEXT, KEY="1"), load(TEXT.replace(old, new) if old else TEXT, KEY=key))

    return compare


def test_the_same_file_makes_no_difference(found):
    assert found() == NOTHING
    assert not found()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("plugins:\n", "# A comment\n\nplugins:\n"),
        ("path: ./other", "path: './model/../other', replicas: 1"),
        ("path: ./other", "path: ./other, restart: {max_deaths: 5, window: 60s}"),
        ('"${KEY}"', "'${KEY}'"),
        ("llms:", 'version: "1"\nllms:'),
        ("{llm: m}", "{name: a, llm: m}"),
    ],
)
def test_how_it_is_written_makes_none(found, old, new):
    assert found(old, new) == NOTHING


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("path: ./other", "path: ./elsewhere", "other"),
        ("path: ./other", "command: [./other]", "other"),
        ("path: ./other", "path: ./other, config: {a: 1}", "other"),
        ("path: ./other", "path: ./other, env: {A: b}", "other"),
        ("path: ./other", "path: ./other, replicas: 2", "other"),
        ("path: ./other", "path: ./other, max_concurrency: 2", "other"),
        ("path: ./other", "path: ./other, max_queue: 2", "other"),
        ("path: ./other", "path: ./other, start_timeout: 2s", "other"),
        ("path: ./other", "path: ./other, restart: {max_deaths: 1}", "other"),
        ("path: ./other", "path: ./other, security: {sandbox: true}", "other"),
        ('path: ./model, config: {key: "${KEY}"}', 'path: ./model, config: {key: "1"}', "model"),
        ('"h:1"', '"h:2"', "far"),
        ('"h:1"', '"h:1", tls: true', "far"),
        ('"h:1"', '"h:1", config: {}', "far"),
        ("a: b", "a: c", "far"),
    ],
)
def test_what_a_plugin_is_told_makes_one(found, old, new, name):
    assert found(old, new) == Differences((), (), (name,), ())


def test_a_variable_makes_one_where_it_is_named(found):
    assert found(key="2") == Differences((), (), ("model",), ())


def test_a_kind_makes_one(load):
    old = load("plugins: {tool_providers: {p: {path: .}}, q: {path: .}}")
    assert differences(old, load("plugins: [{name: q, path: .}, {name: p, path: .}]")).changed == ("p",)


def test_plugins_come_and_go(found):
    assert found("    other: {path: ./other}\n", "    a: {path: .}\n    b: {path: .}\n") == Differences(
        ("a", "b"), ("other",), (), ()
    )


@pytest.mark.parametrize(
    ("new", "section"),
    [
        ("plugins:\n  discovery: {enabled: true}\n", "discovery"),
        ('embedders: {e: {type: "plugin:far"}}\nplugins:\n', "embedders"),
        ('databases: {d: {type: "plugin:far"}}\nplugins:\n', "databases"),
        ('tools: {t: {type: "plugin:far"}}\nplugins:\n', "tools"),
        ("document_stores: {s: {path: ., embedder: e, database: d}}\nplugins:\n", "document_stores"),
        ("storage: {path: elsewhere}\nplugins:\n", "storage"),
        ("server: {port: 1}\nplugins:\n", "server"),
    ],
)
def test_other_sections_make_one_of_their_own(found, new, section):
    assert found("plugins:\n", new) == Differences((), (), (), (section,))
    assert found("plugins:\n", new)


def test_models_and_agents_make_one_of_their_own(found):
    assert found('"plugin:model"', '"plugin:model", temperature: 1').sections == ("llms",)
    assert found("{llm: m}", "{llm: m, tools: []}").sections == ("agents",)
