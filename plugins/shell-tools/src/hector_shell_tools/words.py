"""Foreign bytes and names made into text that is safe to print and to send: whatever they held, nothing acts."""

from __future__ import annotations

import os
import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles and links of terminals
    r"|\x1b[ -/]*[0-~]"  # all shorter ones
)
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
# These turn the direction of what follows, so that a text reads as another one.
_DIRECTIONS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_UNSAFE = _CONTROLS | _DIRECTIONS


def printable(text: str | bytes) -> str:
    """`text` without control characters but newline and tab; what is not UTF-8 becomes U+FFFD."""
    if isinstance(text, str):
        text = os.fsencode(text)
    decoded = text.decode("utf-8", errors="replace")
    lines = _ESCAPES.sub("", decoded).replace("\r\n", "\n").replace("\r", "\n")
    return lines.translate(_UNSAFE)


def size(count: int) -> str:
    """`count` bytes for people: 512 bytes, 64 KiB, 1.5 MiB."""
    if count < 1024:
        return f"{count} bytes"
    if count < 1024**2:
        return f"{count / 1024:.4g} KiB"
    return f"{count / 1024**2:.4g} MiB"
