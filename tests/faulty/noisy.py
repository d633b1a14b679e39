"""An LLM plugin that answers its calls, and whose output is what its options say. Bytes are given as latin-1 text.

before     bytes on standard output before the handshake
endless    true: they are written for ever, and there is no handshake
after      [descriptor, bytes, times], ... written after it, one after the other; 0 times: for ever, many in a chunk
close      descriptors that are closed at last
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import grpc
from listening import listen

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])


class Model(llm_pb2_grpc.LLMProviderServicer):
    def GenerateText(self, request, context):  # noqa: N802 (gRPC names its methods)
        return llm_pb2.GenerateTextResponse(text=request.prompt)


def write(descriptor, content):
    while content:
        content = content[os.write(descriptor, content) :]


def write_for_ever(descriptor, content):
    chunk = content * (65536 // len(content))
    while True:
        write(descriptor, chunk)


before = options.get("before", "").encode("latin-1")
if options.get("endless"):
    write_for_ever(1, before)
write(1, before)
server = grpc.server(ThreadPoolExecutor(4))
llm_pb2_grpc.add_LLMProviderServicer_to_server(Model(), server)
line = listen(server)
server.start()
write(1, line)
for descriptor, text, times in options.get("after", []):
    if not times:
        write_for_ever(descriptor, text.encode("latin-1"))
    write(descriptor, text.encode("latin-1") * times)
for descriptor in options.get("close", []):
    os.close(descriptor)
server.wait_for_termination()
