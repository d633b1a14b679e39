"""Options: validated, typed, described, and refused with the path of every bad field."""

from dataclasses import dataclass, field
from typing import Literal

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status as RichStatus
from pydantic import BaseModel

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector_sdk import LLM, InvalidOptions, Tools, schemas
from hector_sdk.testing import running
from hector_sdk.values import plain


@dataclass(frozen=True)
class Reply:
    text: str
    delay: float = 0


@dataclass(frozen=True)
class Options:
    """Of the model."""

    greeting: str = "hi"
    """What it says first."""
    times: int = 1
    replies: list[str | Reply] = field(default_factory=list)


class Shown(LLM[Options]):
    """Says what its options are."""

    async def start(self):
        if self.options.times > 9:
            raise InvalidOptions("times", "nobody listens that long", ("greeting", "is worn out"))

    async def generate_text(self, request):
        return GenerateTextResponse(text=repr(self.options))


class Plain(LLM):
    async def generate_text(self, request):
        return GenerateTextResponse(text=repr(self.options))


class Limits(BaseModel):
    greeting: str = "hello"
    limit: int


class Limited(Tools[Limits]):
    pass


async def refusal(provider, config):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with running(*provider, config=config):
            pass
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    (packed,) = [value for key, value in refused.value.trailing_metadata() if key == "grpc-status-details-bin"]
    rich = RichStatus.FromString(packed)
    request = BadRequest()
    (detail,) = rich.details
    assert detail.Unpack(request)
    assert (rich.code, rich.message) == (3, refused.value.details())
    return refused.value.details(), [(each.field, each.description) for each in request.field_violations]


async def text(provider, config):
    async with running(*provider, config=config) as stubs:
        return (await stubs.llm.GenerateText(GenerateTextRequest())).text


async def test_options_come_typed():
    config = {"times": 2, "replies": ["a", {"text": "b", "delay": 1}]}
    assert await text([Shown()], config) == repr(Options(times=2, replies=["a", Reply("b", 1.0)]))
    assert await text([Shown()], {}) == repr(Options())
    assert await text([Plain()], {}) == "NoOptions()"


async def test_every_bad_field_is_named_by_its_path():
    config = {"greeting": 1, "replies": ["a", {"delay": "soon", "pace": 1}, 3], "greetings": "x"}
    words, violations = await refusal([Shown()], config)
    assert violations == [
        ("greetings", "unknown option; there are: greeting, replies, times"),
        ("greeting", "input should be a valid string"),
        ("replies[1].text", "is required"),
        ("replies[1].delay", "input should be a valid number"),
        ("replies[1].pace", "is not known"),
        ("replies[2]", "input should be a valid string"),
        ("replies[2]", "input should be an object"),
    ]
    assert words == "; ".join(f"{path}: {what}" for path, what in violations)


@pytest.mark.parametrize("times", ["2", 2.5, True, None])
async def test_what_only_looks_like_the_type_is_refused(times):
    _, ((path, _),) = await refusal([Shown()], {"times": times})
    assert path == "times"


async def test_a_provider_refuses_options_itself():
    words, violations = await refusal([Shown()], {"times": 10})
    assert violations == [("times", "nobody listens that long"), ("greeting", "is worn out")]
    assert words == "times: nobody listens that long; greeting: is worn out"


async def test_no_options_means_none():
    words, violations = await refusal([Plain()], {"greeting": "hi"})
    assert violations == [("greeting", "unknown option; this plugin has no options")]
    assert words == "greeting: unknown option; this plugin has no options"


async def test_the_schema_is_described():
    async with running(Shown()) as stubs:
        schema = plain((await stubs.plugin.Describe(DescribeRequest())).config_schema)
    assert schema == {
        "type": "object",
        "description": "Of the model.",
        "additionalProperties": False,
        "properties": {
            "greeting": {"type": "string", "default": "hi", "description": "What it says first."},
            "times": {"type": "integer", "default": 1},
            "replies": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Reply"}]}},
        },
        "$defs": {
            "Reply": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"text": {"type": "string"}, "delay": {"type": "number", "default": 0}},
                "required": ["text"],
            }
        },
    }


async def test_providers_of_one_process_share_the_options():
    shown, limited = Shown(), Limited()
    async with running(shown, limited, config={"greeting": "hey", "limit": 3, "times": 2}) as stubs:
        schema = plain((await stubs.plugin.Describe(DescribeRequest())).config_schema)
    assert shown.options == Options(greeting="hey", times=2)
    assert limited.options == Limits(greeting="hey", limit=3)
    assert sorted(schema["properties"]) == ["greeting", "limit", "replies", "times"]
    assert schema["required"] == ["limit"]
    _, violations = await refusal([shown, limited], {"limits": 3})
    assert violations == [
        ("limits", "unknown option; there are: greeting, limit, replies, times"),
        ("limit", "is required"),
    ]


def test_titles_are_left_out_but_not_where_they_are_names_or_values():
    @dataclass(frozen=True)
    class Book:
        title: str
        properties: dict[str, str] = field(default_factory=lambda: {"title": "kept"})
        shelf: Literal["title", "author"] = "title"

    class Catalog(BaseModel):
        book: dict[str, str] = {"title": "kept"}

    assert schemas.schema(Book) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "properties": {"type": "object", "additionalProperties": {"type": "string"}},
            "shelf": {"type": "string", "enum": ["title", "author"], "default": "title"},
        },
        "required": ["title"],
    }
    assert schemas.schema(Catalog)["properties"]["book"]["default"] == {"title": "kept"}
