"""Verbs that show what there is and what happened: `info` starts the plugins, `runs` reads the journal."""

import re

import pytest

LOOKING = {"text": "Let me look.", "tool_calls": [{"tool": "run", "arguments": {"command": "date"}}]}
REPLIES = [LOOKING, "No \x1b[31mclock."]
DOCUMENT = {
    "plugins": {
        "llm_providers": {"echo": {"package": "hector-echo-llm", "config": {"replies": REPLIES}}},
        "tool_providers": {"shell": {"package": "hector-shell-tools", "config": {"working_directory": "."}}},
    },
    "llms": {"m": {"type": "plugin:echo", "model": "script"}},
    "tools": {"files": {"type": "plugin:shell", "config": {"tool_name": "list_files"}}},
    "agents": {"a": {"llm": "m", "name": "Ada", "description": "Looks at files."}},
}


@pytest.fixture
def agent(hector):
    hector.write(DOCUMENT)
    return hector


def test_info(agent):
    lines = agent.answer("info", "a").splitlines()
    assert lines[:3] == ["a: Looks at files.", "  llm     m, model script, calls tools", "  engine  default"]
    assert lines[3].startswith("  tool    files: Lists a directory")
    assert "plugin echo: llm_provider, echo-llm 0.1.0" in lines
    assert any(line.startswith("  option  replies: What `script` replies") for line in lines)
    assert "plugin shell: tool_provider, shell-tools 0.1.0" in lines
    record = agent("info", "a", "--json").json
    assert (record["agent"], record["name"], record["model"], record["tool_calling"]) == ("a", "Ada", "script", True)
    assert [(tool["name"], tool["from"]) for tool in record["tools"]] == [("files", "tools.files")]
    assert {plugin["plugin"] for plugin in record["plugins"]} == {"echo", "shell"}
    assert all(plugin["pid"] for plugin in record["plugins"])


def test_runs(agent):
    ended = agent("call", "a", "What \x1b[31mtime\nis it?", "--session", "s", "--json").json
    run = ended["run_id"]
    title, line = agent.answer("runs", "list").splitlines()
    assert re.fullmatch(r"run +when +agent +status +question", title)
    assert re.fullmatch(rf"{run}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  a      finished  What \\x1b\[31mtime is it\?", line)
    assert agent("runs", "list", "--session", "other", "--json").json == []
    (summary,) = agent("runs", "list", "--limit", "1", "--json").json
    assert {key: summary[key] for key in ("run_id", "session_id", "agent", "llm", "engine", "status", "error")} == {
        "run_id": run,
        "session_id": "s",
        "agent": "a",
        "llm": "m",
        "engine": "default",
        "status": "finished",
        "error": "",
    }
    shown = agent.answer("runs", "show", run)
    assert re.sub(r"\d{4}-\S+ \S+|\d+ ms", "…", shown) == (
        f"run {run}: finished, …\n"
        "agent a, llm m, engine default, session s\n"
        "\n"
        "What [31mtime\nis it?\n"
        "\n"
        '1. generate (…) → Let me look. [calls run with {"command":"date"}]\n'
        """2. run {"command":"date"} (…) → failed: run: there is no tool 'run'; there are: files\n"""
        "3. generate (…) → No \\x1b[31mclock.\n"
        "\n"
        "No [31mclock.\n"
        "\n"
        f"{ended['usage']['prompt_tokens']} tokens in, {ended['usage']['completion_tokens']} out\n"
    )
    record = agent("runs", "show", run, "--json").json
    assert (record["run_id"], record["answer"]) == (run, "No \x1b[31mclock.")
    assert [effect["kind"] for effect in record["effects"]] == ["generate", "tool_call", "generate"]
    assert [step["kind"] for step in record["steps"]] == ["generate", "generate"]
