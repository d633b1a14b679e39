"""Whatever a file holds, reading it ends in a configuration or in an error that says where."""

import json
import random
import re
from typing import Any

import pytest

from hector_host.config import Config, InvalidFileError
from hector_host.config.expansion import expanded

ROOT = {
    "version": "1",
    "plugins": {
        "discovery": {"enabled": True, "paths": ["."]},
        "llm_providers": {"p": {"type": "grpc", "path": ".", "config": {"k": [1]}, "env": {"A": "b"}}},
        "tool_providers": [{"name": "t", "command": ["x"], "security": {"timeout": "1s", "allowed_networks": ["*"]}}],
        "q": {"address": "h:1", "tls": {"ca": "x"}, "metadata": {"a": "b"}},
    },
    "llms": {"m": {"type": "plugin:p", "model": "x", "temperature": 0.5, "stop": ["a"]}},
    "embedders": {"e": {"type": "plugin:q", "config": {"dimension": 3}}},
    "databases": {"d": {"type": "plugin:q", "config": {"metric": "dot"}}},
    "tools": [{"name": "r", "type": "plugin:t", "config": {"tool_name": "x"}}],
    "document_stores": {"s": {"path": ".", "embedder": "e", "database": "d", "chunk_size": 100}},
    "agents": {"a": {"llm": "m", "tools": ["r"], "prompt": {}, "reasoning": {"engine": "plugin:q", "x": 1}}},
    "storage": {"path": "."},
    "server": {"port": 1},
}
JUNK = [
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    "",
    "x",
    "plugin:",
    "${A}",
    "${",
    "$$",
    "1s",
    [],
    [None],
    {},
    {"x": None},
    [[[]]],
    {"name": 1},
]
JUNK += [
    "\x00",
    "a\nb",
    "é" * 300,
    {"": 1},
    {"a b": {}},
    "unix:",
    "~nobody/x",
    "~",
    "..",
    "*",
    "10.0.0.0/8",
    "é.example",
]
MESSAGE = re.compile(r"(hector\.yaml(:[1-9]\d*)?: (.|\n)+\n?)+")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With a home and a parent of its own: a random folder of discovery may be either."""
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    monkeypatch.setenv("HOME", str(tmp_path))
    return inner


def spots(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of everything inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, item in inner for spot in spots(item, (*path, key)))]


def mutated(chance: random.Random) -> dict[str, object]:
    """The file with a few values replaced and a few keys added."""
    root: Any = json.loads(json.dumps(ROOT))
    for _ in range(chance.randint(1, 2)):
        *way, last = chance.choice(spots(root)[1:])
        holder = root
        for key in way:
            holder = holder[key]
        if isinstance(holder, dict) and chance.random() < 0.3:
            last = chance.choice([f"{last}x", "type", "name", "path", "config", "", "<<", "é"])
        holder[last] = chance.choice(JUNK)
    return root


def outcome(load, text: str) -> Config | InvalidFileError:
    try:
        return load(text, A="value of a")
    except InvalidFileError as error:
        return error


def test_the_file_to_begin_with_is_right(load):
    assert load(json.dumps(ROOT)).plugins.keys() == {"p", "t", "q"}


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_anything_in_it_is_read_or_refused(load, seed):
    chance = random.Random(seed)  # noqa: S311 (nothing is secret here)
    refused = 0
    for _ in range(100):
        text = json.dumps(mutated(chance))
        found = outcome(load, text)
        if isinstance(found, InvalidFileError):
            refused += 1
            assert MESSAGE.fullmatch(str(found)), text
            assert "value of a" not in str(found), text
        else:
            assert "value of a" not in "\n".join(found.warnings), text
            assert isinstance(outcome(load, expanded(found)), Config), text
    assert 50 < refused < 100
