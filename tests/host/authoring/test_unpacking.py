"""Archives that somebody else made: what is refused, in which words, and that nothing is left of it."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from hector_host.authoring.archive import pack
from hector_host.authoring.unpacking import Bounds, check_sum, unpack
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = "\n  Get it once more, from somebody you trust."
DIGITS = "\n  Write the 64 hexadecimal digits that hector plugin pack has printed."


def info(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.mode, made.linkname = kind, mode, link
    return made


def refusal(archive: Path, bounds: Bounds | None = None) -> str:
    """What it says, without the name of the archive."""
    with pytest.raises(HectorError) as caught:
        unpack(archive, archive.parent / "target", bounds)
    said = str(caught.value)
    assert said.startswith(f"{archive}: ")
    return said.removeprefix(f"{archive}: ")


def test_what_was_packed_comes_out(plugin: Path, tmp_path: Path) -> None:
    unpack(pack(plugin, tmp_path).path, tmp_path / "target")
    files = {path.name: (path.read_bytes(), path.stat().st_mode & 0o7777) for path in (tmp_path / "target").iterdir()}
    sums = files.pop("SHA256SUMS")
    assert files == {path.name: (path.read_bytes(), path.stat().st_mode & 0o7777) for path in plugin.iterdir()}
    assert sums[0].count(b"\n") == 3


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil", "leads out of the folder"),
        ("words-1.2.0/../../evil", "leads out of the folder"),
        ("words-1.2.0/..", "leads out of the folder"),
        ("/etc/evil", "is an absolute path, or one of another system"),
        ("C:\\evil", "is an absolute path, or one of another system"),
        ("C:evil", "is an absolute path, or one of another system"),
        ("words-1.2.0\\evil", "is an absolute path, or one of another system"),
        ("evil", "is in no folder"),
    ],
)
def test_paths_that_lead_elsewhere(archive, tmp_path: Path, name: str, why: str) -> None:
    whole = name != "evil"
    assert refusal(archive((name, b"x"), whole=whole)) == f'"{name.replace("..", "..")}" in it {why}{AGAIN}'
    assert not [path for path in tmp_path.rglob("*evil*") if path.name != "evil.tar.gz"]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
    ],
)
def test_what_is_no_file(archive, kind: bytes, what: str) -> None:
    evil = info("words-1.2.0/evil", kind, link="/etc/passwd")
    assert refusal(archive(evil)) == f'"words-1.2.0/evil" in it is {what}{AGAIN}'


def test_a_name_that_would_steer_a_terminal(archive) -> None:
    assert refusal(archive(info("a\x1b[2Jb", tarfile.SYMTYPE))) == f'"a\\x1b[2Jb" in it is a symbolic link{AGAIN}'


def test_of_the_mode_only_executable_is_kept(archive, tmp_path: Path) -> None:
    mine = archive(info("words-1.2.0/words.sh", mode=0o6777), whole=False)
    with pytest.raises(HectorError):  # it is no whole plugin
        unpack(mine, tmp_path / "target")
    assert (tmp_path / "target/words.sh").stat().st_mode & 0o7777 == 0o755


def test_a_file_that_is_in_it_twice(archive) -> None:
    assert refusal(archive(("words-1.2.0/words.sh", b"y"))) == f'"words-1.2.0/words.sh" is in it twice{AGAIN}'


def test_a_file_below_a_file(archive) -> None:
    assert refusal(archive(("words-1.2.0/words.sh/x", b"y"))) == f'"words-1.2.0/words.sh/x" is in it twice{AGAIN}'


def test_two_folders_at_the_top(archive) -> None:
    assert refusal(archive(("other/x", b"y"))) == f'holds "words-1.2.0" and "other": one folder is allowed{AGAIN}'


def test_a_gigabyte_in_a_megabyte(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    head = info("words-1.2.0/zeros")
    head.size = 1_000_000_000
    zeros = gzip.compress(bytes(10_000_000), compresslevel=9)
    path.write_bytes(gzip.compress(head.tobuf()) + zeros * 100)
    assert path.stat().st_size < 1_000_000
    assert refusal(path) == f"becomes more than 100 times its own size{AGAIN}"
    assert (tmp_path / "target/zeros").stat().st_size <= (16 << 20) + 100 * (64 << 10)


def test_more_than_there_is_room_for(archive) -> None:
    evil = archive(("words-1.2.0/large", b"x" * 100_000))
    assert refusal(evil, Bounds(total=1 << 16)) == f"holds more than 0 MiB{AGAIN}"


def test_more_files_than_a_plugin_has(archive) -> None:
    evil = archive(*((f"words-1.2.0/{number}", b"") for number in range(20)))
    assert refusal(evil, Bounds(members=10)) == f"holds more than 10 files{AGAIN}"


def test_words_about_a_file_that_are_longer_than_any_file(tmp_path: Path) -> None:
    path, packed = tmp_path / "long.tar.gz", io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(info("words-1.2.0/" + "x" * (3 << 20)))
    path.write_bytes(gzip.compress(packed.getvalue()))
    assert refusal(path) == f"says more than 1024 KiB about one file{AGAIN}"


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04zip", gzip.compress(b"no tar in it" * 100)])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    assert refusal(path) == f"is no .tar.gz archive, or a damaged one{AGAIN}"


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_an_archive_that_ends_too_early(plugin: Path, tmp_path: Path, kept: float) -> None:
    path = pack(plugin, tmp_path).path
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert refusal(path) == f"ends too early{AGAIN}"


def test_a_flipped_bit(plugin: Path, tmp_path: Path) -> None:
    path = pack(plugin, tmp_path).path
    content = path.read_bytes()
    for at in range(20, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        target = tmp_path / f"target-{at}"
        with pytest.raises(HectorError):
            unpack(path, target)


def test_without_a_manifest(archive) -> None:
    assert refusal(archive(("x/SHA256SUMS", b""), whole=False)) == (
        "has no plugin.yaml\n  Is it an archive of a plugin? hector plugin pack makes them."
    )


def test_without_checksums(archive) -> None:
    assert refusal(archive(("x/plugin.yaml", b""), whole=False)) == (
        "has no SHA256SUMS\n  Pack it with hector plugin pack."
    )


def test_a_file_that_the_checksums_do_not_name(archive) -> None:
    assert refusal(archive(("words-1.2.0/extra", b"x"))) == f'holds "extra", which its SHA256SUMS does not name{AGAIN}'


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_file_that_is_missing(archive) -> None:
    evil = archive(("x/plugin.yaml", b""), ("x/SHA256SUMS", f"{EMPTY}  gone\n".encode()), whole=False)
    assert refusal(evil) == f'lacks "gone", which its SHA256SUMS names{AGAIN}'


def test_a_file_with_another_checksum(archive) -> None:
    evil = archive(("x/plugin.yaml", b""), ("x/SHA256SUMS", f"{'0' * 64}  plugin.yaml\n".encode()), whole=False)
    assert refusal(evil) == (f'the SHA-256 of "plugin.yaml" is {EMPTY}, and its SHA256SUMS says {"0" * 64}{AGAIN}')


def test_checksums_of_the_whole(tmp_path: Path) -> None:
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(b"")
    beside = tmp_path / "x.tar.gz.sha256"
    check_sum(archive, EMPTY.upper())
    beside.write_text(f"{EMPTY}  x.tar.gz\n")
    check_sum(archive, None)
    for expected, text, said in (
        ("0" * 64, f"{EMPTY}\n", f"its SHA-256 is {EMPTY}, and --sha256 says {'0' * 64}{AGAIN}"),
        (EMPTY, f"{'1' * 64}\n", f"its SHA-256 is {EMPTY}, and x.tar.gz.sha256 says {'1' * 64}{AGAIN}"),
        ("abc", f"{EMPTY}\n", '--sha256 says "abc", which is no SHA-256' + DIGITS),
        (None, "", 'x.tar.gz.sha256 says "", which is no SHA-256' + DIGITS),
    ):
        beside.write_text(text)
        with pytest.raises(HectorError) as caught:
            check_sum(archive, expected)
        assert str(caught.value) == f"{archive}: {said}"
