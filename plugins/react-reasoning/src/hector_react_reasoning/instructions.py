"""What a model without native tool calls is told: the tools, and the form in which to use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hector_react_reasoning.state import Offer
from hector_sdk.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.tool_pb2 import Tool

MARKER = "Final Answer:"
STOP = "\nObservation:"
ANSWER_NOW = f"No more actions are possible. Reply now with `{MARKER}` and the best answer that you can give."

_FORM = """\
You can use tools to find out what you do not know and to do what is asked. These are all of them:

{tools}

Write in this form, each label at the beginning of a line:

Thought: what you know, what is missing, and what to do next
Action: the name of one tool
Action Input: its input, as one JSON object

Then stop. The result comes back to you as an Observation; never write one yourself. Think and act again as often as it
takes. When you know the answer, write:

Thought: why this is the answer
Final Answer: the answer, complete, as the user shall read it"""


def system(prompt: str, tools: Sequence[Tool]) -> str:
    """The system message: the agent's own prompt, the tools, the form."""
    form = _FORM.format(tools="\n".join(_described(tool) for tool in tools))
    return f"{prompt}\n\n{form}" if prompt else form


def offer(tool: Tool) -> Offer:
    """The tool as the state keeps it."""
    schema = plain(tool.parameters)
    properties, required = schema.get("properties", {}), schema.get("required", [])
    single = required if len(required) == 1 else list(properties) if len(properties) == 1 else []
    takes_text = [name for name in single if properties.get(name, {}).get("type") == "string"]
    return Offer(tool.name, plain=takes_text[0] if takes_text else "")


def _described(tool: Tool) -> str:
    schema = plain(tool.parameters)
    required = schema.get("required", [])
    properties = schema.get("properties", {})
    # Structs have no order: the required come first, as the schema lists them, then the others by name.
    names = [*(name for name in required if name in properties), *sorted(set(properties) - set(required))]
    lines = [_parameter(name, properties[name], required=name in required) for name in names]
    return "\n".join([f"- {tool.name}: {_line(tool.description)}".rstrip(": "), *lines])


def _parameter(name: str, schema: Any, *, required: bool) -> str:
    known = schema if isinstance(schema, dict) else {}
    kind = _kind(known) + (", required" if required else "")
    return f"    {name} ({kind}): {_line(known.get('description', ''))}".rstrip(": ")


def _kind(schema: dict[str, Any]) -> str:
    """A word for simple types; the schema itself for the others."""
    if set(schema) <= {"type", "description", "default", "title"} and isinstance(schema.get("type"), str):
        return str(schema["type"])
    shown = {key: value for key, value in schema.items() if key not in ("description", "title", "default")}
    return json.dumps(shown, ensure_ascii=False, sort_keys=True) if shown else "any"


def _line(text: str) -> str:
    return " ".join(text.split())
