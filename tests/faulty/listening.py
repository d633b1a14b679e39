"""Where a faulty plugin listens whose fault is another: as its host asks for. No program of its own."""

import os


def listen(server):
    """Opens the port of a gRPC server; its handshake."""
    if os.environ.get("HECTOR_TRANSPORT") == "tcp":
        return _listen_securely(server)
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin1")  # noqa: PTH118 (an address)
    server.add_insecure_port(f"unix:{path}")
    return f"1|1|unix|{path}|grpc|\n".encode()


def _listen_securely(server):
    import base64
    from datetime import UTC, datetime, timedelta

    import grpc
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, encoding = ec.generate_private_key(ec.SECP256R1()), serialization.Encoding
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.now(UTC), timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pair = (private, certificate.public_bytes(encoding.PEM))
    client = os.environ["PLUGIN_CLIENT_CERT"].encode()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair], client, require_client_auth=True))
    text = base64.b64encode(certificate.public_bytes(encoding.DER)).decode().rstrip("=")
    return f"1|1|tcp|127.0.0.1:{port}|grpc|{text}\n".encode()
