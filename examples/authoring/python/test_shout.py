"""Shout as a host sees it: on a real socket."""

import grpc
import pytest
from shout import Shout

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector_sdk.testing import running


async def test_it_answers_in_capitals() -> None:
    async with running(Shout(), config={"mark": "!!"}) as stubs:
        response = await stubs.llm.GenerateText(GenerateTextRequest(prompt="hello"))
    assert response.text == "HELLO!!"


async def test_an_option_that_it_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with running(Shout(), config={"marks": "!!"}):
            pass
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith("marks: unknown option")
