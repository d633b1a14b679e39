"""What a host and its warden say to each other: frames over a pair of stream sockets, descriptors beside them.

The warden runs this too, where nothing of the host can be imported.
"""

import struct

SPAWN, TERMINATE, RELEASE = range(3)
"""What the host asks for. RELEASE kills the group of a plugin, if there still is one, and reaps the plugin."""
SPAWNED, FAILED, EXITED, GONE = range(4)
"""What the warden tells: a pid, an errno, an exit code (or minus the signal's number), that it is reaped."""
REQUEST = struct.Struct("!BIIB")
"""Kind, number of the plugin, bytes and descriptors that follow."""
ANSWER = struct.Struct("!BIi")
"""Kind, number of the plugin, value."""
MOST_DESCRIPTORS = 16
"""In one request: standard output, standard error, and what the plugin keeps open beside."""


def packed(command: list[bytes], env: list[bytes], folder: bytes) -> bytes:
    """The content of SPAWN. No part has a NUL in it.

    Args:
        command: Program and arguments.
        env: The whole environment, as `NAME=value`.
        folder: Where the program runs.
    """
    return b"\0".join((b"%d" % len(command), folder, *command, *env))


def unpacked(content: bytes) -> tuple[list[bytes], dict[bytes, bytes], bytes]:
    """Command, environment and folder."""
    count, folder, *words = content.split(b"\0")
    command, env = words[: int(count)], words[int(count) :]
    return command, {name: value for name, _, value in (entry.partition(b"=") for entry in env)}, folder
