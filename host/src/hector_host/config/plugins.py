"""A plugin as the file declares it: where it comes from, its options, and what it may do."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from hector_host.config.entry import Clash, Entry, Section
from hector_host.config.fields import Address, Duration, FilePath, Network, Size, Text
from hector_host.config.kinds import Kind

SOURCES = ("path", "package", "command", "address")
"""Where a plugin can come from. Each has exactly one of them."""

LAUNCH_KEYS = ("env", "restart", "replicas")
"""What is about a process that is started here."""

_REMOTE_KEYS = ("tls", "metadata")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = re.compile(
    r"HECTOR_PLUGIN(_.*)?|PLUGIN_(PROTOCOL_VERSIONS|MIN_PORT|MAX_PORT|UNIX_SOCKET_.*|CLIENT_CERT|MULTIPLEX_GRPC)"
)
_METADATA = re.compile(r"[a-z0-9_.-]+")


def _tls(value: Any) -> Any:
    """`true` means the roots that the machine trusts."""
    return {} if value is True else value


def _tls_written(value: Any) -> Any:
    return None if value is None else value.model_dump(exclude_none=True) or True


class Security(Section):
    """What a plugin may do. What is not given is not limited."""

    sandbox: bool | None = None
    """Runs in an environment of its own. Not given: as the other keys need it."""
    timeout: Duration | None = None
    """How long any call of the plugin may take, such as 30s. In a stream: each wait for a message."""
    max_memory: Size | None = None
    """How much memory all its processes may use together, such as 1GB."""
    allowed_networks: list[Network] | None = None
    """What it may connect to: localhost, addresses, networks, names, *.names, each with :port or not. []: nothing."""

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """A plugin without a sandbox reaches every network, whatever the list says."""
        if given.get("sandbox") is False and given.get("allowed_networks") is not None:
            step = "Remove sandbox: false, or remove the list: without a sandbox nothing holds the plugin to it."
            yield Clash(("allowed_networks",), "cannot be kept with sandbox: false", step)


class Restart(Section):
    """How often a plugin that dies is started again."""

    max_deaths: Annotated[int, Field(ge=0, le=1000)] = 5
    """Deaths within the window after which it is given up."""
    window: Duration = 60.0
    """The time in which deaths are counted, such as 60s."""


class TLS(Section):
    """How the connection to an address is secured. Empty: by the roots that this machine trusts."""

    ca: FilePath | None = None
    """Certificates (PEM) of those who may sign the plugin's."""
    cert: FilePath | None = None
    """This host's own certificate (PEM), where the plugin asks for one."""
    key: FilePath | None = None
    """The private key (PEM) of `cert`."""
    server_name: Text | None = None
    """The name in the plugin's certificate, where it is not the address's."""

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """A certificate and its key go together."""
        for one, other in (("cert", "key"), ("key", "cert")):
            if given.get(one) is not None and given.get(other) is None:
                yield Clash((one,), f"needs {other} beside it", f"Add {other}, or remove {one}.")


class PluginConfig(Entry):
    """A plugin: a process that Hector starts (path, package, command), or one that listens already (address)."""

    type: Literal["grpc"] = "grpc"
    """The way to talk to it. There is one."""
    path: FilePath | None = None
    """An executable, a folder with plugin.yaml, or a .py file."""
    package: Text | None = None
    """An installed Python distribution that carries a plugin."""
    command: Annotated[list[Text], Field(min_length=1)] | None = None
    """A program and its arguments."""
    address: Address | None = None
    """Where it listens: host:port, dns:///host:port or unix:PATH."""
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Its options. The plugin says which there are; `hector info` prints them."""
    security: Security = Field(default_factory=Security)
    """What it may do."""
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    """Variables for its environment, which holds nothing else of this one's."""
    restart: Restart = Field(default_factory=Restart)
    """How often it is started again."""
    replicas: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes of it that run side by side."""
    max_concurrency: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Calls that each of its processes or addresses gets at a time."""
    max_queue: Annotated[int, Field(ge=0, le=1_000_000)] = 64
    """Calls that wait for their turn; what comes on top is refused."""
    tls: Annotated[TLS | None, BeforeValidator(_tls), PlainSerializer(_tls_written)] = None
    """How the connection to its address is secured. true: by the roots that this machine trusts."""
    metadata: dict[str, str] = Field(default_factory=dict, repr=False)
    """What every call to its address carries, such as an authorization."""
    start_timeout: Duration = 60.0
    """How long it may take to be ready, such as 60s."""

    @property
    def name(self) -> str:
        """Its key in the file."""
        return self.id

    @property
    def kind(self) -> Kind | None:
        """What it provides, where its group in the file tells."""
        return self._place.kind

    @property
    def variables(self) -> dict[str, str]:
        """The variables that its own part of the file names, with their values."""
        return dict(self._place.variables)

    @property
    def source(self) -> str:
        """Which of `SOURCES` it has."""
        return next(source for source in SOURCES if getattr(self, source) is not None)

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """One source; and what is about a process needs a process that is started here."""
        yield from _source_clashes(given)
        yield from _names_clashes(given)


def _source_clashes(given: Mapping[str, Any]) -> Iterator[Clash]:
    sources = [source for source in SOURCES if source in given]
    if not sources:
        yield Clash((), "does not say where the plugin is", f"Add one of {', '.join(SOURCES)}.")
    for surplus in sources[1:]:
        yield Clash((surplus,), f"is a second source beside {sources[0]}", "Keep one of them.")
    if sources[:1] == ["address"]:
        yield from _remote_clashes(given)
    elif sources:
        for key in [key for key in _REMOTE_KEYS if key in given]:
            yield Clash((key,), "is for plugins with an address", f"Remove it: {sources[0]} starts a process here.")


def _remote_clashes(given: Mapping[str, Any]) -> Iterator[Clash]:
    step = "Remove it: whoever starts the process decides."
    for key in [key for key in LAUNCH_KEYS if key in given]:
        yield Clash((key,), "is for plugins that are started here", step)
    security = given.get("security")
    limits = security if isinstance(security, dict) else {}
    for key in ("sandbox", "max_memory", "allowed_networks"):
        if limits.get(key) not in (None, False):
            yield Clash(("security", key), "cannot be enforced behind an address", step)


def _names_clashes(given: Mapping[str, Any]) -> Iterator[Clash]:
    """Names in `env` and `metadata` that are no names there, or are set by the host."""
    for name in _keys(given.get("env")):
        if not _VARIABLE.fullmatch(name):
            yield Clash(("env", name), "cannot name a variable", "Use letters, digits and _.")
        elif _OURS.fullmatch(name):
            yield Clash(("env", name), "is set by Hector", "Remove it.")
    for name in _keys(given.get("metadata")):
        if not _METADATA.fullmatch(name) or name.startswith(("grpc-", "hector-")) or name.endswith("-bin"):
            step = "Use small letters, digits, -, _ and .; not grpc-… or hector-… and not …-bin."
            yield Clash(("metadata", name), "cannot name metadata", step)


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []
