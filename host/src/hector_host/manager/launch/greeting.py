"""What a plugin prints until it can be reached: its handshake, or prose that is no handshake.

The handshake must be the first line of standard output. Prose is right for a bare server, which never prints one, and
wrong before a handshake; which of the two it is shows only when the handshake comes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.errors import quoted
from hector_host.manager.failure import Failure
from hector_host.manager.launch import handshake

if TYPE_CHECKING:
    from hector_host.manager.launch.handshake import Endpoint
    from hector_host.manager.logs.logbook import Stream

PREAMBLE_LINES = 200
PREAMBLE_BYTES = 64 << 10
"""After so much prose nothing is taken for a handshake any more."""


class Greeting:
    """Reads standard output up to the handshake and logs everything else.

    Args:
        log: Where everything else goes.
        tls: The handshake must carry a certificate.

    Attributes:
        heard: Done when there is a handshake, with the endpoint or the `Failure` that it means.
    """

    def __init__(self, log: Stream, *, tls: bool = False) -> None:
        self._log = log
        self._tls = tls
        self._partial = b""
        self._prose: list[bytes] = []
        self._prose_size = 0
        self.heard: asyncio.Future[Endpoint] = asyncio.get_running_loop().create_future()

    def feed(self, chunk: bytes) -> bool:
        """Takes what the plugin printed; False when the reader had better pause."""
        if self.heard.done() or self._too_late():
            return self._log.feed(chunk)
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for index, line in enumerate(lines):
            if self._hear(line) or self._too_late():
                rest = b"\n".join([*lines[index + 1 :], self._partial])
                self._partial = b""
                return self._log.feed(rest)
        if len(self._partial) > handshake.LINE_LIMIT:
            self._hear(self._partial)
            self._partial = b""
        return True

    def close(self) -> None:
        """Logs what stands after the last line end."""
        rest, self._partial = self._partial, b""
        self._log.feed(rest)
        self._log.close()

    def _too_late(self) -> bool:
        return len(self._prose) >= PREAMBLE_LINES or self._prose_size > PREAMBLE_BYTES

    def _hear(self, line: bytes) -> bool:
        text = line.decode("utf-8", "backslashreplace")
        if len(line) > handshake.LINE_LIMIT:
            self._log.feed(line + b"\n")
            self._fail(
                Failure(
                    "handshake",
                    f"printed a line of more than {handshake.LINE_LIMIT} bytes where its handshake was expected: "
                    f'"{quoted(text, 80)}"',
                    "Print to stderr: the first line of standard output belongs to the handshake.",
                )
            )
            return True
        if not handshake.is_attempt(text):
            self._prose.append(line[:1024])
            self._prose_size += len(line)
            self._log.feed(line + b"\n")
            return False
        try:
            endpoint = self._first(text)
        except Failure as failure:
            self._fail(failure)
        else:
            self.heard.set_result(endpoint)
        return True

    def _first(self, line: str) -> Endpoint:
        if self._prose:
            printed = self._prose[0].decode("utf-8", "backslashreplace")
            raise Failure(
                "handshake",
                f'printed a line before its handshake: "{quoted(printed, 200)}"',
                "Print to stderr: the first line of standard output belongs to the handshake.",
            )
        return handshake.parse(line, tls=self._tls)

    def _fail(self, failure: Failure) -> None:
        self.heard.set_exception(failure)
        self.heard.exception()  # so that nobody warns of it when the process died first
