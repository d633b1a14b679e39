"""`hector plugin new`: a plugin of one's own, as a fork of the nearest reference plugin."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hector_host.authoring.templates import Template

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the plugin is called, for example my-llm.")]
FindLinksOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--find-links",
        metavar="DIR",
        help="A folder of wheels to install from; several are possible. If it holds the SDK, that one is taken.",
        show_default=False,
    ),
]


def new(
    name: NameArgument,
    *,
    kind: Annotated[str, typer.Option("--kind", "-k", help="llm, database, embedder, tool or reasoning.")],
    language: Annotated[str, typer.Option("--language", "-l", help="python or go.")] = "python",
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where the plugin's folder is made.")] = Path(),
    no_venv: Annotated[
        bool, typer.Option("--no-venv", help="Do not build the .venv of a plugin in Python.", show_default=False)
    ] = False,
    find_links: FindLinksOption = None,
) -> None:
    """Make a plugin in a folder of its own: a working, tested fork of the nearest reference plugin.

    For example:

        hector plugin new my-llm --kind llm
    """
    from hector_host.authoring import templates
    from hector_host.authoring.fork import fork
    from hector_host.authoring.naming import check_name

    chosen = templates.template(templates.kind_named(kind), templates.language_named(language))
    check_name(name, chosen)
    folder = into / name
    fork(chosen, name, folder)
    print(f"{folder}: a fork of {chosen.name}, in {chosen.language.proper}")
    wants_venv = chosen.language is templates.Language.PYTHON and not no_venv
    if wants_venv:
        _build_venv(name, folder, tuple(find_links or ()))
    _print_next(chosen, name, folder, built=wants_venv)


def _build_venv(name: str, folder: Path, find_links: tuple[Path, ...]) -> None:
    from hector_host.authoring.environment import Environment
    from hector_host.errors import PluginError

    environment = Environment(name, folder, editable=True, dev=True, find_links=find_links)
    print(environment.described(), flush=True)
    try:
        environment.build()
    except PluginError as error:
        again = f"The sources stay in {folder}. Remove it and try again, or go on with --no-venv."
        raise PluginError(error.what, f"{error.step}\n{again}") from None


def _print_next(template: Template, name: str, folder: Path, *, built: bool) -> None:
    from hector_host.authoring.example import calls, missing
    from hector_host.authoring.templates import Language

    commands = [f"cd {shlex.quote(str(folder))}"]
    if template.language is Language.GO:
        commands.append("GOWORK=off go build . && GOWORK=off go test ./...")
    elif built:
        commands.append(".venv/bin/python -m pytest")
    else:
        sdk = shlex.join(str(template.origin / part) for part in ("gen", "sdk/python"))
        commands.append(f"python3 -m venv .venv && .venv/bin/pip install {sdk} -e .")
    beside = missing(template.kind)
    if beside:
        commands.append(f"pip install {shlex.join(map(str, beside))}   # into Hector's environment, for hector.yaml")
    commands += ["hector plugin test .", *calls(template.kind, name)]
    print("Next:\n" + "\n".join(f"  {command}" for command in commands))
