"""Every reference plugin, and the guide's own servers, pass the conformance suite; what each lacks is named here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import endpoint
import pytest
from guide import ports, programs
from onnx_export import exported

from hector_conformance import settings
from hector_conformance.case import every
from hector_conformance.runner import Outcome, Verdict, run
from hector_conformance.subject import Subject
from hector_conformance.target import target
from hector_host.config import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
GO = ["plugin.reflection_names_its_services"]
PLUGINS = {"echo-llm": [], "echo-llm-go": GO, "shell-tools": []}
"""By plugin, what it does not offer."""
GUIDE = {
    programs.LLM: Kind.LLM,
    programs.DATABASE: Kind.DATABASE,
    programs.EMBEDDER: Kind.EMBEDDER,
    programs.TOOLS: Kind.TOOL,
    programs.REASONING: Kind.REASONING,
}


async def outcomes(path: Path, kind: Kind | None = None, **config: object) -> list[Outcome]:
    wanted = target(str(path))
    file = wanted.settings_file
    told = settings.read(file) if file is not None and file.exists() else settings.Settings()
    async with Subject(wanted, told, config, kind) as subject:
        return await run(subject, every())


def failed(found: list[Outcome]) -> dict[str, str]:
    return {each.case.name: each.words for each in found if each.verdict is Verdict.FAILED}


def missing(found: list[Outcome]) -> list[str]:
    return [each.case.name for each in found if each.verdict in {Verdict.NOT_OFFERED, Verdict.EXCUSED}]


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_a_reference_plugin_passes(plugin: str) -> None:
    found = await outcomes(ROOT / "plugins" / plugin)
    assert failed(found) == {}
    assert missing(found) == PLUGINS[plugin]


@pytest.mark.parametrize("plugin", ["faiss-database", "hashing-embedder", "react-reasoning", "text-tools-go"])
async def test_a_reference_plugin_fails_nothing(plugin: str) -> None:
    assert failed(await outcomes(ROOT / "plugins" / plugin)) == {}


async def test_the_onnx_embedder_fails_nothing_with_a_model_that_was_just_exported(tmp_path: Path) -> None:
    model = exported(tmp_path / "minilm")
    assert failed(await outcomes(ROOT / "plugins/onnx-embedder", model=str(model))) == {}


async def test_openai_llm_passes_before_a_service_that_says_back_what_it_hears() -> None:
    with endpoint.serving() as url:
        options = {"base_url": url, "api_key": "sk-of-nobody", "model": endpoint.MODEL, "max_retries": 0}
        found = await outcomes(ROOT / "plugins/openai-llm", **options)
    assert failed(found) == {}
    assert missing(found) == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The guide's servers, and its ports."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "sources").mkdir()
    programs.build(programs.write(folder / "sources"), folder)
    with ports.held():
        yield folder


@pytest.mark.parametrize("program", GUIDE)
async def test_a_server_of_the_guide_fails_nothing(built: Path, program: str) -> None:
    found = await outcomes(built / "plugins" / program, GUIDE[program])
    assert failed(found) == {}
    assert {"launch.handshake_comes_first", "plugin.health_is_serving"} <= set(missing(found))


async def test_the_server_of_the_guide_in_python_fails_nothing(built: Path) -> None:
    found = await outcomes(built / "sources" / programs.PYTHON_LLM, Kind.LLM)
    assert failed(found) == {}
