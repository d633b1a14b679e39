"""What a user names and is not there, and what the file says and cannot be, as the command tells it."""

import pytest

from .conftest import FAULTY, echo

NOT_THERE = {
    "agent": (
        ("call", "b", "Hello"),
        4,
        "hector: b: no agent is named so\n  There are: a.\n",
    ),
    "agent, nearly": (
        ("chat", "aa"),
        4,
        "hector: aa: no agent is named so\n  Did you mean a?\n",
    ),
    "agent to look at": (
        ("info", "\x1b[31mb"),
        4,
        "hector: \\x1b[31mb: no agent is named so\n  There are: a.\n",
    ),
    "llm": (
        ("call", "a", "Hello", "--llm", "gpt"),
        4,
        "hector: gpt: no llm is named so\n  There are: m.\n",
    ),
    "store": (
        ("index", "handbook"),
        4,
        "hector: handbook: no document store is named so\n  hector.yaml declares none.\n",
    ),
    "any store": (
        ("index",),
        2,
        "hector: hector.yaml: declares no document store\n  Declare one under document_stores.\n",
    ),
    "run": (
        ("runs", "show", "1a2b"),
        4,
        "hector: run '1a2b': there is none\n  See what there is: hector runs list\n",
    ),
    "session": (
        ("call", "a", "Hello", "--session", ""),
        4,
        "hector: session '': not a name\n  Use 1 to 128 printable characters, or leave it out.\n",
    ),
    "file": (
        ("call", "a", "Hello", "-c", "gone.yaml"),
        2,
        "hector: gone.yaml: no such file\n  hector init writes one to begin with.\n",
    ),
}


@pytest.mark.parametrize("what", NOT_THERE)
def test_what_the_user_names_and_is_not_there(hector, what):
    hector.write(echo())
    arguments, code, words = NOT_THERE[what]
    assert hector.refusal(*arguments, code=code) == words


def test_no_file_at_all(hector):
    assert hector.refusal("call", "assistant", "Hello", code=2) == (
        "hector: no configuration: looked for --config, $HECTOR_CONFIG, hector.yaml, config.yaml\n"
        "  hector init writes one to begin with.\n"
    )


NEXT = "  Declare it under {}."
UNDECLARED = {
    ("agents", "a", "llm"): ("n", 'hector.yaml:11: agents.a.llm: no llm is named "n"\n  There are: m.'),
    ("agents", "a", "tools"): (
        ["shell"],
        'hector.yaml:13: agents.a.tools[0]: no tool is named "shell"\n  Declare it under tools.',
    ),
    ("agents", "a", "document_stores"): (
        ["d"],
        'hector.yaml:14: agents.a.document_stores[0]: no document store is named "d"\n'
        + NEXT.format("document_stores"),
    ),
    ("agents", "a", "reasoning"): (
        {"engine": "plugin:react"},
        'hector.yaml:14: agents.a.reasoning.engine: no plugin is named "react"\n  There are: echo.',
    ),
    ("llms", "m", "type"): ("plugin:ech", 'hector.yaml:7: llms.m.type: no plugin is named "ech"\n  Did you mean echo?'),
}


@pytest.mark.parametrize("key", UNDECLARED, ids=".".join)
def test_what_the_file_names_and_does_not_declare(hector, key):
    value, words = UNDECLARED[key]
    document = echo()
    section, entry, name = key
    document[section][entry][name] = value
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=2) == f"hector: {words}\n"
    # In form the file is right: that is for `validate` to say, and it says what the command would stumble over.
    what = words.splitlines()[0]
    assert hector.answer("validate") == f"warning: {what}\nhector.yaml: valid\n"


def test_a_tool_that_the_plugin_does_not_have(hector):
    document = echo(tools=["dig"])
    document["plugins"]["tool_providers"] = {"tools": {"path": str(FAULTY / "tools.py")}}
    document["tools"] = {"dig": {"type": "plugin:tools", "config": {"tool_name": "dig"}}}
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=2) == (
        "hector: hector.yaml:21: tools.dig.config.tool_name: plugin tools has no tool 'dig'\n"
        "  It has: crash, die, flood, hang, refuse, where\n"
    )


def test_two_tools_of_one_name(hector):
    document = echo(tools=["one", "two"])
    document["plugins"]["tool_providers"] = {"tools": {"path": str(FAULTY / "tools.py")}}
    document["tools"] = {"one": {"type": "plugin:tools"}, "two": {"type": "plugin:tools"}}
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=2) == (
        "hector: agents.a.tools: tools.one and tools.two both offer a tool 'hang'\n"
        "  Give the agent one of them, or name a single tool of the plugin under another key: config: {tool_name: …}\n"
    )


def test_an_engine_that_takes_no_such_option(hector):
    hector.write(echo(reasoning={"engine": "default", "depth": 3}))
    assert hector.refusal("call", "a", "Hello", code=2) == (
        "hector: hector.yaml:15: agents.a.reasoning.depth: unknown key\n"
        "  Known keys: engine, max_iterations, enable_streaming.\n"
    )


def test_a_strategy_that_refuses_the_run(hector):
    document = echo(reasoning={"engine": "plugin:strategy"})
    document["plugins"]["reasoning_strategies"] = {
        "strategy": {"path": str(FAULTY / "strategy.py"), "config": {"fault": "refuse"}}
    }
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=3) == (
        "hector: reasoning_strategy/strategy: Initialize: not this run\n"
    )


def test_a_plugin_that_does_not_start(hector):
    document = echo()
    plugin = {"path": str(FAULTY / "exits.py"), "config": {"code": 4, "stderr": "no licence\n"}}
    document["plugins"]["llm_providers"]["echo"] = plugin
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=3) == (
        "hector: llm_provider/echo: its process ended (exit code 4) before it was ready\n"
        "  last log lines:\n"
        "    no licence\n"
        f"  Its log: {hector.folder}/.hector/logs/echo.log\n"
    )


def test_options_that_the_plugin_rejects(hector):
    document = echo()
    document["plugins"]["llm_providers"]["echo"]["config"] = {"replies": 7}
    hector.write(document)
    assert hector.refusal("call", "a", "Hello", code=2) == (
        "hector: hector.yaml:6: plugins.llm_providers.echo.config.replies: input should be a valid array\n"
        "  llm_provider/echo says so of its options.\n"
    )


def test_what_is_not_enforced_is_said_in_one_line_for_each_plugin_at_each_start(hector):
    document = echo()
    document["plugins"]["llm_providers"]["echo"]["security"] = {
        "sandbox": True,
        "timeout": "30s",
        "max_memory": "1GB",
        "allowed_networks": ["localhost"],
    }
    document["plugins"]["tool_providers"] = {
        "shell": {
            "package": "hector-shell-tools",
            "config": {"working_directory": "."},
            "security": {"max_memory": "1GB"},
        }
    }
    document["tools"] = {"shell": {"type": "plugin:shell"}}
    del document["agents"]["a"]["tools"]
    document["plugins"]["llm_providers"]["echo"]["config"] = {"replies": ["Hello"]}
    document["llms"]["m"]["model"] = "script"
    hector.write(document)
    for _ in range(2):
        ended = hector("call", "a", "Hello")
        assert (ended.code, ended.out) == (0, "Hello\n")
        assert sorted(ended.err.splitlines()) == [
            "llm_provider/echo: not enforced yet: security.sandbox, security.max_memory, security.allowed_networks",
            "tool_provider/shell: not enforced yet: security.max_memory",
        ]
