"""The contract's conversation as parameters of chat.completions. Pure.

What a model sent that the contract has no word for goes back where it was: `reply` keeps it as native parts and
signatures.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.json_format import MessageToDict

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_TOOL
from hector_sdk import Status, text
from hector_sdk.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hector.plugin.v1.message_pb2 import Media, Message, Part, ToolResult
    from hector.plugin.v1.tool_pb2 import Tool

    Request = llm.CallToolRequest | llm.GenerateTextRequest | llm.StreamTextRequest

AUDIO_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}

TOOL_CHOICES = {llm.TOOL_CHOICE_NONE: "none", llm.TOOL_CHOICE_REQUIRED: "required"}


def parameters(request: Request, model: str, *, max_tokens_key: str) -> dict[str, Any]:
    """What chat.completions.create is called with, but for streaming.

    Args:
        request: Of any of the generating RPCs.
        model: The one to use where the request names none.
        max_tokens_key: What the endpoint calls the limit of an answer: its name has changed.

    Raises:
        Status: No model is named, or the endpoint could not understand a part.
    """
    asked = request.input
    chosen = request.model or model
    if not chosen:
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, 'no model is named, and the option "model" names none')
    made: dict[str, Any] = {"model": chosen, "messages": _messages(request)}
    if asked.tools:
        made["tools"] = [_tool(tool) for tool in asked.tools]
        if asked.tool_choice in TOOL_CHOICES:
            made["tool_choice"] = TOOL_CHOICES[asked.tool_choice]
    if asked.response_schema:
        made["response_format"] = _response_format(asked.response_schema)
    made |= _sampling(asked.sampling, max_tokens_key)
    if asked.HasField("options"):
        made["extra_body"] = plain(asked.options)
    return made


def _messages(request: Request) -> list[dict[str, Any]]:
    if not request.input.messages:
        return [{"role": "user", "content": request.prompt}]
    return [made for message in request.input.messages for made in _message(message)]


def _message(message: Message) -> Iterator[dict[str, Any]]:
    if message.role == ROLE_SYSTEM:
        yield {"role": "system", "content": text(message)}
    elif message.role == ROLE_ASSISTANT:
        yield _assistant(message)
    elif message.role == ROLE_TOOL:
        yield from _results([part.tool_result for part in message.parts if part.HasField("tool_result")])
    else:
        yield {"role": "user", "content": _content(message.parts)}


def _assistant(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"role": "assistant", "content": text(message) or None}
    for part in message.parts:
        if part.HasField("native"):
            made |= _kept(part.native)
    calls = [_call(part) for part in message.parts if part.HasField("tool_call")]
    return made | {"tool_calls": calls} if calls else made


def _call(part: Part) -> dict[str, Any]:
    call = part.tool_call
    # Endpoints refuse a whole conversation for one call whose arguments are no JSON object.
    arguments = call.arguments if _is_object(call.arguments) else json.dumps({"invalid": call.arguments})
    made = {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments or "{}"}}
    return made | (_kept(part.signature) if part.signature else {})


def _is_object(arguments: str) -> bool:
    try:
        return not arguments or isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


def _kept(words: str | bytes) -> dict[str, Any]:
    """What `reply` kept for the endpoint. Anything else was another plugin's."""
    try:
        value = json.loads(words)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _results(results: Sequence[ToolResult]) -> Iterator[dict[str, Any]]:
    """Results as messages of their own; pictures follow as a user's, because a tool's message is text."""
    media: list[Part] = []
    for result in results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": _result(result)}
        media += [part for part in result.parts if part.HasField("media")]
    if media:
        yield {"role": "user", "content": _content(media)}


def _result(result: ToolResult) -> str:
    words = text(result)
    if not words and result.HasField("structured"):
        words = json.dumps(MessageToDict(result.structured), ensure_ascii=False)
    return f"Error: {words}" if result.failed else words


def _content(parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    if not any(part.HasField("media") for part in parts):
        return "".join(part.text for part in parts)
    made: list[dict[str, Any]] = []
    for part in parts:
        if part.HasField("media"):
            made.append(_media(part.media))
        elif part.text:
            made.append({"type": "text", "text": part.text})
    return made


def _media(media: Media) -> dict[str, Any]:
    mime = media.mime_type
    if media.blob:
        raise _unreadable(f"media {media.blob} without its bytes")
    if mime.startswith("image/") or (media.uri and not mime):
        return {"type": "image_url", "image_url": {"url": media.uri or _data_url(media)}}
    if media.data and mime in AUDIO_FORMATS:
        data = b64encode(media.data).decode()
        return {"type": "input_audio", "input_audio": {"data": data, "format": AUDIO_FORMATS[mime]}}
    if media.data and mime == "application/pdf":
        return {"type": "file", "file": {"filename": media.name or "file.pdf", "file_data": _data_url(media)}}
    raise _unreadable(f'media of type "{mime}"' + (" by address" if media.uri else ""))


def _data_url(media: Media) -> str:
    return f"data:{media.mime_type};base64,{b64encode(media.data).decode()}"


def _unreadable(what: str) -> Status:
    return Status(grpc.StatusCode.INVALID_ARGUMENT, f"{what} cannot be sent: pictures, wav, mp3 and PDF can")


def _tool(tool: Tool) -> dict[str, Any]:
    schema = plain(tool.parameters) if tool.HasField("parameters") else {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": schema},
    }


def _response_format(words: str) -> dict[str, Any]:
    try:
        schema = json.loads(words)
    except ValueError as error:
        raise Status(grpc.StatusCode.INVALID_ARGUMENT, f"response_schema is not JSON: {error}") from None
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": _is_strict(schema)},
    }


def _is_strict(schema: Any) -> bool:
    """Whether each object names all its properties as required and allows no others: only then is it enforced."""
    if isinstance(schema, list):
        return all(_is_strict(each) for each in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if isinstance(properties, dict):
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(properties):
            return False
    elif schema.get("type") == "object":
        return False
    return all(_is_strict(each) for each in schema.values())


def _sampling(sampling: llm.Sampling, max_tokens_key: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key in ("temperature", "top_p"):
        if sampling.HasField(key):
            # The contract's floats have seven digits: 0.7 came as 0.699999988.
            made[key] = float(f"{getattr(sampling, key):.6g}")
    if sampling.HasField("max_tokens"):
        made[max_tokens_key] = sampling.max_tokens
    if sampling.HasField("seed"):
        made["seed"] = sampling.seed
    if sampling.stop:
        made["stop"] = list(sampling.stop)
    if sampling.reasoning_effort:
        made["reasoning_effort"] = sampling.reasoning_effort
    return made
