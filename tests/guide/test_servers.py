"""The guide's servers answer on their ports: bare gRPC, no handshake, no health, some methods unimplemented.

Their ports are fixed, so these tests take turns (see `ports`).
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import grpc
import pytest
from guide import programs

from hector.plugin.v1 import database_pb2 as db
from hector.plugin.v1 import embedder_pb2 as embedder
from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1 import reasoning_pb2 as reasoning
from hector.plugin.v1 import tool_pb2 as tool
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.message_pb2 import Message, Part
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub
from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyStub
from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Serving = Callable[..., AbstractContextManager[grpc.Channel]]

pytestmark = pytest.mark.timeout(600)  # the first one builds them all
WAIT = {"wait_for_ready": True, "timeout": 30}


@pytest.fixture
def web() -> Iterator[str]:
    """A web server that says what it was asked."""

    class Mirror(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(202)
            self.end_headers()
            self.wfile.write(f"{self.path} {self.headers['X-Token']} {body}".encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/thing"
        server.shutdown()
        thread.join()


def refused(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code()


@pytest.mark.parametrize("name", [programs.LLM, programs.PYTHON_LLM])
def test_language_model(serving: Serving, name: str) -> None:
    with serving(name, 8081) as channel:
        stub = LLMProviderStub(channel)
        answer = stub.GenerateText(llm.GenerateTextRequest(prompt="Hello"), **WAIT)
        assert answer.text == "You said: Hello"
        assert answer.usage == llm.TokenUsage(prompt_tokens=5, completion_tokens=15, total_tokens=20)
        stream = list(stub.StreamText(llm.StreamTextRequest(prompt="Hello"), timeout=30))
        assert [(each.text, each.done) for each in stream[-2:]] == [
            ("Hello" if name == programs.LLM else " Hello", False),
            ("", True),
        ]
        assert "".join(each.text for each in stream) == "You said: Hello"
        assert refused(lambda: stub.ListModels(llm.ListModelsRequest())) is grpc.StatusCode.UNIMPLEMENTED
        assert refused(lambda: PluginStub(channel).Describe(DescribeRequest())) is grpc.StatusCode.UNIMPLEMENTED


def test_my_plugin(serving: Serving) -> None:
    with serving(programs.MY_PLUGIN, 8081) as channel:
        stub = LLMProviderStub(channel)
        assert stub.GenerateText(llm.GenerateTextRequest(), **WAIT).text == "Custom response"
        assert refused(lambda: list(stub.StreamText(llm.StreamTextRequest()))) is grpc.StatusCode.UNIMPLEMENTED


def test_database(serving: Serving) -> None:
    with serving(programs.DATABASE, 8082) as channel:
        stub = DatabaseProviderStub(channel)
        assert stub.CreateCollection(db.CreateCollectionRequest(name="docs", dimension=2), **WAIT).success
        vectors = [db.Vector(id="east", vector=[2, 0]), db.Vector(id="north", vector=[0, 1])]
        vectors[0].metadata["sun"] = "rises"
        assert stub.UpsertVectors(db.UpsertVectorsRequest(collection="docs", vectors=vectors)).success
        nearest = stub.SearchVectors(db.SearchVectorsRequest(collection="docs", vector=[1, 0], limit=1))
        (result,) = nearest.results
        assert (result.id, result.score, result.metadata["sun"]) == ("east", 1, "rises")
        near = stub.SearchVectors(db.SearchVectorsRequest(collection="docs", vector=[1, 0], limit=9, threshold=0.5))
        assert [each.id for each in near.results] == ["east"]
        lost = stub.SearchVectors(db.SearchVectorsRequest(collection="lost", vector=[1, 0], limit=1))
        assert (lost.success, lost.error) == (False, "there is no collection lost")
        assert refused(lambda: stub.DeleteVectors(db.DeleteVectorsRequest())) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(("environment", "dimension"), [({}, 768), ({"HECTOR_PLUGIN_CONFIG": '{"dimension": 32}'}, 32)])
def test_embedder(serving: Serving, environment: dict[str, str], dimension: int) -> None:
    with serving(programs.EMBEDDER, 8083, **environment) as channel:
        stub = EmbedderProviderStub(channel)
        one = stub.EmbedText(embedder.EmbedTextRequest(text="Red apples"), **WAIT)
        assert len(one.vector) == dimension
        assert sum(value**2 for value in one.vector) == pytest.approx(1)
        batch = stub.EmbedBatch(embedder.EmbedBatchRequest(texts=["red apples!", ""]))
        assert list(batch.embeddings[0].vector) == list(one.vector)
        assert refused(lambda: stub.GetDimensions(embedder.GetDimensionsRequest())) is grpc.StatusCode.UNIMPLEMENTED


def test_tools(serving: Serving, web: str) -> None:
    with serving(programs.TOOLS, 8084) as channel:
        stub = ToolProviderStub(channel)
        tools = stub.ListTools(tool.ListToolsRequest(), **WAIT).tools
        assert [each.name for each in tools] == ["custom_api_call", "custom_data_processing"]
        assert dict(tools[1].parameters.items()) == {"data": "array", "algorithm": "string", "options": "object"}
        call = tool.ExecuteToolRequest(tool="custom_api_call")
        call.parameters.update({"url": web, "method": "PUT", "body": "news", "headers": {"X-Token": "t"}})
        answer = stub.ExecuteTool(call)
        assert (answer.success, answer.result) == (True, "202 Accepted\n/thing t news")
        call = tool.ExecuteToolRequest(tool="custom_data_processing")
        call.parameters.update({"data": [1, 2, 6], "algorithm": "mean"})
        assert stub.ExecuteTool(call).result == "3"
        call.parameters.update({"algorithm": "magic"})
        assert stub.ExecuteTool(call).error == 'no algorithm "magic": there are mean, sum'
        assert stub.ExecuteTool(tool.ExecuteToolRequest(tool="dig")).error == "Unknown tool: dig"


def test_reasoning(serving: Serving) -> None:
    with serving(programs.REASONING, 8085) as channel:
        stub = ReasoningStrategyStub(channel)
        begin = reasoning.InitializeRequest(max_iterations=3, system_prompt="Be kind", messages=[Message(id="m1")])
        state = stub.Initialize(begin, **WAIT).state
        assert state["max_iterations"] == 3
        first = stub.ProcessIteration(reasoning.ProcessIterationRequest(state=state, iteration=1))
        (effect,) = first.result.effects
        system, user = effect.generate.input.messages
        assert (system.parts[0].text, user.id, user.parts, first.done) == ("Be kind", "m1", [], False)
        outcome = reasoning.Outcome(id=effect.id, message=Message(parts=[Part(text="Hi")]))
        said = reasoning.IterationInput(outcomes=[outcome])
        last = stub.ProcessIteration(reasoning.ProcessIterationRequest(state=first.state, input=said, iteration=2))
        assert (last.done, len(last.result.effects)) == (True, 0)
        assert stub.Finalize(reasoning.FinalizeRequest(state=last.state)).result == "Hi"
        early = stub.Finalize(reasoning.FinalizeRequest(state=first.state))
        assert (early.success, early.error) == (False, "the model has not answered")
