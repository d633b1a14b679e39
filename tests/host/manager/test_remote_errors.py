"""What becomes of an attempt to reach a plugin by its address: each failure in full, and fast where it can be."""

import asyncio

import far
import grpc
import pytest

from hector_host import config
from hector_host.manager.connect.remote import RemoteInstance
from hector_host.manager.failure import Failure
from hector_host.manager.logs.logbook import Logbook

FAST = 1.0
"""Seconds within which a refused connection is told."""

ADDRESS = "hector.yaml:5: plugins.llm_providers.x.address"
TLS = "hector.yaml:6: plugins.llm_providers.x.tls"


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


@pytest.fixture
def certificates(host):
    """Keys and certificates for plugin.test and other.test, as `mine` and `other` in the folder."""
    return {stem: far.certificate(host.folder, stem, f"{name}.test") for stem, name in
            (("mine", "plugin"), ("other", "other"))}  # fmt: skip


async def failed(host, address, seconds=FAST, **plugin):
    """How an attempt ends: reason, what, step."""
    loaded = config.load(host.write(x={"address": address, **plugin}))
    instance = RemoteInstance(loaded.plugin("x"), loaded, Logbook(host.log("x"), loaded.redact, None))
    async with asyncio.timeout(seconds):
        with pytest.raises(Failure) as caught:
            await instance.open()
    await instance.close(0)
    assert not caught.value.show_log
    return caught.value.reason, caught.value.what, caught.value.step


async def test_nobody_is_there(host):
    port = far.free_port()
    assert await failed(host, f"127.0.0.1:{port}") == (
        "connection",
        f"nobody listens at 127.0.0.1:{port}",
        f"Start it there, or mend {ADDRESS}.",
    )


async def test_no_socket_is_there(host):
    assert await failed(host, "unix:gone") == (
        "connection",
        f"there is no socket at unix:{host.folder}/gone",
        f"Start it there, or mend {ADDRESS}.",
    )


@pytest.mark.parametrize("scheme", ["", "dns:///"])
async def test_a_name_that_does_not_resolve(host, scheme):
    assert await failed(host, f"{scheme}nosuch.invalid:80", seconds=20) == (
        "connection",
        "nosuch.invalid:80 cannot be resolved: Domain name not found",
        f"Mend {ADDRESS}.",
    )


@pytest.mark.parametrize(
    ("talk", "what", "step"),
    [
        (
            far.says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            "{} speaks HTTP/1 and not gRPC",
            f"Name the port of a gRPC server: {ADDRESS}.",
        ),
        (
            far.says(bytes(range(256))),
            "{} does not speak gRPC",
            f"Name the port of a gRPC server: {ADDRESS}, or add tls if it speaks TLS.",
        ),
        (
            far.hangs_up,
            "{} ends each connection before it is made",
            f"It may speak TLS: add tls beside {ADDRESS}.",
        ),
    ],
    ids=["http1", "garbage", "hangs_up"],
)
async def test_something_else_is_there(host, servers, talk, what, step):
    where = f"127.0.0.1:{servers.raw(talk)}"
    assert await failed(host, where) == ("connection", what.format(where), step)


@pytest.mark.parametrize("tls", [None, True])
async def test_somebody_who_stays_silent(host, servers, tls):
    where = f"127.0.0.1:{servers.raw(far.silent)}"
    plugin = {"start_timeout": "300ms"} | ({} if tls is None else {"tls": tls})
    assert await failed(host, where, **plugin) == (
        "start_timeout",
        f"did not answer at {where} within 0.3 s",
        f"Start it there, or mend {ADDRESS}.",
    )


async def test_tls_where_plain_text_is_served(host, servers, certificates):
    _, port = servers.plugin()
    assert await failed(host, f"127.0.0.1:{port}", tls={"ca": "mine.pem"}) == (
        "connection",
        f"127.0.0.1:{port} does not speak TLS",
        f"Name a port that does, or remove {TLS}.",
    )


async def test_plain_text_where_tls_is_served(host, servers, certificates):
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([certificates["mine"]]))
    assert await failed(host, f"127.0.0.1:{port}") == (
        "connection",
        f"127.0.0.1:{port} ends each connection before it is made",
        f"It may speak TLS: add tls beside {ADDRESS}.",
    )


@pytest.mark.parametrize(
    ("server_name", "name"), [(None, "127.0.0.1"), ("plugin.example", "plugin.example")], ids=["address", "server_name"]
)
async def test_a_certificate_for_another_name(host, servers, certificates, server_name, name):
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([certificates["mine"]]))
    tls = {"ca": "mine.pem"} | ({} if server_name is None else {"server_name": server_name})
    assert await failed(host, f"127.0.0.1:{port}", tls=tls) == (
        "connection",
        f"the certificate at 127.0.0.1:{port} is not for {name}",
        f"Write the name in the certificate as server_name of {TLS}.",
    )


async def test_a_certificate_of_a_socket(host, servers, certificates):
    servers.plugin(f"unix:{host.folder}/s", grpc.ssl_server_credentials([certificates["mine"]]))
    assert await failed(host, "unix:s", tls={"ca": "mine.pem"}) == (
        "connection",
        f"the certificate at unix:{host.folder}/s is not for localhost",
        f"Write the name in the certificate as server_name of {TLS}.",
    )


async def test_a_certificate_of_an_unknown_authority(host, servers, certificates):
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([certificates["mine"]]))
    tls = {"ca": "other.pem", "server_name": "plugin.test"}
    assert await failed(host, f"127.0.0.1:{port}", tls=tls) == (
        "connection",
        f"the certificate at 127.0.0.1:{port} is not trusted: self signed certificate",
        f"Have it renewed, or name the certificates of who signs it as ca of {TLS}.",
    )


@pytest.mark.parametrize("own", [None, "mine"])
async def test_a_server_that_asks_for_another_certificate(host, servers, certificates, own):
    credentials = grpc.ssl_server_credentials([certificates["mine"]], certificates["other"][1], True)
    _, port = servers.plugin(credentials=credentials)
    tls = {"ca": "mine.pem", "server_name": "plugin.test"}
    step = f"It may ask for a certificate of this host: add cert and key to {TLS}."
    if own is not None:
        tls |= {"cert": f"{own}.pem", "key": f"{own}.key"}
        step = f"It may not accept the certificate {host.folder}/{own}.pem: {TLS}."
    assert await failed(host, f"127.0.0.1:{port}", tls=tls) == (
        "connection",
        f"127.0.0.1:{port} ends each connection before it is made",
        step,
    )


@pytest.mark.parametrize(
    ("tls", "what"),
    [
        ({"ca": "gone.pem"}, "{}/gone.pem cannot be read: No such file or directory"),
        ({"ca": "folder.pem"}, "{}/folder.pem cannot be read: Is a directory"),
        ({"ca": "empty.pem"}, "{}/empty.pem is empty"),
        ({"ca": "mine.key"}, "{}/mine.key holds no certificate (PEM)"),
        (
            {"ca": "mine.pem", "cert": "mine.pem", "key": "other.key"},
            "{0}/mine.pem and {0}/other.key hold no certificate and its private key (PEM)",
        ),
        (
            {"ca": "mine.pem", "cert": "mine.pem", "key": "locked.key"},
            "{0}/mine.pem and {0}/locked.key hold no certificate and its private key (PEM)",
        ),
    ],
    ids=["gone", "folder", "empty", "no_certificate", "mismatch", "locked"],
)
async def test_files_of_no_use(host, servers, certificates, tls, what):
    (host.folder / "folder.pem").mkdir()
    (host.folder / "empty.pem").touch()
    far.locked(host.folder / "mine.key", host.folder / "locked.key")
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([certificates["mine"]]))
    assert await failed(host, f"127.0.0.1:{port}", tls=tls) == ("tls", what.format(host.folder), f"{TLS} names it.")


@pytest.mark.parametrize("metadata", [None, {"authorization": "Bearer open-sesame", "application": "echo"}])
async def test_a_server_that_refuses(host, servers, metadata):
    servicer, port = servers.plugin()
    servicer.refuse = (grpc.StatusCode.UNAUTHENTICATED, "no\nentry with Bearer open-sesame or open-sesame for 'echo'")
    plugin = {} if metadata is None else {"metadata": metadata}
    words = "no entry with <authorization> or <authorization> for '<application>'"
    if metadata is None:
        words = "no entry with Bearer open-sesame or open-sesame for 'echo'"
    line = 4 if metadata is None else 6
    assert await failed(host, f"127.0.0.1:{port}", **plugin) == (
        "protocol",
        f"Describe failed: UNAUTHENTICATED: {words}",
        f"What each call to it carries is its metadata: hector.yaml:{line}: plugins.llm_providers.x.metadata.",
    )


async def test_a_server_that_breaks(host, servers):
    servicer, port = servers.plugin()
    servicer.refuse = (grpc.StatusCode.INTERNAL, "Traceback\x1b[31m")
    assert await failed(host, f"127.0.0.1:{port}") == (
        "protocol",
        r"Describe failed: INTERNAL: Traceback\x1b[31m",
        f"Look there for why, or mend {ADDRESS}.",
    )


async def test_a_server_that_says_that_it_is_unavailable(host, servers):
    servicer, port = servers.plugin()
    servicer.refuse = (grpc.StatusCode.UNAVAILABLE, "upstream: Connection refused")
    assert await failed(host, f"127.0.0.1:{port}") == (
        "connection",
        f"did not answer at 127.0.0.1:{port}: upstream: Connection refused",
        f"Start it there, or mend {ADDRESS}.",
    )


async def test_an_http2_server_that_is_no_plugin(host, servers):
    where = f"127.0.0.1:{servers.raw(far.http2(far.field(b':status', b'404')))}"
    assert await failed(host, where) == (
        "protocol",
        f"{where} speaks HTTP and not gRPC: Received http2 header with status: 404",
        f"Look there for why, or mend {ADDRESS}.",
    )


async def test_a_plugin_of_another_kind(host, servers):
    _, port = servers.plugin()
    loaded = config.load(host.write(groups=False, embedder_providers={"x": {"address": f"127.0.0.1:{port}"}}))
    instance = RemoteInstance(loaded.plugin("x"), loaded, Logbook(host.log("x"), loaded.redact, None))
    with pytest.raises(Failure) as caught:
        await instance.open()
    assert (caught.value.reason, caught.value.what, caught.value.step) == (
        "kind",
        "the configuration lists it as embedder_provider, its process serves llm_provider",
        "List it under plugins.llm_providers, or name another plugin.",
    )
