"""What of a streamed generation reaches the user: everything, or only what follows the strategy's marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class AnswerStream:
    """Passes on the pieces of one generation.

    Args:
        marker: What precedes the answer. Empty: all of it is the answer.
        tell: Given each piece of the answer.
    """

    def __init__(self, marker: str, tell: Callable[[str], None]) -> None:
        self._marker = marker
        self._tell = tell
        self._held = ""
        self._open = not marker
        self._begun = False

    def feed(self, text: str) -> None:
        """Takes the next piece of the generation."""
        if not self._open:
            self._held += text
            _, found, text = self._held.partition(self._marker)
            if not found:
                # Only as much is kept as may be the beginning of the marker.
                self._held = self._held[-(len(self._marker) - 1) :] if len(self._marker) > 1 else ""
                return
            self._open, self._held = True, ""
        if self._marker and not self._begun:
            text = text.lstrip()
        if text:
            self._begun = True
            self._tell(text)
