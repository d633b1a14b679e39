"""Puts the templates of `hector plugin new` into the wheel: the reference plugins' sources, the contract and the SDKs.

They lie in the wheel as in the checkout, below `hector_host/templates`; there is no committed copy. A source
distribution carries them below `templates`, so that a wheel can be built from it too.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Templates(BuildHookInterface[Any]):
    """Adds the files to what is built. Editable installs read the checkout instead."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Names each file and its place in the archive."""
        if version == "editable":
            return
        host = Path(self.root)
        sources = runpy.run_path(str(host / "src/hector_host/authoring/sources.py"))
        carried = host / "templates"
        origin = carried if carried.is_dir() else host.parent
        inside = "templates" if self.target_name == "sdist" else "hector_host/templates"
        for path in sources["carried_files"](origin):
            build_data["force_include"][str(origin / path)] = f"{inside}/{path.as_posix()}"
