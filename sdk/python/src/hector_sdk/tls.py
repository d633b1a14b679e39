"""Mutual TLS with the host that launched this process, as go-plugin's AutoMTLS has it.

Each side makes a certificate for this one launch, hands it to the other beside the connection, and trusts the other's
alone.

gRPC's own TLS verifies RSA and the curves P-256 and P-384, and no others. This process's certificate is on P-256, which
everybody verifies. What the host's is decides who speaks TLS: gRPC, or OpenSSL in a relay before it (`relay`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hector_sdk.errors import StartFailed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    import grpc
    from cryptography import x509

NAME: Final = "localhost"
"""Whom each certificate names, as go-plugin's peers expect."""
PROTOCOL: Final = "h2"
"""What TLS is asked for: gRPC without it is refused by its newer clients."""
YEARS: Final = 30
"""It dies with the process, however long that lives."""
NATIVE_CURVES: Final = frozenset({"secp256r1", "secp384r1"})


@dataclass(frozen=True)
class Certificate:
    """One, with its private key.

    Attributes:
        pem: The certificate.
        key: Its private key, PEM.
        line: The certificate as the handshake line carries it: base64 of its DER, without padding.
    """

    pem: bytes
    key: bytes = field(repr=False)
    line: str


@dataclass(frozen=True)
class Security:
    """What both sides of a launch know of each other.

    Attributes:
        host: The certificate of the host, PEM.
        own: This process's.
        native: Whether gRPC's own TLS can verify the host's.
    """

    host: bytes
    own: Certificate
    native: bool

    def credentials(self, trusted: bytes | None = None) -> grpc.ServerCredentials:
        """For gRPC to serve with.

        Args:
            trusted: Whoever connects must hold this certificate. Default: the host's.
        """
        import grpc

        chain = [(self.own.key, self.own.pem)]
        return grpc.ssl_server_credentials(chain, root_certificates=trusted or self.host, require_client_auth=True)

    def outside(self) -> ssl.SSLContext:
        """For OpenSSL to serve with: lets in who holds the host's certificate, and nobody else."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._completed(context, self.host)

    def inside(self) -> ssl.SSLContext:
        """For a connection of this process to itself, with its own certificate at both ends."""
        import ssl

        return self._completed(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.own.pem)

    def _completed(self, context: ssl.SSLContext, trusted: bytes) -> ssl.SSLContext:
        import ssl
        import tempfile

        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= (
            ssl.VERIFY_X509_PARTIAL_CHAIN
        )  # the certificate itself is trusted, and not who signed it
        context.load_verify_locations(cadata=trusted.decode("ascii"))
        context.set_alpn_protocols([PROTOCOL])
        with tempfile.TemporaryDirectory(prefix="plugin") as folder:  # Python's ssl reads keys from files alone
            file = Path(folder, "own.pem")
            file.touch(mode=0o600)
            file.write_bytes(self.own.key + self.own.pem)
            context.load_cert_chain(file)
        return context


def demanded(host: str) -> Security:
    """What a host asks for that gives this certificate in `PLUGIN_CLIENT_CERT`.

    Raises:
        StartFailed: It is no certificate. Serving without would break the host's trust silently.
    """
    from cryptography import x509

    try:
        pem = host.encode("ascii")
        found = x509.load_pem_x509_certificates(pem)
        native = _native(found)
    except Exception as error:
        raise StartFailed("PLUGIN_CLIENT_CERT holds no certificate") from error
    return Security(pem, made(), native)


def made() -> Certificate:
    """A new one, signed by itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, NAME), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hector")]
    )
    now = datetime.now(UTC)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    usages = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    ) | dict.fromkeys(("digital_signature", "key_agreement", "key_cert_sign"), True)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=30))  # clocks differ a little
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.KeyUsage(**usages), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding
    return Certificate(
        certificate.public_bytes(encoding.PEM),
        key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        base64.b64encode(certificate.public_bytes(encoding.DER)).rstrip(b"=").decode("ascii"),
    )


def _native(certificates: Sequence[x509.Certificate]) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    keys = [certificate.public_key() for certificate in certificates]
    return all(
        isinstance(key, rsa.RSAPublicKey)
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in NATIVE_CURVES)
        for key in keys
    )
