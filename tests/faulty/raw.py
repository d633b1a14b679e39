"""An LLM plugin on raw gRPC, without the SDK, that does right or wrong what its options say.

listen     "unix" (as the host asks for) or "tcp" with a handshake, "bare" without one, "link" announces a symbolic
           link to its socket
port       of "bare" and "tcp"; 0 is any
share      true: the port is shared with whoever has it already, as gRPC does by default
late       seconds between listening and the handshake
second     true: a second port is open beside
serve      names of the services it serves, by default LLMProvider
reflect    true: with server reflection
health     a list of statuses, answered one after the other; the last for ever
describe   names of services that Describe says; null: no Plugin service at all
reject     the violations, {field: words}, with which Configure refuses
status     [code, words] with which Configure fails
shutdown   "exit": Shutdown ends the process; "ignore": it answers and goes on
die        seconds after the handshake until it ends with code 3
deaf       true: SIGTERM is ignored
delay      seconds that each GenerateText takes
"""

# ruff: noqa: N802, T201 (gRPC names its methods, and a handshake is printed)

import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import listening
from google.protobuf import any_pb2, json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hector.plugin.v1 import embedder_pb2_grpc, llm_pb2, llm_pb2_grpc, plugin_pb2, plugin_pb2_grpc

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])
data = Path(os.environ["HECTOR_PLUGIN_DATA_DIR"])
statuses = list(options.get("health", []))


class Model(llm_pb2_grpc.LLMProviderServicer):
    def GenerateText(self, request, context):
        time.sleep(options.get("delay", 0))
        facts = {"prompt": request.prompt, "env": dict(os.environ), "metadata": dict(context.invocation_metadata())}
        return llm_pb2.GenerateTextResponse(text=json.dumps(facts))


class Health(health_pb2_grpc.HealthServicer):
    def Check(self, request, context):
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if status == "NOT_FOUND" and not request.service:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status="SERVING" if status == "NOT_FOUND" else status)


class Plugin(plugin_pb2_grpc.PluginServicer):
    def Describe(self, request, context):
        names = [f"hector.plugin.v1.{name}" for name in options["describe"]]
        return plugin_pb2.DescribeResponse(name="raw", version="7", services=names)

    def Configure(self, request, context):
        (data / "configured").write_text(json_format.MessageToJson(request))
        if "status" in options:
            context.abort(grpc.StatusCode[options["status"][0]], options["status"][1])
        if "reject" in options:
            context.set_trailing_metadata((("grpc-status-details-bin", details(options["reject"])),))
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the options are wrong")
        return plugin_pb2.ConfigureResponse()


def details(violations):
    """A google.rpc.Status with a BadRequest, written by hand: tag, length, bytes."""

    def field(number, content):
        assert len(content) < 128, "one byte of length is enough here"
        return bytes([number << 3 | 2, len(content)]) + content

    bad = b"".join(field(1, field(1, name.encode()) + field(2, words.encode())) for name, words in violations.items())
    packed = any_pb2.Any(type_url="type.googleapis.com/google.rpc.BadRequest", value=bad)
    return b"\x08\x03" + field(3, packed.SerializeToString())


def shut_down(request, context):
    (data / "shutdown").touch()
    if options["shutdown"] == "exit":
        threading.Timer(0.05, os._exit, (0,)).start()
    return b""


if options.get("deaf"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", int(options.get("share", False)))])
served = options.get("serve", ["LLMProvider"])
if "LLMProvider" in served:
    llm_pb2_grpc.add_LLMProviderServicer_to_server(Model(), server)
if "EmbedderProvider" in served:
    embedder_pb2_grpc.add_EmbedderProviderServicer_to_server(embedder_pb2_grpc.EmbedderProviderServicer(), server)
if statuses:
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
if options.get("describe") is not None:
    plugin_pb2_grpc.add_PluginServicer_to_server(Plugin(), server)
if options.get("reflect"):
    reflection.enable_server_reflection([f"hector.plugin.v1.{name}" for name in served], server)
if "shutdown" in options:
    handler = grpc.unary_unary_rpc_method_handler(shut_down)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": handler}),)
    )

listen = options.get("listen", "unix")
path = Path(os.environ.get("PLUGIN_UNIX_SOCKET_DIR", ""), "plugin1")
if listen == "unix":
    line = listening.listen(server).decode()
elif listen == "link":
    server.add_insecure_port(f"unix:{path}")
else:
    port = server.add_insecure_port(f"127.0.0.1:{options.get('port', 0)}")
if options.get("second"):
    beside = socket.create_server(("127.0.0.1", 0))
server.start()
time.sleep(options.get("late", 0))
if listen == "unix":
    print(line, end="", flush=True)
elif listen == "link":
    link = path.with_name("plugin1-link")
    link.symlink_to(path)
    print(f"1|1|unix|{link}|grpc|", flush=True)
elif listen == "tcp":
    print(f"1|1|tcp|127.0.0.1:{port}|grpc|", flush=True)
else:
    print("Plugin server started", flush=True)
if "die" in options:
    time.sleep(options["die"])
    os.write(2, b"out of luck\n")
    os._exit(3)
server.wait_for_termination()
