"""`hector plugin install`: a plugin put where hosts find it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.plugin_new import FindLinksOption
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from hector_host.config import Config
    from hector_host.config.manifest import Manifest

HOME = Path("~/.hector/plugins")
"""One of the folders that discovery looks in where the configuration names none."""


def install(
    source: Annotated[Path, typer.Argument(metavar="PATH|ARCHIVE", help="A plugin's folder, or its archive.")],
    *,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="Where plugins are discovered. Without it: the first folder that the configuration discovers plugins"
            " in, or ~/.hector/plugins.",
            show_default=False,
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option("--sha256", metavar="HEX", help="What the archive's checksum has to be.", show_default=False),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the installed one of that name.", show_default=False)
    ] = False,
    find_links: FindLinksOption = None,
) -> None:
    """Install a plugin from its folder or its archive: check it, build what it needs, and put it where it is found.

    The archive's checksum is compared with the file ARCHIVE.sha256 beside it, if there is one, and with --sha256. If it
    is in Python it gets a .venv of its own; if it is a folder in Go it is built. Building runs what the plugin brings:
    install what you would run.

    For example:

        hector plugin install my-llm-0.1.0.tar.gz
    """
    from hector_host.authoring.installation import Request, install

    config = _configuration()
    folder = into or _discovered(config) or HOME.expanduser()
    request = Request(source, folder, sha256, replace, tuple(find_links or ()))
    manifest = install(request, lambda line: print(line, flush=True))
    print(f"{manifest.name} {manifest.version} is installed in {manifest.file.parent}")
    print(_use(manifest, config))


def _configuration() -> Config | None:
    """The configuration that commands in this folder use, if there is one that can be read."""
    from hector_host.config import declared, find

    try:
        file = find(None, os.environ)
    except ConfigError:
        return None
    try:
        return declared(file)
    except ConfigError:
        print(f"{file}: is not valid (hector validate says why), so it is passed over")
        return None


def _discovered(config: Config | None) -> Path | None:
    return config.discovery.paths[0] if config and config.discovery.enabled and config.discovery.paths else None


def _use(manifest: Manifest, config: Config | None) -> str:
    """How it is used from now on."""
    name, place = manifest.name, manifest.file.parent
    folders = {os.path.realpath(path) for path in config.discovery.paths} if config and config.discovery.enabled else ()
    if config is not None and os.path.realpath(place.parent) in folders:
        return f'{config.file.name} discovers it: name it as "plugin:{name}".'
    entries = "".join(f"    {kind.group}:\n      {name}: {{path: {place}}}\n" for kind in manifest.kinds)
    discovery = f"  plugins:\n    discovery: {{enabled: true, paths: [{place.parent}]}}"
    declared = f'Add to the configuration, and name it as "plugin:{name}":\n  plugins:\n{entries}'
    return f"{declared}Or have it discovered:\n{discovery}"
