"""The host's wheel carries what forks begin as, byte for byte what the checkout holds, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from hector_host.authoring.sources import carried_files

ROOT = Path(__file__).parents[3]
INSIDE = "hector_host/templates/"


def build(what: str, source: Path, out: Path) -> Path:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--quiet", f"--{what}", "--out-dir", out, source], check=True, timeout=100)
    return next(path for path in out.iterdir() if path.suffix in {".whl", ".gz"})


def carried(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as names:
        return {name.removeprefix(INSIDE): names.read(name) for name in names.namelist() if name.startswith(INSIDE)}


def test_the_wheel_carries_the_tree(tmp_path: Path) -> None:
    wheel = build("wheel", ROOT / "host", tmp_path)
    assert carried(wheel) == {path.as_posix(): (ROOT / path).read_bytes() for path in carried_files(ROOT)}
    with zipfile.ZipFile(wheel) as names:
        modules = {name for name in names.namelist() if name.startswith("hector_host/") and INSIDE not in name}
    sources = {path.relative_to(ROOT / "host/src").as_posix() for path in (ROOT / "host/src").rglob("*")}
    assert modules <= sources
    assert "hector_host/py.typed" in modules


def test_what_is_carried_is_what_git_knows() -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    assert {path.as_posix() for path in carried_files(ROOT)} - set(listed) == set()


def test_a_source_distribution_makes_the_same_wheel(tmp_path: Path) -> None:
    source = build("sdist", ROOT / "host", tmp_path / "sdist")
    with tarfile.open(source) as tar:
        tar.extractall(tmp_path, filter="data")
    folder = tmp_path / source.name.removesuffix(".tar.gz")
    assert carried(build("wheel", folder, tmp_path / "one")) == carried(build("wheel", ROOT / "host", tmp_path / "two"))
