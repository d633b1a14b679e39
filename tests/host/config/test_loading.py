"""Which file is read, and the forms in which the same thing may be written."""

# ruff: noqa: E501, S106 (YAML stands as people write it; nothing is secret here)

import subprocess
import sys
from pathlib import Path

import pytest

from hector_host import config
from hector_host.config import Kind, find, load
from hector_host.errors import ConfigError

EMPTY = 'version: "1"\n'


def test_without_any_file_the_places_are_named(folder):
    with pytest.raises(ConfigError) as caught:
        load(environ={})
    assert str(caught.value) == (
        "no configuration: looked for --config, $HECTOR_CONFIG, hector.yaml, config.yaml\n"
        "  hector init writes one to begin with."
    )
    assert caught.value.exit_code == 2


def test_the_first_place_with_a_file_wins(folder):
    names = ("config.yaml", "hector.yaml", "named.yaml", "given.yaml")
    places = []
    for name in names:
        (folder / name).write_text(EMPTY, encoding="utf-8")
        environ = {"HECTOR_CONFIG": "named.yaml"} if (folder / "named.yaml").exists() else {}
        path = Path("given.yaml") if (folder / "given.yaml").exists() else None
        places.append(load(path, environ).file)
    assert places == [folder / name for name in names]


@pytest.mark.parametrize(
    ("path", "environ"),
    [("none.yaml", {}), (None, {"HECTOR_CONFIG": "none.yaml"}), ("~nobody-of-that-name/none.yaml", {})],
)
def test_a_file_that_is_asked_for_must_be_there(folder, path, environ):
    (folder / "hector.yaml").write_text(EMPTY, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path and Path(path), environ)
    assert str(caught.value) == f"{path or 'none.yaml'}: no such file\n  hector init writes one to begin with."


def test_an_empty_name_of_a_file_is_none(folder):
    (folder / "hector.yaml").write_text(EMPTY, encoding="utf-8")
    assert find(None, {"HECTOR_CONFIG": ""}) == Path("hector.yaml")


def test_the_home_may_be_written_as_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    (folder / "mine.yaml").write_text(EMPTY, encoding="utf-8")
    assert load(Path("~/mine.yaml"), {}).file == folder / "mine.yaml"


def test_the_environment_of_the_process_is_used_when_none_is_given(folder, monkeypatch):
    monkeypatch.setenv("HECTOR_CONFIG", "x.yaml")
    monkeypatch.setenv("PORT_OF_THE_SERVER", "99")
    (folder / "x.yaml").write_text("server:\n  port: ${PORT_OF_THE_SERVER}\n", encoding="utf-8")
    assert load().server.port == 99


def test_everything_has_its_default(load, folder):
    loaded = load(EMPTY)
    assert loaded.file == folder / "hector.yaml"
    assert loaded.folder == folder
    assert loaded.storage.path == folder / ".hector"
    assert (loaded.server.host, loaded.server.port) == ("127.0.0.1", 8080)
    assert loaded.discovery.enabled is False
    assert loaded.discovery.paths == [folder / "plugins", Path.home() / ".hector/plugins"]
    sections = (loaded.plugins, loaded.llms, loaded.embedders, loaded.databases, loaded.tools, loaded.agents)
    assert all(section == {} for section in sections)
    assert loaded.document_stores == {}
    assert loaded.warnings == []


def test_sections_without_anything_below_them_are_empty(load):
    loaded = load("plugins:\nllms:\ntools:\nagents:\nstorage:\nserver:\n")
    assert loaded.plugins == loaded.llms == loaded.tools == loaded.agents == {}
    assert loaded.server.port == 8080


FULL = """\
version: 1
plugins:
  discovery: {enabled: true, paths: [more, ~/mine]}
  llm_providers:
    model:
      type: grpc
      path: ./model
      config: {key: "${KEY}", nested: {list: [1, null, true, 1.5]}, when: 2024-01-01}
      security: {sandbox: true, timeout: 30s, max_memory: 1GB, allowed_networks: [localhost, "*.example.com:443"]}
      env: {MODE: fast, TOKEN: "${TOKEN}"}
      restart: {max_deaths: 2, window: 5m}
      replicas: 3
      start_timeout: 90s
  embedder_providers:
    embed: {package: hector-embed}
  database_providers:
    base: {address: "unix:run/base.sock", metadata: {authorization: "Bearer ${TOKEN}"}, tls: {ca: ca.pem}, max_concurrency: 4, max_queue: 0}
  tool_providers:
    shell: {command: [python, -m, shell]}
  reasoning_strategies:
    react: {address: "dns:///react:8081", tls: true}
llms:
  custom:
    type: "plugin:model"
    model: m
    temperature: 1
    max_tokens: 4000
    top_p: 0.9
    stop: [END]
    seed: -1
    reasoning_effort: low
    config: {x: {y: 1}}
embedders: {e: {type: "plugin:embed", config: {model: mini, dimension: 384}}}
databases: {d: {type: "plugin:base", config: {collection: docs, dimension: 384, metric: dot}}}
tools: {run: {type: "plugin:shell", config: {tool_name: run_command}}}
document_stores:
  books:
    {path: docs, include: ["*.md"], exclude: [x.md], embedder: e, database: d, chunk_size: 400, chunk_overlap: 10, search: {mode: keyword, limit: 3, threshold: 0.5, rerank: {embedder: e, model: large, candidates: 20}}}
agents:
  helper:
    name: The Helper
    description: Helps.
    llm: custom
    tools: [run]
    document_stores: [books]
    prompt: {system_prompt: "Costs $$5."}
    reasoning: {engine: "plugin:react", max_iterations: 7, enable_streaming: false, depth: 2}
storage: {path: /var/lib/hector}
server: {host: 0.0.0.0, port: 0}
"""


@pytest.fixture
def full(load, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    for name in ("more", "mine"):
        (folder / name).mkdir()
    return load(FULL, KEY="key-of-model", TOKEN="token-of-all")


def test_plugins_are_read_whole(full, folder):
    model, embed, base, shell, react = full.plugins.values()
    assert [plugin.name for plugin in full.plugins.values()] == ["model", "embed", "base", "shell", "react"]
    assert [plugin.kind for plugin in full.plugins.values()] == [
        Kind.LLM,
        Kind.EMBEDDER,
        Kind.DATABASE,
        Kind.TOOL,
        Kind.REASONING,
    ]
    assert [plugin.source for plugin in full.plugins.values()] == ["path", "package", "address", "command", "address"]
    assert model.key == ("plugins", "llm_providers", "model")
    assert model.path == folder / "model"
    assert model.config == {"key": "key-of-model", "nested": {"list": [1, None, True, 1.5]}, "when": "2024-01-01"}
    assert (model.security.sandbox, model.security.timeout, model.security.max_memory) == (True, 30.0, 10**9)
    assert model.security.allowed_networks == ["localhost", "*.example.com:443"]
    assert model.env == {"MODE": "fast", "TOKEN": "token-of-all"}
    assert (model.restart.max_deaths, model.restart.window, model.replicas, model.start_timeout) == (2, 300.0, 3, 90.0)
    assert (model.max_concurrency, model.max_queue) == (16, 64)
    assert (base.max_concurrency, base.max_queue) == (4, 0)
    assert model.variables == {"KEY": "key-of-model", "TOKEN": "token-of-all"}
    assert embed.package == "hector-embed"
    assert (embed.restart.max_deaths, embed.restart.window, embed.replicas, embed.start_timeout) == (5, 60.0, 1, 60.0)
    assert (embed.security.sandbox, embed.security.timeout, embed.security.allowed_networks) == (None, None, None)
    assert (embed.config, embed.env, embed.variables, embed.tls) == ({}, {}, {}, None)
    assert base.address == f"unix:{folder}/run/base.sock"
    assert base.metadata == {"authorization": "Bearer token-of-all"}
    assert base.variables == {"TOKEN": "token-of-all"}
    assert base.tls is not None
    assert base.tls.ca == folder / "ca.pem"
    assert shell.command == ["python", "-m", "shell"]
    assert react.address == "dns:///react:8081"
    assert react.tls is not None


def test_what_agents_use_is_read_whole(full, folder):
    llm = full.llms["custom"]
    assert (llm.plugin, llm.model, llm.temperature, llm.max_tokens, llm.top_p) == ("model", "m", 1.0, 4000, 0.9)
    assert (llm.stop, llm.seed, llm.reasoning_effort, llm.config) == (["END"], -1, "low", {"x": {"y": 1}})
    embedder = full.embedders["e"]
    assert (embedder.plugin, embedder.config.model, embedder.config.dimension) == ("embed", "mini", 384)
    database = full.databases["d"]
    assert (database.plugin, database.config.collection, database.config.dimension) == ("base", "docs", 384)
    assert database.config.metric == "dot"
    assert (full.tools["run"].plugin, full.tools["run"].config.tool_name) == ("shell", "run_command")
    store = full.document_stores["books"]
    assert (store.name, store.path, store.include, store.exclude) == ("books", folder / "docs", ["*.md"], ["x.md"])
    assert (store.embedder, store.database, store.chunk_size, store.chunk_overlap) == ("e", "d", 400, 10)
    assert (store.search.mode, store.search.limit, store.search.threshold) == ("keyword", 3, 0.5)
    assert store.search.rerank is not None
    assert store.search.rerank.model_dump() == {"embedder": "e", "model": "large", "candidates": 20}


def test_agents_are_read_whole(full):
    agent = full.agents["helper"]
    assert (agent.id, agent.name, agent.description, agent.llm) == ("helper", "The Helper", "Helps.", "custom")
    assert (agent.tools, agent.document_stores) == (["run"], ["books"])
    assert agent.prompt.system_prompt == "Costs $5."
    assert (agent.reasoning.engine, agent.reasoning.plugin) == ("plugin:react", "react")
    assert (agent.reasoning.max_iterations, agent.reasoning.enable_streaming) == (7, False)
    assert agent.reasoning.options == {"depth": 2}


def test_the_host_is_read_whole(full, folder):
    assert full.discovery.enabled is True
    assert full.discovery.paths == [folder / "more", Path.home() / "mine"]
    assert full.storage.path == Path("/var/lib/hector")
    assert (full.server.host, full.server.port) == ("0.0.0.0", 0)  # noqa: S104 (read, not listened on)


def test_an_agent_needs_nothing_but_a_model(load):
    agent = load("agents: {a: {llm: m}}").agents["a"]
    assert (agent.name, agent.description, agent.tools, agent.document_stores) == ("a", "", None, [])
    assert (agent.reasoning.engine, agent.reasoning.plugin, agent.reasoning.options) == ("default", None, {})
    assert (agent.reasoning.max_iterations, agent.reasoning.enable_streaming) == (20, True)


def test_no_tools_are_not_all_tools(load):
    assert load("agents: {a: {llm: m, tools: []}}").agents["a"].tools == []


def test_chunks_that_are_small_overlap_by_an_eighth(load):
    stores = load(
        """\
        document_stores:
          small: {path: ., embedder: e, database: d, chunk_size: 80}
          usual: {path: ., embedder: e, database: d}
          large: {path: ., embedder: e, database: d, chunk_size: 5000}
        """
    ).document_stores
    assert [store.chunk_overlap for store in stores.values()] == [10, 100, 100]
    prose = ("md", "markdown", "txt", "rst", "html", "htm", "pdf", "docx")
    assert stores["usual"].include == [f"**/*.{suffix}" for suffix in prose]
    assert (stores["usual"].gitignore, stores["usual"].max_file_size) == (True, 20_000_000)
    searched = {"mode": "hybrid", "limit": 5, "threshold": None, "rerank": None}
    assert stores["usual"].search.model_dump() == searched


@pytest.mark.parametrize("name", ["discovery", "plugin_discovery"])
def test_discovery_has_two_names(load, folder, name):
    (folder / "here").mkdir()
    loaded = load(f"plugins: {{{name}: {{enabled: true, paths: [here]}}}}")
    assert (loaded.discovery.enabled, loaded.discovery.paths) == (True, [folder / "here"])
    assert loaded.plugins == {}


@pytest.mark.parametrize(
    ("text", "key", "kind"),
    [
        ("plugins: {tool_providers: {x: {path: p}}}", ("plugins", "tool_providers", "x"), Kind.TOOL),
        ("plugins: {tool_providers: [{name: x, path: p}]}", ("plugins", "tool_providers", 0), Kind.TOOL),
        ("plugins: {x: {path: p}}", ("plugins", "x"), None),
        ("plugins: [{name: x, path: p}]", ("plugins", 0), None),
    ],
)
def test_plugins_have_four_forms(load, folder, text, key, kind):
    plugin = load(text).plugins["x"]
    assert (plugin.name, plugin.path, plugin.key, plugin.kind) == ("x", folder / "p", key, kind)


def test_a_plugin_in_a_list_may_be_named_as_a_group_is(load):
    plugin = load("plugins: [{name: tool_providers, path: p}]").plugins["tool_providers"]
    assert plugin.kind is None


def test_tools_and_stores_may_be_lists(load):
    mapped = load(
        """\
        tools: {t: {type: "plugin:p", config: {tool_name: x}}, u: {type: "plugin:p"}}
        document_stores: {s: {path: ., embedder: e, database: d}}
        """
    )
    listed = load(
        """\
        tools: [{name: t, type: "plugin:p", config: {tool_name: x}}, {type: "plugin:p", name: u}]
        document_stores: [{name: s, path: ., embedder: e, database: d}]
        """
    )
    assert list(listed.tools) == list(mapped.tools) == ["t", "u"]
    for name, tool in listed.tools.items():
        assert tool.model_dump() == mapped.tools[name].model_dump()
    assert listed.document_stores["s"].model_dump() == mapped.document_stores["s"].model_dump()
    assert listed.tools["u"].key == ("tools", 1)
    assert listed.document_stores["s"].name == "s"


def test_paths_begin_at_the_folder_of_the_file_wherever_it_is_called(folder, monkeypatch):
    inner = folder / "a/b"
    inner.mkdir(parents=True)
    (inner / "hector.yaml").write_text("plugins: {x: {path: ../p}, y: {path: /abs/./q}}", encoding="utf-8")
    loaded = load(Path("a/b/hector.yaml"), {})
    assert loaded.plugins["x"].path == folder / "a/p"
    assert loaded.plugins["y"].path == Path("/abs/q")
    assert loaded.storage.path == inner / ".hector"
    assert loaded.locate("plugins", "x") == "a/b/hector.yaml:1: plugins.x"


def test_a_link_to_the_file_does_not_move_its_paths(folder):
    (folder / "real").mkdir()
    (folder / "real/x.yaml").write_text(EMPTY, encoding="utf-8")
    (folder / "hector.yaml").symlink_to("real/x.yaml")
    assert load(environ={}).folder == folder


def test_entries_are_frozen(full):
    with pytest.raises(Exception, match="frozen"):
        full.llms["custom"].model = "other"


def test_nothing_heavy_is_imported():
    program = (
        "import sys; from hector_host import config\n"
        "heavy = {'grpc', 'google.protobuf', 'jsonschema', 'rich', 'typer', 'numpy', 'asyncio', 'dotenv'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_the_public_names_are_there():
    assert all(hasattr(config, name) for name in config.__all__)
