"""What kind of plugin it is: its group in the configuration, its manifest and the running process must agree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.config.kinds import Kind
from hector_host.errors import quoted
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Collection

CONTRACT = "hector.plugin.v1."


def declared(group: Kind | None, manifest: Collection[Kind]) -> Kind | None:
    """The kind, as far as it is known before anything runs.

    Args:
        group: The kind whose group in the configuration lists the plugin.
        manifest: The kinds in its manifest; empty when there is no manifest.

    Raises:
        Failure: The two say different things.
    """
    if group is None:
        return next(iter(manifest)) if len(manifest) == 1 else None
    if manifest and group not in manifest:
        raise Failure(
            "kind",
            f"the configuration lists it as {group}, its manifest says {_listed(manifest)}",
            _move(manifest),
        )
    return group


def confirmed(
    group: Kind | None, manifest: Collection[Kind], services: frozenset[str] | None
) -> tuple[Kind | None, frozenset[str]]:
    """The kind and the services of a running plugin.

    Args:
        services: Full names of what the process serves; None when it cannot say.

    Returns:
        The kind is None for a process of several kinds that no group lists.

    Raises:
        Failure: It does not serve what it is declared to be, or nobody knows what it is.
    """
    expected = [group] if group is not None else list(manifest)
    if services is None:
        if not expected:
            raise Failure(
                "kind",
                "nothing says what it provides: no group in the configuration, no manifest, no Describe, no reflection",
                "List it under the group of its kind, for example plugins.llm_providers.",
            )
        return declared(group, manifest), frozenset(kind.service for kind in expected)
    served = [kind for kind in Kind if kind.service in services]
    missing = [kind for kind in expected if kind not in served]
    if missing:
        who = "the configuration lists it as" if group is not None else "its manifest says"
        raise Failure("kind", f"{who} {missing[0]}, its process serves {_named(served, services)}", _move(served))
    if not served:
        raise Failure("kind", f"its process serves {_named(served, services)}", _move(served))
    kind = expected[0] if len(expected) == 1 else served[0] if len(served) == 1 else None
    return kind, services


def _named(served: Collection[Kind], services: frozenset[str]) -> str:
    if served:
        return _listed(served)
    foreign = sorted(quoted(name, 100) for name in services if not name.startswith(("grpc.", "plugin.", CONTRACT)))
    return "no kind of plugin" + (f" but {', '.join(foreign[:5])}" if foreign else "")


def _listed(kinds: Collection[Kind]) -> str:
    return ", ".join(str(kind) for kind in kinds)


def _move(kinds: Collection[Kind]) -> str:
    if kinds:
        return f"List it under plugins.{next(iter(kinds)).group}, or name another plugin."
    return "Name another plugin, or let this one serve a service of hector.plugin.v1."
