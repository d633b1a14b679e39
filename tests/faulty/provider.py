"""One process with a service of each kind that answers as its options say, and writes down what it was asked.

fail       for an RPC's name, a list of [code, words]: its first calls fail so, one after the other
hang       names of RPCs that never answer
bare       true: it does not serve Plugin
batch      vectors that EmbedBatch answers, whatever the number of texts; null: one for each
tools      what ListTools answers, by name: the parameters, or null for none
schemas    what GetToolSchema answers, by name
stream     pieces of StreamText; after the second it waits `pause` seconds
result     how long the result of ExecuteTool is

Each request is a line of `calls` in the data directory: the RPC, a space, and its JSON; of vectors, how many and bytes.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf.json_format import MessageToDict
from listening import listen

from hector.plugin.v1 import database_pb2 as db
from hector.plugin.v1 import embedder_pb2 as emb
from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1 import plugin_pb2
from hector.plugin.v1 import tool_pb2 as tool
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderServicer, add_DatabaseProviderServicer_to_server
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderServicer, add_EmbedderProviderServicer_to_server
from hector.plugin.v1.llm_pb2_grpc import LLMProviderServicer, add_LLMProviderServicer_to_server
from hector.plugin.v1.plugin_pb2_grpc import PluginServicer, add_PluginServicer_to_server
from hector.plugin.v1.tool_pb2_grpc import ToolProviderServicer, add_ToolProviderServicer_to_server

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])
calls = Path(os.environ["HECTOR_PLUGIN_DATA_DIR"], "calls")
failures = {name: list(codes) for name, codes in options.get("fail", {}).items()}


def answering(name, answer):
    """An RPC that is written down, fails or hangs as the options say, and then answers."""

    def rpc(_, request, context):
        if name == "UpsertVectors":
            facts = {"vectors": [len(request.vectors), request.ByteSize()]}
        else:
            facts = MessageToDict(request, preserving_proto_field_name=True)
        with calls.open("a") as file:
            file.write(f"{name} {json.dumps(facts)}\n")
        if failures.get(name):
            code, words = failures[name].pop(0)
            context.abort(grpc.StatusCode[code], words)
        if name in options.get("hang", []):
            time.sleep(3600)
        return answer(request)

    return rpc


def stream(request):
    for number, text in enumerate(options.get("stream", ["a ", "b"])):
        if number == 2:
            time.sleep(options.get("pause", 0))
        yield llm.StreamTextResponse(text=text)
    yield llm.StreamTextResponse(done=True)


def tools(_):
    response = tool.ListToolsResponse()
    for name, parameters in options.get("tools", {}).items():
        listed = response.tools.add(name=name)
        if parameters is not None:
            listed.parameters.update(parameters)
    return response


def schema(request):
    response = tool.GetToolSchemaResponse()
    response.parameters.update(options["schemas"][request.tool])
    return response


def batch(request):
    count = options.get("batch")
    vectors = [emb.Embedding(vector=[1, 0, 0])] * (len(request.texts) if count is None else count)
    return emb.EmbedBatchResponse(success=True, embeddings=vectors)


class Model(LLMProviderServicer):
    GenerateText = answering("GenerateText", lambda asked: llm.GenerateTextResponse(text=asked.prompt))
    CallTool = answering("CallTool", lambda asked: llm.CallToolResponse(text=asked.prompt))
    StreamText = answering("StreamText", stream)
    ListModels = answering("ListModels", lambda _: llm.ListModelsResponse(models=[llm.Model(id="m")]))


class Embedder(EmbedderProviderServicer):
    EmbedText = answering("EmbedText", lambda _: emb.EmbedTextResponse(success=True, vector=[1, 0, 0]))
    EmbedBatch = answering("EmbedBatch", batch)
    GetDimensions = answering("GetDimensions", lambda _: emb.GetDimensionsResponse(dimension=3))


class Database(DatabaseProviderServicer):
    CreateCollection = answering("CreateCollection", lambda _: db.CreateCollectionResponse(success=True))
    UpsertVectors = answering("UpsertVectors", lambda _: db.UpsertVectorsResponse(success=True))
    SearchVectors = answering("SearchVectors", lambda _: db.SearchVectorsResponse(success=True))


class Tools(ToolProviderServicer):
    ListTools = answering("ListTools", tools)
    GetToolSchema = answering("GetToolSchema", schema)
    ExecuteTool = answering(
        "ExecuteTool", lambda _: tool.ExecuteToolResponse(success=True, result="x" * options.get("result", 1))
    )


SERVICES = [f"hector.plugin.v1.{kind}Provider" for kind in ("LLM", "Embedder", "Database", "Tool")]


class Plugin(PluginServicer):
    Describe = answering("Describe", lambda _: plugin_pb2.DescribeResponse(name="provider", services=SERVICES))
    Configure = answering("Configure", lambda _: plugin_pb2.ConfigureResponse())


server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
add_LLMProviderServicer_to_server(Model(), server)
add_EmbedderProviderServicer_to_server(Embedder(), server)
add_DatabaseProviderServicer_to_server(Database(), server)
add_ToolProviderServicer_to_server(Tools(), server)
if not options.get("bare"):
    add_PluginServicer_to_server(Plugin(), server)
line = listen(server)
server.start()
os.write(1, line)
server.wait_for_termination()
