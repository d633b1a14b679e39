"""A good LLM plugin on raw gRPC with the go-plugin handshake and nothing else: no Describe, no health, no Shutdown."""

import os
from concurrent.futures import ThreadPoolExecutor

import grpc
from hector.plugin.v1 import llm_pb2, llm_pb2_grpc


class Model(llm_pb2_grpc.LLMProviderServicer):
    def GenerateText(self, request, context):
        return llm_pb2.GenerateTextResponse(text=request.prompt)


server = grpc.server(ThreadPoolExecutor(4))
llm_pb2_grpc.add_LLMProviderServicer_to_server(Model(), server)
path = f"{os.environ['PLUGIN_UNIX_SOCKET_DIR']}/plugin1"
server.add_insecure_port(f"unix:{path}")
server.start()
print(f"1|1|unix|{path}|grpc|", flush=True)
server.wait_for_termination()
