"""Logs as the host reads them: one JSON object per line on stderr, in go-plugin's form, every value a string."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn", "ERROR": "error", "CRITICAL": "error"}
LONGEST = 4_000
"""Characters of one value. A host reads lines of 64 KiB, and JSON writes a letter in up to 6 bytes."""


class JsonLines(logging.Formatter):
    """Formats a record as `@level`, `@message`, `@timestamp`, `@module`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        entry = {
            "@level": LEVELS.get(record.levelname, "trace" if record.levelno < logging.DEBUG else "info"),
            "@message": record.getMessage()[:LONGEST],
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "@module": record.name,
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)[-LONGEST:]
        return json.dumps(entry)


def to_stderr() -> None:
    """Send all logging and all Python warnings there, from level INFO."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
