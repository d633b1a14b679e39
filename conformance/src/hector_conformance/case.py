"""A case: one promise of the contract, and the coroutine that puts a plugin to it.

    @case(Kind.LLM, "statuses", requires=("GenerateText",))
    async def unknown_model_is_not_found(subject: Subject) -> None:
        "A model that does not exist is NOT_FOUND."
        async with subject.running() as instance:
            ...

A case passes when it returns. It raises `Failed` when the promise is broken, and `NotOffered` when the plugin makes no
such promise. Its name is its function's, its title the first line of its docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector_conformance.subject import Subject
    from hector_host.config import Kind

    Run = Callable[[Subject], Awaitable[None]]

GROUPS = (
    "contract",
    "statuses",
    "empty input",
    "huge input",
    "concurrency",
    "cancellation",
    "deadlines",
    "purity",
    "receipts",
    "statelessness",
    "durability",
    "restart",
)
"""The groups, in the order in which they run and are reported: the ones that end processes come last."""

RESTART = "restart"
"""In `requires`: the case ends the plugin's process or starts a second one, which cannot be done to an address."""


class Failed(Exception):  # noqa: N818  a verdict, not an error of the suite
    """The promise is broken. The text says what was asked and both sides of the difference; `quoted` if foreign."""


class NotOffered(Exception):  # noqa: N818  as above
    """The plugin does not make this promise. The text says why, as it stands after `not offered: `."""


@dataclass(frozen=True, slots=True)
class Case:
    """One promise.

    Attributes:
        kind: Of the plugins that make it; None for all.
        group: One of `GROUPS`.
        name: As `conformance.yaml` and reports call it, e.g. `llm.unknown_model_is_not_found`.
        title: For people, one line.
        requires: `RESTART`, and names of RPCs that the plugin has to serve; else the case is not offered.
        run: Puts a plugin to it.
    """

    kind: Kind | None
    group: str
    name: str
    title: str
    requires: tuple[str, ...]
    run: Run


_registry: dict[str, Case] = {}


def case(kind: Kind | None, group: str, *, requires: tuple[str, ...] = ()) -> Callable[[Run], Run]:
    """Registers a coroutine as a case; the modules of `hector_conformance.cases` are imported when the suite begins."""

    def register(run: Run) -> Run:
        family = run.__module__.rpartition(".")[2]
        name = f"{family}.{run.__name__}"
        title = (run.__doc__ or "").partition("\n")[0].rstrip(".")
        if group not in GROUPS or not title or name in _registry:
            raise TypeError(f"{name} is no case: it needs a group, a docstring and a name of its own")
        _registry[name] = Case(kind, group, name, title, requires, run)
        return run

    return register


def every() -> list[Case]:
    """All cases: those of every plugin, then kind by kind, in the order of `GROUPS`."""
    from hector_conformance.cases import load
    from hector_host.config import Kind

    order = {family: index for index, family in enumerate(load())}
    kinds = [None, *Kind]
    place = {name: order[name.partition(".")[0]] for name in _registry}
    return sorted(
        _registry.values(), key=lambda each: (kinds.index(each.kind), GROUPS.index(each.group), place[each.name])
    )
