"""An archive of a plugin, `NAME-VERSION.tar.gz`: the same sources give the same bytes, whoever packs them and where.

    NAME-VERSION/SHA256SUMS       the checksum of every other file, as sha256sum writes them
    NAME-VERSION/plugin.yaml      the manifest; of what holds programs, with the one platform that they run on
    NAME-VERSION/...              of Go the program alone, of everything else the sources

Beside it lies `NAME-VERSION.tar.gz.sha256`, the checksum of the whole.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hector_host.authoring import golang
from hector_host.authoring.platforms import HEADER, platform_of
from hector_host.authoring.sources import secrets, source_files
from hector_host.config.manifest import read_manifest
from hector_host.errors import HectorError, NotFoundError, PluginError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector_host.config.manifest import Manifest

MANIFEST = "plugin.yaml"
SUMS = "SHA256SUMS"
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
"""Names and versions that may be part of a file's name."""
_PAPERS = re.compile(r"(README|LICEN[CS]E|NOTICE|COPYING)([._-].*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive that was written.

    Attributes:
        path: Where it is.
        size: Bytes.
        sha256: Of the whole, in hexadecimal.
        files: How many it holds, the checksums not counted.
        left_out: Files that were not taken because they may hold secrets.
    """

    path: Path
    size: int
    sha256: str
    files: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """What becomes a member: a file of the disk, or bytes in place of it."""

    path: Path
    executable: bool
    content: bytes | None = None

    def header(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(HEADER)

    def read(self) -> bytes:
        return self.path.read_bytes() if self.content is None else self.content


def pack(folder: Path, output: Path) -> Packed:
    """Packs the plugin in a folder; a program in Go is built first.

    Raises:
        NotFoundError: There is no folder.
        ConfigError: Its manifest is wrong.
        PluginError: It does not build, or what its manifest names is not there.
        HectorError: The archive cannot be written.
    """
    if not folder.is_dir():
        raise NotFoundError(f"{folder}: there is no such folder", "Name the folder that holds plugin.yaml.")
    manifest = read_manifest(folder / MANIFEST)
    for what, text in (("name", manifest.name), ("version", manifest.version)):
        if not SAFE.fullmatch(text):
            raise PluginError(
                f'{folder / MANIFEST}: plugin.{what}: "{quoted(text)}" cannot be part of the name of a file',
                "Use letters, digits, dots and hyphens.",
            )
    with tempfile.TemporaryDirectory(prefix="hector-pack-") as elsewhere:
        files = _contents(folder, manifest, Path(elsewhere))
        platform = _platform(manifest, files)
        if platform is not None:
            files[MANIFEST] = _File(folder / MANIFEST, executable=False, content=_narrowed(manifest, platform))
        stem = "-".join([manifest.name, manifest.version, *([platform.replace("/", "-")] if platform else [])])
        try:
            return _write(files, f"{manifest.name}-{manifest.version}", output, stem, tuple(secrets(folder)))
        except OSError as error:
            raise HectorError(
                f"{error.filename or output}: {error.strerror}", "Choose another folder by --output."
            ) from None


def _contents(folder: Path, manifest: Manifest, elsewhere: Path) -> dict[str, _File]:
    """The members by their names."""
    mine = re.compile(rf"{re.escape(manifest.name)}-.*\.tar\.gz(\.sha256)?")
    program = manifest.command[0] if manifest.command and "/" in manifest.command[0] else ""
    if golang.is_go(folder):
        name = golang.program(manifest, str(manifest.file)).as_posix()
        built = elsewhere / "program"
        golang.build(manifest.name, folder, built)
        papers = [path for path in folder.iterdir() if path.is_file() and _PAPERS.fullmatch(path.name)]
        files = {path.name: _File(path, executable=False) for path in [*papers, folder / MANIFEST]}
        return files | {name: _File(built, executable=True)}
    paths = [path for path in source_files(folder) if not mine.fullmatch(str(path)) and str(path) != SUMS]
    strange = next((path for path in paths if not str(path).isprintable()), None)
    if strange is not None:
        raise PluginError(f'{folder}: "{quoted(str(strange))}" has characters that no archive keeps', "Rename it.")
    files = {path.as_posix(): _File(folder / path, os.access(folder / path, os.X_OK)) for path in paths}
    if program and not Path(program).is_absolute() and Path(program).as_posix() not in files:
        raise PluginError(
            f"{manifest.file}: plugin.command: {quoted(program)} is not among the files to pack",
            "Build it first, or name a program that is there.",
        )
    return files


def _platform(manifest: Manifest, files: Mapping[str, _File]) -> str | None:
    """The one platform of all programs among the files; None where there are none."""
    found = {name: platform_of(file.header()) for name, file in sorted(files.items())}
    platforms = {platform: name for name, platform in found.items() if platform is not None}
    if len(platforms) > 1:
        listed = ", ".join(f"{quoted(name)} for {platform}" for platform, name in sorted(platforms.items()))
        raise PluginError(
            f"{manifest.name}: holds programs for several platforms: {listed}", "Make one archive for each platform."
        )
    return next(iter(platforms), None)


def _narrowed(manifest: Manifest, platform: str) -> bytes:
    """The manifest with the one platform."""
    written = yaml.safe_load(manifest.file.read_text("utf-8"))
    written["plugin"]["platforms"] = [platform]
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=1000).encode()


def _write(files: dict[str, _File], top: str, output: Path, stem: str, left_out: tuple[str, ...]) -> Packed:
    sums = "".join(f"{_sha256(file)}  {name}\n" for name, file in sorted(files.items()))
    members = {SUMS: _File(output, executable=False, content=sums.encode()), **dict(sorted(files.items()))}
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{stem}.tar.gz"
    with tempfile.NamedTemporaryFile(dir=output, prefix=f".{stem}-", delete=False) as file:
        temporary = Path(file.name)
        try:
            with (
                gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
            ):
                for name, member in members.items():
                    _add(tar, f"{top}/{name}", member)
            file.flush()
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    digest = file_sha256(path)
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n", "utf-8")
    return Packed(path, path.stat().st_size, digest, len(files), left_out)


def _add(tar: tarfile.TarFile, name: str, file: _File) -> None:
    """Adds a member that tells nothing of this machine: no times, no owners, two modes."""
    content = file.read()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o755 if file.executable else 0o644
    tar.addfile(member, io.BytesIO(content))


def _sha256(file: _File) -> str:
    return hashlib.sha256(file.read()).hexdigest()


def file_sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
