"""Running blocking functions beside the event loop, one daemon thread each.

No pool: a function that never returns must neither keep others waiting nor keep the process from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


async def run(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call it in a thread of its own, with the caller's context variables.

    Cancelling the caller abandons the thread: Python cannot stop it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = context.run(function, *args, **kwargs)
        except StopIteration as stop:  # a future refuses it
            error = RuntimeError(f"{function!r} raised {stop!r}")
        except BaseException as raised:  # noqa: BLE001 - it is raised again where the caller waits
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name=getattr(function, "__name__", "tool"), daemon=True).start()
    return await future


class Threads(Executor):
    """The same for whoever wants an executor: gRPC, for the methods of generated servicers that are no coroutines."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it in a thread of its own."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised again where the caller waits
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, name=getattr(function, "__name__", "call"), daemon=True).start()
        return future
