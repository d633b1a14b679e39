"""The plugin under test, as often as a case needs it: one process for all that only ask, others for those that end it.

It is started as a host starts it, by the host's own manager, so what the suite sees is what a user will see.
"""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import yaml
from grpc.aio import AioRpcError

from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub
from hector_conformance.case import NotOffered
from hector_conformance.instance import Instance
from hector_conformance.offered import offers
from hector_conformance.starting import planned, refused
from hector_host.config import Kind, load
from hector_host.errors import HectorError, quoted
from hector_host.manager import Manager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType

    from hector_conformance.settings import Settings
    from hector_conformance.target import Target
    from hector_host.config import PluginConfig
    from hector_host.manager import Plugin
    from hector_host.manager.launch.plan import LaunchPlan

T = TypeVar("T")

NAME = 60
"""Characters of a plugin's name that are shown."""
NO_RESTART = "an address cannot be restarted here"


class Subject:
    """The plugin under test. An async context manager: when it is left, nothing of the plugin is left.

    Attributes:
        target: Where it is.
        settings: What its author tells the suite.
        config: The options with which it is started, unless a case says otherwise.
        kinds: What it provides; known once it was started.
        name: By its manifest, else by what it says of itself, else by where it is; safe to print.
        version: Its own.
        plan: How it is started; None for an address, and before the first start.
        entry: Its part of the configuration with which it was started first.
        bare: It prints no handshake; None: nobody knows yet.

    Args:
        config: Laid over the options of the settings.
        kind: What it is taken for; None: what it says itself.
    """

    def __init__(
        self, target: Target, settings: Settings, config: Mapping[str, Any] | None = None, kind: Kind | None = None
    ) -> None:
        self.target = target
        self.settings = settings
        self.config = {**settings.config, **(config or {})}
        self.kinds: tuple[Kind, ...] = () if kind is None else (kind,)
        self.name = target.stem
        self.version = ""
        self.plan: LaunchPlan | None = None
        self.entry: PluginConfig | None = None
        self.bare: bool | None = None
        self._kind = kind
        self._known = False
        self._found: dict[str, Any] = {}
        self._offered: dict[str, bool] = {}
        self._shared: Instance | None = None
        self._scope = AsyncExitStack()
        self._shared_scope = AsyncExitStack()

    async def __aenter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="hector-conformance-", ignore_cleanup_errors=True)
        self._folder = Path(self._scope.enter_context(folder))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        async with self._scope:
            await self._shared_scope.aclose()

    @property
    def restartable(self) -> bool:
        """It is started here; an address is not."""
        return self.target.path is not None

    @property
    def exclusive(self) -> bool:
        """It owns its data directory: no second process may use the same."""
        return self.plan is not None and self.plan.manifest is not None and self.plan.manifest.exclusive

    @property
    def limit(self) -> float:
        """Seconds for a start, and for each case."""
        return self.settings.timeout

    def folder(self) -> Path:
        """A new folder: for the data of instances that shall see the same, or for a case's own files."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def data_directory(self, folder: Path) -> Path:
        """Where the plugin keeps its data when it runs on a `folder()`."""
        return folder / "plugins" / self.target.name

    @asynccontextmanager
    async def running(
        self, *, fresh: bool = False, config: Mapping[str, Any] | None = None, data: Path | None = None
    ) -> AsyncIterator[Instance]:
        """The plugin, ready for calls.

        Without arguments it is the one that all such cases share, which is started anew if it has ended. With any of
        them it is a process of its own, which ends with the block.

        Args:
            fresh: A process of its own, alike in all else.
            config: Its options, instead of `Subject.config`.
            data: A `folder()`: who is started with the same one has the same data directory.

        Raises:
            NotOffered: A process of its own is asked of an address.
            StartError: It never became ready.
            ConfigError: It rejects its options.
        """
        if not fresh and config is None and data is None:
            yield await self._share()
            return
        if not self.restartable:
            raise NotOffered(NO_RESTART)
        if self.bare:
            await self.rest()  # two of it would share a port
        async with self._started(self.config if config is None else config, data or self.folder()) as instance:
            yield instance

    async def offers(self, rpc: str) -> bool:
        """Whether it serves an RPC of the contract, by its name. Asked once; an answer of UNIMPLEMENTED is a no."""
        if rpc not in self._offered:
            self._offered[rpc] = await offers((await self._share()).channel, rpc, self.settings)
        return self._offered[rpc]

    async def once(self, what: str, find: Callable[[], Awaitable[T]]) -> T:
        """What several cases look at, found out by the first of them: a start takes time.

        Args:
            what: Its name.
            find: Finds it out. That it is not offered holds for everybody.
        """
        if what not in self._found:
            try:
                self._found[what] = await find()
            except NotOffered as reason:
                self._found[what] = reason
        if isinstance(self._found[what], NotOffered):
            raise self._found[what]
        found: T = self._found[what]
        return found

    @property
    def end(self) -> str:
        """How the shared process ended; empty while it lives."""
        return "" if self._shared is None else self._shared.end

    async def rest(self) -> None:
        """Ends the shared process; the next case that needs one starts it anew."""
        self._shared = None
        await self._shared_scope.aclose()

    async def _share(self) -> Instance:
        if self._shared is None or self._shared.end:
            await self.rest()
            self._shared = await self._shared_scope.enter_async_context(self._started(self.config, self.folder()))
        return self._shared

    @asynccontextmanager
    async def _started(self, config: Mapping[str, Any], data: Path) -> AsyncIterator[Instance]:
        loaded = load(self._configuration(config, data))
        if self.restartable:
            self.plan = planned(loaded, self.target)
        self.entry = self.entry or loaded.plugins[self.target.name]
        async with Manager(loaded, notice=lambda _: None, grace=0) as manager:
            try:
                plugin = await manager.ready(self.target.name)
            except HectorError as error:
                raise refused(error, self.target, self.plan) from None
            await self._meet(plugin)
            yield Instance(plugin, data)

    async def _meet(self, plugin: Plugin) -> None:
        self.version = plugin.version
        if self._kind is None:
            self.kinds = tuple(kind for kind in Kind if kind.service in plugin.services)
        if self._known:
            return
        self._known = True
        said = "" if self.plan is None or self.plan.manifest is None else self.plan.manifest.name
        if not said and plugin.serves_plugin:
            describe = PluginStub(plugin.channel).Describe
            with suppress(AioRpcError):
                said = (await describe(DescribeRequest(), timeout=self.limit, metadata=plugin.metadata)).name
        self.name = quoted(said, NAME) or self.name

    def _configuration(self, config: Mapping[str, Any], data: Path) -> Path:
        """The file of a host that knows this plugin alone."""
        entry: dict[str, Any] = dict(self.target.source)
        if config or self.restartable:
            entry["config"] = dict(config)
        entry["start_timeout"] = f"{self.limit:g}s"
        if self.restartable:
            entry["restart"] = {"max_deaths": 0}  # a case that ends a process starts the next one itself
        named = {self.target.name: entry}
        plugins = named if self._kind is None else {self._kind.group: named}
        file = Path(tempfile.mkstemp(".yaml", "hector-", self._folder)[1])
        file.write_text(yaml.safe_dump({"plugins": plugins, "storage": {"path": str(data)}}), encoding="utf-8")
        return file
