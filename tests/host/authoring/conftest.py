"""A plugin that needs nothing to be built, archives that nobody should make, and tools that are not what they seem."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
import tempfile
from typing import TYPE_CHECKING

import pytest
from commandline import Ended

from hector_host.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANIFEST = """\
plugin:
  name: words
  version: 1.2.0
  kinds: [tool_provider]
  command: [./words.sh]
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The folder of a plugin that is a shell script."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "plugin.yaml").write_text(MANIFEST)
    (folder / "words.sh").write_text("#!/bin/sh\nexit 0\n")
    (folder / "words.sh").chmod(0o755)
    (folder / "README.md").write_text("# words\n")
    return folder


Member = tarfile.TarInfo | tuple[str, bytes]


def sums(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items()).encode()


def member(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.mode, made.linkname = kind, mode, link
    return made


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """Makes an archive of what it is given, as it is given; a valid plugin is around it."""

    def make(*members: Member, name: str = "evil.tar.gz", whole: bool = True) -> Path:
        files = {"plugin.yaml": MANIFEST.encode(), "words.sh": b"#!/bin/sh\n"}
        around = [(f"words-1.2.0/{each}", text) for each, text in {"SHA256SUMS": sums(files), **files}.items()]
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for each in [*(around if whole else ()), *members]:
                info, text = (each, b"") if isinstance(each, tarfile.TarInfo) else (member(each[0]), each[1])
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text))
        path = tmp_path / name
        path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
        return path

    return make


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs `hector plugin` with the arguments, in an empty folder that is its home too."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    for name in ("HECTOR_CONFIG", "HECTOR_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hector", "plugin", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a shell script in the place of a tool."""

    def put(name: str, script: str) -> None:
        folder = tmp_path / "tools"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return put
