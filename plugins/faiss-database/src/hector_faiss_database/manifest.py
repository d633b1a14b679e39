"""The manifest: which segments are the collections, and from which log on changes have to be read again.

It is replaced whole, in one step, once everything that it names is on the disk. What it does not name is rubbish of a
change that did not come to its end, and is swept away.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from hector_faiss_database import disk
from hector_faiss_database.log import Damage
from hector_faiss_database.records import Settings
from hector_sdk import Status

FILE = "manifest.json"
FORMAT = 1
OURS = re.compile(r"(log|segment|dead|index)-\d+(-[a-z0-9-]+)?(\.new)?|manifest\.json\.new")
"""Names of files that this plugin makes beside the manifest."""


@dataclass(frozen=True)
class Sealed:
    """A segment of a collection; `dead` names the file that says which of its rows are."""

    segment: str
    dead: str = ""


@dataclass(frozen=True)
class Listed:
    """A collection and its segments."""

    number: int
    name: str
    dimension: int
    metric: int
    segments: list[Sealed] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """What it was created with."""
        return Settings(self.name, self.dimension, self.metric)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Manifest:
    """All that is known of a directory beside its files.

    Attributes:
        log: The first log whose records are not in segments.
        file: The number of the next file, collection or key that is to be new.
    """

    log: int = 1
    file: int = 1
    collection: int = 1
    key: int = 1
    collections: list[Listed] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        """The names of all files that it names."""
        sealed = [each for listed in self.collections for each in listed.segments]
        return {name for each in sealed for name in (each.segment, each.dead) if name}


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder; None where there is none.

    Raises:
        Damage: It is not what was written.
        Status: FAILED_PRECONDITION where another release wrote it.
    """
    path = folder / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        told = json.loads(text)
        body, fits = told["manifest"], told["checksum"] == _sum(told["manifest"])
    except (ValueError, KeyError, TypeError):
        raise Damage(path, 0, "it is no manifest") from None
    if not fits:
        raise Damage(path, 0, "its checksum does not fit")
    if told["format"] != FORMAT:
        raise Status(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"{path} has format {told['format']}, this release reads {FORMAT}: use the release that wrote it",
        )
    listed = [
        Listed(**(each | {"segments": [Sealed(**one) for one in each["segments"]]})) for each in body["collections"]
    ]
    return Manifest(**(body | {"collections": listed}))


def write(folder: Path, manifest: Manifest) -> None:
    """Put it in the place of the present one. OSError: the present one stays."""
    body = asdict(manifest)
    told = {"format": FORMAT, "checksum": _sum(body), "manifest": body}
    disk.replace(folder / FILE, [json.dumps(told, indent=1).encode()])


def read_dead(path: Path, count: int) -> NDArray[np.bool_]:
    """Which of a segment's rows are alive. Damage unless it is what was written."""
    data = path.read_bytes()
    told, bits = data[:8], data[8:]
    if len(bits) != (count + 7) // 8 or disk.checksum(bits).to_bytes(8, "little") != told:
        raise Damage(path, 0, "its checksum does not fit")
    return ~np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=count).astype(np.bool_)


def write_dead(path: Path, alive: NDArray[np.bool_]) -> None:
    """The other way."""
    bits = np.packbits(~alive).tobytes()
    disk.replace(path, [disk.checksum(bits).to_bytes(8, "little"), bits])


def _sum(body: Any) -> str:
    return f"{disk.checksum(json.dumps(body, sort_keys=True).encode()):016x}"
