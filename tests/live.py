"""A live host: the real `hector serve` over the configuration in a folder."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from commandline import Command, Hector


@dataclass(frozen=True)
class Host:
    """One that serves.

    Attributes:
        address: Where.
    """

    command: Command
    address: str

    def stop(self) -> None:
        """Asks it to end, and waits."""
        self.command.send(signal.SIGTERM)
        ended = self.command.end()
        assert ended.code == 0, ended.err


@contextmanager
def serving(hector: Hector, *arguments: str) -> Iterator[Host]:
    """A host on a free port, until the block is left; whoever looks for it finds it then."""
    place = () if "--host" in arguments else ("--port", "0")
    with hector.running("serve", *place, *arguments) as command:
        address = command.read_until("\n").split()[-1]
        host = Host(command, address)
        try:
            yield host
        finally:
            if command.running():
                host.stop()
