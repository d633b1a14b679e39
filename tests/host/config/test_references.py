"""What a file only names: noted when it is loaded, an error when it is checked."""

import pytest

from hector_host.config import check
from hector_host.errors import ConfigError

TEXT = """\
plugins:
  tool_providers: {shell: {path: missing}}
  free: {command: [x]}
  far: {address: "h:1", tls: {ca: none.pem}}
llms: {a: {type: "plugin:gone"}, b: {type: "plugin:shell"}, c: {type: "plugin:free"}}
embedders: {e: {type: "plugin:gone"}}
databases: {d: {type: "plugin:gone"}}
tools: {t: {type: "plugin:shell"}}
document_stores: {s: {path: nowhere, embedder: x, database: y, search: {rerank: {embedder: w}}}}
agents:
  one: {llm: z, tools: [t, u], document_stores: [s, r]}
  two: {llm: a, reasoning: {engine: "plugin:shell", max_iteration: 3, depth: 2}}
"""


def test_doubts_are_warnings_in_the_order_of_the_lines(load, folder):
    assert load(TEXT).warnings == [
        f'hector.yaml:2: plugins.tool_providers.shell.path: "{folder}/missing" is not there',
        f'hector.yaml:4: plugins.far.tls.ca: "{folder}/none.pem" is not there',
        'hector.yaml:5: llms.a.type: no plugin is named "gone"',
        'hector.yaml:5: llms.b.type: "shell" stands under tool_providers',
        'hector.yaml:6: embedders.e.type: no plugin is named "gone"',
        'hector.yaml:7: databases.d.type: no plugin is named "gone"',
        'hector.yaml:9: document_stores.s.embedder: no embedder is named "x"',
        'hector.yaml:9: document_stores.s.database: no database is named "y"',
        'hector.yaml:9: document_stores.s.search.rerank.embedder: no embedder is named "w"',
        f'hector.yaml:9: document_stores.s.path: "{folder}/nowhere" is not there',
        'hector.yaml:11: agents.one.llm: no llm is named "z"',
        'hector.yaml:11: agents.one.tools[1]: no tool is named "u"',
        'hector.yaml:11: agents.one.document_stores[1]: no document store is named "r"',
        'hector.yaml:12: agents.two.reasoning.engine: "shell" stands under tool_providers',
        "hector.yaml:12: agents.two.reasoning.max_iteration: goes to the plugin shell as an option",
    ]


def test_doubts_are_errors_when_the_file_is_checked(load, folder):
    with pytest.raises(ConfigError) as caught:
        check(load(TEXT))
    there = "A relative path begins at the folder of this file."
    assert str(caught.value) == (
        f'hector.yaml:2: plugins.tool_providers.shell.path: "{folder}/missing" is not there\n  {there}\n'
        f'hector.yaml:4: plugins.far.tls.ca: "{folder}/none.pem" is not there\n  {there}\n'
        'hector.yaml:5: llms.a.type: no plugin is named "gone"\n  There are: shell, free, far.\n'
        'hector.yaml:5: llms.b.type: "shell" stands under tool_providers\n'
        "  Use one of llm_providers, or declare it directly under plugins if it serves several kinds.\n"
        'hector.yaml:6: embedders.e.type: no plugin is named "gone"\n  There are: shell, free, far.\n'
        'hector.yaml:7: databases.d.type: no plugin is named "gone"\n  There are: shell, free, far.\n'
        'hector.yaml:9: document_stores.s.embedder: no embedder is named "x"\n  There are: e.\n'
        'hector.yaml:9: document_stores.s.database: no database is named "y"\n  There are: d.\n'
        'hector.yaml:9: document_stores.s.search.rerank.embedder: no embedder is named "w"\n  There are: e.\n'
        f'hector.yaml:9: document_stores.s.path: "{folder}/nowhere" is not there\n  {there}\n'
        'hector.yaml:11: agents.one.llm: no llm is named "z"\n  There are: a, b, c.\n'
        'hector.yaml:11: agents.one.tools[1]: no tool is named "u"\n  There are: t.\n'
        'hector.yaml:11: agents.one.document_stores[1]: no document store is named "r"\n  There are: s.\n'
        'hector.yaml:12: agents.two.reasoning.engine: "shell" stands under tool_providers\n'
        "  Use one of reasoning_strategies, or declare it directly under plugins if it serves several kinds.\n"
        "hector.yaml:12: agents.two.reasoning.max_iteration: goes to the plugin shell as an option\n"
        "  Did you mean max_iterations?"
    )


def test_a_file_without_doubts_passes(load, folder):
    (folder / "docs").mkdir()
    (folder / "plugin").touch()
    config = load(
        """\
        plugins: {p: {path: plugin}}
        llms: {m: {type: "plugin:p"}}
        embedders: {e: {type: "plugin:p"}}
        databases: {d: {type: "plugin:p"}}
        document_stores: {s: {path: docs, embedder: e, database: d}}
        agents: {a: {llm: m, document_stores: [s], reasoning: {engine: "plugin:p", depth: 1}}}
        """
    )
    assert config.warnings == []
    check(config)
