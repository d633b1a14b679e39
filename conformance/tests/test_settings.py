"""`conformance.yaml`, right and wrong: the whole text of each error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hector_conformance.settings import Settings, check_excused, read
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "conformance.yaml"
    file.touch()
    assert read(file) == Settings()


def test_all_keys(tmp_path: Path) -> None:
    file = tmp_path / "conformance.yaml"
    file.write_text("""
config: {a: 1}
model: m
timeout: 2m
tools:
  harmless: {tool: t}
  receipt: {tool: r, parameters: {x: 1}, other: {x: 2}}
excused: {llm.generates_text: why}
""")
    told = read(file)
    assert (told.config, told.model, told.timeout) == ({"a": 1}, "m", 120)
    assert told.tools.receipt is not None
    assert told.tools.receipt.other == {"x": 2}
    assert told.excused == {"llm.generates_text": "why"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timeout: 0s", "timeout: is no usable duration"),
        ("modle: x", "modle: Extra inputs are not permitted"),
        ("- a", "Input should be a valid dictionary or instance of Settings"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "conformance.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value) == f"{file}: {words}\n  Known keys: config, model, timeout, tools, excused."


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "conformance.yaml"
    file.write_text("model: " + "x" * 70_000)
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value) == f"{file}: is larger than 64 KiB\n  It holds settings, and nothing large."


def test_an_excuse_for_no_case_names_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "conformance.yaml"
    with pytest.raises(ConfigError) as caught:
        check_excused(Settings(excused={"llm.large_promt": "why"}), file, ["llm.large_prompt", "x.y"])
    assert str(caught.value) == f"{file}: excused.llm.large_promt: no such case\n  Did you mean llm.large_prompt?"
