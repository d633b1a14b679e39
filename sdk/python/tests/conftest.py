"""Plugin processes as a host starts them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hector_sdk.testing import Stubs

PROGRAMS = Path(__file__).parent / "programs"
DEADLINE = 20.0


class Process:
    """A program, launched with the cookie."""

    def __init__(self, program: str, sockets: Path | None, environ: dict[str, str], arguments: tuple[str, ...]) -> None:
        base = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        launched = {"HECTOR_PLUGIN": "hector_plugin_v1", "PLUGIN_PROTOCOL_VERSIONS": "1", "HECTOR_PLUGIN_CONFIG": "{}"}
        if sockets:
            launched["PLUGIN_UNIX_SOCKET_DIR"] = str(sockets)
        chosen = {**base, **launched, **environ}
        self.popen = subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *arguments],
            env={key: value for key, value in chosen.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.channel: grpc.aio.Channel | None = None

    def line(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline()

    async def connect(self) -> Stubs:
        fields = self.line().rstrip("\n").split("|")
        assert fields[:3] == ["1", "1", "unix"], fields
        self.channel = grpc.aio.insecure_channel(f"unix:{fields[3]}")
        await asyncio.wait_for(self.channel.channel_ready(), DEADLINE)
        return Stubs(self.channel)

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(DEADLINE)

    def ended(self) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, stderr."""
        out, err = self.popen.communicate(timeout=DEADLINE)
        return self.popen.returncode, out, err


Launch = Callable[..., Process]


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A short private directory: pytest's own are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="hs") as folder:
        yield Path(folder)


@pytest_asyncio.fixture
async def launch(sockets: Path) -> AsyncIterator[Launch]:
    processes: list[Process] = []

    def start(program: str, *arguments: str, socket_dir: Path | None = sockets, **environ: str) -> Process:
        processes.append(Process(program, socket_dir, environ, arguments))
        return processes[-1]

    yield start
    for process in processes:
        if process.channel:
            await process.channel.close()
        if process.popen.poll() is None:
            process.kill()
        process.popen.communicate()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Poll until something holds."""

    async def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def logged() -> Callable[[str], list[dict[str, str]]]:
    """The JSON lines of a log."""

    def read(text: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    return read


KEYS: dict[str, Callable[[], Any]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


class Host:
    """A host's certificate for one launch, and a file of it for `ssl`. go-plugin's are on P-521."""

    def __init__(self, kind: str, folder: Path) -> None:
        key = KEYS[kind]()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=30))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(key, None if kind == "Ed25519" else hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        self.pem = certificate.public_bytes(encoding)
        self.key = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.file = folder / f"{kind}-{x509.random_serial_number()}.pem"
        self.file.write_bytes(self.key + self.pem)


@pytest.fixture
def certified(tmp_path: Path) -> Callable[[str], Host]:
    """Makes hosts' certificates, by the kind of their key."""
    return lambda kind: Host(kind, tmp_path)
