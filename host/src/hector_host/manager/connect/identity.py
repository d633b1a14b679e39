"""A certificate and its key, made for one start of a plugin, and what the certificate of the other side is. Pure.

Each side signs its own and hands it over where only the other can read it, so the certificate is itself the authority,
as in go-plugin's AutoMTLS. Keys are on P-256: gRPC's TLS knows P-256, P-384 and RSA, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hector_host.errors import quoted
from hector_host.manager.failure import Failure

SERVER_NAME = "localhost"
"""The name in all of these certificates."""
LIFETIME = timedelta(days=3650)
"""Longer than any start: nothing renews it."""
SLACK = timedelta(days=1)
"""By which it is valid before it is made: a clock may be set back while a plugin runs."""

_NATIVE_CURVES = (ec.SECP256R1, ec.SECP384R1)
_STEP = "Field 6 is the certificate of the plugin's own server, made with each start."


@dataclass(frozen=True, slots=True)
class Identity:
    """Both in PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a plugin's server has to prove to be.

    Attributes:
        certificate: In PEM.
        native: gRPC's own TLS can verify it.
    """

    certificate: bytes
    native: bool


def issue() -> Identity:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hector"),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_agreement=True,
        key_cert_sign=True,
        content_commitment=False,
        data_encipherment=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Identity(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def peer(certificate: bytes) -> Peer:
    """What the certificate of a handshake says.

    Args:
        certificate: In DER.

    Raises:
        Failure: It is none, or not valid now, or not for this machine.
    """
    try:
        read = x509.load_der_x509_certificate(certificate)
        key = read.public_key()
        names = _names(read)
    except Exception as error:  # noqa: BLE001 (a library reads foreign bytes; whatever it raises, they are at fault)
        raise _unusable(f"cannot be read: {quoted(str(error), 100)}") from None
    now = datetime.now(UTC)
    if now > read.not_valid_after_utc:
        raise _unusable(f"expired on {read.not_valid_after_utc:%Y-%m-%d}")
    if now < read.not_valid_before_utc:
        raise _unusable(f"is not valid before {read.not_valid_before_utc:%Y-%m-%d %H:%M:%S}")
    if SERVER_NAME not in names:
        raise _unusable(f"is for {quoted(', '.join(names), 100) or 'no name'}, and not for {SERVER_NAME}")
    on_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _NATIVE_CURVES)
    return Peer(read.public_bytes(serialization.Encoding.PEM), on_curve or isinstance(key, rsa.RSAPublicKey))


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def _unusable(what: str) -> Failure:
    return Failure("handshake", f"the certificate in its handshake {what}", _STEP)
