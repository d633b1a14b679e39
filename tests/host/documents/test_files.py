"""Files are found by patterns, never outside the folder, and each that cannot be read is named with its reason."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import PosixPath

import pytest

from hector_host.documents.files import Contents, Skipped, contents, find

ANY = ["**/*.md"]


def make(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def selected(root, include, exclude, **options):
    found, skipped = find(root, include, exclude, **options)
    return [one.path for one in found], skipped


@pytest.mark.parametrize(
    ("include", "exclude", "paths"),
    [
        (["**/*.md"], [], ["a.md", "drafts/d.md", "guide/deep/c.md", "guide/b.md"]),
        (["*.md"], ["drafts/"], ["a.md", "guide/deep/c.md", "guide/b.md"]),
        (["guide/*.md"], [], ["guide/b.md"]),
        (["guide/"], [], ["guide/b.md", "guide/deep/c.md", "guide/n.txt"]),
        (["/*.md", "*.txt"], [], ["a.md", "guide/n.txt"]),
        (["**/*.md"], ["**/deep/**", "a.*"], ["drafts/d.md", "guide/b.md"]),
        (["*.rst"], [], []),
        ([], [], []),
    ],
)
def test_patterns_select(tmp_path, include, exclude, paths):
    make(tmp_path, "a.md", "guide/b.md", "guide/deep/c.md", "guide/n.txt", "drafts/d.md")
    assert selected(tmp_path, include, exclude) == (sorted(paths), [])


def test_hidden_names_are_left_out(tmp_path):
    make(tmp_path, "a.md", ".hidden.md", ".git/b.md")
    assert selected(tmp_path, ANY, []) == (["a.md"], [])


def test_links_never_lead_out_of_the_folder(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    make(tmp_path, "inside/a.md", "outside/secret.md")
    (inside / "same.md").symlink_to("a.md")
    (inside / "secret.md").symlink_to(outside / "secret.md")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "nothing.md").symlink_to("nowhere.md")
    (inside / "self.md").symlink_to("self.md")
    assert selected(inside, ANY, []) == (
        ["a.md", "same.md"],
        [
            Skipped("nothing.md", "is a link to nothing"),
            Skipped("secret.md", "is a link out of the folder"),
            Skipped("self.md", "is a link to nothing"),
        ],
    )


def test_a_file_is_known_again_by_its_stamp_and_not_when_it_was_written_anew(tmp_path):
    make(tmp_path, "a.md")
    ((before,), _) = find(tmp_path, ANY, [])
    ((same,), _) = find(tmp_path, ANY, [])
    replaced = tmp_path / "b"
    replaced.write_bytes((tmp_path / "a.md").read_bytes())
    os.utime(replaced, ns=(0, before.stamp.mtime_ns))
    replaced.replace(tmp_path / "a.md")
    ((after,), _) = find(tmp_path, ANY, [])
    assert before == same
    assert (before.stamp.size, before.stamp.mtime_ns) == (after.stamp.size, after.stamp.mtime_ns)
    assert before != after


def test_a_folder_reached_by_a_link_is_a_folder(tmp_path):
    make(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to("real")
    assert selected(tmp_path / "link", ANY, []) == (["a.md"], [])


def test_what_would_block_or_never_end_is_not_opened(tmp_path):
    make(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "large.md").write_bytes(b"x" * 1_000_001)
    assert selected(tmp_path, ANY, [], limit=1_000_000) == (
        ["a.md"],
        [
            Skipped("large.md", "is larger than 1MB: 1,000,001 bytes"),
            Skipped("pipe.md", "is not a regular file"),
        ],
    )


def test_a_name_that_cannot_be_cited_is_reported_in_printable_words(tmp_path):
    make(tmp_path, "new\nline.md")
    (tmp_path / os.fsdecode(b"latin\xe9.md")).write_text("x")
    reason = "has a name that cannot be cited: it is not printable UTF-8"
    assert selected(tmp_path, ANY, []) == ([], [Skipped("latin\\udce9.md", reason), Skipped("new\\nline.md", reason)])


def test_the_digest_tells_versions_apart(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one")
    one = contents(tmp_path, "a.txt")
    (tmp_path / "a.txt").write_bytes(b"two")
    two = contents(tmp_path, "a.txt")
    assert isinstance(one, Contents)
    assert isinstance(two, Contents)
    assert (one.data, two.data) == (b"one", b"two")
    assert one.digest != two.digest


def test_a_file_that_grew_too_large_is_named(tmp_path):
    (tmp_path / "a.md").write_bytes(b"x" * 1_000_001)
    assert contents(tmp_path, "a.md", 1_000_000) == Skipped("a.md", "is larger than 1MB: 1,000,001 bytes")


def test_a_file_that_vanished_is_named(tmp_path):
    assert contents(tmp_path, "a.md") == Skipped("a.md", "cannot be read: No such file or directory")


@pytest.mark.parametrize("times", [1, 2])
def test_a_file_that_changes_while_it_is_read_is_read_again_and_named_when_it_goes_on(tmp_path, times):
    file = tmp_path / "a.md"
    file.write_text("before")
    changes = iter(range(times))

    class Changing(PosixPath):
        """The folder in which somebody writes at the worst moment: between the reading and the look after it."""

        def stat(self, **options):
            for change in changes:
                file.write_text("after" + "." * change)
                break
            return super().stat(**options)

    read = contents(Changing(tmp_path), "a.md")
    if times == 1:
        assert isinstance(read, Contents)
        assert read.data == b"after"
    else:
        assert read == Skipped("a.md", "changed while it was read, twice: the next run reads it again")


def ignore(root, folder, *lines):
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / ".gitignore").write_text("\n".join(lines))


def test_what_git_ignores_is_left_out(tmp_path):
    make(tmp_path, "a.md", "build/b.md", "guide/c.md", "guide/d.md", "guide/deep/c.md", "guide/keep/e.log.md")
    ignore(tmp_path, ".", "build/", "*.log.md", "# a.md", "/d.md")
    ignore(tmp_path, "guide", "/c.md", "!keep/*.log.md")
    assert selected(tmp_path, ANY, []) == (["a.md", "guide/d.md", "guide/deep/c.md", "guide/keep/e.log.md"], [])
    assert len(selected(tmp_path, ANY, [], gitignore=False)[0]) == 6


def test_what_git_would_say_is_what_is_left_out(tmp_path):
    """A thousand small decisions, judged by git itself."""
    if shutil.which("git") is None:
        pytest.skip("there is no git to compare with")
    names = [
        f"{folder}{name}" for folder in ("", "a/", "b/", "a/b/", "b/a/") for name in ("x.md", "y.md", "ab.md", "z")
    ]
    chance = random.Random(7)  # noqa: S311 - a test's dice
    patterns = [
        "*.md",
        "x.md",
        "/x.md",
        "a/",
        "/a",
        "b/*",
        "**/b",
        "!x.md",
        "!a/",
        "!*.md",
        "a/**/y.md",
        "?b.md",
        "[xy].md",
    ]
    for attempt in range(25):
        root = tmp_path / str(attempt)
        make(root, *names)
        for folder in chance.sample([".", "a", "b", "a/b"], 2):
            ignore(root, folder, *chance.sample(patterns, 3))
        subprocess.run(["git", "init", "-q", root], check=True)
        listed = ["git", "-C", root, "ls-files", "--others", "--exclude-standard"]
        told = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()
        assert selected(root, ["*"], [])[0] == sorted(name for name in told if not name.endswith(".gitignore"))


def test_a_gitignore_that_is_no_file_says_nothing(tmp_path):
    make(tmp_path, "a.md", "one/b.md", "two/c.md")
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "one/.gitignore").mkdir()
    (tmp_path / "two/.gitignore").write_bytes(b"\xff\xfe\n!\n")
    assert selected(tmp_path, ANY, []) == (["a.md", "one/b.md", "two/c.md"], [])
