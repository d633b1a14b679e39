"""Verbs that read the configuration and start nothing, and how each says what it needs."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
VERBS = (
    *("call", "chat", "index", "search", "init", "serve", "list", "info", "validate", "schema"),
    *("runs list", "runs show", "plugin list", "plugin why", "plugin reload", "plugin run"),
    *("plugin attach", "plugin detach", "plugin new", "plugin test", "plugin pack", "plugin install"),
)


@pytest.fixture
def quickstart(command, tmp_path):
    (tmp_path / "hector.yaml").write_text((EXAMPLES / "quickstart.yaml").read_text())
    return command


def test_version(command):
    assert command("version").out == f"hector {version('hector-host')}\n"


def test_without_a_verb_it_says_what_there_is(command):
    ended = command()
    assert ended.code == 2
    listed = re.findall(r"^│ (\w+) ", ended.out, re.MULTILINE)
    assert listed == [*(verb for verb in VERBS if " " not in verb), "version", "runs", "plugin"]
    assert "Begin with hector init." in ended.out


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_of_each_verb_has_an_example_that_is_one(command, verb, flag):
    ended = command(*verb.split(), flag)
    assert ended.code == 0
    assert re.search(rf"[Ee]xamples?(:|,[^:]+:)\s+hector {verb}", ended.out), ended.out


def test_completion_is_offered(hector):
    hector.environ |= {"_HECTOR_COMPLETE": "complete_bash", "COMP_WORDS": "hector ca", "COMP_CWORD": "1"}
    assert hector.answer() == "call\n"
    hector.environ |= {"COMP_WORDS": "hector call --ses", "COMP_CWORD": "2"}
    assert hector.answer() == "--session\n"
    hector.environ["_HECTOR_COMPLETE"] = "source_bash"
    assert "complete -o default -F _hector_completion hector" in hector.answer()


@pytest.mark.parametrize("template", ["quickstart", "documents"])
def test_init_writes_the_example_and_says_what_comes_next(command, tmp_path, template):
    following = {
        "quickstart": 'hector call assistant "Hello"',
        "documents": 'hector index && hector call librarian "What are these documents about?"',
    }
    assert command("init", template).out == f"Wrote hector.yaml. Next:\n  {following[template]}\n"
    assert (tmp_path / "hector.yaml").read_text() == (EXAMPLES / f"{template}.yaml").read_text()
    assert command("validate").code == 0


def test_init_never_overwrites(command, tmp_path):
    (tmp_path / "hector.yaml").write_text("mine")
    ended = command("init")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "hector: hector.yaml: is there already\n  Move it away, or begin in another folder.\n"
    assert (tmp_path / "hector.yaml").read_text() == "mine"


def test_init_knows_its_templates(command):
    ended = command("init", "quickstrat")
    assert ended.code == 2
    assert "'quickstrat' is not one of 'quickstart', 'documents'." in ended.err


def test_list(quickstart):
    assert quickstart("list").out == (
        "agent      llm     engine   description\n"
        "assistant  echo    default  Says what you say. Give it a real model under llms.\n"
        "explorer   script  default  Looks at the files of this folder with its tools.\n"
        "\n"
        'Ask one: hector call AGENT "MESSAGE". Look at one: hector info AGENT.\n'
    )
    assert quickstart("list", "--json").json[1] == {
        "agent": "explorer",
        "name": "explorer",
        "description": "Looks at the files of this folder with its tools.",
        "llm": "script",
        "engine": "default",
        "tools": None,
        "document_stores": [],
    }


def test_list_of_a_file_without_agents(command, tmp_path):
    (tmp_path / "config.yaml").write_text("version: '1'\n")
    assert command("list").out == "config.yaml declares no agents.\n"


def test_schema(command):
    schema = command("schema").json
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "agents" in schema["properties"]


def test_runs_before_there_are_any(quickstart):
    assert quickstart("runs", "list").out == "There are no runs yet.\n"
    assert quickstart("runs", "list", "--json").json == []


WRONG = """\
agents:
  a:
    llm: echo
    tool: []
    reasoning: {max_iterations: many}
llms:
  echo: {type: "plugin:echo", temperature: hot}
"""
NUMBER = "  Write it without quotes and fraction, as 4."
PROBLEMS = [
    "hector.yaml:4: agents.a.tool: unknown key\n  Did you mean tools?",
    'hector.yaml:5: agents.a.reasoning.max_iterations: "many" is not a whole number\n' + NUMBER,
    'hector.yaml:7: llms.echo.temperature: "hot" is not a number\n  Write it without quotes, as 0.7.',
]


def test_a_wrong_file_tells_all_its_problems(command, tmp_path):
    (tmp_path / "hector.yaml").write_text(WRONG)
    ended = command("validate")
    assert (ended.code, ended.out, ended.err) == (2, "\n".join(PROBLEMS) + "\n", "")
    assert command("validate", "-f", "verbose").out == (
        "file: hector.yaml\nstatus: ✗ not valid\n\n" + "\n".join(PROBLEMS) + "\n"
    )
    verdict = command("validate", "--format", "json").json
    assert verdict == {
        "valid": False,
        "file": "hector.yaml",
        "errors": [{"message": problem} for problem in PROBLEMS],
    }


def test_a_file_that_is_not_there_is_one_problem(command):
    ended = command("validate", "gone.yaml", "-f", "json")
    assert ended.code == 2
    assert ended.json == {
        "valid": False,
        "file": "gone.yaml",
        "errors": [{"message": "gone.yaml: no such file\n  hector init writes one to begin with."}],
    }


def test_a_valid_file(quickstart):
    assert quickstart("validate").out == "hector.yaml: valid\n"
    assert quickstart("validate", "hector.yaml", "-f", "verbose").out == (
        "file: hector.yaml\n"
        "status: ✓ valid\n"
        "\n"
        "plugins: echo, shell\n"
        "llms: echo, script\n"
        "embedders: none\n"
        "databases: none\n"
        "tools: shell\n"
        "document_stores: none\n"
        "agents: assistant, explorer\n"
    )
    assert quickstart("validate", "-f", "json").json == {"valid": True, "file": "hector.yaml", "warnings": []}


def test_what_is_not_there_is_a_warning_and_with_strict_an_error(command, tmp_path):
    (tmp_path / "hector.yaml").write_text("agents:\n  a: {llm: gpt}\n")
    warning = 'hector.yaml:2: agents.a.llm: no llm is named "gpt"'
    ended = command("validate")
    assert (ended.code, ended.out) == (0, f"warning: {warning}\nhector.yaml: valid\n")
    assert command("validate", "-f", "json").json["warnings"] == [warning]
    ended = command("validate", "--strict")
    assert (ended.code, ended.out) == (2, f"{warning}\n  Declare it under llms.\n")
    verdict = command("validate", "--strict", "-f", "json").json
    assert verdict["errors"] == [{"message": f"{warning}\n  Declare it under llms."}]


def test_the_file_with_every_default_is_a_file(quickstart, tmp_path):
    printed = quickstart("validate", "-p").out
    assert "max_iterations: 20" in printed
    (tmp_path / "whole.yaml").write_text(printed)
    assert quickstart("validate", "whole.yaml", "-p").out == printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("call", "a"), "Invalid value for MESSAGE: Say what to ask: hector call AGENT MESSAGE"),
        (("call", "a", " "), "Invalid value for MESSAGE: The message is empty"),
        (
            ("call", "a", "b", "--agent", "c"),
            "Invalid value for AGENT: The agent is given twice: as AGENT and with --agent",
        ),
        (("call", "a", "b", "--llm", ""), "Invalid value for '--llm': The name is empty"),
        (("chat", "a", "--llm", "caf\udcff"), "Invalid value for '--llm': The name is not UTF-8 text"),
        (("call", "a", "b", "c"), "Got unexpected extra argument(s) (c)"),
        (
            ("call", "a", "b", "--sesion", "s"),
            "No such option: --sesion (Possible options: --json, --session, --steps)",
        ),
        (("cal", "a", "b"), "No such command 'cal'. Did you mean 'call'?"),
        (("runs", "list", "-n", "0"), "Invalid value for '--limit' / '-n': Input should be greater than or equal to 1"),
    ],
)
def test_how_it_is_called_wrongly(command, arguments, words):
    ended = command(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert re.findall(r"^│ (.+?) +│$", ended.err, re.MULTILINE) == [words]


def test_json_is_for_programs_whatever_the_texts(command, tmp_path):
    (tmp_path / "hector.yaml").write_text('agents:\n  a: {llm: m, description: "a\\tb ✓"}\n', encoding="utf-8")
    ended = command("list", "--json")
    assert json.loads(ended.out)[0]["description"] == "a\tb ✓"
    assert "✓" in ended.out


def test_replicas_of_a_plugin_that_owns_its_data_are_not_valid(command, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "plugin.yaml").write_text(
        "plugin: {name: own, version: '1', kinds: [database_provider], command: [python, own.py], exclusive: true}\n"
    )
    (tmp_path / "hector.yaml").write_text(
        "version: '1'\nplugins:\n  database_providers:\n    own: {path: ./own, replicas: 2}\n"
    )
    ended = command("validate")
    assert ended.code == 2
    assert ended.out == (
        "hector.yaml:4: plugins.database_providers.own.replicas: 2 processes cannot share the data directory of own\n"
        f"  Remove it, or write replicas: 1: {tmp_path}/own/plugin.yaml says exclusive: true.\n"
    )
