"""What the user, or the file, names and is not there: each verb says so before it starts anything."""

import pytest
import yaml
from commandline import Ended


def document():
    return {
        "plugins": {"llm_providers": {"echo": {"package": "hector-echo-llm"}}},
        "llms": {"m": {"type": "plugin:echo", "model": "echo"}},
        "agents": {"a": {"llm": "m", "tools": []}},
    }


def write(folder, told):
    (folder / "hector.yaml").write_text(yaml.safe_dump(told, sort_keys=False))


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
    "file": (
        ("call", "a", "Hello", "-c", "gone.yaml"),
        2,
        "hector: gone.yaml: no such file\n  hector init writes one to begin with.\n",
    ),
}


@pytest.mark.parametrize("what", NOT_THERE)
def test_what_the_user_names_and_is_not_there(command, tmp_path, what):
    write(tmp_path, document())
    arguments, code, words = NOT_THERE[what]
    assert command(*arguments) == Ended(code, "", words)


def test_no_file_at_all(command):
    words = "hector: no configuration: looked for --config, $HECTOR_CONFIG, hector.yaml, config.yaml\n"
    step = "  hector init writes one to begin with.\n"
    assert command("call", "assistant", "Hello") == Ended(2, "", words + step)


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
def test_what_the_file_names_and_does_not_declare(command, tmp_path, key):
    value, words = UNDECLARED[key]
    told = document()
    section, entry, name = key
    told[section][entry][name] = value
    write(tmp_path, told)
    assert command("call", "a", "Hello") == Ended(2, "", f"hector: {words}\n")
    # In form the file is right: that is for `validate` to say, and it says what the command would stumble over.
    what = words.splitlines()[0]
    assert command("validate") == Ended(0, f"warning: {what}\nhector.yaml: valid\n", "")
