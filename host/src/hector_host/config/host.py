"""The host's own sections: where it looks for plugins, keeps its data, and listens."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from hector_host.config.entry import Section
from hector_host.config.fields import FilePath, Text


class Discovery(Section):
    """Where plugins are looked for that the file does not declare. Manifests are read, nothing is executed."""

    enabled: bool = False
    """Whether to look."""
    paths: list[FilePath] = Field(
        default_factory=lambda: [Path("plugins"), Path("~/.hector/plugins")], validate_default=True
    )
    """Folders to look in, for FOLDER/*/plugin.yaml and FOLDER/EXECUTABLE.plugin.yaml. Those listed must be there."""


class Storage(Section):
    """Where this host keeps what it must not lose."""

    path: FilePath = Field(default=Path(".hector"), validate_default=True)
    """The folder of runs, sessions and plugins' data."""


class Server(Section):
    """Where `hector serve` listens."""

    host: Text = "127.0.0.1"
    """The loopback address to listen on, or unix:PATH for a socket, relative to this file."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port to listen on; 0 for any that is free. A unix socket has none."""
