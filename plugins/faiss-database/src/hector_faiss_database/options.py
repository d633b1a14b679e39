"""What the plugin can be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of faiss-database."""

    directory: str = ""
    """Where the collections are kept, a whole path. Empty: the data directory that the host gives."""
