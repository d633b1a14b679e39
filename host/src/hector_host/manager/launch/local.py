"""One start of a plugin whose process runs here: spawned, listened to, talked to, and taken away without a trace."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager.connect import agreement
from hector_host.manager.failure import Failure, Waiting
from hector_host.manager.launch import executable, sockets
from hector_host.manager.launch.announcement import GRACE, TCP_GRACE, announced
from hector_host.manager.launch.environment import environment
from hector_host.manager.launch.greeting import Greeting
from hector_host.manager.launch.plan import LaunchPlan, plan
from hector_host.manager.launch.transport import Transport, chosen
from hector_host.manager.launch.workplace import Workplace
from hector_host.manager.plugin import Plugin, label
from hector_host.manager.processes.process import Process

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any, TypeVar

    from hector_host.config import Kind
    from hector_host.manager.connect.connection import Connection
    from hector_host.manager.connect.identity import Identity
    from hector_host.manager.connect.introduction import Introduction
    from hector_host.manager.instance import Edition
    from hector_host.manager.logs.logbook import Stream

    T = TypeVar("T")

STOP_PAUSE = 2.0
"""Seconds that a plugin has to end after each request to do so."""

_SILENCE = Waiting("printed no handshake and listened on no port")


@dataclass(frozen=True, slots=True)
class _Running:
    """The spawned process, its private folder, and what is made of its output."""

    process: Process
    folder: Path
    greeting: Greeting
    errors: Stream

    def close_logs(self) -> None:
        self.greeting.close()
        self.errors.close()

    def remove_socket(self) -> None:
        """Takes away what a plugin that was killed could not, wherever it put it."""
        heard = self.greeting.heard
        if heard.done() and heard.exception() is None and heard.result().network == "unix":
            sockets.remove(Path(heard.result().address))


class LocalInstance:
    """One process of a plugin and everything around it."""

    def __init__(self, edition: Edition) -> None:
        self.kind: Kind | None = edition.plugin.kind
        self.exclusive = False
        self.address = ""
        self.command: tuple[str, ...] = ()
        self._plugin = edition.plugin
        self._config = edition.config
        self._book = edition.book
        self._warden = edition.warden
        self._manifest_kinds: Sequence[Kind] = ()
        self._workplace: Workplace | None = None
        self._postponed: LaunchPlan | None = None
        self._program = Path()
        self._identity: Identity | None = None
        self._running: _Running | None = None
        self._connection: Connection | None = None
        self._ready = False

    @property
    def pid(self) -> int:
        """Its process; 0 while there is none."""
        return 0 if self._running is None else self._running.process.pid

    @property
    def over(self) -> bool:
        """Its process is known to have ended."""
        return self._running is not None and self._running.process.exited.done()

    def start(self) -> None:
        """Spawns the process at once, unless another holds its directory; then `open` waits for that.

        Raises:
            Failure: There is nothing to run.
            ConfigError: Its manifest is wrong.
        """
        launch = plan(self._plugin, self._config, os.environ)
        self.command = launch.command
        if launch.manifest is not None:
            self._manifest_kinds = launch.manifest.kinds
        self.kind = agreement.declared(self._plugin.kind, self._manifest_kinds)
        self._workplace = Workplace(self._warden, self._config.storage.path / "plugins" / self._plugin.name)
        self.exclusive = launch.manifest is not None and launch.manifest.exclusive
        if self.exclusive and not self._workplace.claim():
            self._postponed = launch
            return
        self._spawn(launch, self._workplace)

    async def open(self) -> Plugin:
        """Waits until the plugin takes calls.

        Raises:
            Failure: The system does not run it, or it does not become ready in time, or ever.
            Rejected: It does not take its options.
        """
        await self._spawn_postponed()
        running = self._spawned()
        try:
            async with asyncio.timeout(self._plugin.start_timeout):
                await self._until_it_runs(running.process)
                connection = await self._connect(running)
                introduced = await self._unless_it_ends(running.process, self._introduce(connection))
        except TimeoutError:
            waiting = _SILENCE if self._connection is None else self._connection.conversation.waiting
            step = f"Give it more time with start_timeout, or look into its log: {self._book.path}"
            raise waiting.too_long(self._plugin.start_timeout, step, show_log=True) from None
        self.kind = introduced.kind
        self._ready = True
        return Plugin(
            name=self._plugin.name,
            kind=introduced.kind,
            pid=running.process.pid,
            channel=connection.conversation.channel,
            services=introduced.services,
            serves_plugin=introduced.serves_plugin,
            version=introduced.version,
            config=self._plugin,
            metadata=(),
            log_file=self._book.path,
            find_failure=self.failure,
            endpoint=connection.endpoint,
        )

    async def ended(self) -> str:
        """Waits for the end of the process; the reason of the state change."""
        return (await asyncio.shield(self._spawned().process.exited)).reason

    def failure(self) -> PluginError | None:
        """How its process ended; None while it lives."""
        end = self._running.process.poll() if self._running is not None else None
        if end is None:
            return None
        who = label(self.kind, self._plugin.name)
        return PluginError(f"{who}: its process ended ({end})", f"Its log: {self._book.path}")

    async def bury(self) -> None:
        """Removes what a process that has ended left behind. Calls go on failing by themselves until `close`."""
        if self._running is not None:
            await self._running.process.end()
        if self._connection is not None:
            await self._connection.hear_out()
        self.discard()

    async def close(self, grace: float) -> None:
        """Ends the process and removes everything that the start made. May be called again.

        Args:
            grace: Seconds for calls in flight.
        """
        try:
            if self._connection is not None:
                await self._connection.finish_calls(grace if self._ready else None)
            if self._running is not None:
                await self._end_gently(self._running.process)
            await self.bury()
        finally:
            if self._connection is not None:
                await self._connection.close()
            self.discard()

    def discard(self) -> None:
        """Ends the process at once and removes what it has on disk. May be called again."""
        if self._running is not None:
            self._running.process.end_now()
            self._running.close_logs()
            self._running.remove_socket()
        if self._connection is not None:
            self._connection.discard()
        if self._workplace is not None:
            self._workplace.clear()

    async def _spawn_postponed(self) -> None:
        """Spawns the process as soon as its directory is free."""
        if self._postponed is not None and self._workplace is not None and self._workplace.lock is not None:
            await self._workplace.lock.wait(self._plugin.start_timeout)
            self._spawn(self._postponed, self._workplace)

    def _spawn(self, launch: LaunchPlan, workplace: Workplace) -> None:
        if chosen(os.environ) is Transport.TCP:
            from hector_host.manager.connect.identity import issue

            self._identity = issue()
        instance = f"{workplace.sockets}/{secrets.token_hex(16)}"
        env = environment(
            self._plugin,
            os.environ,
            instance=instance,
            sockets=workplace.sockets,
            data=workplace.data,
            certificate="" if self._identity is None else self._identity.certificate.decode(),
        )
        process = Process(self._warden, launch.command, env, launch.folder, instance, workplace.inherited)
        greeting = Greeting(self._book.stream(), tls=self._identity is not None)
        self._program = Path(launch.command[0])
        self._running = _Running(process, workplace.sockets, greeting, self._book.stream())
        process.read(self._running.greeting.feed, self._running.errors.feed)

    async def _until_it_runs(self, process: Process) -> None:
        try:
            pid = await asyncio.shield(process.spawned)
        except OSError as error:
            raise executable.diagnose(error, self._program) from None
        if self._workplace is not None and self._workplace.lock is not None:
            self._workplace.lock.sign(os.getpid(), pid)

    def _spawned(self) -> _Running:
        if self._running is None:
            raise Failure("exec", "was not started")
        return self._running

    async def _connect(self, running: _Running) -> Connection:
        from hector_host.manager.connect.connection import Connection  # gRPC comes in while the process boots

        wanted, grace = str(self._plugin.config.get("endpoint", "")), GRACE if self._identity is None else TCP_GRACE
        endpoint = await announced(running.process, running.greeting, wanted, grace)
        if endpoint is None:
            raise self._too_early(running.process, "before it was ready")
        self._connection = await Connection.open(endpoint, self._identity, running.folder)
        return self._connection

    async def _introduce(self, connection: Connection) -> Introduction:
        """Its options are in its environment already, so nobody learns of them who must not, whoever it is."""
        from hector_host.manager.connect.introduction import Configuration, introduce

        talk = connection.conversation
        data = "" if self._workplace is None else str(self._workplace.data)
        async with Configuration(talk, self._plugin, data) as configuration:
            configuration.begin()
            description = await talk.describe()
            connection.attend(self._book, at_once=not description.serves_plugin)
            return await introduce(talk, description, self._plugin, self._manifest_kinds, configuration)

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
        connection = self._connection if self._ready and process.poll() is None else None
        if connection is not None and await connection.shut_down(STOP_PAUSE):
            await asyncio.wait((process.exited,), timeout=STOP_PAUSE)
        if process.poll() is None:
            process.terminate()
            await asyncio.wait((process.exited,), timeout=STOP_PAUSE)
