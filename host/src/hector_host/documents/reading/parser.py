"""The process that parses complex files, as its host sees it: started when it is needed, replaced when it dies."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Self

from hector_host.documents.reading.document import Document, Part
from hector_host.errors import printable

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from hector_host.documents.reading.kinds import Kind

START = (sys.executable, "-B", "-I", "-m", "hector_host.documents.reading.child")

SECONDS = 90.0
"""For one file: more than the process may compute, for a machine that is busy."""
ANSWER = 256 << 20
"""Bytes of an answer."""
NONSENSE = "was read, and what came of it is no document"
REASON = 200
"""Characters of a reason that are shown."""


class ParseError(Exception):
    """A file that cannot be read; the message is the reason.

    Attributes:
        lasting: It is so as long as the file is as it is, whatever the machine does meanwhile.
    """

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Parser:
    """Parses one file at a time. A context manager, which ends the process."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def parse(self, kind: Kind, data: bytes) -> Document:
        """What a file says.

        Raises:
            ParseError: It cannot be read, takes more than it may, or needs a library that is not installed.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(SECONDS):
                    answer = await self._ask(kind, data)
            except TimeoutError:
                await self._end()
                raise ParseError(f"takes longer than {SECONDS:.0f} s to be read") from None
            except (OSError, EOFError):
                code = await self._end()
                raise ParseError(_death(code)) from None
            except (ValueError, asyncio.LimitOverrunError):
                await self._end()
                raise ParseError(NONSENSE) from None
            except BaseException:
                await self._end()  # it would answer to nobody, and the next would get that answer
                raise
        return _document(answer)

    async def _ask(self, kind: Kind, data: bytes) -> dict[str, Any]:
        if self._process is None:
            self._process = await _start()
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(json.dumps({"kind": kind.value, "size": len(data)}).encode() + b"\n")
        process.stdin.write(data)
        await process.stdin.drain()
        size = int(await process.stdout.readuntil())
        if size > ANSWER:
            raise ValueError
        answer = json.loads(await process.stdout.readexactly(size))
        if not isinstance(answer, dict):
            raise ValueError  # noqa: TRY004 - whatever it says is wrong in the same way
        return answer

    async def _end(self) -> int | None:
        """Ends the process, whatever it does; how it ended if it had done so by itself."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.stdin:
            process.stdin.close()
        died = process.returncode
        if died is None:
            try:
                # What has died a moment ago may not be known to be dead yet.
                async with asyncio.timeout(0.1):
                    died = await process.wait()
            except TimeoutError:
                process.kill()
        await asyncio.shield(asyncio.ensure_future(process.wait()))
        return died


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        *START,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # libraries complain there, file by file
        start_new_session=True,  # Ctrl-C is for the host, which ends it
        env={},
    )


def _death(code: int | None) -> str:
    by = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return f"ended the process that read it ({by}): it is damaged, or made to do harm"


def _document(answer: dict[str, Any]) -> Document:
    """What the process answered, which is not to be trusted more than the file."""
    match answer:
        case {"missing": str(module)}:
            raise ParseError(
                f"cannot be read without the package {printable(module)}: run pip install 'hector-host[documents]'"
            )
        case {"error": str(reason)}:
            raise ParseError(printable(reason)[:REASON], lasting=True)
        case {"title": str(title), "pages": list(pages)} if all(isinstance(page, str) for page in pages):
            parts = tuple(Part(_plain(page), page=number, faithful=False) for number, page in enumerate(pages, 1))
            return Document(printable(title), parts)
        case {"title": str(title), "markdown": str(text)}:
            return Document(printable(title), (Part(_plain(text), markdown=True, faithful=False),))
    raise ParseError(NONSENSE)


def _plain(text: str) -> str:
    """Without what no text has: line ends of other kinds, zeros, halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode()
