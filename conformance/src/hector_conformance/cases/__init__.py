"""The cases, one module for each kind of plugin, and `plugin` for what all kinds promise."""

from __future__ import annotations

from importlib import import_module

FAMILIES = (
    "launch",
    "plugin",
    "llm",
    "streaming",
    "tool_calling",
    "embedder",
    "reranking",
    "database",
    "search",
    "durability",
    "snapshots",
    "tool",
    "receipts",
    "reasoning",
    "purity",
)
"""The modules, in the order in which they run."""


def load() -> tuple[str, ...]:
    """Imports the modules, whose cases register themselves; their names."""
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")
    return FAMILIES
