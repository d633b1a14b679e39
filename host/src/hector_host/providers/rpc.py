"""The one way in which a call goes to a plugin: metadata, deadline, retry, and every failure as a `CallError`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc
from grpc.aio import AioRpcError, UsageError

from hector.host.v1.run_pb2 import Step
from hector_host.errors import CallError, quoted
from hector_host.manager.lease import Ticket
from hector_host.providers.retry import ATTEMPTS, FIRST_DELAY, READ_ONLY, repeatable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector_host.manager import Manager, Plugin
    from hector_host.manager.lease import Lease
    from hector_host.providers.call import Call

StubT = TypeVar("StubT")

STREAM_LIMIT = 64 << 20
"""Bytes that one stream may carry in all."""

MESSAGE_COST = 64
"""Bytes that a message of a stream counts beside its own: one without content costs something too."""

END_GRACE = 1.0
"""Seconds that a stream has to close after its last message; then it is closed."""

DETAIL_LIMIT = 64 << 10
"""Characters kept of what a plugin says when it says no: compilers and tests say much, and their readers need it."""

REFUSALS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Codes that say that nothing was done."""

TRANSIENT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED})
"""Codes after which the same call may succeed."""

_CUT_OFF = "its connection was closed"


@dataclass(slots=True)
class _Answer:
    """What came of a unary RPC: a response, or how the last attempt failed.

    Attributes:
        plugin: Who was asked last.
        started: When the first attempt began.
        code: The status of the last attempt; None when it was answered.
    """

    plugin: Plugin
    started: float
    response: Any = None
    code: grpc.StatusCode | None = None
    failure: CallError | None = None


class Rpc(Generic[StubT]):
    """Calls the stub of one plugin on behalf of one provider.

    Args:
        provider: What the configuration calls it, e.g. "llm/custom"; steps carry it.
        plugin: The name of the plugin behind it.
        stub: Makes the stub of the provider's service on a channel.
    """

    def __init__(self, provider: str, plugin: str, manager: Manager, stub: Callable[[grpc.aio.Channel], StubT]) -> None:
        self.provider = provider
        self._name = plugin
        self._manager = manager
        self._make_stub = stub

    async def plugin(self, call: Call) -> Plugin:
        """The plugin, once it takes calls: always the same one of several replicas, while that one does.

        Raises:
            StartError: It never became ready.
            CallError: It is down.
        """
        return self._manager.serving(self._name) or await self._manager.ready(self._name, call.patience)

    async def unary(self, method: str, request: Any, call: Call, step: str = "") -> Any:
        """The response of a unary RPC.

        Args:
            method: The name of the RPC.
            step: The kind under which the call is recorded. Empty: it is not.

        Raises:
            StartError: The plugin never became ready.
            CallError: It is down or has too many calls, the RPC failed, or the response says `success = false`.
        """
        answer = await self._attempts(method, request, call)
        succeeded = answer.failure is None and getattr(answer.response, "success", True)
        if step and answer.code is not grpc.StatusCode.UNIMPLEMENTED:
            call.record(self._step(step, answer.plugin, answer.started, ok=succeeded))
        if answer.failure is not None:
            raise answer.failure
        if not succeeded:
            words = self._manager.redact(answer.response.error)
            raise CallError(
                f"{answer.plugin.label}: {method}: {quoted(words) or 'failed without saying why'}",
                detail=words.strip()[:DETAIL_LIMIT],
            )
        return answer.response

    async def _attempts(self, method: str, request: Any, call: Call) -> _Answer:
        """A unary RPC, repeated where its connection broke and repeating it is harmless."""
        ticket = Ticket(method, call.run, call.agent)
        attempts = ATTEMPTS if repeatable(method, request) else 1
        lease = self._manager.take(self._name, ticket) or await self._manager.lease(self._name, ticket, call.patience)
        started = lease.started  # a call's time begins with its first place
        deadline = started + lease.plugin.timeout
        for attempt in count(1):
            answer = await self._ask(lease, method, request, call, deadline)
            answer.started = started
            delay = FIRST_DELAY * 2 ** (attempt - 1)
            again = answer.code is grpc.StatusCode.UNAVAILABLE and attempt < attempts
            if not again or time.monotonic() + delay >= deadline:
                return answer
            await asyncio.sleep(delay)
            try:
                lease = await self._manager.lease(self._name, ticket, call.patience)
            except CallError:
                return answer  # it stays down: what became of the call says more
            if time.monotonic() >= deadline:
                lease.unused()
                return answer
        raise AssertionError

    async def _ask(self, lease: Lease, method: str, request: Any, call: Call, deadline: float) -> _Answer:
        """One attempt at a unary RPC. Gives the lease back.

        A failure becomes ours at once: gRPC keeps a connection alive for as long as anybody holds the error of one of
        its calls, or an error that came of it.
        """
        plugin, code = lease.plugin, None
        try:
            response = await getattr(self._stub(plugin), method)(
                request, timeout=deadline - time.monotonic(), metadata=plugin.metadata + call.metadata
            )
        except AioRpcError as error:
            code, details = error.code(), error.details() or ""
        except UsageError:
            code, details = grpc.StatusCode.UNAVAILABLE, _CUT_OFF
        except asyncio.CancelledError:
            if _own_end():
                code = grpc.StatusCode.CANCELLED
                raise
            code, details = grpc.StatusCode.UNAVAILABLE, _CUT_OFF
        else:
            return _Answer(plugin, lease.started, response)
        finally:
            lease.release(code)
        return _Answer(plugin, lease.started, code=code, failure=self._failed(plugin, method, code, details))

    async def stream(self, method: str, request: Any, call: Call, on_message: Callable[[Any], None], step: str) -> bool:
        """Tells of each message of a streaming RPC, up to the one that is `done`; whether that came.

        A function is told, instead of an iterator read, because streams are long and their messages small.

        Raises:
            StartError: The plugin never became ready.
            CallError: It is down or has too many calls; the stream broke, stalled or carries more than it may.
        """
        ticket = Ticket(method, call.run, call.agent)
        lease = self._manager.take(self._name, ticket) or await self._manager.lease(self._name, ticket, call.patience)
        plugin, code, details = lease.plugin, None, ""
        rpc = self._begun(lease, method, request, call)
        watch = _StreamWatch(rpc, plugin.timeout)
        try:
            async for message in rpc:
                if watch.done:
                    continue  # what follows the last message is no part of the answer; the stream only gets to end
                if watch.saw(message) > STREAM_LIMIT:
                    code = grpc.StatusCode.RESOURCE_EXHAUSTED
                    raise CallError(f"{plugin.label}: {method}: streamed more than {STREAM_LIMIT >> 20} MiB", code=code)
                on_message(message)
        except AioRpcError as error:
            code, details = error.code(), error.details() or ""
        except asyncio.CancelledError:
            if watch.expired:
                code = grpc.StatusCode.DEADLINE_EXCEEDED
            elif _own_end():
                code = grpc.StatusCode.CANCELLED
                raise
            else:
                code, details = grpc.StatusCode.UNAVAILABLE, _CUT_OFF
        finally:
            watch.stop()
            rpc.cancel()
            lease.release(None if watch.done else code)
            if step and code is not grpc.StatusCode.UNIMPLEMENTED:
                call.record(self._step(step, plugin, lease.started, ok=watch.done))
        if code is not None and not watch.done:
            raise self._failed(plugin, method, code, details)
        return watch.done

    def _begun(self, lease: Lease, method: str, request: Any, call: Call) -> Any:
        """A streaming RPC. Gives the lease back if it cannot even begin."""
        plugin = lease.plugin
        try:
            return getattr(self._stub(plugin), method)(request, metadata=plugin.metadata + call.metadata)
        except BaseException as error:
            lease.unused()
            if isinstance(error, UsageError):
                raise self._failed(plugin, method, grpc.StatusCode.UNAVAILABLE, _CUT_OFF) from None
            raise

    def _stub(self, plugin: Plugin) -> StubT:
        stub: StubT | None = plugin.stubs.get(self._make_stub)
        if stub is None:
            if plugin.channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN:
                raise UsageError(_CUT_OFF)  # making a stub on a closed channel crashes gRPC, or hangs in it
            stub = plugin.stubs[self._make_stub] = self._make_stub(plugin.channel)
        return stub

    def _failed(self, plugin: Plugin, method: str, code: grpc.StatusCode, details: str) -> CallError:
        """A gRPC failure, with the name of who failed and, where the process died, how."""
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return _too_late(plugin, method)
        # Services like to repeat the key that they refuse, and what they say is printed and journaled.
        words = quoted(self._manager.redact(details))
        if code is grpc.StatusCode.UNAVAILABLE and plugin.failure is not None:
            what, step = f"{plugin.failure.what}, during {method}", plugin.failure.step
            words = what
        else:
            what, step = f"{plugin.label}: {method}: {code.name}" + (f": {words}" if words else ""), ""
        return CallError(
            what,
            step,
            code=code,
            detail=words,
            retryable=code in TRANSIENT,
            outcome_unknown=code not in REFUSALS and method not in READ_ONLY,
        )

    def _step(self, kind: str, plugin: Plugin, started: float, *, ok: bool) -> Step:
        return Step(
            kind=kind,
            provider=self.provider,
            plugin=plugin.name,
            pid=plugin.pid,
            seconds=time.monotonic() - started,
            ok=ok,
        )


class _StreamWatch:
    """Counts what a stream carries, and cancels it when its next message, or its end after the last, comes too late.

    One timer for the whole stream, which looks when the last message came: setting one for each message would cost more
    than the message.

    Attributes:
        done: The last message has come.
        expired: The stream was cancelled because it was too late.
    """

    def __init__(self, rpc: Any, gap: float) -> None:
        self._rpc = rpc
        self._gap = gap
        self._time = asyncio.get_running_loop().time
        self._last = self._time()
        self._timer = asyncio.get_running_loop().call_later(gap, self._look)
        self._received = 0
        self.done = False
        self.expired = False

    def saw(self, message: Any) -> int:
        """Bytes so far, with this message."""
        self._last = self._time()
        self._received += message.ByteSize() + MESSAGE_COST
        if message.done:
            self.done = True
            self._gap = END_GRACE
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(END_GRACE, self._look)
        return self._received

    def _look(self) -> None:
        left = self._last + self._gap - self._time()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)
            return
        self.expired = True
        self._rpc.cancel()

    def stop(self) -> None:
        self._timer.cancel()


def _own_end() -> bool:
    """Whether it is the current task that is cancelled, and not the call, whose connection somebody closed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _too_late(plugin: Plugin, method: str) -> CallError:
    return CallError(
        f"{plugin.label}: {method} did not answer within {plugin.timeout:g} s",
        f"Give it more time with security.timeout of plugin {plugin.name}, or look into its log: {plugin.log_file}",
        code=grpc.StatusCode.DEADLINE_EXCEEDED,
        detail=f"no answer within {plugin.timeout:g} s",
        outcome_unknown=method not in READ_ONLY,
    )
