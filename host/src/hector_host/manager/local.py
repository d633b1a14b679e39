"""One start of a plugin whose process runs here: spawned, listened to, talked to, and taken away without a trace."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager import agreement, executable, sockets
from hector_host.manager.announcement import announced
from hector_host.manager.environment import environment
from hector_host.manager.failure import Failure, Waiting
from hector_host.manager.greeting import Greeting
from hector_host.manager.lock import DirectoryLock
from hector_host.manager.plan import LaunchPlan, plan
from hector_host.manager.plugin import Plugin, label
from hector_host.manager.process import Process

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any, TypeVar

    from hector_host.config import Config, Kind, PluginConfig
    from hector_host.manager.conversation import Conversation
    from hector_host.manager.handshake import Endpoint
    from hector_host.manager.logbook import Logbook

    T = TypeVar("T")

STOP_PAUSE = 2.0
"""Seconds that a plugin has to end after each request to do so."""


class LocalInstance:
    """One process of a plugin and everything around it.

    Attributes:
        kind: What it provides, as far as that is known.
    """

    def __init__(self, plugin: PluginConfig, config: Config, book: Logbook) -> None:
        self.kind: Kind | None = plugin.kind
        self._plugin = plugin
        self._config = config
        self._book = book
        self._instance = secrets.token_hex(16)
        self._data = config.storage.path / "plugins" / plugin.name
        self._sockets: Path | None = None
        self._plan: LaunchPlan | None = None
        self._process: Process | None = None
        self._greeting: Greeting | None = None
        self._errors = book.stream()
        self._lock: DirectoryLock | None = None
        self._conversation: Conversation | None = None
        self._endpoint: Endpoint | None = None
        self._target = ""
        self._socket = -1
        self._ready = False
        self._waiting = Waiting("printed no handshake and listened on no port")

    def start(self) -> None:
        """Spawns the process at once, unless another holds its directory; then `open` waits for that.

        Raises:
            Failure: There is nothing to run, or the system does not run it.
            ConfigError: Its manifest is wrong.
        """
        self._sockets = sockets.private_folder()
        self._data.mkdir(parents=True, exist_ok=True)
        env = self._environment(self._sockets)
        self._plan = plan(self._plugin, self._config, env)
        self.kind = agreement.declared(self._plugin.kind, self._kinds)
        if self._plan.manifest is not None and self._plan.manifest.exclusive:
            self._lock = DirectoryLock(self._data)
            if not self._lock.take():
                return
        self._spawn(self._plan, env)

    async def open(self) -> Plugin:
        """Waits until the plugin takes calls.

        Raises:
            Failure: It does not become ready in time, or ever.
            Rejected: It does not take its options.
        """
        from hector_host.manager import channel, conversation, introduction  # gRPC, while the process boots

        if self._process is None and self._lock is not None and self._plan is not None and self._sockets is not None:
            await self._lock.wait(self._plugin.start_timeout)
            self._spawn(self._plan, self._environment(self._sockets))
        process, greeting = self._running()
        try:
            async with asyncio.timeout(self._plugin.start_timeout):
                self._endpoint = await announced(process, greeting, str(self._plugin.config.get("endpoint", "")))
                if self._endpoint is None:
                    raise self._too_early(process, "before it was ready")
                self._target = self._checked(self._endpoint)
                talk = conversation.Conversation(channel.connect(self._target), (), self._endpoint.address)
                self._conversation = talk
                introduced = await self._unless_it_ends(
                    process,
                    introduction.introduce(talk, self._plugin, self._kinds, configure=True, data=str(self._data)),
                )
        except TimeoutError:
            waiting = self._conversation.waiting if self._conversation is not None else self._waiting
            step = f"Give it more time with start_timeout, or look into its log: {self._book.path}"
            raise waiting.too_long(self._plugin.start_timeout, step, show_log=True) from None
        self.kind = introduced.kind
        self._ready = True
        return Plugin(
            name=self._plugin.name,
            kind=introduced.kind,
            pid=process.pid,
            channel=talk.channel,
            services=introduced.services,
            serves_plugin=introduced.serves_plugin,
            version=introduced.version,
            config=self._plugin,
            metadata=(),
            log_file=self._book.path,
            find_failure=self._failure,
        )

    async def ended(self) -> str:
        """Waits for the end of the process; the reason of the state change."""
        process, _ = self._running()
        return (await asyncio.shield(process.exited)).reason

    async def bury(self) -> None:
        """Removes what a process that has ended left behind. Calls go on failing by themselves until `close`."""
        if self._process is not None:
            await self._process.end()
        self._clean()

    async def close(self, grace: float) -> None:
        """Ends the process and removes everything that the start made. May be called again.

        Args:
            grace: Seconds for calls in flight.
        """
        try:
            if self._conversation is not None:
                await self._conversation.channel.close(grace if self._ready else None)
            if self._process is not None:
                await self._end_gently(self._process)
            await self.bury()
        finally:
            if self._conversation is not None:
                await self._conversation.channel.close()  # does not wait, so that nothing interrupts it
                self._conversation = None
            self.discard()

    def discard(self) -> None:
        """As `close`, at once and without asking the plugin."""
        if self._process is not None:
            self._process.end_now()
        self._clean()
        if self._socket >= 0 and self._conversation is None:  # an open channel would dial whatever gets the number next
            os.close(self._socket)
            self._socket = -1

    def _clean(self) -> None:
        if self._greeting is not None:
            self._greeting.close()
            self._errors.close()
            self._greeting = None
        if self._endpoint is not None and self._endpoint.network == "unix":
            sockets.remove(Path(self._endpoint.address))
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()

    @property
    def _kinds(self) -> Sequence[Kind]:
        return self._plan.manifest.kinds if self._plan is not None and self._plan.manifest is not None else ()

    def _environment(self, folder: Path) -> dict[str, str]:
        return environment(self._plugin, os.environ, instance=self._instance, sockets=folder, data=self._data)

    def _spawn(self, launch: LaunchPlan, env: dict[str, str]) -> None:
        keep = () if self._lock is None else (self._lock.descriptor,)
        try:
            self._process = Process(launch.command, env, launch.folder, self._instance, keep)
        except OSError as error:
            raise executable.diagnose(error, Path(launch.command[0])) from None
        if self._lock is not None:
            self._lock.sign(os.getpid(), self._process.pid)
        self._greeting = Greeting(self._book.stream())
        self._process.read(self._greeting.feed, self._errors.feed)

    def _running(self) -> tuple[Process, Greeting]:
        if self._process is None or self._greeting is None:
            raise Failure("exec", "was not started")
        return self._process, self._greeting

    def _checked(self, endpoint: Endpoint) -> str:
        """What gRPC dials to reach the endpoint."""
        if endpoint.network == "tcp":
            return endpoint.address
        self._socket = sockets.own_socket(Path(endpoint.address))
        return sockets.target(self._socket)

    async def _unless_it_ends(self, process: Process, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, process.exited), return_when=asyncio.FIRST_COMPLETED)
            if process.poll() is not None:
                raise self._too_early(process, "after its handshake, before it was ready")
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait((task,))

    def _too_early(self, process: Process, when: str) -> Failure:
        end = process.exited.result()
        return Failure(end.reason, f"its process ended ({end}) {when}", f"Its log: {self._book.path}", show_log=True)

    async def _end_gently(self, process: Process) -> None:
        """Shutdown if it serves that, then SIGTERM, each with a moment to follow it."""
        if process.poll() is None and self._ready and await self._asked():
            await asyncio.wait((process.exited,), timeout=STOP_PAUSE)
        if process.poll() is None:
            process.terminate()
            await asyncio.wait((process.exited,), timeout=STOP_PAUSE)

    async def _asked(self) -> bool:
        from hector_host.manager import channel, conversation

        last = channel.connect(self._target)
        try:
            return await conversation.Conversation(last, (), "").shut_down(STOP_PAUSE)
        finally:
            await last.close()

    def _failure(self) -> PluginError | None:
        end = self._process.poll() if self._process is not None else None
        if end is None:
            return None
        return PluginError(
            f"{label(self.kind, self._plugin.name)}: its process ended ({end})", f"Its log: {self._book.path}"
        )
