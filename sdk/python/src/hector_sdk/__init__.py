"""Write Hector plugins in Python: derive from a kind, fill in its coroutines, `serve`.

Import this package before anything that might print: under a host, importing it keeps stdout for the handshake.
"""

from hector_sdk import launch as launch  # first: it takes over stdout

# isort: split
from hector_sdk.call import Call, current_call
from hector_sdk.errors import Failure, InvalidOptions, Status
from hector_sdk.functions import tool
from hector_sdk.messages import calls, text
from hector_sdk.providers import LLM, Database, Embedder, Reasoning
from hector_sdk.serving import serve
from hector_sdk.tools import Tools

__all__ = [
    "LLM",
    "Call",
    "Database",
    "Embedder",
    "Failure",
    "InvalidOptions",
    "Reasoning",
    "Status",
    "Tools",
    "calls",
    "current_call",
    "serve",
    "text",
    "tool",
]
