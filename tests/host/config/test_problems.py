"""Everything that can be wrong with a file, with the whole of what is said about it."""

# ruff: noqa: E501 (messages stand as they are printed)

import pytest

from hector_host.config import InvalidFileError, Problem

CASES = {
    "unknown sections": (
        """\
lms: {}
agent: {}
""",
        """\
hector.yaml:1: lms: unknown key
  Did you mean llms?
hector.yaml:2: agent: unknown key
  Did you mean agents?""",
    ),
    "unknown key near to a known one": (
        """\
agents:
  a:
    llm: m
    promt: {}
""",
        """\
hector.yaml:4: agents.a.promt: unknown key
  Did you mean prompt?""",
    ),
    "unknown key near to none": (
        """\
agents: {a: {llm: m, xyz: 1}}
""",
        """\
hector.yaml:1: agents.a.xyz: unknown key
  Known keys: name, description, llm, tools, document_stores, prompt, reasoning.""",
    ),
    "unknown key of an inner mapping": (
        """\
agents: {a: {llm: m, prompt: {sytem_prompt: x}}}
""",
        """\
hector.yaml:1: agents.a.prompt.sytem_prompt: unknown key
  Did you mean system_prompt?""",
    ),
    "unknown option of the default engine": (
        """\
agents: {a: {llm: m, reasoning: {max_iteration: 3}}}
""",
        """\
hector.yaml:1: agents.a.reasoning.max_iteration: unknown key
  Did you mean max_iterations?""",
    ),
    "wrong types": (
        """\
llms: {m: {type: "plugin:p", temperature: warm, max_tokens: "4000", model: 4, stop: x, seed: 1.5, config: [1]}}
""",
        """\
hector.yaml:1: llms.m.model: 4 is not text
  Write it in quotes: "4".
hector.yaml:1: llms.m.temperature: "warm" is not a number
  Write it without quotes, as 0.7.
hector.yaml:1: llms.m.max_tokens: "4000" is not a whole number
  Write it without quotes and fraction, as 4.
hector.yaml:1: llms.m.stop: "x" is not a list
  Write it in brackets: [one, two].
hector.yaml:1: llms.m.seed: 1.5 is not a whole number
  Write it without quotes and fraction, as 4.
hector.yaml:1: llms.m.config: a list is not a mapping
  Write keys and values: {key: value}.""",
    ),
    "numbers out of bounds": (
        """\
llms: {m: {type: "plugin:p", temperature: 3, max_tokens: 0, top_p: 0}}
""",
        """\
hector.yaml:1: llms.m.temperature: 3 is more than 2
  Write 2 or less.
hector.yaml:1: llms.m.max_tokens: 0 is less than 1
  Write 1 or more.
hector.yaml:1: llms.m.top_p: 0 is not more than 0
  Write more than 0.""",
    ),
    "not a reference to a plugin": (
        """\
llms: {m: {type: openai, model: gpt}}
""",
        """\
hector.yaml:1: llms.m.type: "openai" names no plugin
  Write "plugin:NAME", NAME being a key under plugins.""",
    ),
    "no type": (
        """\
llms: {m: {model: gpt}}
embedders: {e: }
""",
        """\
hector.yaml:1: llms.m.type: is missing
  Add it: The plugin behind it: "plugin:NAME".
hector.yaml:2: embedders.e.type: is missing
  Add it: The plugin behind it: "plugin:NAME".""",
    ),
    "no llm": (
        """\
agents: {a: {name: x}}
""",
        """\
hector.yaml:1: agents.a.llm: is missing
  Add it: A key under llms.""",
    ),
    "agents as a list": (
        """\
agents: [a]
""",
        """\
hector.yaml:1: agents: a list is not a mapping
  Write {name: {…}}.""",
    ),
    "sections as scalars": (
        """\
agents: hello
tools: 5
""",
        """\
hector.yaml:1: agents: "hello" is not a mapping
  Write {name: {…}}.
hector.yaml:2: tools: 5 is not a mapping
  Write {name: {…}}, or a list of {name: …}.""",
    ),
    "entry as text": (
        """\
agents: {a: hello}
""",
        """\
hector.yaml:1: agents.a: "hello" is not a mapping
  Write keys and values: {key: value}.""",
    ),
    "plugins of one name in several groups": (
        """\
plugins:
  llm_providers:
    x: {path: .}
  tool_providers:
    x: {path: .}
  x: {path: .}
""",
        """\
hector.yaml:5: plugins.tool_providers.x: line 3 has an entry of the same name, "x"
  Names of plugins are unique over all groups: rename one.
hector.yaml:6: plugins.x: line 3 has an entry of the same name, "x"
  Names of plugins are unique over all groups: rename one.""",
    ),
    "plugins of one name in a list": (
        """\
plugins:
  llm_providers:
    - {name: x, path: .}
    - {name: x, path: .}
""",
        """\
hector.yaml:4: plugins.llm_providers[1]: line 3 has an entry of the same name, "x"
  Names of plugins are unique over all groups: rename one.""",
    ),
    "tools of one name": (
        """\
tools:
  - {name: x, type: "plugin:p"}
  - {name: x, type: "plugin:p"}
""",
        """\
hector.yaml:3: tools[1]: line 2 has an entry of the same name, "x"
  Names are unique in their section: rename one.""",
    ),
    "list entries without a name": (
        """\
tools:
  - {type: "plugin:p"}
  - 5
  - {name: 5, type: "plugin:p"}
""",
        """\
hector.yaml:2: tools[0].name: is missing
  Entries of a list carry their name.
hector.yaml:3: tools[1]: 5 is not a mapping
  Write {name: …}.
hector.yaml:4: tools[2].name: is not text
  Entries of a list carry their name.""",
    ),
    "plugin without a source": (
        """\
plugins: {x: {type: grpc}}
""",
        """\
hector.yaml:1: plugins.x: does not say where the plugin is
  Add one of path, package, command, address.""",
    ),
    "plugin without anything": (
        """\
plugins: {llm_providers: {x: {}}}
""",
        """\
hector.yaml:1: plugins.llm_providers.x: does not say where the plugin is
  Add one of path, package, command, address.""",
    ),
    "plugin with two sources": (
        """\
plugins: {x: {path: ., command: [a]}}
""",
        """\
hector.yaml:1: plugins.x.command: is a second source beside path
  Keep one of them.""",
    ),
    "plugin of another type": (
        """\
plugins: {x: {type: http, path: .}}
""",
        """\
hector.yaml:1: plugins.x.type: "http" is not known here
  Write grpc.""",
    ),
    "neither plugins nor groups": (
        """\
plugins: {llm_provider: {x: {path: .}}, foo: {bar: 1}, baz: 3}
""",
        """\
hector.yaml:1: plugins.llm_provider: is neither a plugin nor a group of them
  Did you mean llm_providers?
hector.yaml:1: plugins.foo: is neither a plugin nor a group of them
  A plugin has one of path, package, command, address; else there are: discovery, plugin_discovery, llm_providers, database_providers, embedder_providers, tool_providers, reasoning_strategies.
hector.yaml:1: plugins.baz: is neither a plugin nor a group of them
  A plugin has one of path, package, command, address; else there are: discovery, plugin_discovery, llm_providers, database_providers, embedder_providers, tool_providers, reasoning_strategies.""",
    ),
    "command as text": (
        """\
plugins: {x: {command: "python -m x"}}
""",
        """\
hector.yaml:1: plugins.x.command: "python -m x" is not a list
  Write it in brackets: [one, two].""",
    ),
    "empty sources": (
        """\
plugins: {x: {command: []}, y: {command: [""]}, z: {package: ""}}
""",
        """\
hector.yaml:1: plugins.x.command: is empty
  Write something, or remove the key.
hector.yaml:1: plugins.y.command[0]: is empty
  Write something, or remove the key.
hector.yaml:1: plugins.z.package: is empty
  Write something, or remove the key.""",
    ),
    "security": (
        """\
plugins:
  x:
    path: .
    security:
      sandbox: maybe
      timeout: -1
      max_memory: "1XB"
      allowed_networks: localhost
      cpu: 2
""",
        """\
hector.yaml:5: plugins.x.security.sandbox: "maybe" is not true or false
  Write true or false, without quotes.
hector.yaml:6: plugins.x.security.timeout: -1 is not a duration
  Write it as 500ms, 30s, 5m or 1h.
hector.yaml:7: plugins.x.security.max_memory: "1XB" is not a size
  Write it as 512MB or 1GB.
hector.yaml:8: plugins.x.security.allowed_networks: "localhost" is not a list
  Write it in brackets: [one, two].
hector.yaml:9: plugins.x.security.cpu: unknown key
  Known keys: sandbox, timeout, max_memory, allowed_networks.""",
    ),
    "security without units": (
        """\
plugins:
  x:
    path: .
    security:
      timeout: 30
      max_memory: 1073741824
      allowed_networks: ["10.0.0.0/40", "localhost:0", 7]
""",
        """\
hector.yaml:5: plugins.x.security.timeout: 30 is not a duration
  Write it as 500ms, 30s, 5m or 1h.
hector.yaml:6: plugins.x.security.max_memory: 1073741824 is not a size
  Write it as 512MB or 1GB.
hector.yaml:7: plugins.x.security.allowed_networks[0]: "10.0.0.0/40" is not a network
  Write localhost, an address, a network such as 10.0.0.0/8, a name or *.name; :port may follow.
hector.yaml:7: plugins.x.security.allowed_networks[1]: "localhost:0" has no usable port
  A port is a number from 1 to 65535.
hector.yaml:7: plugins.x.security.allowed_networks[2]: 7 is not a network
  Write localhost, an address, a network such as 10.0.0.0/8, a name or *.name; :port may follow.""",
    ),
    "networks without a sandbox": (
        """\
plugins: {x: {path: ., security: {sandbox: false, allowed_networks: []}}}
""",
        """\
hector.yaml:1: plugins.x.security.allowed_networks: cannot be kept with sandbox: false
  Remove sandbox: false, or remove the list: without a sandbox nothing holds the plugin to it.""",
    ),
    "launch keys with an address": (
        """\
plugins: {x: {address: "localhost", env: {A: b}, replicas: 2, restart: {}, security: {sandbox: true, max_memory: 1GB, timeout: 3s}}}
""",
        """\
hector.yaml:1: plugins.x.env: is for plugins that are started here
  Remove it: whoever starts the process decides.
hector.yaml:1: plugins.x.restart: is for plugins that are started here
  Remove it: whoever starts the process decides.
hector.yaml:1: plugins.x.replicas: is for plugins that are started here
  Remove it: whoever starts the process decides.
hector.yaml:1: plugins.x.security.sandbox: cannot be enforced behind an address
  Remove it: whoever starts the process decides.
hector.yaml:1: plugins.x.security.max_memory: cannot be enforced behind an address
  Remove it: whoever starts the process decides.
hector.yaml:1: plugins.x.address: "localhost" has no port
  Write host:port, with the port on which the plugin listens.""",
    ),
    "address keys": (
        """\
plugins: {x: {path: ., tls: true, metadata: {a: b}}, y: {address: "a:1", tls: {cert: a.pem}, metadata: {Aa: b, grpc-x: c, ok: 5}}, z: {address: "a:1", tls: 5}}
""",
        """\
hector.yaml:1: plugins.x.tls: is for plugins with an address
  Remove it: path starts a process here.
hector.yaml:1: plugins.x.metadata: is for plugins with an address
  Remove it: path starts a process here.
hector.yaml:1: plugins.y.metadata.Aa: cannot name metadata
  Use small letters, digits, -, _ and .; not grpc-… or hector-… and not …-bin.
hector.yaml:1: plugins.y.metadata.grpc-x: cannot name metadata
  Use small letters, digits, -, _ and .; not grpc-… or hector-… and not …-bin.
hector.yaml:1: plugins.y.tls.cert: needs key beside it
  Add key, or remove cert.
hector.yaml:1: plugins.y.metadata.ok: 5 is not text
  Write it in quotes: "5".
hector.yaml:1: plugins.z.tls: 5 is not a mapping
  Write keys and values: {key: value}.""",
    ),
    "names in env": (
        """\
plugins: {x: {path: ., env: {PORT: 8080, 1X: a, HECTOR_PLUGIN: b}}}
""",
        """\
hector.yaml:1: plugins.x.env.1X: cannot name a variable
  Use letters, digits and _.
hector.yaml:1: plugins.x.env.HECTOR_PLUGIN: is set by Hector
  Remove it.
hector.yaml:1: plugins.x.env.PORT: 8080 is not text
  Write it in quotes: "8080".""",
    ),
    "unusable names": (
        """\
plugins: {../x: {path: .}}
agents: {a b: {llm: m}}
""",
        """\
hector.yaml:1: plugins.../x: "../x" is no usable name
  Use letters, digits, _, - and ., at most 64, no - or . at its beginning.
hector.yaml:2: agents.a b: "a b" is no usable name
  Use letters, digits, _, - and ., at most 64, no - or . at its beginning.""",
    ),
    "discovery under both names": (
        """\
plugins:
  discovery: {enabled: true}
  plugin_discovery: {enabled: true}
""",
        """\
hector.yaml:3: plugins.plugin_discovery: is the same as plugins.discovery, which is there too
  Keep one of them.""",
    ),
    "discovery paths that are not there": (
        """\
plugins:
  discovery:
    enabled: true
    paths: [./more, hector.yaml]
""",
        """\
hector.yaml:4: plugins.discovery.paths[0]: "./more" is not there
  Make the folder, or name another; a relative path begins at the folder of this file.
hector.yaml:4: plugins.discovery.paths[1]: "hector.yaml" is not a folder
  Make the folder, or name another; a relative path begins at the folder of this file.""",
    ),
    "no replicas, and no calls": (
        """\
plugins: {x: {path: ., replicas: 0, max_concurrency: 0, max_queue: -1}, y: {path: ., max_concurrency: many}}
""",
        """\
hector.yaml:1: plugins.x.replicas: 0 is less than 1
  Write 1 or more.
hector.yaml:1: plugins.x.max_concurrency: 0 is less than 1
  Write 1 or more.
hector.yaml:1: plugins.x.max_queue: -1 is less than 0
  Write 0 or more.
hector.yaml:1: plugins.y.max_concurrency: "many" is not a whole number
  Write it without quotes and fraction, as 4.""",
    ),
    "wrong discovery": (
        """\
plugins: {discovery: {enabled: 1, path: [x]}}
""",
        """\
hector.yaml:1: plugins.discovery.enabled: 1 is not true or false
  Write true or false, without quotes.
hector.yaml:1: plugins.discovery.path: unknown key
  Did you mean paths?""",
    ),
    "variables": (
        """\
plugins:
  x:
    path: ${NOPE}
    config: {key: "${ALSO_NOPE}", n: 1}
server: {port: "${X", host: ""}
""",
        """\
hector.yaml:3: plugins.x.path: ${NOPE} is not set
  Set it in the environment or in .env beside the file, or write ${NOPE:-default}.
hector.yaml:4: plugins.x.config.key: ${ALSO_NOPE} is not set
  Set it in the environment or in .env beside the file, or write ${ALSO_NOPE:-default}.
hector.yaml:5: server.port: "${X" is no variable
  Write ${NAME} or ${NAME:-default}; a dollar is written $$.
hector.yaml:5: server.host: is empty
  Write something, or remove the key.""",
    ),
    "embedders and databases": (
        """\
embedders: {e: {type: "plugin:p", config: {dimension: 0, modl: x}}}
databases: {d: {type: "plugin:p", config: {metric: manhattan, dimension: "3", collection: ""}}}
""",
        """\
hector.yaml:1: embedders.e.config.dimension: 0 is less than 1
  Write 1 or more.
hector.yaml:1: embedders.e.config.modl: unknown key
  Did you mean model?
hector.yaml:2: databases.d.config.collection: is empty
  Write something, or remove the key.
hector.yaml:2: databases.d.config.dimension: "3" is not a whole number
  Write it without quotes and fraction, as 4.
hector.yaml:2: databases.d.config.metric: "manhattan" is not known here
  Write cosine, dot or l2.""",
    ),
    "document stores": (
        """\
document_stores: {s: {path: ., embedder: e, database: d, chunk_size: 100, chunk_overlap: 100}, t: {embedder: e, chunk_size: 2, search: {mode: fuzzy, limit: 0, threshold: high, rerank: {candidates: 500}}, chunk_overlap: -1}}
""",
        """\
hector.yaml:1: document_stores.s.chunk_overlap: is not less than chunk_size
  An eighth of it is usual.
hector.yaml:1: document_stores.t.path: is missing
  Add it: The folder, or one file.
hector.yaml:1: document_stores.t.database: is missing
  Add it: A key under databases.
hector.yaml:1: document_stores.t.chunk_size: 2 is less than 50
  Write 50 or more.
hector.yaml:1: document_stores.t.chunk_overlap: -1 is less than 0
  Write 0 or more.
hector.yaml:1: document_stores.t.search.mode: "fuzzy" is not known here
  Write hybrid, vector or keyword.
hector.yaml:1: document_stores.t.search.limit: 0 is less than 1
  Write 1 or more.
hector.yaml:1: document_stores.t.search.threshold: "high" is not a number
  Write it without quotes, as 0.7.
hector.yaml:1: document_stores.t.search.rerank.embedder: is missing
  Add it: A key under embedders, whose plugin serves Rerank.
hector.yaml:1: document_stores.t.search.rerank.candidates: 500 is more than 200
  Write 200 or less.""",
    ),
    "engines and lists": (
        """\
agents: {a: {llm: m, reasoning: {engine: react, max_iterations: 0}}, b: {llm: m, tools: [x, x], document_stores: shell}}
""",
        """\
hector.yaml:1: agents.a.reasoning.engine: "react" is no engine
  Write default or "plugin:NAME", NAME being a key under plugins.
hector.yaml:1: agents.a.reasoning.max_iterations: 0 is less than 1
  Write 1 or more.
hector.yaml:1: agents.b.tools[1]: is in the list already
  Keep one of them.
hector.yaml:1: agents.b.document_stores: "shell" is not a list
  Write it in brackets: [one, two].""",
    ),
    "keys without a value": (
        """\
agents:
  a:
    llm:
    tools:
    prompt:
server:
  port:
""",
        """\
hector.yaml:3: agents.a.llm: has no value
  Write one, or remove the key.
hector.yaml:4: agents.a.tools: has no value
  Write one, or remove the key.
hector.yaml:7: server.port: has no value
  Write one, or remove the key.""",
    ),
    "another version": (
        """\
version: "2"
""",
        """\
hector.yaml:1: version: "2" is not a version that this Hector reads
  Write version: "1".""",
    ),
    "version with a fraction": (
        """\
version: 1.0
""",
        """\
hector.yaml:1: version: 1.0 is not a version that this Hector reads
  Write version: "1".""",
    ),
    "a list at the root": (
        """\
- a
""",
        """\
hector.yaml: a list is not a mapping
  Begin with one of version, plugins, llms, embedders, databases, tools, document_stores, agents, storage, server.""",
    ),
    "an empty file": (
        """\
# nothing
""",
        """\
hector.yaml: says nothing
  hector init writes one to begin with.""",
    ),
    "server and storage": (
        """\
server: {port: 70000, host: 5}
storage: {path: 5, file: x}
""",
        """\
hector.yaml:1: server.host: 5 is not text
  Write it in quotes: "5".
hector.yaml:1: server.port: 70000 is more than 65535
  Write 65535 or less.
hector.yaml:2: storage.path: 5 is not a path
  Write a path; a relative one begins at the folder of this file.
hector.yaml:2: storage.file: unknown key
  Known keys: path.""",
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES.keys())
def test_a_wrong_file_is_refused(refused, text, message):
    assert refused(text) == message


def test_problems_stand_in_the_order_of_the_lines(refused):
    text = """\
        agents:
          b: {llm: 5}
        plugins:
          x: {path: ., pth: .}
        llms:
          m: {}
        agent: {}
    """
    assert refused(text) == (
        'hector.yaml:2: agents.b.llm: 5 is not text\n  Write it in quotes: "5".\n'
        "hector.yaml:4: plugins.x.pth: unknown key\n  Did you mean path?\n"
        'hector.yaml:6: llms.m.type: is missing\n  Add it: The plugin behind it: "plugin:NAME".\n'
        "hector.yaml:7: agent: unknown key\n  Did you mean agents?"
    )


def test_each_problem_can_be_told_by_itself(load):
    with pytest.raises(InvalidFileError) as caught:
        load("llms:\n  m: {}\nagent: {}\n")
    assert caught.value.exit_code == 2
    assert caught.value.file == "hector.yaml"
    assert caught.value.problems == (
        Problem(2, ("llms", "m", "type"), "is missing", 'Add it: The plugin behind it: "plugin:NAME".'),
        Problem(3, ("agent",), "unknown key", "Did you mean agents?"),
    )
    assert caught.value.messages == (
        'hector.yaml:2: llms.m.type: is missing\n  Add it: The plugin behind it: "plugin:NAME".',
        "hector.yaml:3: agent: unknown key\n  Did you mean agents?",
    )


def test_values_of_variables_are_never_repeated(refused):
    text = """\
        plugins:
          - {name: "${SECRET}", path: .}
          - {name: "${SECRET}", path: .}
          - name: x
            path: .
            type: ${SECRET}
            security: {max_memory: "${SECRET}", allowed_networks: ["${SECRET}/3"]}
        llms:
          m: {type: "${SECRET}", temperature: "${SECRET}", max_tokens: "a${SECRET}", model: "${NUMBER}", stop: "${NUMBER}"}
        server: {port: "${SECRET}"}
        tools: ${SECRET}
        version: ${SECRET}
    """
    value = "hunter 22"
    message = refused(text, SECRET=value, NUMBER="271828")
    assert "hunter" not in message
    assert "271828" not in message
    assert message == (
        'hector.yaml:2: plugins[0]: "${SECRET}" is no usable name\n'
        "  Use letters, digits, _, - and ., at most 64, no - or . at its beginning.\n"
        'hector.yaml:3: plugins[1]: line 2 has an entry of the same name, "${SECRET}"\n'
        "  Names of plugins are unique over all groups: rename one.\n"
        'hector.yaml:6: plugins[2].type: "${SECRET}" is not known here\n  Write grpc.\n'
        'hector.yaml:7: plugins[2].security.max_memory: "${SECRET}" is not a size\n  Write it as 512MB or 1GB.\n'
        'hector.yaml:7: plugins[2].security.allowed_networks[0]: "${SECRET}/3" is not a network\n'
        "  Write localhost, an address, a network such as 10.0.0.0/8, a name or *.name; :port may follow.\n"
        'hector.yaml:9: llms.m.type: "${SECRET}" names no plugin\n'
        '  Write "plugin:NAME", NAME being a key under plugins.\n'
        'hector.yaml:9: llms.m.temperature: "${SECRET}" is not a number\n  Write it without quotes, as 0.7.\n'
        'hector.yaml:9: llms.m.max_tokens: "a${SECRET}" is not a whole number\n'
        "  Write it without quotes and fraction, as 4.\n"
        'hector.yaml:9: llms.m.stop: "${NUMBER}" is not a list\n  Write it in brackets: [one, two].\n'
        'hector.yaml:10: server.port: "${SECRET}" is not a whole number\n'
        "  Write it without quotes and fraction, as 4.\n"
        'hector.yaml:11: tools: "${SECRET}" is not a mapping\n  Write {name: {…}}, or a list of {name: …}.\n'
        'hector.yaml:12: version: "${SECRET}" is not a version that this Hector reads\n  Write version: "1".'
    )


def test_long_and_unprintable_values_are_cut_and_escaped(refused):
    text = f'server: {{port: "\\e[31m{"x" * 200}"}}'
    assert refused(text) == (
        f'hector.yaml:1: server.port: "\\x1b[31m{"x" * 75} …" is not a whole number\n'
        "  Write it without quotes and fraction, as 4."
    )
