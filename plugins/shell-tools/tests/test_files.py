import os
import stat

import pytest

from hector_sdk import Failure
from hector_shell_tools.files import MAX_FILE, read, write
from hector_shell_tools.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def refusal(call, *arguments):
    with pytest.raises(Failure) as caught:
        call(*arguments)
    return str(caught.value)


def test_what_is_written_is_read(workspace):
    assert write(workspace, "notes/today/a.txt", "ä\nb\n") == "Wrote 5 bytes to notes/today/a.txt."
    assert read(workspace, "notes/today/a.txt", 1, 100) == "ä\nb\n"


def test_a_write_replaces_the_whole_and_leaves_nothing_beside_it(workspace, tmp_path):
    write(workspace, "a", "a long first content")
    (tmp_path / "a").chmod(0o4750)
    write(workspace, "a", "short")
    assert (tmp_path / "a").read_text() == "short"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_old_file_alone(workspace, tmp_path, monkeypatch):
    write(workspace, "a", "old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert refusal(write, workspace, "a", "new") == "a: No space left on device"
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_write_never_goes_through_a_link(workspace, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("mine")
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "up").symlink_to("..")
    assert refusal(write, workspace, "link", "x") == "link: is a symbolic link: links are not followed"
    assert refusal(write, workspace, f"up/{outside.name}", "x") == (
        "up: is not a directory, or leads through a link: links are not followed"
    )
    assert outside.read_text() == "mine"
    outside.unlink()


def test_a_hard_link_is_replaced_and_not_written_through(workspace, tmp_path):
    (tmp_path / "original").write_text("mine")
    os.link(tmp_path / "original", tmp_path / "other")
    write(workspace, "other", "new")
    assert (tmp_path / "original").read_text() == "mine"


def test_directories_and_pipes_are_not_overwritten(workspace, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refusal(write, workspace, "folder", "x") == "folder: is a directory"
    assert refusal(write, workspace, "pipe", "x") == "pipe: is not a regular file"
    assert refusal(write, workspace, "pipe/below", "x") == (
        "pipe: is not a directory, or leads through a link: links are not followed"
    )


def test_too_much_is_not_written(workspace, tmp_path):
    assert refusal(write, workspace, "a", "x" * (MAX_FILE + 1)) == "a: 16 MiB are too much: files may have 16 MiB"
    assert not list(tmp_path.iterdir())


def test_a_long_file_is_read_in_pieces(workspace, tmp_path):
    (tmp_path / "a").write_text("".join(f"line {number}\n" for number in range(1, 11)))
    first = read(workspace, "a", 1, 30)
    assert first == "line 1\nline 2\nline 3\nline 4\n[cut: the file has 10 lines; go on with start_line 5]"
    assert read(workspace, "a", 8, 30) == "line 8\nline 9\nline 10\n"


def test_a_line_longer_than_the_limit_is_cut(workspace, tmp_path):
    (tmp_path / "a").write_text("x" * 50)
    assert read(workspace, "a", 1, 10) == "x" * 10 + "\n[line 1 is 50 bytes long and was cut]"


def test_lines_that_are_not_there_are_refused(workspace, tmp_path):
    (tmp_path / "a").write_text("one\n")
    (tmp_path / "empty").write_text("")
    assert refusal(read, workspace, "a", 2, 100) == "a: has 1 lines, so there is no line 2"
    assert refusal(read, workspace, "a", 0, 100) == "start_line is 0: lines are counted from 1"
    assert read(workspace, "empty", 1, 100) == ""


def test_what_is_not_text_or_too_large_is_refused_politely(workspace, tmp_path):
    (tmp_path / "picture").write_bytes(b"\x89PNG\0\0")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(3 * 1024**3)
    assert refusal(read, workspace, "picture", 1, 100) == "picture: is not text (6 bytes of binary data)"
    assert refusal(read, workspace, "huge", 1, 100) == "huge: is 3072 MiB, and files over 16 MiB are not read"


def test_control_characters_are_left_out(workspace, tmp_path):
    (tmp_path / "a").write_bytes(b"\x1b[2Jgone? \xff\r\n")
    assert read(workspace, "a", 1, 100) == "gone? \ufffd\n"
