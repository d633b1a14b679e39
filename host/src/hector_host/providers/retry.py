"""Which RPCs are repeated when the connection fails under them.

A repeated RPC may run twice in the plugin: the answer of the first may be what got lost. So only those are repeated
whose second execution changes nothing, and never by a policy of the transport, which could not tell them apart.
"""

from __future__ import annotations

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
        "SearchVectors",
        "UpsertVectors",
        "Initialize",
        "ProcessIteration",
        "Finalize",
    }
)

READ_ONLY = REPEATED | {"GenerateText", "StreamText", "CallTool"}
"""After a failure of any other RPC nobody knows whether its effect happened."""
