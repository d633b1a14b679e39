"""The texts that are indexed: this project's documents, and those of the Django that `django.txt` pins."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.hosts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PINNED = Path(__file__).parent / "django.txt"
PROJECT = {
    "path": str(ROOT),
    "include": [
        "/README.md",
        "/CONTRIBUTING.md",
        "/docs/*.md",
        "/plugins/*/README.md",
        "/conformance/README.md",
        "/docker/README.md",
        "/examples/node/README.md",
    ],
}
DJANGO = {
    "include": [f"/{part}/**/*.txt" for part in ("faq", "howto", "internals", "intro", "misc", "ref", "topics")],
    "exclude": ["/ref/contrib/gis/"],
}


@contextlib.contextmanager
def django() -> Iterator[Path]:
    """The folder of Django's source distribution; pip fetches it from the package index, 11 MB."""
    print("downloads the source distribution of Django, 11 MB", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
        subprocess.run([*download, "--require-hashes", "--requirement", PINNED, "--dest", folder], check=True)
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        yield Path(folder, archive.name.removesuffix(".tar.gz"))


def corpora(sources: Path) -> dict[str, dict[str, Any]]:
    """What the document stores of both are, by the names of their questions."""
    return {"project": PROJECT, "django": DJANGO | {"path": str(sources / "docs")}}
