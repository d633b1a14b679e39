"""Reads the files of a store, whatever they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from hector_host.documents.files import Skipped, contents
from hector_host.documents.reading import plain
from hector_host.documents.reading.kinds import PARSED, kind
from hector_host.documents.reading.parser import ParseError, Parser
from hector_host.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.documents.files import Contents
    from hector_host.documents.reading.document import Document


class Reader:
    """Reads files below a folder. A context manager: the process that parses for it ends with it.

    Args:
        limit: Bytes of one file.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._parser = Parser()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parser.__aexit__()

    async def contents(self, path: str) -> Contents | Skipped:
        """The bytes of a file that `files.find` returned."""
        return await asyncio.to_thread(contents, self._root, path, self._limit)

    async def document(self, contents: Contents) -> Document | Skipped:
        """What they say."""
        of = kind(contents.path)
        try:
            if of in PARSED:
                return await self._parser.parse(of, contents.data)
            return await asyncio.to_thread(plain.document, of, contents.data)
        except ParseError as error:
            return Skipped(printable(contents.path), str(error), error.lasting)
        except plain.NoTextError as error:
            return Skipped(printable(contents.path), str(error), lasting=True)
