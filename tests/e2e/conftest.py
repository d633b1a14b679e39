"""Configurations that the tests of the whole command run over: real plugins, and tiny ones from `plugins/`."""

from pathlib import Path
from typing import Any

import pytest
from commandline import Hector

PLUGINS = Path(__file__).parent / "plugins"
FAULTY = Path(__file__).parents[1] / "faulty"


def echo(*replies: Any, **more: Any) -> dict[str, Any]:
    """A configuration whose agent `a` is answered by the model `script`, or by `echo` where there are no replies."""
    plugin: dict[str, Any] = {"package": "hector-echo-llm"}
    if replies:
        plugin["config"] = {"replies": list(replies)}
    return {
        "plugins": {"llm_providers": {"echo": plugin}},
        "llms": {"m": {"type": "plugin:echo", "model": "script" if replies else "echo"}},
        "agents": {"a": {"llm": "m", "tools": [], **more}},
    }


def gated(*pieces: str) -> dict[str, Any]:
    """A configuration whose agent `a` says its first piece and waits until `open_gate`."""
    options = {"pieces": list(pieces)} if pieces else {}
    return {
        "plugins": {"llm_providers": {"gated": {"path": str(PLUGINS / "gated.py"), "config": options}}},
        "llms": {"m": {"type": "plugin:gated"}},
        "agents": {"a": {"llm": "m"}},
    }


def open_gate(hector: Hector) -> None:
    (hector.folder / ".hector/plugins/gated/gate").touch()


def documents() -> dict[str, Any]:
    """A configuration whose agent `a` reads `docs/`, embedded by counting words and kept by FAISS."""
    store = {"path": "./docs", "include": ["**/*.md"], "embedder": "words", "database": "faiss"}
    return {
        "plugins": {
            "llm_providers": {"echo": {"package": "hector-echo-llm"}},
            "embedder_providers": {"words": {"path": str(PLUGINS / "words.py")}},
            "database_providers": {"faiss": {"package": "hector-faiss-database"}},
        },
        "llms": {"reader": {"type": "plugin:echo", "model": "reader"}},
        "embedders": {"words": {"type": "plugin:words"}},
        "databases": {"faiss": {"type": "plugin:faiss"}},
        "document_stores": {"docs": store},
        "agents": {"a": {"llm": "reader", "tools": [], "document_stores": ["docs"]}},
    }


@pytest.fixture
def library(hector: Hector) -> Hector:
    """The configuration `documents` with two files to read."""
    hector.write(documents())
    docs = hector.folder / "docs"
    docs.mkdir()
    (docs / "pears.md").write_text("# Pears\n\nPears ripen in September.\n")
    (docs / "plums.md").write_text("# Plums\n\nPlums are purple.\n")
    return hector
