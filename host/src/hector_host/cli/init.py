"""`hector init`: writes a first configuration."""

from __future__ import annotations

import enum
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from hector_host.errors import ConfigError

FILE = "hector.yaml"


class Template(enum.StrEnum):
    """The examples that come with the host."""

    QUICKSTART = "quickstart"
    DOCUMENTS = "documents"


NEXT = {
    Template.QUICKSTART: 'hector call assistant "Hello"',
    Template.DOCUMENTS: 'hector index && hector call librarian "What are these documents about?"',
}


def init(
    template: Annotated[
        Template,
        typer.Argument(
            help="quickstart: nothing heavy. documents: an agent that answers from the Markdown files of this folder."
        ),
    ] = Template.QUICKSTART,
) -> None:
    """Write a first hector.yaml into this folder and say what to do next.

    For example:

        hector init documents
    """
    text = resources.files("hector_host.examples").joinpath(f"{template.value}.yaml").read_text("utf-8")
    try:
        with Path(FILE).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{FILE}: is there already", "Move it away, or begin in another folder.") from None
    except OSError as error:
        raise ConfigError(f"{FILE}: cannot be written: {error.strerror}", "Begin in a folder that is yours.") from None
    print(f"Wrote {FILE}. Next:\n  {NEXT[template]}")
