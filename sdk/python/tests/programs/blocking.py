"""A model whose coroutine blocks the event loop."""

import time

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector_sdk import LLM, serve


class Blocking(LLM):
    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        time.sleep(600)  # noqa: ASYNC251 - that is its fault
        return GenerateTextResponse()


serve(Blocking(), name="blocking")
