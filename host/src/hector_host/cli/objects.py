"""JSON on stdout, for `--json`: a value, a line."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_json(value: Any) -> None:
    """Prints a value; on a terminal, everything beyond ASCII is escaped, since some of it would steer the terminal."""
    print(json.dumps(value, ensure_ascii=sys.stdout.isatty()), flush=True)
