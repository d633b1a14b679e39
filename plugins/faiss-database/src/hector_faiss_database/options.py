"""What the plugin can be told."""

from dataclasses import dataclass
from typing import Literal

from hector_sdk import InvalidOptions

RANGES = {
    "index_from": (1_000, 10**9),
    "hnsw_m": (4, 64),
    "hnsw_ef_construction": (8, 1_000),
    "hnsw_ef_search": (8, 10_000),
    "ivf_lists": (0, 65_536),
    "ivf_probes": (0, 65_536),
}
"""What the numbers may be."""


@dataclass(frozen=True)
class Options:
    """Options of faiss-database."""

    directory: str = ""
    """Where the collections are kept, a whole path. Empty: the data directory that the host gives."""

    index: Literal["flat", "hnsw", "ivf"] = "flat"
    """How large collections are searched: flat is exact, hnsw and ivf approximate, by an index built meanwhile."""

    index_from: int = 20_000
    """Vectors of a segment from which on it gets an index, at least 1,000; smaller ones are searched exactly."""

    hnsw_m: int = 16
    """hnsw: neighbours of a vector in the graph, 4 to 64. More: better recall, more memory, slower to build."""

    hnsw_ef_construction: int = 100
    """hnsw: candidates looked at when a vector is added, 8 to 1,000."""

    hnsw_ef_search: int = 64
    """hnsw: candidates looked at by a search, 8 to 10,000. More: better recall, slower."""

    ivf_lists: int = 0
    """ivf: clusters that vectors are divided into, up to 65,536. 0: four times the square root of their number."""

    ivf_probes: int = 0
    """ivf: clusters that a search looks into. 0: a sixteenth of them."""

    def check(self) -> None:
        """Raise InvalidOptions for a number out of its range."""
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InvalidOptions(name, f"is {value}, must be {least} to {most}")
