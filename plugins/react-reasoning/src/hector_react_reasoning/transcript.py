"""Reads what a model wrote in the text form: its thought, its actions, its answer. Forgiving, as models are careless.

Understood are, for every label: any case, numbers (`Action 2:`), Markdown around it. An input in code fences, with text
behind it or without its label; `tool[input]` and `tool(input)`; an action as one JSON object; several actions; the
action `Finish` or `Final Answer` for an answer; `None` for no action. Dropped is what follows an observation that the
model made up, and an answer behind an action that has not been done. A text with neither an action nor a marked answer
is the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from hector_react_reasoning.objects import compact, encodable, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ACTIONS = 16
"""Actions of one reply: a model that writes more has begun to repeat itself."""

# One class of characters on either side of the words: several in a row would take cubic time on a line of blanks.
_LABEL = re.compile(
    r"^[ \t*_#>`-]*(thought|action[ _]input|action|observation|final answer)[ \t\d*_`]*:(?:\*\*|__|`)?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE_ANSWER = re.compile(r"final answer(?:\*\*|__)?:(?:\*\*|__)?[ \t]*", re.IGNORECASE)
_OPENING = re.compile(r"```(?:[\w-]*[ \t]*\n)?")
_CALL = re.compile(r"([\w.-]+)[ \t]*(?:\[(.*)\]|\((.*)\))[ \t.]*", re.DOTALL)
_FINISH = ("finish", "final answer")
_NOTHING = ("", "none", "nothing", "n/a", "no action")
_NAMES = ("action", "tool", "name", "function")
_INPUTS = ("action_input", "input", "arguments", "args", "parameters")


@dataclass(frozen=True)
class Written:
    """An action as the model wrote it. `input` is empty where there was none."""

    tool: str
    input: str = ""


@dataclass(frozen=True)
class Transcript:
    """What a reply says.

    Attributes:
        thought: May be empty.
        actions: In order, without repetitions.
        answer: None: there are actions.
        kept: The reply without what the model made up.
    """

    thought: str
    actions: tuple[Written, ...]
    answer: str | None
    kept: str


@dataclass(frozen=True)
class _Section:
    label: str
    body: str
    start: int
    body_start: int


def read(reply: str) -> Transcript:
    """What `reply` says."""
    thoughts: list[str] = []
    actions: list[Written] = []
    acts = False
    for section in _sections(reply):
        if section.label in ("observation", "final answer") and acts:
            return _acting(thoughts, actions, reply[: section.start])
        if section.label == "final answer":
            return Transcript(_joined(thoughts), (), _closed(reply[section.body_start :]), reply)
        if section.label == "action":
            actions.append(_action(section.body))
            acts = acts or _acts(actions[-1])
        elif section.label == "action input" and actions:
            actions[-1] = Written(actions[-1].tool, unfenced(section.body) or actions[-1].input)
        elif section.label in ("", "thought"):
            thoughts.append(section.body)
    return _acting(thoughts, actions, reply) if acts else _answering(thoughts, actions, reply)


def _acts(action: Written) -> bool:
    return action.tool.lower() not in (*_FINISH, *_NOTHING)


def _answering(thoughts: list[str], actions: list[Written], reply: str) -> Transcript:
    """Neither an action nor a marked answer: what there is, is the answer."""
    if finish := next((action for action in actions if action.tool.lower() in _FINISH), None):
        return Transcript(_joined(thoughts), (), finish.input, reply)
    *before, last = thoughts or [reply]
    if found := _INLINE_ANSWER.search(last):
        return Transcript(_joined([*before, last[: found.start()]]), (), last[found.end() :].strip(), reply)
    return Transcript("", (), _joined(thoughts) or reply.strip(), reply)


def _acting(thoughts: list[str], actions: list[Written], kept: str) -> Transcript:
    doing = tuple(dict.fromkeys(filter(_acts, actions)))
    return Transcript(_joined(thoughts), doing[:MAX_ACTIONS], None, kept.rstrip())


def _sections(reply: str) -> Iterator[_Section]:
    labels = list(_LABEL.finditer(reply))
    first = labels[0].start() if labels else len(reply)
    if reply[:first].strip():
        yield _Section("", reply[:first], 0, 0)
    for label, following in zip_longest(labels, labels[1:]):
        end = following.start() if following else len(reply)
        yield _Section(label[1].lower().replace("_", " "), reply[label.end() : end], label.start(), label.end())


def _action(body: str) -> Written:
    """The tool, and the input where it stands behind it."""
    body = unfenced(body)
    if body.startswith("{") and (found := _object(body)):
        return found
    name, _, rest = body.partition("\n")
    if call := _CALL.fullmatch(body) or _CALL.fullmatch(name):
        return Written(call[1], (call[2] if call[2] is not None else call[3]).strip())
    return Written(name.strip(" \t`*\"'.:"), unfenced(rest))


def _object(body: str) -> Written | None:
    """An action written as `{"action": "tool", "action_input": {…}}`, in the words of any of the usual frameworks."""
    try:
        value = parsed(body)
        given: Any = next((value[key] for key in _INPUTS if key in value), {})
        arguments = encodable(given) if isinstance(given, str) else compact(given)
    except ValueError:
        return None
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    return Written(encodable(name), arguments) if name else None


def unfenced(body: str) -> str:
    """`body` without a code fence or backticks around it, and without one that closes what was opened before it."""
    body = body.strip()
    if opening := _OPENING.match(body):
        return body[opening.end() :].removesuffix("```").strip()
    if body.endswith("\n```") and body.count("```") % 2:
        return body.removesuffix("```").strip()
    if len(body) > 1 and body[0] == body[-1] == "`":
        return body.strip("`").strip()
    return body


def _closed(answer: str) -> str:
    """The answer; fences of its own belong to it."""
    answer = answer.strip()
    return unfenced(answer) if answer.count("```") % 2 else answer


def _joined(thoughts: list[str]) -> str:
    return "\n".join(filter(None, (unfenced(thought) for thought in thoughts)))
