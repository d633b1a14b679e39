"""The life of a plugin's providers: configured, started, ready, stopped.

At most one start runs. Configuring with what is already in force joins it; with something else the providers are
stopped and started anew. Calls are let in only between a start that ended well and the next stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from hector_sdk import options
from hector_sdk.errors import Status, as_status
from hector_sdk.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hector_sdk.providers import Provider

log = logging.getLogger("hector_sdk")

NOT_CONFIGURED = (grpc.StatusCode.FAILED_PRECONDITION, "the plugin is not configured: call Plugin.Configure first")
STARTING = (grpc.StatusCode.UNAVAILABLE, "the plugin is still starting: wait until its health is SERVING")
CLOSING = 1.0
"""Seconds that cancelled calls get to leave before the providers are stopped for good."""
STOPPING = (grpc.StatusCode.UNAVAILABLE, "the plugin is stopping")


@dataclass(frozen=True)
class Settings:
    """What a host configures.

    Attributes:
        config: The options, not yet validated.
        data_dir: Empty: none.
        name: The plugin's key in the host's configuration.
    """

    config: dict[str, Any] = field(default_factory=dict, repr=False)
    data_dir: str = ""
    name: str = ""


class Lifecycle:
    """Starts and stops the providers of one process.

    Attributes:
        gate: Open while the providers are ready.
    """

    def __init__(
        self,
        providers: Sequence[Provider[Any]],
        settings: Settings | None = None,
        on_ready: Callable[[bool], Awaitable[None]] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """Nothing starts yet.

        Args:
            providers: In the order in which they start.
            settings: What the environment says; Configure's empty name and data_dir leave them as they are.
            on_ready: Told when the providers are ready (True), and before they stop (False).
            shared: Options that no provider knows are those of others in this process.
        """
        self.gate = Gate(*NOT_CONFIGURED)
        self._providers = providers
        self._settings = settings or Settings()
        self._on_ready = on_ready
        self._shared = shared
        self._starting: asyncio.Task[None] | None = None
        self._started: list[Provider[Any]] = []

    def begin(self) -> None:
        """Start with the settings of the environment, without waiting for the end."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._restart(None))

    async def configure(self, settings: Settings) -> None:
        """Start with these settings, and wait until the providers are ready.

        Raises:
            InvalidOptions: The options are wrong.
            Status: What else a provider's start raised; FAILED_PRECONDITION for a Failure, INTERNAL for a bug.
        """
        new = replace(
            settings, data_dir=settings.data_dir or self._settings.data_dir, name=settings.name or self._settings.name
        )
        if self._starting is None or new != self._settings:
            self._settings, previous = new, self._starting
            self._starting = asyncio.create_task(self._restart(previous))
        await self.started()

    async def started(self) -> None:
        """Wait for the start under way. One that failed is told once; the next `configure` tries again."""
        task = self._starting
        if task is None:
            return
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise Status(grpc.StatusCode.ABORTED, "superseded by a Configure with other options") from None
            raise
        except Status:
            if self._starting is task:
                self._starting = None
            raise

    async def close(self) -> None:
        """Stop everything, for good."""
        task, self._starting = self._starting, None
        self.gate.shut(*STOPPING)
        await self._stop(task, CLOSING)

    async def _restart(self, previous: asyncio.Task[None] | None) -> None:
        self.gate.shut(*STARTING)
        await self._stop(previous)
        try:
            await self._start()
        except Exception as error:
            failure = as_status(error)
            self.gate.shut(grpc.StatusCode.FAILED_PRECONDITION, f"the plugin did not start: {failure.message}")
            log.error("cannot start: %s", failure.message, exc_info=None if failure is error else error)  # noqa: TRY400
            raise failure from None
        self.gate.open()
        await self._tell(ready=True)

    async def _start(self) -> None:
        classes = [each.options_class for each in self._providers]
        made = options.validated(classes, self._settings.config, shared=self._shared)
        data_dir = Path(self._settings.data_dir) if self._settings.data_dir else None
        if data_dir:
            data_dir.mkdir(parents=True, exist_ok=True)
        for provider, own in zip(self._providers, made, strict=True):
            provider.options, provider.data_dir, provider.name = own, data_dir, self._settings.name
        try:
            for provider in self._providers:
                await provider.start()
                self._started.append(provider)
        except BaseException:
            await self._stop(None)
            raise

    async def _stop(self, starting: asyncio.Task[None] | None, patience: float | None = None) -> None:
        if starting is not None:
            starting.cancel()
            await asyncio.wait((starting,))
        await self._tell(ready=False)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gate.idle(), patience)
        while self._started:
            provider = self._started.pop()
            try:
                await provider.stop()
            except Exception:
                log.exception("stopping %s failed", provider.service)
            await provider.release()

    async def _tell(self, *, ready: bool) -> None:
        if self._on_ready:
            await self._on_ready(ready)
