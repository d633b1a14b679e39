"""Options that cannot work are refused when they are set, by their names."""

from __future__ import annotations

import grpc
import pytest

from hector_openai_llm.options import Options, seconds
from hector_openai_llm.provider import OpenAILLM
from hector_sdk.testing import running


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "api_key: is required for https://api.openai.com/v1; other endpoints are named by base_url"),
        ({"base_url": "localhost:80"}, "base_url: must begin with http:// or https://"),
        ({"api_key": "k", "timeout": "soon"}, 'timeout: "soon" is not a duration: write it as 30s or 5m'),
        ({"api_key": "k", "timeout": 0}, "timeout: 0 s is not between 0 and 24h"),
        ({"api_key": "k", "max_retries": -1}, "max_retries: -1 is not between 0 and 10"),
        ({"api_key": "k", "headers": {"X-A": "a\nb"}}, "headers.X-A: has characters that no header may have"),
        ({"api_key": "k\n"}, "api_key: has characters that no header may have"),
    ],
)
async def test_a_bad_option_is_named(config, words):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async with running(OpenAILLM(), config=config):
            pass
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == words


@pytest.mark.parametrize(("timeout", "expected"), [(30, 30), (0.5, 0.5), ("30s", 30), ("1.5m", 90), ("250ms", 0.25)])
def test_a_timeout_is_a_number_or_a_duration(timeout, expected):
    assert seconds(Options(timeout=timeout)) == expected


def test_secrets_are_not_shown_with_the_options():
    assert "hidden" not in repr(Options(api_key="hidden", headers={"X-Key": "hidden"}))


async def test_an_endpoint_of_ones_own_needs_no_key(endpoint, plugin, completion):
    from hector.plugin.v1 import llm_pb2 as llm

    endpoint.json(completion({"content": "Hello."}))
    async with plugin(api_key="") as model:
        assert (await model.GenerateText(llm.GenerateTextRequest(prompt="Hi"))).text == "Hello."
