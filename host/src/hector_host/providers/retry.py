"""Which RPCs are repeated when the connection fails under them.

A repeated RPC may run twice in the plugin: the answer of the first may be what got lost. So only those are repeated
whose second execution changes nothing, and never by a policy of the transport, which could not tell them apart.
"""

from __future__ import annotations

from typing import Any

ATTEMPTS = 3
FIRST_DELAY = 0.05
"""Seconds before the second attempt; each further one waits twice as long."""

REPEATED = frozenset(
    {
        "Describe",
        "Configure",
        "ListModels",
        "ListTools",
        "ListCollections",
        "ListVectors",
        "GetToolSchema",
        "GetDimensions",
        "EmbedText",
        "EmbedBatch",
        "Rerank",
        "SearchVectors",
        "UpsertVectors",
        "Initialize",
        "ProcessIteration",
        "Finalize",
    }
)


def repeatable(method: str, request: Any) -> bool:
    """Whether a call may run twice: by its RPC, and for a deletion by what it deletes.

    A filter may match, the second time, what was stored in between; ids are the same things.
    """
    return method in REPEATED or (method == "DeleteVectors" and bool(request.ids))


READ_ONLY = REPEATED | {"GenerateText", "StreamText", "CallTool"}
"""After a failure of any other RPC nobody knows whether its effect happened."""
