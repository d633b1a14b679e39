"""Places where hosts listen: taken by one, given back, and never taken from somebody else."""

import errno
import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import grpc.aio
import pytest

from hector_host import hosts
from hector_host.errors import HectorError
from hector_host.hosts import Presence, Record
from hector_host.server.endpoint import Endpoint
from hector_host.server.host import OPTIONS
from hector_host.server.listening import listening


@pytest.fixture
async def server():
    server = grpc.aio.server(options=OPTIONS)
    yield server
    await server.stop(None)


@pytest.fixture
def other():
    """Somebody else's socket."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other


@pytest.fixture
def place(sockets):
    return Endpoint(path=sockets / "hector.sock")


@pytest.fixture
def sockets(tmp_path_factory, monkeypatch):
    """A folder with a short path, where sockets fit."""
    folder = tmp_path_factory.mktemp("s")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def refusal(server, endpoint):
    with pytest.raises(HectorError) as refused, listening(server, endpoint):
        pass
    return str(refused.value)


def connects(address):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(address)) == 0


@pytest.mark.parametrize(("host", "start"), [("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")])
async def test_a_free_port_is_found(server, host, start):
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with listening(server, Endpoint(host, 0)) as address:
        await server.start()
        assert address.startswith(start)
        with socket.create_connection((host, int(address.rpartition(":")[2])), 5):
            pass


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def test_a_port_in_use_is_told_with_who_has_it(server, other, sockets):
    port = other.getsockname()[1]
    name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    assert refusal(server, Endpoint("127.0.0.1", port)) == (
        f"127.0.0.1:{port}: port {port} is in use by {name} (process {os.getpid()})\n"
        "  Choose another: --port 0 takes any that is free."
    )


async def test_a_port_of_another_host_is_told_with_its_file(server, other, sockets, tmp_path):
    port = other.getsockname()[1]
    record = Record("", 4711, "0.1.0", "/srv/other.yaml", str(tmp_path / "storage"), 1.0)
    with Presence(record, print) as presence:
        presence.announce(f"127.0.0.1:{port}")
        assert hosts.all_live()
        assert refusal(server, Endpoint("127.0.0.1", port)) == (
            f"127.0.0.1:{port}: port {port} is in use by the host of /srv/other.yaml (process 4711)\n"
            "  Choose another: --port 0 takes any that is free."
        )


async def test_two_hosts_never_share_a_port(server, sockets):
    second = grpc.aio.server(options=OPTIONS)
    with listening(server, Endpoint("127.0.0.1", 0)) as address:
        port = int(address.rpartition(":")[2])
        assert f"port {port} is in use" in refusal(second, Endpoint("127.0.0.1", port))
        with pytest.raises(RuntimeError, match="Failed to bind"):  # gRPC itself would not either
            second.add_insecure_port(address)
    await second.stop(None)


async def test_an_address_that_this_machine_does_not_have_is_told(server, monkeypatch):
    def bind(*_):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", bind)
    assert refusal(server, Endpoint("127.0.0.1", 80)) == (
        "127.0.0.1:80: cannot listen: Permission denied\n  Choose another with --host."
    )


async def test_a_socket_is_for_its_user_alone_and_is_removed(server, place):
    with listening(server, place) as address:
        await server.start()
        assert address == f"unix:{place.path}"
        assert stat.filemode(place.path.lstat().st_mode) == "srw-------"
        assert connects(place.path)
    assert not place.path.exists()


async def test_the_socket_of_a_dead_host_is_replaced(server, place):
    program = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); input()"
    with subprocess.Popen([sys.executable, "-c", program, place.path], stdin=subprocess.PIPE) as process:
        while not place.path.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert place.path.exists()
    with listening(server, place):
        await server.start()
        assert connects(place.path)


@pytest.mark.parametrize("backlog", [1, 0], ids=["accepting", "busy"])
async def test_a_socket_that_somebody_listens_on_is_refused(server, place, backlog):
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(place.path))
        live.listen(backlog)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(str(place.path))
        assert refusal(server, place) == (
            f"{place.path}: somebody listens on this socket\n  Choose another with --host."
        )
        for client in clients:
            client.close()
    assert place.path.exists()


@pytest.mark.parametrize("what", ["file", "folder", "link"])
async def test_what_is_no_socket_stays(server, place, what, sockets):
    if what == "file":
        place.path.write_text("precious")
    elif what == "folder":
        place.path.mkdir()
    else:
        place.path.symlink_to(sockets / "elsewhere")
    before = place.path.lstat()
    assert refusal(server, place) == (
        f"{place.path}: is there already, and is not a socket\n  Choose another with --host."
    )
    assert place.path.lstat() == before


@pytest.fixture
def locked(sockets):
    """The descriptor by which somebody else has locked the folder."""
    descriptor = os.open(sockets, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


async def test_a_folder_that_somebody_keeps_locked_is_told(server, place, locked, monkeypatch):
    monkeypatch.setattr(hosts, "PAUSE", 0.0)
    assert refusal(server, place) == (
        f"{place.path.parent}: another process keeps this folder locked\n  Choose another with --host."
    )
    assert not place.path.exists()


async def test_a_folder_that_another_host_has_for_a_moment_is_waited_for(server, place, locked, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: fcntl.flock(locked, fcntl.LOCK_UN))
    with listening(server, place):
        assert place.path.exists()


async def test_a_folder_without_locks_will_do(server, place, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with listening(server, place):
        assert place.path.exists()


async def test_a_folder_that_is_not_there_is_told(server, sockets):
    assert refusal(server, Endpoint(path=sockets / "none/hector.sock")) == (
        f"{sockets}/none/hector.sock: cannot listen: No such file or directory\n  Choose another with --host."
    )


async def test_a_socket_that_somebody_put_in_its_place_stays(server, place):
    with listening(server, place):
        await server.start()
        place.path.unlink()
        place.path.write_text("precious")
    assert place.path.read_text() == "precious"
