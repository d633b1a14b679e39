"""The contract's comments are the authors' documentation, so they are complete."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RPC = re.compile(r"((?: *//.*\n)*) *rpc (\w+)\(")
MEMBER = re.compile(r"^( *//.*\n)? *(?:repeated |optional )?[\w.<>, ]+? (\w+) = \d+;", re.MULTILINE)
ENUM_VALUE = re.compile(r"^( *//.*\n)? *([A-Z][A-Z0-9_]+) = \d+;", re.MULTILINE)


def protos(root: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(root.glob("proto/hector/*/v1/*.proto"))}


def test_every_rpc_names_its_errors(root: Path) -> None:
    rpcs = [match for text in protos(root).values() for match in RPC.finditer(text)]
    assert len(rpcs) == 38
    assert [match[2] for match in rpcs if "Errors: " not in match[1]] == []


def test_rpc_names_are_unique_so_that_one_process_can_serve_all(root: Path) -> None:
    names = Counter(match[2] for text in protos(root).values() for match in RPC.finditer(text))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_field_and_value_is_explained(root: Path) -> None:
    members = [
        (file, match)
        for file, text in protos(root).items()
        for kind in (MEMBER, ENUM_VALUE)
        for match in kind.finditer(text)
    ]
    assert len(members) > 200
    assert [f"{file}: {match[2]}" for file, match in members if not match[1]] == []


def test_no_line_of_a_proto_is_long(root: Path) -> None:
    lines = [(file, line) for file, text in protos(root).items() for line in text.splitlines()]
    assert [f"{file}: {line}" for file, line in lines if len(line) > 120] == []
