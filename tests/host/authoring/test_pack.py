"""`hector plugin pack`: the same sources, the same bytes; and what it refuses."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from hector_host.authoring.archive import pack
from hector_host.authoring.fork import fork
from hector_host.authoring.platforms import platform_of, runs_on, this_platform
from hector_host.authoring.templates import Language, template
from hector_host.config.kinds import Kind
from hector_host.errors import HectorError, PluginError

if TYPE_CHECKING:
    from pathlib import Path

ELF_AMD64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00"
ELF_ARM64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00"
MACH_ARM64 = b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(12)


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_it_tells_what_it_made(command, plugin: Path) -> None:
    (plugin / "secret.pem").write_text("x")
    (plugin / ".env").write_text("KEY=x")
    ended = command("pack", plugin)
    archive = plugin / "dist/words-1.2.0.tar.gz"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "Left out, because they may hold secrets: .env, secret.pem\n"
        f"{archive}: 3 files, {archive.stat().st_size:,} bytes\n"
        f"SHA-256 {digest}, also in words-1.2.0.tar.gz.sha256\n"
    )
    subprocess.run(["sha256sum", "--check", "--strict", f"{archive.name}.sha256"], cwd=archive.parent, check=True)
    assert names(archive) == [f"words-1.2.0/{name}" for name in ("SHA256SUMS", "README.md", "plugin.yaml", "words.sh")]
    subprocess.run(["tar", "xzf", archive], cwd=plugin, check=True)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=plugin / "words-1.2.0", check=True)


def test_what_was_built_cached_or_stored_is_left_out(plugin: Path, tmp_path: Path) -> None:
    for name in (".venv/x", ".git/x", "data/db", "dist/old", "src/__pycache__/a.pyc", "a.egg-info/x", ".hector/x"):
        (plugin / name).parent.mkdir(parents=True, exist_ok=True)
        (plugin / name).write_text("x")
    (plugin / "src/data").mkdir()
    (plugin / "src/data/words.txt").write_text("x")
    (plugin / "link").symlink_to("/etc/passwd")
    packed = pack(plugin, tmp_path / "out")
    assert [name.partition("/")[2] for name in names(packed.path)] == [
        "SHA256SUMS",
        "README.md",
        "plugin.yaml",
        "src/data/words.txt",
        "words.sh",
    ]


def test_the_same_bytes_whoever_packs_and_where(plugin: Path, tmp_path: Path) -> None:
    first = pack(plugin, plugin).path.read_bytes()  # and an archive in the folder itself is no source
    again = pack(plugin, plugin).path.read_bytes()
    other = tmp_path / "elsewhere" / "another-name"
    umask = os.umask(0o077)
    try:
        shutil.copytree(plugin, other)
        for path in other.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
            path.chmod(path.stat().st_mode & 0o700)
        elsewhere = pack(other, tmp_path / "out").path
    finally:
        os.umask(umask)
    assert first == again == elsewhere.read_bytes()
    assert elsewhere.stat().st_mode & 0o777 == 0o644
    with tarfile.open(elsewhere) as tar:
        members = tar.getmembers()
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in members} == {(0, 0, 0, "", "")}
    assert {each.name.rpartition("/")[2]: each.mode for each in members} == {
        "SHA256SUMS": 0o644,
        "README.md": 0o644,
        "plugin.yaml": 0o644,
        "words.sh": 0o755,
    }


@pytest.mark.timeout(600)  # the first build with these flags compiles all that it links
def test_a_program_in_go_is_the_same_from_every_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "two/deeper"
    chosen = template(Kind.LLM, Language.GO)
    for folder in (one, other):
        fork(chosen, "blue-heron", folder)
    packed = pack(one, tmp_path / "first")
    assert packed.path.name == f"blue-heron-0.1.0-{this_platform().replace('/', '-')}.tar.gz"
    assert [name.partition("/")[2] for name in names(packed.path)] == [
        "SHA256SUMS",
        "README.md",
        "blue-heron",
        "plugin.yaml",
    ]
    assert pack(other, tmp_path / "second").sha256 == packed.sha256
    with tarfile.open(packed.path) as tar:
        file = tar.extractfile("blue-heron-0.1.0/plugin.yaml")
        assert file is not None
        assert file.read().decode().endswith(f"  platforms:\n  - {this_platform()}\n")
    assert not (one / "blue-heron").exists()


def test_the_platform_is_what_the_programs_say(plugin: Path, tmp_path: Path) -> None:
    (plugin / "words.sh").write_bytes(ELF_ARM64)
    assert pack(plugin, tmp_path).path.name == "words-1.2.0-linux-arm64.tar.gz"
    assert [platform_of(each) for each in (ELF_AMD64, MACH_ARM64, b"MZ\x90\x00", b"#!/bin/sh\n", b"")] == [
        "linux/amd64",
        "darwin/arm64",
        "windows/amd64",
        None,
        None,
    ]
    assert runs_on(("linux",), "linux/amd64")
    assert not runs_on(("linux/arm64", "darwin"), "linux/amd64")


def refusal(folder: Path, output: Path) -> str:
    with pytest.raises(HectorError) as caught:
        pack(folder, output)
    assert not list(output.glob("*")) or output.is_file()
    return str(caught.value)


def test_programs_for_several_platforms(plugin: Path, tmp_path: Path) -> None:
    (plugin / "words.sh").write_bytes(ELF_ARM64)
    (plugin / "lib.so").write_bytes(ELF_AMD64)
    assert refusal(plugin, tmp_path / "out") == (
        'words: holds programs for several platforms: "lib.so" for linux/amd64, "words.sh" for linux/arm64\n'
        "  Make one archive for each platform."
    ).replace('"', "")


def test_no_folder(command) -> None:
    ended = command("pack", "nothing")
    assert (ended.code, ended.err) == (
        4,
        "hector: nothing: there is no such folder\n  Name the folder that holds plugin.yaml.\n",
    )


def test_without_a_manifest(command, plugin: Path) -> None:
    (plugin / "plugin.yaml").unlink()
    ended = command("pack", plugin)
    assert (ended.code, ended.err) == (
        2,
        f"hector: {plugin}/plugin.yaml: no such file\n  Write a manifest there, or name another path.\n",
    )


def test_a_version_that_is_no_part_of_a_name(plugin: Path, tmp_path: Path) -> None:
    manifest = plugin / "plugin.yaml"
    manifest.write_text(manifest.read_text().replace("1.2.0", "../1"))
    assert refusal(plugin, tmp_path / "out") == (
        f'{manifest}: plugin.version: "../1" cannot be part of the name of a file\n'
        "  Use letters, digits, dots and hyphens."
    )


def test_a_command_that_is_not_there(plugin: Path, tmp_path: Path) -> None:
    (plugin / "words.sh").unlink()
    assert refusal(plugin, tmp_path / "out") == (
        f"{plugin}/plugin.yaml: plugin.command: ./words.sh is not among the files to pack\n"
        "  Build it first, or name a program that is there."
    )


def test_a_name_that_no_archive_keeps(plugin: Path, tmp_path: Path) -> None:
    (plugin / "two\nlines").write_text("x")
    assert refusal(plugin, tmp_path / "out") == (
        f'{plugin}: "two lines" has characters that no archive keeps\n  Rename it.'
    )


def test_an_output_that_cannot_be_written(plugin: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert refusal(plugin, tmp_path / "out") == f"{tmp_path}/out: File exists\n  Choose another folder by --output."


GO = "module x\n\ngo 1.24.0\n"


def test_no_go_toolchain(plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (plugin / "go.mod").write_text(GO)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(plugin, tmp_path / "out") == (
        "words: there is no go on the PATH to build it\n  Install Go 1.24 or newer."
    )


def test_go_that_does_not_build(plugin: Path, tmp_path: Path) -> None:
    (plugin / "go.mod").write_text(GO)
    (plugin / "main.go").write_text("package main\n\nfunc main() { wrong }\n")
    assert refusal(plugin, tmp_path / "out") == (
        "words: go build failed with exit code 1\n"
        "  | # x\n"
        "  | ./main.go:3:15: undefined: wrong\n"
        "  Mend the sources. Modules that are not on this machine need a network or a GOPROXY."
    )


def test_go_whose_manifest_starts_something_else(plugin: Path, tmp_path: Path) -> None:
    (plugin / "go.mod").write_text(GO)
    manifest = plugin / "plugin.yaml"
    manifest.write_text(manifest.read_text().replace("[./words.sh]", "[go, run, .]"))
    assert refusal(plugin, tmp_path / "out") == (
        f"{manifest}: plugin.command names no program in this folder\n"
        "  Name what go build makes, for example command: [./words]."
    )


def test_an_error_of_a_plugin_is_one(plugin: Path, tmp_path: Path) -> None:
    (plugin / "words.sh").unlink()
    with pytest.raises(PluginError):
        pack(plugin, tmp_path)
