"""Who the plugin is: what `serve` was told, else what its installed distribution says."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """As Describe tells it; empty fields are looked up by `completed`."""

    name: str = ""
    version: str = ""
    description: str = ""

    def completed(self) -> Identity:
        """Fill what is empty from the distribution whose module is being run, else from the file's name."""
        from importlib import metadata

        module = _module()
        try:
            found = metadata.metadata(module)
            known = Identity(found["Name"].removeprefix("hector-"), found["Version"], found["Summary"] or "")
        except metadata.PackageNotFoundError:
            known = Identity(module.removeprefix("hector-"))
        return replace(
            self,
            name=self.name or known.name,
            version=self.version or known.version,
            description=self.description or known.description,
        )


def command() -> str:
    """How this program was started, for people to repeat."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None:
        return f"python -m {spec.parent or spec.name}"
    return f"python {sys.argv[0]}"


def _module() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    module = (spec.parent or spec.name).partition(".")[0] if spec is not None else Path(sys.argv[0]).stem
    return str(module).replace("_", "-")
