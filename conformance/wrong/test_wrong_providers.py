"""Deliberately wrong databases, embedders and strategies: each fails the case that its fault is named after, alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hector_conformance.case import RESTART, every
from hector_conformance.runner import Verdict, run
from hector_conformance.settings import Settings
from hector_conformance.subject import Subject
from hector_conformance.target import target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRONG = Path(__file__).parent
FAMILIES = {
    "database": ("database", "search", "durability", "snapshots"),
    "embedder": ("embedder", "reranking"),
    "reasoning": ("reasoning", "purity"),
}
OWN = {"replicas_share_what_they_keep"}
"""Cases whose wrong plugin has a test of its own here."""
RESTARTS = {case.name for case in every() if RESTART in case.requires}
NAMES = [
    (plugin, case.name)
    for plugin, families in FAMILIES.items()
    for case in every()
    if case.name.partition(".")[0] in families and case.name.partition(".")[2] not in OWN
]


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The address of a process of a wrong plugin, one for all its faults: they come by Configure."""
    addresses: dict[str, str] = {}
    with ExitStack() as running, tempfile.TemporaryDirectory(prefix="wrong-") as folder:

        def address(plugin: str) -> str:
            if plugin not in addresses:
                program = WRONG / plugin / f"wrong_{plugin}.py"
                where = f"unix:{folder}/{plugin}"
                data = tmp_path_factory.mktemp(plugin)
                command = [sys.executable, str(program), "--listen", where, "--data-dir", str(data)]
                process = running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
                running.callback(process.kill)
                assert where in process.stdout.readline().decode()
                addresses[plugin] = where
            return addresses[plugin]

        yield address


async def failures(where: str, plugin: str, fault: str, *, most: float = 30) -> dict[str, str]:
    """The cases that a wrong plugin fails, with the words. By address, those that end processes are not offered."""
    cases = [case for case in every() if case.name.partition(".")[0] in FAMILIES[plugin]]
    async with Subject(target(where), Settings(timeout=most), {"fault": fault}) as subject:
        outcomes = await run(subject, cases)
    return {outcome.case.name: outcome.words for outcome in outcomes if outcome.verdict is Verdict.FAILED}


@pytest.mark.parametrize("plugin", FAMILIES)
async def test_without_a_fault_nothing_fails(plugin: str) -> None:
    assert await failures(str(WRONG / plugin), plugin, "") == {}


@pytest.mark.parametrize(("plugin", "case"), NAMES)
async def test_a_fault_fails_its_case_and_no_other(listening: Callable[[str], str], plugin: str, case: str) -> None:
    where = str(WRONG / plugin) if case in RESTARTS else listening(plugin)
    assert list(await failures(where, plugin, case.partition(".")[2])) == [case]


async def test_a_database_that_does_not_own_its_directory_must_share_it(tmp_path: Path) -> None:
    shutil.copytree(WRONG / "database", tmp_path / "database")
    manifest = tmp_path / "database" / "plugin.yaml"
    manifest.write_text(manifest.read_text().replace("exclusive: true", "exclusive: false"))
    assert list(await failures(str(tmp_path / "database"), "database", "")) == [
        "durability.replicas_share_what_they_keep"
    ]
