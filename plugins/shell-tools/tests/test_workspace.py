import os
import socket
import threading
from pathlib import Path

import pytest

from hector_sdk import Failure
from hector_shell_tools.workspace import Workspace, names


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "secret").write_text("outside")
    return folder


def refusal(workspace, path):
    with pytest.raises(Failure) as caught, workspace.file(path):
        pass
    return str(caught.value)


def test_a_path_is_its_names():
    assert names("a/./b//c/") == ["a", "b", "c"]
    assert names(".") == names("") == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd", "/etc/passwd: give a path relative to the working directory"),
        ("../secret", "../secret: paths stay inside the working directory, so `..` is not accepted"),
        ("a/../../secret", "a/../../secret: paths stay inside the working directory, so `..` is not accepted"),
        ("a\0b", "ab: a path cannot contain a NUL character"),
        ("gone", "gone: does not exist"),
        (".", "the working directory itself is not a file: give the path of a file in it"),
        ("x" * 300, "x" * 300 + ": is too long a path"),
    ],
)
def test_what_is_no_path_inside_is_refused(root, path, words):
    assert refusal(Workspace(root), path) == words


def test_links_are_not_followed_whatever_they_name(root):
    (root / "inside").write_text("in")
    (root / "out").symlink_to("../secret")
    (root / "in").symlink_to("inside")
    (root / "up").symlink_to("..")
    workspace = Workspace(root)
    assert refusal(workspace, "out") == "out: is a symbolic link: links are not followed"
    assert refusal(workspace, "in") == "in: is a symbolic link: links are not followed"
    assert refusal(workspace, "up/secret") == (
        "up: is not a directory, or leads through a link: links are not followed"
    )


def test_only_regular_files_are_opened(root):
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(root / "door"))
        workspace = Workspace(root)
        assert refusal(workspace, "pipe") == "pipe: is not a regular file"
        assert refusal(workspace, "door") == "door: is not a regular file"
        assert refusal(workspace, "folder") == "folder: is a directory"


def test_the_directory_of_the_owner_may_be_a_link(root, tmp_path):
    (root / "a").write_text("in")
    (tmp_path / "alias").symlink_to(root)
    with Workspace(tmp_path / "alias").file("a") as opened:
        assert os.read(opened, 10) == b"in"


def test_a_directory_swapped_for_a_link_never_leads_out(root, tmp_path):
    """Another process swaps `d` between a folder and a link to the outside while we read `d/secret`."""
    (root / "real").mkdir()
    (root / "real" / "secret").write_text("inside")
    (root / "link").symlink_to(tmp_path)
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            for target in ("real", "link"):
                (root / target).rename(root / "d").rename(root / target)

    swapper = threading.Thread(target=swap)
    swapper.start()
    read = set()
    try:
        for _ in range(3000):
            try:
                with Workspace(root).file("d/secret") as opened:
                    read.add(os.read(opened, 10))
            except Failure:
                continue
    finally:
        stop.set()
        swapper.join()
    assert b"outside" not in read


def test_no_descriptor_is_left_open(root):
    workspace = Workspace(root)
    (root / "a").write_text("in")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("a", "gone", "gone/deeper", "a/below", "/etc"):
        try:
            with workspace.file(path):
                pass
        except Failure:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
