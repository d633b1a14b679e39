"""Wherever a stream breaks off: the whole answer or UNAVAILABLE, never a part that is called done."""

from __future__ import annotations

import grpc
import pytest

from hector.plugin.v1 import llm_pb2 as llm

TEXT = "Grüße, 世界."


def whole_stream(chunk, stream_body):
    return stream_body(
        chunk({"role": "assistant", "content": "Grüße, "}),
        chunk({"content": "世界."}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "t", "arguments": '{"x": 1}'}}]}),
        chunk({}, "tool_calls"),
        chunk(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    )


async def outcome(model):
    """The texts, and the last message or the status."""
    texts = []
    try:
        async for message in model.StreamText(llm.StreamTextRequest(prompt="Hi")):
            if message.done:
                return "".join(texts), message
            texts.append(message.text)
    except grpc.aio.AioRpcError as error:
        return "".join(texts), error
    raise AssertionError("a stream without done and without error")


def is_whole(texts, last):
    parts = last.output.message.parts
    return texts == TEXT and parts[0].text == TEXT and parts[1].tool_call.arguments == '{"x": 1}'


async def test_cut_without_a_word_at_every_byte(endpoint, plugin, chunk, stream_head, stream_body):
    body = whole_stream(chunk, stream_body)
    finished = body.index(b'"tool_calls"}') + len(b'"tool_calls"}')
    complete = body.index(b"\n\n", finished) + 2
    async with plugin() as model:
        for cut in range(len(body)):
            endpoint.answers.clear()
            endpoint.raw(stream_head() + body[:cut])
            texts, last = await outcome(model)
            if cut < complete:
                assert isinstance(last, grpc.aio.AioRpcError), cut
                assert last.code() is grpc.StatusCode.UNAVAILABLE, (cut, last.details())
                assert endpoint.url in last.details(), cut
                assert TEXT.startswith(texts), cut
            else:
                assert is_whole(texts, last), cut


async def test_cut_inside_its_frames_at_every_byte(endpoint, plugin, chunk, stream_body):
    body = whole_stream(chunk, stream_body)
    frames = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:150], body[150:400], body[400:]))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = head + frames + b"0\r\n\r\n"
    async with plugin() as model:
        for cut in range(len(answer)):
            endpoint.answers.clear()
            endpoint.raw(answer[:cut])
            texts, last = await outcome(model)
            if isinstance(last, grpc.aio.AioRpcError):
                assert last.code() is grpc.StatusCode.UNAVAILABLE, (cut, last.details())
                assert endpoint.url in last.details(), cut
                assert TEXT.startswith(texts), cut
            else:
                assert is_whole(texts, last), cut
                assert cut > len(head) + body.index(b'"finish_reason": "tool_calls"'), cut


async def test_a_whole_answer_cut_at_every_byte(endpoint, plugin, completion):
    endpoint.json(completion({"content": TEXT}))
    (whole,) = endpoint.answers
    sent = []

    class Recorder:
        def write(self, data):
            sent.append(data)

        async def drain(self):
            pass

    await whole(Recorder())
    data = b"".join(sent)
    async with plugin() as model:
        for cut in range(len(data)):
            endpoint.answers.clear()
            endpoint.raw(data[:cut])
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await model.GenerateText(llm.GenerateTextRequest(prompt="Hi"))
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE, (cut, error.value.details())
            assert endpoint.url in error.value.details(), cut
