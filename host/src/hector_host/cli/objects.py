"""JSON on stdout, for `--json`: a value, a line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hector.plugin.v1.llm_pb2 import TokenUsage


def print_json(value: Any) -> None:
    """Prints a value; on a terminal, everything beyond ASCII is escaped, since some of it would steer the terminal."""
    print(json.dumps(value, ensure_ascii=sys.stdout.isatty()), flush=True)


def usage_object(usage: TokenUsage) -> dict[str, int]:
    """The tokens of a run, as every object tells them."""
    return {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
