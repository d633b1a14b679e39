"""Servers that somebody else runs: plugins behind an address, those that refuse, and those that are none."""

# ruff: noqa: N802 (gRPC names its methods)

import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc, plugin_pb2, plugin_pb2_grpc


class FarPlugin(llm_pb2_grpc.LLMProviderServicer, plugin_pb2_grpc.PluginServicer):
    """Remembers what it was told.

    Attributes:
        configured: Name, options and data directory of each Configure.
        metadata: Of every call, by its RPC.
        refuse: The code and the words with which Describe fails.
        answering: A stream has begun, or Configure was called while it has to wait.
        finish: What a stream ends with waits for this; so does Configure, if `waits`.
    """

    def __init__(self) -> None:
        self.configured = []
        self.metadata = {}
        self.refuse = None
        self.waits = False
        self.answering = threading.Event()
        self.finish = threading.Event()

    def GenerateText(self, request, context):
        return llm_pb2.GenerateTextResponse(text="far")

    def StreamText(self, request, context):
        yield llm_pb2.StreamTextResponse(text="first")
        self.answering.set()
        assert self.finish.wait(20)
        yield llm_pb2.StreamTextResponse(text="last", done=True)

    def Describe(self, request, context):
        if self.refuse is not None:
            context.abort(*self.refuse)
        return plugin_pb2.DescribeResponse(services=["hector.plugin.v1.LLMProvider"])

    def Configure(self, request, context):
        if self.waits:
            self.answering.set()
            assert self.finish.wait(20)
        self.configured.append((request.name, dict(request.config), request.data_dir))
        return plugin_pb2.ConfigureResponse()


class Notes(grpc.ServerInterceptor):
    """Notes the metadata of every call, also of those that nobody serves."""

    def __init__(self, servicer: FarPlugin) -> None:
        self._servicer = servicer

    def intercept_service(self, continuation, details):
        self._servicer.metadata[details.method] = dict(details.invocation_metadata)
        return continuation(details)


class Servers:
    """Serves until it is closed.

    Attributes:
        newest: The gRPC server that was made last.
    """

    newest: grpc.Server

    def __init__(self) -> None:
        self._scope = ExitStack()

    def plugin(self, address="127.0.0.1:0", credentials=None, servicer=None, **options) -> tuple[FarPlugin, int]:
        """A gRPC server with these options of gRPC, and its port."""
        servicer = servicer or FarPlugin()
        arguments = [(f"grpc.{name}", value) for name, value in options.items()]
        options = [("grpc.so_reuseport", 0), *arguments]
        server = grpc.server(ThreadPoolExecutor(4), interceptors=[Notes(servicer)], options=options)
        llm_pb2_grpc.add_LLMProviderServicer_to_server(servicer, server)
        plugin_pb2_grpc.add_PluginServicer_to_server(servicer, server)
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
        server.start()
        self._scope.callback(lambda: server.stop(None).wait())
        self._scope.callback(servicer.finish.set)
        self.newest = server
        return servicer, port

    def raw(self, talk: Callable[[socket.socket], None], address: str = "127.0.0.1") -> int:
        """A TCP server that has `talk` with each connection, and closes it; its port."""
        listener = socket.create_server((address, 0))
        connections = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    with suppress(OSError):
                        talk(connection)
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()

        def end() -> None:
            for each in (listener, *connections):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            thread.join()

        self._scope.callback(end)
        return listener.getsockname()[1]

    def close(self) -> None:
        self._scope.close()


def says(answer: bytes) -> Callable[[socket.socket], None]:
    """Answers whatever comes first with that, and waits for the other side to hang up."""

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        while connection.recv(4096):
            pass

    return talk


def silent(connection: socket.socket) -> None:
    """Reads and says nothing."""
    while connection.recv(4096):
        pass


def hangs_up(connection: socket.socket) -> None:
    """Hears the first words and closes."""
    connection.recv(4096)


class Names:
    """Answers lookups as `getaddrinfo` does: with addresses, or by raising; and remembers what was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.error = None
        self.asked = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, host, port, **options) -> list[tuple]:
        self.asked.append((host, port, options))
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return [
            (socket.AF_INET6, 1, 6, "", (each, port, 0, 0)) if ":" in each else (socket.AF_INET, 1, 6, "", (each, port))
            for each in self.addresses
        ]


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def certificate(folder: Path, stem: str, name: str) -> tuple[bytes, bytes]:
    """A key and a certificate for that name, signed by itself, also as STEM.key and STEM.pem in the folder."""
    key, cert = folder / f"{stem}.key", folder / f"{stem}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key.read_bytes(), cert.read_bytes()


def locked(key: Path, to: Path) -> None:
    """The key, encrypted with a password."""
    command = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", to]
    subprocess.run(command, check=True, capture_output=True)


def http2(fields: bytes, data: bytes = b"") -> Callable[[socket.socket], None]:
    """An HTTP/2 server that answers each request with those header fields and that data."""

    def talk(connection: socket.socket) -> None:
        _exactly(connection, len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        connection.sendall(_frame(_SETTINGS, 0, 0, b""))
        while True:
            head = _exactly(connection, 9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            _exactly(connection, int.from_bytes(head[:3], "big"))
            if kind == _SETTINGS and not flags & _ACK:
                connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
            elif kind == _HEADERS:
                connection.sendall(_frame(_HEADERS, _END_HEADERS | (0 if data else _END_STREAM), stream, fields))
                if data:
                    connection.sendall(_frame(_DATA, 0, stream, data))

    return talk


_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_ACK = _END_STREAM = 1
_END_HEADERS = 4


def field(name: bytes, value: bytes) -> bytes:
    """A header field, literally and without indexing. Short ones alone: the length is one byte."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = connection.recv(size - len(read))
        if not more:
            raise ConnectionError
        read += more
    return read


GRPC = field(b":status", b"200") + field(b"content-type", b"application/grpc")
"""The header fields of gRPC's answers."""
