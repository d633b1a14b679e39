"""The README of a fork: its template's, with the way from here in place of the way to a fork."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hector_host.authoring.example import calls
from hector_host.authoring.templates import Language

if TYPE_CHECKING:
    from hector_host.authoring.templates import Template

_SECTION = re.compile(r"^## Fork it\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |^```|\Z)", re.MULTILINE | re.DOTALL)
_MADE = ("Copy", "Point", "Rename")
"""How the steps begin that making the fork has done already."""
_TWIN = re.compile(r"^The \w+ twin .*\n\n?", re.MULTILINE)
"""A fork has none."""
_LINK_OUT = re.compile(r"\[([^]]+)\]\(\.\./[^)]*\)")
_OWN_TESTS = "Change its tests with what it does: they came along, and hold it to what its template did."
_TRIED = {"hector index": "reads this file, for the agent to find"}
_TESTS = {
    Language.PYTHON: ".venv/bin/python -m pytest",
    Language.GO: "GOWORK=off go test ./...",
}


def forked_readme(text: str, name: str, template: Template) -> str:
    """The README with the fork's own next steps; the names in it are new already."""
    section = _SECTION.search(text)
    steps = [step.strip() for step in _STEP.findall(section[0])] if section else []
    mine = [step for step in steps if not step.startswith(_MADE)]
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate([*mine, _OWN_TESTS], start=1))
    replaced = _SECTION.sub(lambda _: _next_steps(name, template, numbered), text, count=1)
    placed = replaced.replace(f"package: {name}", f"path: ./{name}").replace(f"./plugins/{name}", f"./{name}")
    return _LINK_OUT.sub(r"\1", _TWIN.sub("", placed))


def _next_steps(name: str, template: Template, numbered: str) -> str:
    commands = [
        *([("GOWORK=off go build .", "what the manifest starts")] if template.language is Language.GO else []),
        (_TESTS[template.language], "its own tests, which came with it"),
        ("hector plugin test .", "what every host relies on"),
        *(
            (command, _TRIED.get(command, "through an agent, as hector.yaml says"))
            for command in calls(template.kind, name)
        ),
        ("hector plugin pack .", "one file, for other machines"),
        ("hector plugin install .", "for the hosts of this one"),
    ]
    width = max(len(command) for command, _ in commands)
    lines = "\n".join(f"{command.ljust(width)}   # {why}" for command, why in commands)
    origin = f"It began as a fork of Hector's `{template.name}`."
    return f"## Make it yours\n\n{origin}\n\n{numbered}\n\n```sh\n{lines}\n```\n\n"
