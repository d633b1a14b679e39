"""Tools that misbehave: `hang` never returns, `flood` returns 50 MB, `refuse` says no, `crash` has a bug, `die` ends.

`where` takes a place with a schema, so that calls can break it, and returns it.
"""

import asyncio
import os
from typing import Literal

from hector_sdk import Failure, Tools, serve, tool


@tool
async def hang() -> str:
    """Never returns."""
    await asyncio.Event().wait()
    return ""


@tool
async def flood() -> str:
    """Returns 50 MB."""
    return "x" * 50_000_000


@tool
async def refuse() -> str:
    """Says no."""
    raise Failure("not today")


@tool
async def crash() -> str:
    """Has a bug."""
    return str(1 // 0)


@tool
async def die() -> str:
    """Ends the process."""
    os._exit(9)


@tool
async def where(place: Literal["here", "there"], times: int = 1) -> str:
    """Returns the place."""
    return " ".join([place] * times)


if __name__ == "__main__":
    serve(Tools(hang, flood, refuse, crash, die, where))
