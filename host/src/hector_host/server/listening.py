"""Takes the place where a host listens, and gives it back. No two hosts ever have one place."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hector_host import hosts
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import grpc.aio

    from hector_host.server.endpoint import Endpoint

_ELSEWHERE = "Choose another with --host."


@contextmanager
def listening(server: grpc.aio.Server, endpoint: Endpoint) -> Iterator[str]:
    """The server listens, once it is started, at the address that is given: its port is known.

    Raises:
        HectorError: Somebody else has the place, or the system does not give it.
    """
    if endpoint.host:
        yield _port(server, endpoint)
        return
    with _socket(server, endpoint) as address:
        yield address


def _port(server: grpc.aio.Server, endpoint: Endpoint) -> str:
    _try(endpoint)
    taken = endpoint.port
    try:
        taken = server.add_insecure_port(endpoint.target)
    except RuntimeError:  # somebody was faster; what gRPC has to say is on stderr
        raise _in_use(endpoint) from None
    return type(endpoint)(endpoint.host, taken).target


def _try(endpoint: Endpoint) -> None:
    """Takes the port for a moment: the system says more of what is wrong than gRPC does, which only prints it."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((endpoint.host, endpoint.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _in_use(endpoint) from None
        raise HectorError(f"{endpoint.target}: cannot listen: {error.strerror}", _ELSEWHERE) from None


def _in_use(endpoint: Endpoint) -> HectorError:
    return HectorError(
        f"{endpoint.target}: port {endpoint.port} is in use{_holder(endpoint)}",
        "Choose another: --port 0 takes any that is free.",
    )


def _holder(endpoint: Endpoint) -> str:
    """Who has the port, as far as that can be known."""
    for record in hosts.all_live():
        if record.address == endpoint.target:
            return f" by the host of {record.config_file} (process {record.pid})"
    import psutil

    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            place = connection.laddr
            if connection.status == psutil.CONN_LISTEN and place and place.port == endpoint.port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


@contextmanager
def _socket(server: grpc.aio.Server, endpoint: Endpoint) -> Iterator[str]:
    """A socket that only this user can connect to."""
    path = endpoint.path
    try:
        with _alone(path.parent):
            _clear(path)
            mask = os.umask(0o177)
            try:
                server.add_insecure_port(endpoint.target)
            finally:
                os.umask(mask)
            status = path.lstat()
    except OSError as error:
        raise HectorError(f"{path}: cannot listen: {error.strerror}", _ELSEWHERE) from None
    except RuntimeError:
        raise HectorError(f"{path}: cannot listen", _ELSEWHERE) from None
    try:
        yield endpoint.target
    finally:
        with suppress(OSError):
            if os.path.samestat(path.lstat(), status):
                path.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other host is between looking at a socket in the folder and making its own."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            if not _locked(descriptor):
                raise HectorError(f"{folder}: another process keeps this folder locked", _ELSEWHERE)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Takes the lock of a folder, which a host has for a moment; False when somebody keeps it."""
    for attempt in range(hosts.ATTEMPTS):
        if attempt:
            time.sleep(hosts.PAUSE)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _clear(path: Path) -> None:
    """Removes the socket of a host that has died. Whatever else is there stays."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise HectorError(f"{path}: is there already, and is not a socket", _ELSEWHERE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # who listens and accepts nothing is alive too
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise HectorError(f"{path}: somebody listens on this socket", _ELSEWHERE)
