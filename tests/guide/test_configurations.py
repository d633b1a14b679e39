"""Every configuration of the guide loads as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from guide import programs

from hector_host.config import Config, Kind, load

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = programs.yaml_blocks()
PLUGINS: list[dict[str, Kind | None]] = [
    {"custom_llm": Kind.LLM},
    {"custom_db": Kind.DATABASE},
    {"custom_embedder": Kind.EMBEDDER},
    {"custom_tools": Kind.TOOL},
    {"custom_reasoning": Kind.REASONING},
    {"my_plugin": Kind.LLM},
    {"test_plugin": Kind.LLM},
    {"my_plugin": None},
]
VARIABLE = re.compile(r"\$\{(\w+)\}")


def loaded(block: programs.Block, folder: Path) -> Config:
    file = folder / "hector.yaml"
    file.write_text(block.text)
    return load(file, {name: f"value of {name}" for name in VARIABLE.findall(block.text)})


def section(name: str) -> programs.Block:
    (block,) = [block for block in BLOCKS if block.section == name]
    return block


@pytest.mark.parametrize(
    ("block", "plugins"),
    list(zip(BLOCKS, PLUGINS, strict=True)),
    ids=[block.section for block in BLOCKS],
)
def test_it_loads(block: programs.Block, plugins: dict[str, Kind | None], tmp_path: Path) -> None:
    config = loaded(block, tmp_path)
    assert {name: plugin.kind for name, plugin in config.plugins.items()} == plugins
    for plugin in config.plugins.values():
        assert plugin.path is not None
        assert f'path: "./{plugin.path.relative_to(tmp_path)}"' in block.text


def test_variables_and_options_arrive(tmp_path: Path) -> None:
    plugin = loaded(section("LLM Provider Plugin"), tmp_path).plugins["custom_llm"]
    assert plugin.config == {
        "api_key": "value of CUSTOM_LLM_API_KEY",
        "endpoint": "http://localhost:8081",
        "timeout": "30s",
    }


def test_security_arrives_in_its_units(tmp_path: Path) -> None:
    security = loaded(section("Plugin Security"), tmp_path).plugins["my_plugin"].security
    assert (security.sandbox, security.timeout, security.max_memory) == (True, 30, 1_000_000_000)
    assert list(security.allowed_networks or []) == ["localhost"]
