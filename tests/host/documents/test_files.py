"""Files are found by patterns, never outside the folder, and each that cannot be read is named with its reason."""

from __future__ import annotations

import os

import pytest

from hector_host.documents.files import SIZE_LIMIT, Document, Skipped, find, read

ANY = ["**/*.md"]


def make(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def selected(root, include, exclude):
    found, skipped = find(root, include, exclude)
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
    (tmp_path / "large.md").write_bytes(b"x" * (SIZE_LIMIT + 1))
    assert selected(tmp_path, ANY, []) == (
        ["a.md"],
        [
            Skipped("large.md", "is larger than 4 MiB: 4,194,305 bytes"),
            Skipped("pipe.md", "is not a regular file"),
        ],
    )


def test_a_name_that_cannot_be_cited_is_reported_in_printable_words(tmp_path):
    make(tmp_path, "new\nline.md")
    (tmp_path / os.fsdecode(b"latin\xe9.md")).write_text("x")
    reason = "has a name that cannot be cited: it is not printable UTF-8"
    assert selected(tmp_path, ANY, []) == ([], [Skipped("latin\\udce9.md", reason), Skipped("new\\nline.md", reason)])


def test_a_file_is_read_as_text_with_plain_line_ends(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\xc3\xa4\n")
    document = read(tmp_path, "a.md")
    assert isinstance(document, Document)
    assert (document.text, document.markdown) == ("one\ntwo\nthreeä\n", True)


def test_the_digest_tells_versions_apart(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one")
    one = read(tmp_path, "a.txt")
    (tmp_path / "a.txt").write_bytes(b"two")
    two = read(tmp_path, "a.txt")
    assert isinstance(one, Document)
    assert isinstance(two, Document)
    assert one.digest != two.digest
    assert not one.markdown


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a\0b", "is not text: it has zero bytes"),
        (b"abc\xe9", "is not UTF-8 text: byte 3 is 0xe9"),
        (b"x" * (SIZE_LIMIT + 9), "is larger than 4 MiB: 4,194,305 bytes"),
    ],
)
def test_what_is_not_text_is_named(tmp_path, data, reason):
    (tmp_path / "a.md").write_bytes(data)
    assert read(tmp_path, "a.md") == Skipped("a.md", reason)


def test_a_file_that_vanished_is_named(tmp_path):
    assert read(tmp_path, "a.md") == Skipped("a.md", "cannot be read: No such file or directory")
