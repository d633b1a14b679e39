"""An archive that somebody else made becomes a folder, or an error before it has done harm.

It is read as a stream and refused at its first wrong member. What it may take of the disk and of memory has bounds that
hold while it is read, whatever its headers say. Only files and folders are made, all below the target; of their modes
only the executable bit is kept.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from hector_host.authoring.archive import MANIFEST, SUMS, file_sha256
from hector_host.errors import HectorError, NotFoundError, PluginError, quoted

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 16
_LONGEST_SUMS = 16 << 20
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_AGAIN = "Get it once more, from somebody you trust."
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an archive may take.

    Attributes:
        total: Bytes of all that is in it.
        ratio: How many times larger than itself it may become, beyond `free`.
        free: Bytes that it may become whatever its own size.
        members: How many files and folders.
        header: Bytes of names and other words about one member.
    """

    total: int = 1 << 30
    ratio: int = 100
    free: int = 16 << 20
    members: int = 20_000
    header: int = 1 << 20


def check_sum(archive: Path, expected: str | None) -> None:
    """Compares the archive's checksum with the one that is expected, and with the one that lies beside it.

    Raises:
        NotFoundError: There is no archive.
        PluginError: A checksum is another one, or is none.
    """
    if not archive.is_file():
        raise NotFoundError(f"{archive}: there is no such file or folder", "Name a plugin's folder or its archive.")
    beside = archive.with_name(f"{archive.name}.sha256")
    sums = [("--sha256", expected)] if expected is not None else []
    if beside.is_file():
        sums.append((beside.name, beside.read_text("utf-8", errors="replace")[:_CHUNK].partition(" ")[0].strip()))
    for where, text in sums:
        if not _HEX.fullmatch(text):
            what = f'{archive}: {where} says "{quoted(text, 80)}", which is no SHA-256'
            raise PluginError(what, "Write the 64 hexadecimal digits that hector plugin pack has printed.")
        found = file_sha256(archive)
        if found != text.lower():
            raise PluginError(f"{archive}: its SHA-256 is {found}, and {where} says {text.lower()}", _AGAIN)


def unpack(archive: Path, target: Path, bounds: Bounds | None = None) -> None:
    """Unpacks an archive into a folder that is not there yet, and compares all files with the checksums in it.

    Raises:
        PluginError: It is no archive of a plugin, or takes or names what it must not.
        HectorError: The disk does not take it.
    """
    bounds = bounds or Bounds()
    try:
        opened = archive.open("rb")
    except OSError as error:
        raise HectorError(f"{archive}: cannot be read: {error.strerror}") from None
    try:
        with opened as file, gzip.GzipFile(fileobj=file) as packed:
            stream = _Bounded(packed, file, bounds, str(archive))
            found = _Unpacking(str(archive), target, bounds, stream).run()
    except (gzip.BadGzipFile, tarfile.ReadError, zlib.error, EOFError) as error:
        cut = isinstance(error, EOFError) or "unexpected end" in str(error)
        what = "ends too early" if cut else "is no .tar.gz archive, or a damaged one"
        raise PluginError(f"{archive}: {what}", _AGAIN) from None
    except tarfile.TarError as error:
        raise PluginError(f"{archive}: is damaged: {quoted(str(error))}", _AGAIN) from None
    except OSError as error:
        raise HectorError(
            f"{target.parent}: cannot be written: {error.strerror}", "Make room, or go elsewhere."
        ) from None
    _compare(str(archive), target, found)


class _Bounded:
    """The bytes of the archive, counted while they come."""

    def __init__(self, packed: gzip.GzipFile, file: IO[bytes], bounds: Bounds, who: str) -> None:
        self._packed = packed
        self._file = file
        self._bounds = bounds
        self._who = who
        self._read = 0
        self._allowed = bounds.header

    def allow(self, size: int) -> None:
        """What follows may have this size, and the words about the next member theirs."""
        self._allowed = self._read + size + self._bounds.header

    def read(self, size: int) -> bytes:
        data = self._packed.read(min(size, _CHUNK))
        self._read += len(data)
        bounds = self._bounds
        if self._read > bounds.total:
            raise PluginError(f"{self._who}: holds more than {bounds.total >> 20} MiB", _AGAIN)
        if self._read > bounds.free + bounds.ratio * self._file.tell():
            raise PluginError(f"{self._who}: becomes more than {bounds.ratio} times its own size", _AGAIN)
        if self._read > self._allowed:
            raise PluginError(f"{self._who}: says more than {bounds.header >> 10} KiB about one file", _AGAIN)
        return data


class _Unpacking:
    """One archive on its way to one folder."""

    def __init__(self, who: str, target: Path, bounds: Bounds, stream: _Bounded) -> None:
        self._who = who
        self._target = target
        self._bounds = bounds
        self._stream = stream
        self._top: str | None = None
        self._found: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        """Writes all files; their checksums by their names."""
        self._target.mkdir()
        with tarfile.open(fileobj=self._stream, mode="r|", errorlevel=2) as tar:  # type: ignore[call-overload]
            count = 0
            while (member := tar.next()) is not None:
                count += 1
                if count > self._bounds.members:
                    raise self._refused(f"holds more than {self._bounds.members} files")
                self._take(tar, member)
                tar.members.clear()  # tarfile remembers each one
        self._stream.allow(0)
        while self._stream.read(_CHUNK):  # to the end, where gzip's own checksum is
            pass
        return self._found

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        shown = quoted(member.name, 200)
        if member.type in _KINDS:
            raise self._refused(f'"{shown}" in it is {_KINDS[member.type]}')
        if not (member.isdir() or member.isfile()) or member.issparse():
            raise self._refused(f'"{shown}" in it is neither a file nor a folder')
        path = self._inside(member.name, shown)
        self._stream.allow(member.size if member.isfile() else 0)
        if path is None:
            if member.isfile():
                raise self._refused(f'"{shown}" in it is in no folder')
            return
        target = self._target.joinpath(*path.parts)
        try:
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise self._refused(f'"{shown}" is in it twice') from None
        with file:
            self._found[str(path)] = self._copy(tar, member, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)

    def _inside(self, name: str, shown: str) -> PurePosixPath | None:
        """The member's path below the one folder at the top; None for that folder."""
        path = PurePosixPath(name)
        if path.is_absolute() or "\\" in name or re.match(r"[A-Za-z]:", name):
            raise self._refused(f'"{shown}" in it is an absolute path, or one of another system')
        if ".." in path.parts or "\0" in name or not path.parts:
            raise self._refused(f'"{shown}" in it leads out of the folder')
        if self._top is None:
            self._top = path.parts[0]
        if path.parts[0] != self._top:
            raise self._refused(
                f'holds "{quoted(self._top, 200)}" and "{quoted(path.parts[0], 200)}": one folder is allowed'
            )
        return PurePosixPath(*path.parts[1:]) if len(path.parts) > 1 else None

    def _copy(self, tar: tarfile.TarFile, member: tarfile.TarInfo, file: IO[bytes]) -> str:
        source = tar.extractfile(member)
        assert source is not None  # noqa: S101 - it is a file
        digest = hashlib.sha256()
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
        return digest.hexdigest()

    def _refused(self, what: str) -> PluginError:
        return PluginError(f"{self._who}: {what}", _AGAIN)


def _compare(who: str, target: Path, found: dict[str, str]) -> None:
    """Every file has its checksum in SHA256SUMS, and every checksum its file."""
    if MANIFEST not in found:
        raise PluginError(f"{who}: has no {MANIFEST}", "Is it an archive of a plugin? hector plugin pack makes them.")
    if SUMS not in found:
        raise PluginError(f"{who}: has no {SUMS}", "Pack it with hector plugin pack.")
    del found[SUMS]
    if (target / SUMS).stat().st_size > _LONGEST_SUMS:
        raise PluginError(f"{who}: its {SUMS} has more than {_LONGEST_SUMS >> 20} MiB", _AGAIN)
    lines = (target / SUMS).read_text("utf-8", errors="replace").splitlines()
    sums = {match[2]: match[1] for line in lines if (match := _SUM.fullmatch(line))}
    for name in sorted(sums.keys() | found.keys()):
        shown = quoted(name, 200)
        if name not in found:
            raise PluginError(f'{who}: lacks "{shown}", which its {SUMS} names', _AGAIN)
        if name not in sums:
            raise PluginError(f'{who}: holds "{shown}", which its {SUMS} does not name', _AGAIN)
        if sums[name] != found[name]:
            raise PluginError(
                f'{who}: the SHA-256 of "{shown}" is {found[name]}, and its {SUMS} says {sums[name]}', _AGAIN
            )
