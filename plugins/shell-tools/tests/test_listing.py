import os

import pytest

from hector_sdk import Failure
from hector_shell_tools import listing
from hector_shell_tools.listing import list_files, search_files
from hector_shell_tools.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "b.md").write_text("Second\nneedle here\n")
    (tmp_path / "a.txt").write_text("Needle\n")
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    (tmp_path / "docs" / "c.md").write_text("a needle\n")
    (tmp_path / "docs" / "deep" / "d.bin").write_bytes(b"needle\0")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("needle\n")
    (tmp_path / "out").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    return Workspace(tmp_path)


def test_a_listing_shows_one_directory_in_order(workspace):
    assert list_files(workspace, ".", "*", recursive=False).splitlines() == [
        ".git/",
        "a.txt  7 bytes",
        "b.md  19 bytes",
        "docs/",
        "out  (link)",
        "pipe  (special)",
    ]


def test_a_recursive_listing_goes_below_but_not_through_links_nor_into_hidden_directories(workspace):
    assert list_files(workspace, "", "*", recursive=True).splitlines() == [
        ".git/",
        "a.txt  7 bytes",
        "b.md  19 bytes",
        "docs/",
        "out  (link)",
        "pipe  (special)",
        "docs/c.md  9 bytes",
        "docs/deep/",
        "docs/deep/d.bin  7 bytes",
    ]
    assert list_files(workspace, "docs", "*.md", recursive=True) == "docs/c.md  9 bytes"
    assert list_files(workspace, "docs", "*.py", recursive=True) == "Nothing there."


def test_a_listing_is_bounded(workspace, monkeypatch):
    monkeypatch.setattr(listing, "MAX_ENTRIES", 2)
    assert list_files(workspace, ".", "*", recursive=False).splitlines()[1:] == [
        "a.txt  7 bytes",
        "[cut after 2 entries: ask for a smaller part]",
    ]


def test_a_directory_that_is_not_there_is_said_so(workspace):
    with pytest.raises(Failure, match=r"^nope: does not exist$"):
        list_files(workspace, "nope", "*", recursive=False)
    with pytest.raises(Failure, match=r"^out: is not a directory, or leads through a link: links are not followed$"):
        list_files(workspace, "out", "*", recursive=False)


def test_names_that_are_not_text_are_made_safe(workspace, tmp_path):
    (tmp_path / os.fsdecode(b"bad\xff\x1b[31m\n")).write_text("")
    assert list_files(workspace, ".", "bad*", recursive=False) == "bad\ufffd   0 bytes"


def test_a_search_names_file_and_line(workspace):
    assert search_files(workspace, "needle", ".", "*", ignore_case=False).splitlines() == [
        "b.md:2: needle here",
        "docs/c.md:1: a needle",
    ]
    assert search_files(workspace, "NEEDLE", ".", "*.txt", ignore_case=True) == "a.txt:1: Needle"
    assert search_files(workspace, "needle", ".git", "*", ignore_case=False) == ".git/config:1: needle"
    assert search_files(workspace, "straw", ".", "*", ignore_case=False) == "No line contains it."


def test_a_search_is_bounded(workspace, tmp_path, monkeypatch):
    (tmp_path / "many").write_text("needle\n" * 1000)
    monkeypatch.setattr(listing, "MAX_MATCHES", 3)
    assert search_files(workspace, "needle", ".", "many", ignore_case=False).splitlines() == [
        "many:1: needle",
        "many:2: needle",
        "many:3: needle",
        "[cut after 3 lines: search for something rarer]",
    ]
    monkeypatch.setattr(listing, "_MAX_SEARCHED", 10)
    assert (
        search_files(workspace, "straw", ".", "*", ignore_case=False) == "[cut after 10 bytes: search a smaller part]"
    )


def test_an_endless_tree_is_refused(workspace, monkeypatch):
    monkeypatch.setattr(listing, "_MAX_VISITED", 3)
    with pytest.raises(Failure, match=r"^\.: holds more than 3 entries: name a smaller part$"):
        search_files(workspace, "needle", ".", "*", ignore_case=False)


@pytest.mark.parametrize("text", ["", "two\nlines"])
def test_a_search_needs_something_within_a_line(workspace, text):
    with pytest.raises(Failure, match=r"^give a text to search for, within one line$"):
        search_files(workspace, text, ".", "*", ignore_case=False)
