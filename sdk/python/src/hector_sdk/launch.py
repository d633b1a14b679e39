"""Whether a host launched this process and, if so, what must then be taken over before anything else is imported.

Under a host, stdout belongs to the handshake: its first line must be the handshake line. Libraries print when they are
imported, from native code too, so the descriptor itself is kept aside and descriptor 1 is pointed at stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

COOKIE_KEY: Final = "HECTOR_PLUGIN"
COOKIE_VALUE: Final = "hector_plugin_v1"


def take_over(environ: MutableMapping[str, str]) -> int | None:
    """Keep stdout for the handshake and survive the host's Ctrl-C.

    Returns:
        A descriptor of the real stdout; None when no host launched this process.
    """
    if environ.get(COOKIE_KEY) != COOKIE_VALUE:
        return None
    del environ[COOKIE_KEY]  # programs that this one starts are nobody's plugins
    signal.signal(signal.SIGINT, lambda *_: None)  # a handler: children would inherit SIG_IGN
    kept = os.dup(1)
    os.dup2(2, 1)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what is printed is now a log
    return kept


HANDSHAKE_OUTPUT: Final = take_over(os.environ)
"""Taken when the SDK is imported, the one moment that comes before a plugin's other imports."""
