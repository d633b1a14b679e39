"""The plugin that an installed Python distribution carries, found without importing any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.errors import quoted
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint
    from pathlib import Path

GROUP = "hector.plugins"
MANIFEST = "plugin.yaml"


def manifest_path(package: str, plugin: str) -> Path:
    """The manifest inside the distribution `package`.

    Args:
        package: The distribution's name.
        plugin: Chooses the entry point of that name where there are several.

    Raises:
        Failure: It is not installed here or carries no plugin.
    """
    from importlib import metadata

    try:
        distribution = metadata.distribution(package)
    except (metadata.PackageNotFoundError, ValueError):
        raise Failure(
            "exec",
            f"package {quoted(package)} is not installed beside Hector",
            f"Install it into the same environment: python -m pip install {quoted(package)}",
        ) from None
    module = _entry_point(distribution, package, plugin).module
    found = _beside_metadata(distribution, module) or _beside_code(module)
    if found is None:
        raise Failure(
            "exec",
            f"package {quoted(package)} registers {quoted(module)} as a plugin and has no {MANIFEST} in it",
            f"Put {MANIFEST} into its wheel, inside the package {quoted(module)}, and install it again.",
        )
    return found


def _entry_point(distribution: Distribution, package: str, plugin: str) -> EntryPoint:
    points = list(distribution.entry_points.select(group=GROUP))
    if len(points) == 1:
        return points[0]
    for point in points:
        if point.name == plugin:
            return point
    if not points:
        raise Failure(
            "exec",
            f"package {quoted(package)} is installed and is no plugin: it registers no entry point {GROUP}",
            "Name the distribution that carries the plugin.",
        )
    names = ", ".join(sorted(quoted(point.name) for point in points))
    raise Failure(
        "exec",
        f"package {quoted(package)} carries several plugins, and none has this name: {names}",
        "Give the plugin in the configuration one of these names.",
    )


def _beside_metadata(distribution: Distribution, module: str) -> Path | None:
    """Where wheels put it, and editable installs that force it into the wheel."""
    from pathlib import Path

    path = Path(str(distribution.locate_file("/".join([*module.split("."), MANIFEST]))))
    return path if path.is_file() else None


def _beside_code(module: str) -> Path | None:
    """Where an editable install keeps the sources. Only the top package is looked up, so nothing is imported."""
    from importlib.util import find_spec
    from pathlib import Path

    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder, *rest, MANIFEST)
        if path.is_file():
            return path
    return None
