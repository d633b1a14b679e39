"""Moments and spans as the messages carry them and as people read them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp


def seconds(moment: Timestamp) -> float:
    """A moment in seconds of Unix time."""
    return moment.seconds + moment.nanos / 1e9


def date_text(moment: Timestamp) -> str:
    """Date and time of this machine's clock, to the second."""
    return datetime.fromtimestamp(seconds(moment)).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(length: float) -> str:
    """How long, in the one unit that fits.

    Args:
        length: Seconds.
    """
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if length >= size:
            return f"{length // size:.0f}{unit}"
    return f"{max(length, 0):.0f}s"
