"""How a command runs: without a shell, in a clean environment, within its limits, and wholly gone afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hector_sdk import Failure

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence

    from hector_shell_tools.options import Limits

_KEEPER = Path(__file__).with_name("keeper.py")
# The last one is how a host finds all that a plugin has started, wherever it went.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "HECTOR_PLUGIN_INSTANCE")
_GRACE = 5.0


class End(Enum):
    """Why a command ended."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    OUTPUT = "output"


@dataclass(frozen=True)
class Result:
    """How a command ended. `exit_code` counts where `end` is EXIT; `output` is how both its streams began."""

    end: End
    exit_code: int
    output: bytes


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a command may know: no options, no secrets of the plugin. PATH keeps its absolute folders only."""
    kept = {name: environ[name] for name in _INHERITED if name in environ}
    folders = [folder for folder in kept.get("PATH", os.defpath).split(os.pathsep) if folder.startswith("/")]
    return {**kept, "PATH": os.pathsep.join(folders), "TERM": "dumb"}


async def execute(words: Sequence[str], directory: int, environ: Mapping[str, str], limits: Limits) -> Result:
    """Runs `words` in the open `directory`, within `limits`.

    Nothing of the command outlives this call, however it ends.

    Raises:
        Failure: There is no such program.
    """
    executable = shutil.which(words[0], path=environ["PATH"])
    if executable is None:
        raise Failure(f"`{words[0]}` is allowed, but there is no such program here")
    keeper = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_KEEPER), str(directory), executable, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=(directory,),
        env=dict(environ),
        start_new_session=True,
    )
    lifeline = cast("asyncio.StreamWriter", keeper.stdin)
    stream = cast("asyncio.StreamReader", keeper.stdout)
    output = bytearray()
    end = End.TIMEOUT
    try:
        lifeline.write(b"\n")
        async with asyncio.timeout(limits.seconds):
            end = await _collect(stream, output, limits.output)
    except TimeoutError:
        pass
    finally:
        # Ends the command even if the wait that follows is cut short.
        lifeline.close()
        await _gone(keeper, stream)
    return Result(end, keeper.returncode or 0, bytes(output[: limits.output]))


async def _collect(stream: asyncio.StreamReader, output: bytearray, limit: int) -> End:
    """Reads until the end, which comes when the keeper and all below it are gone, or until there is too much."""
    while piece := await stream.read(65536):
        output += piece
        if len(output) > limit:
            return End.OUTPUT
    return End.EXIT


async def _gone(keeper: Process, stream: asyncio.StreamReader) -> None:
    """Returns when the keeper and all below it are."""
    try:
        async with asyncio.timeout(_GRACE):
            while await stream.read(65536):
                pass
            await keeper.wait()
    except TimeoutError:
        keeper.kill()
        await keeper.wait()
