"""What a file says and no plugin can do, as the command tells it."""

import subprocess
from pathlib import Path

from commandline import HECTOR

from .conftest import FAULTY, echo


def test_a_session_that_nothing_can_be_named(hector):
    hector.write(echo())
    assert hector.refusal("call", "a", "Hello", "--session", "", code=4) == (
        "hector: session '': not a name\n  Use 1 to 128 printable characters, or leave it out.\n"
    )


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
        assert (ended.code, ended.out) == (0, "Hello\n"), ended.err
        assert sorted(ended.err.splitlines()) == [
            "llm_provider/echo: not enforced yet: security.sandbox, security.max_memory, security.allowed_networks",
            "tool_provider/shell: not enforced yet: security.max_memory",
        ]


def test_a_stdout_that_takes_no_more(hector):
    hector.write(echo())
    with Path("/dev/full").open("w") as full:
        for arguments in (["call", "a", "Hello"], ["list"]):
            command = [HECTOR, *arguments]
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, cwd=hector.folder, text=True, check=False
            )
            assert done.returncode == 1
            assert done.stderr == "hector: cannot write: No space left on device\n  Make room, or print elsewhere.\n"
