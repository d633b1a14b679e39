"""Every way in which an endpoint can fail has its status and its words, and none repeats the key."""

from __future__ import annotations

import grpc
import pytest

from hector.plugin.v1 import llm_pb2 as llm

ASK = llm.GenerateTextRequest(prompt="Hi")


async def failure(model, request=ASK):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await model.GenerateText(request)
    return error.value.code().name, error.value.details()


REFUSES = '{} refuses the key: set the option "api_key"'
LONG = "{} answered 400: " + "x" * 500 + " …"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": {"message": "Incorrect API key: sk-very-secret"}}, ("UNAUTHENTICATED", REFUSES)),
        (403, {"error": {"message": "Not yours"}}, ("PERMISSION_DENIED", "{} answered 403: Not yours")),
        (404, {"error": {"message": "No model m"}}, ("NOT_FOUND", "{} answered 404: No model m")),
        (400, {"error": {"message": "sk-very-secret,\nno"}}, ("INVALID_ARGUMENT", "{} answered 400: …, no")),
        (400, {"error": {"message": "x" * 9000}}, ("INVALID_ARGUMENT", LONG)),
        (422, {"error": "Plain words"}, ("INVALID_ARGUMENT", "{} answered 422: Plain words")),
        (418, {"error": {"message": "A teapot"}}, ("INVALID_ARGUMENT", "{} answered 418: A teapot")),
        (409, {"error": {"message": "Locked"}}, ("ABORTED", "{} answered 409: Locked")),
        (429, {"error": {"message": "Slow down"}}, ("RESOURCE_EXHAUSTED", "{} answered 429: Slow down")),
        (500, {"error": {"message": "Oops"}}, ("UNAVAILABLE", "{} answered 500: Oops")),
        (503, b"<html>busy</html>", ("UNAVAILABLE", "{} answered 503: <html>busy</html>")),
    ],
)
async def test_a_refusal_of_the_endpoint_has_its_status(endpoint, plugin, status, body, expected):
    endpoint.json(body, status)
    code, words = expected
    async with plugin() as model:
        assert await failure(model) == (code, words.format(endpoint.url))


async def test_only_what_can_be_a_secret_is_cut_out(endpoint, plugin):
    endpoint.json({"error": {"message": "red team, token-of-team"}}, 400)
    async with plugin(headers={"X-Team": "red", "X-Token": "token-of-team"}) as model:
        assert await failure(model) == ("INVALID_ARGUMENT", f"{endpoint.url} answered 400: red team, …")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "context_length_exceeded", "message": "Too long"}, llm.FINISH_REASON_CONTEXT_OVERFLOW),
        ({"message": "This model's maximum context length is 4096 tokens."}, llm.FINISH_REASON_CONTEXT_OVERFLOW),
        ({"type": "exceed_context_size_error", "message": "Too long"}, llm.FINISH_REASON_CONTEXT_OVERFLOW),
        ({"code": "content_filter", "message": "Filtered"}, llm.FINISH_REASON_CONTENT_FILTER),
    ],
)
async def test_what_the_contract_counts_as_an_answer_is_one(endpoint, plugin, error, reason):
    endpoint.json({"error": error}, 400)
    async with plugin() as model:
        answer = await model.GenerateText(ASK)
        assert answer == llm.GenerateTextResponse(output=llm.ModelOutput(finish_reason=reason))
        streamed = [message async for message in model.StreamText(llm.StreamTextRequest(prompt="Hi"))]
        assert streamed == [llm.StreamTextResponse(done=True, output=llm.ModelOutput(finish_reason=reason))]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_passes_is_tried_again(endpoint, plugin, completion, status):
    endpoint.json({"error": {"message": "Not now"}}, status, retry_after_ms="1")
    endpoint.json({"error": {"message": "Not now"}}, status, retry_after_ms="1")
    endpoint.json(completion({"content": "Hello."}))
    async with plugin(max_retries=2) as model:
        assert (await model.GenerateText(ASK)).text == "Hello."
    assert len(endpoint.asked) == 3


async def test_a_wait_longer_than_two_minutes_is_not_begun(endpoint, plugin):
    endpoint.json({"error": {"message": "Tomorrow"}}, 429, Retry_After="121")
    async with plugin(max_retries=2) as model:
        assert await failure(model) == ("RESOURCE_EXHAUSTED", f"{endpoint.url} answered 429: Tomorrow")
    assert len(endpoint.asked) == 1


async def test_what_does_not_pass_is_told_after_the_last_try(endpoint, plugin):
    endpoint.json({"error": {"message": "Not now"}}, 429, retry_after_ms="1")
    async with plugin(max_retries=2) as model:
        assert await failure(model) == ("RESOURCE_EXHAUSTED", f"{endpoint.url} answered 429: Not now")
    assert len(endpoint.asked) == 3


async def test_an_error_in_the_middle_of_a_stream_ends_it(endpoint, plugin, chunk):
    endpoint.sse(chunk({"content": "one"}), {"error": {"message": "Overloaded", "code": "overloaded"}})
    async with plugin() as model:
        call = model.StreamText(llm.StreamTextRequest(prompt="Hi"))
        assert (await call.read()).text == "one"
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call.read()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == f"{endpoint.url} answered 500: Overloaded"


async def test_an_endpoint_that_is_not_there_is_named(plugin, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}/v1"
    async with plugin(base_url=url) as model:
        code, words = await failure(model)
    assert (code, words) == ("UNAVAILABLE", f"the connection to {url} failed: All connection attempts failed")


async def test_an_endpoint_that_never_answers_is_left(endpoint, plugin):
    async def answer(writer):
        await endpoint.gone.wait()

    endpoint.answers.append(answer)
    async with plugin(timeout="100ms") as model:
        assert await failure(model) == ("UNAVAILABLE", f"{endpoint.url} was silent for 0.1 s")
    endpoint.gone.set()


async def test_an_endpoint_that_falls_silent_is_left(endpoint, plugin, chunk, broken_off):
    async def answer(writer):
        writer.write(broken_off(chunk({"content": "one"})))
        await endpoint.gone.wait()

    endpoint.answers.append(answer)
    async with plugin(timeout=0.1) as model:
        call = model.StreamText(llm.StreamTextRequest(prompt="Hi"))
        assert (await call.read()).text == "one"
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call.read()
    endpoint.gone.set()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == f"{endpoint.url} was silent for 0.1 s"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'"text"', "it is no JSON object; is base_url right?"),
        ({"choices": []}, "it has no choices"),
        ({"choices": "none"}, "its choices are no list of objects"),
        ({"choices": [{"message": "text"}]}, "its message is no object"),
        ({"choices": [{"message": {"content": 7}}]}, "a text is of type int"),
        ({"choices": [{"message": {"tool_calls": ["x"]}}]}, "a tool call is no object"),
        ({"choices": [{"message": {"tool_calls": [{"id": "a"}]}}]}, "it calls a tool without a name"),
    ],
)
async def test_an_answer_outside_the_protocol_is_named(endpoint, plugin, body, words):
    endpoint.json(body)
    async with plugin() as model:
        assert await failure(model) == (
            "UNAVAILABLE",
            f"{endpoint.url} does not answer as the protocol says: {words}",
        )


async def test_a_page_where_an_answer_should_be_is_named(endpoint, plugin):
    endpoint.json(b"<html>Welcome</html>", 200, Content_Type="text/html")
    async with plugin() as model:
        assert await failure(model) == (
            "UNAVAILABLE",
            f"{endpoint.url} does not answer as the protocol says: it is no JSON object; is base_url right?",
        )


async def test_without_a_model_nothing_is_asked(endpoint, plugin):
    async with plugin(model="") as model:
        assert await failure(model) == (
            "FAILED_PRECONDITION",
            'no model is named, and the option "model" names none',
        )
    assert endpoint.asked == []
