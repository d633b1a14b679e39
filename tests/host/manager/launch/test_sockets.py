"""The check of a socket."""

import os
import socket

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch import sockets


@pytest.fixture
def folder(host):
    made = host.folder / "s"
    made.mkdir()
    return made


def bound(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_what_was_checked_is_what_is_dialled(folder):
    with bound(folder / "mine") as server, bound(folder / "other"):
        target, descriptor = sockets.checked(folder / "mine")
        (folder / "mine").unlink()
        (folder / "mine").symlink_to(folder / "other")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(target.removeprefix("unix:"))
            server.settimeout(5)
            server.accept()[0].close()
        os.close(descriptor)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.touch(), "not a socket"),
        (lambda path: path.symlink_to("/dev/null"), "a symbolic link"),
    ],
)
def test_what_is_no_socket(folder, make, problem):
    make(folder / "s")
    with pytest.raises(Failure) as caught:
        sockets.checked(folder / "s")
    assert caught.value.what == f"announces {folder}/s, which is {problem}"


def test_a_socket_of_somebody_else(folder, monkeypatch):
    with bound(folder / "s"):
        mine = os.getuid()
        monkeypatch.setattr(sockets.os, "getuid", lambda: mine + 1)
        with pytest.raises(Failure) as caught:
            sockets.checked(folder / "s")
    assert caught.value.what == f"announces {folder}/s, which is owned by user {mine}, not by {mine + 1}"


def test_only_sockets_are_removed(folder):
    with bound(folder / "s"):
        (folder / "f").touch()
        for name in ("s", "f", "gone"):
            sockets.remove(folder / name)
    assert [path.name for path in folder.iterdir()] == ["f"]
