"""`hector plugin pack`: one file of a plugin, for other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pack(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder that holds the plugin's plugin.yaml.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Where to write; PATH/dist if not given.", show_default=False
        ),
    ] = None,
) -> None:
    """Pack a plugin into an archive with checksums. The same sources give the same bytes, wherever they are packed.

    A plugin in Go is built, and its program packed; of any other its sources are. Environments, caches, data and what
    may hold secrets (.env, *.pem, *.key) are left out.

    For example:

        hector plugin pack my-llm
    """
    from hector_host.authoring import archive
    from hector_host.errors import quoted

    packed = archive.pack(path, output or path / "dist")
    if packed.left_out:
        print(f"Left out, because they may hold secrets: {', '.join(map(quoted, packed.left_out))}")
    print(f"{packed.path}: {packed.files} files, {packed.size:,} bytes")
    print(f"SHA-256 {packed.sha256}, also in {packed.path.name}.sha256")
