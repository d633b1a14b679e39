"""The host's side of the wire to its warden: requests leave without waiting, answers come in the order of their events.

A request that does not fit into the socket waits here until the event loop can send more of it. Descriptors that are
handed over belong to the link from then on, whatever becomes of the request.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from array import array
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.manager.processes import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHUNK = 4096


@dataclass(slots=True)
class _Request:
    data: memoryview
    descriptors: Sequence[int]
    failed: Callable[[OSError], None]

    def hand_over(self, link: socket.socket) -> None:
        """Sends as much as there is room for."""
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", self.descriptors))] if self.descriptors else []
        self.data = self.data[link.sendmsg((self.data,), beside) :]
        self.close()

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()


class Link:
    """One end of a pair of sockets. Must be made in a running event loop.

    Args:
        socket: The end, which belongs to the link.
        told: Called with kind, number and value of every answer.
        lost: Called once, when the other end is closed.
    """

    def __init__(self, end: socket.socket, told: Callable[[int, int, int], None], lost: Callable[[], None]) -> None:
        self._socket = end
        self._told = told
        self._lost = lost
        self._requests: deque[_Request] = deque()
        self._received = b""
        self._loop = asyncio.get_running_loop()
        self._open = True
        end.setblocking(False)
        self._loop.add_reader(end, self._receive)

    def send(
        self,
        kind: int,
        number: int,
        content: bytes = b"",
        descriptors: Sequence[int] = (),
        failed: Callable[[OSError], None] = lambda _: None,
    ) -> None:
        """Sends a request, now or as soon as there is room.

        Args:
            kind: As `wire` names them.
            number: Of the plugin.
            content: Of SPAWN.
            descriptors: Handed over; closed here.
            failed: Called if the system does not let it pass, at once or later.
        """
        header = wire.REQUEST.pack(kind, number, len(content), len(descriptors))
        self._requests.append(_Request(memoryview(header + content), descriptors, failed))
        if len(self._requests) == 1:
            self._send()

    def listen(self, limit: float) -> None:
        """Takes what the warden tells, and sends what waits, for those who cannot leave it to the event loop.

        Args:
            limit: Seconds to wait for something to come; 0 looks only.
        """
        if not self._open:
            return
        poller = select.poll()
        poller.register(self._socket, select.POLLIN | (select.POLLOUT if self._requests else 0))
        for _, events in poller.poll(limit * 1000):
            if events & select.POLLOUT:
                self._send()
            if events & ~select.POLLOUT:
                self._receive()

    def close(self) -> None:
        """Lets the warden know that it is over. May be called again."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            for request in self._requests:
                request.close()
            self._requests.clear()

    def _send(self) -> None:
        while self._open and self._requests:
            request = self._requests[0]
            try:
                request.hand_over(self._socket)
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._send)
                return
            except ConnectionError:
                return  # which reading shows too
            except OSError as error:
                self._requests.popleft().close()
                request.failed(error)
            else:
                if not request.data:
                    self._requests.popleft()
        if self._open:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._received += data
        while len(self._received) >= wire.ANSWER.size:
            answer, self._received = self._received[: wire.ANSWER.size], self._received[wire.ANSWER.size :]
            self._told(*wire.ANSWER.unpack(answer))
        if not data:
            self.close()
            self._lost()
