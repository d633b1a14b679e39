"""An LLM plugin on TCP with mutual TLS, without the SDK, that does right or wrong what its options say.

listen       "tcp" or "unix"
key          of its certificate: "P-256", "P-384", "P-521", "RSA" or "Ed25519"
server       "tls"; "plain": it serves in plain text; "other": its server presents another certificate than its line
certificate  of its line: "own", "none", "garbage" (bytes that are no certificate), "text" (no base64), "expired",
             "future", or "foreign" (not for this machine's loopback)
shutdown     true: Shutdown ends the process

What it heard of the launch is in `environment` of the data directory, as JSON; where it listens, in `address`.
"""

import asyncio
import base64
import json
import os
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc

KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}

options = json.loads(os.environ["HECTOR_PLUGIN_CONFIG"])
data = Path(os.environ["HECTOR_PLUGIN_DATA_DIR"])
certificate_of_line = options.get("certificate", "own")
client = os.environ["PLUGIN_CLIENT_CERT"].encode()


class Model(llm_pb2_grpc.LLMProviderServicer):
    async def GenerateText(self, request, context):  # noqa: N802 (gRPC's name)
        return llm_pb2.GenerateTextResponse(text=request.prompt)


async def shut_down(request, context):
    threading.Timer(0.05, os._exit, (0,)).start()
    return b""


def certificate(kind):
    """A self-signed one and its key."""
    key = KEYS[options.get("key", "P-256")]()
    names = {name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("localhost", "elsewhere")}
    name = "elsewhere" if kind == "foreign" else "localhost"
    day, now = timedelta(days=1), datetime.now(UTC)
    begin = now + day if kind == "future" else now - 3 * day
    end = now - day if kind == "expired" else now + 3 * day
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = (
        x509.CertificateBuilder(names[name], names[name], key.public_key(), x509.random_serial_number(), begin, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, algorithm)
    )
    return made, key


def pem(made, key):
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(*private)


async def copy(reader, writer):
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def forward(behind, context):
    """A port with OpenSSL's TLS, which knows keys that gRPC's does not, before a server in plain text."""

    async def accept(reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(behind)
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    if options.get("listen") == "unix":
        await asyncio.start_unix_server(accept, data / "tls", ssl=context)
        return str(data / "tls")
    front = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    return f"127.0.0.1:{front.sockets[0].getsockname()[1]}"


def of_openssl(made, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=client.decode())
    context.set_alpn_protocols(["h2"])
    (data / "identity").write_bytes(b"".join(pem(made, key)))
    context.load_cert_chain(data / "identity")
    return context


def field(own):
    """What its line says of its certificate."""
    if certificate_of_line == "none":
        return ""
    if certificate_of_line == "text":
        return "?" * 60
    der = bytes(100) if certificate_of_line == "garbage" else own.public_bytes(serialization.Encoding.DER)
    return base64.b64encode(der).decode().rstrip("=")


async def main():
    own, key = certificate(certificate_of_line)
    presented = certificate("own") if options.get("server") == "other" else (own, key)
    server = grpc.aio.server()
    llm_pb2_grpc.add_LLMProviderServicer_to_server(Model(), server)
    if options.get("shutdown"):
        handler = grpc.unary_unary_rpc_method_handler(shut_down)
        handlers = grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": handler})
        server.add_generic_rpc_handlers((handlers,))
    network = options.get("listen", "tcp")
    if options.get("server") == "plain":
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    elif options.get("key") in {"P-521", "Ed25519"}:
        server.add_insecure_port(f"unix:{data / 'plain'}")
        address = await forward(data / "plain", of_openssl(*presented))
    else:
        chain, private = pem(*presented)
        credentials = grpc.ssl_server_credentials([(private, chain)], client, require_client_auth=True)
        path = "127.0.0.1:0" if network == "tcp" else f"unix:{data / 'tls'}"
        port = server.add_secure_port(path, credentials)
        address = f"127.0.0.1:{port}" if network == "tcp" else str(data / "tls")
    await server.start()
    (data / "environment").write_text(json.dumps(dict(os.environ)))
    (data / "address").write_text(address)
    print(f"1|1|{network}|{address}|grpc|{field(own)}", flush=True)  # noqa: T201 (the handshake)
    await server.wait_for_termination()


asyncio.run(main())
