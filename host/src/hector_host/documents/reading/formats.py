"""PDF, DOCX and HTML as text, by their libraries. Runs in the child process alone: what is parsed is untrusted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

UNPACKED = 200 << 20
"""Bytes that a DOCX may have when it is unpacked; its pictures count."""
DROPPED = [
    "title",
    "script",
    "style",
    "nav",
    "header",
    "footer",
    "aside",
    "form",
    "noscript",
    "template",
    "svg",
    "iframe",
]
"""Elements of a page that are no part of what it says."""
TITLE = "p[style-name='Title'] => h1:fresh"
"""What a document of Word calls itself is its first heading."""
_TITLE_LIMIT = 200


class UnreadableError(Exception):
    """A file that cannot be read; the message is the reason."""


def parse(kind: str, data: bytes) -> dict[str, Any]:
    """What a file says: `title`, and `pages` of text or one `markdown`.

    Raises:
        UnreadableError: It is damaged, encrypted, or something else than its name says.
    """
    try:
        return _PARSERS[kind](data)
    except (UnreadableError, ImportError, MemoryError):
        raise
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - what libraries raise over damaged files is without end
        raise UnreadableError(f"is damaged, or no {kind}: {_line(str(error)) or type(error).__name__}") from None


def _pdf(data: bytes) -> dict[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableError("is encrypted: it opens with a password only")
    pages = [page.extract_text() for page in reader.pages]
    if not any(map(str.strip, pages)):
        raise UnreadableError("has no text: its pages are pictures, or empty")
    return {"title": _line(str((reader.metadata.title if reader.metadata else None) or "")), "pages": pages}


def _docx(data: bytes) -> dict[str, Any]:
    import zipfile

    import mammoth

    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(one.file_size for one in packed.infolist()) > UNPACKED:
            raise UnreadableError(f"is larger than {UNPACKED >> 20} MiB when it is unpacked")
    no_pictures = mammoth.images.img_element(lambda _: {})
    html = mammoth.convert_to_html(io.BytesIO(data), convert_image=no_pictures, style_map=TITLE).value
    return _html(html.encode())


def _html(data: bytes) -> dict[str, Any]:
    from bs4 import BeautifulSoup
    from markdownify import ATX, MarkdownConverter

    soup = BeautifulSoup(data, "html.parser")
    named = soup.title or soup.h1
    title = named.get_text() if named else ""
    for element in soup(DROPPED):
        element.decompose()
    if soup.head:
        soup.head.decompose()
    body = soup.main or soup.article or soup
    text = MarkdownConverter(heading_style=ATX, strip=["img"]).convert_soup(body)
    if not text.strip():
        raise UnreadableError("has no text")
    return {"title": _line(title), "markdown": text}


def _line(text: str) -> str:
    return " ".join(text.split())[:_TITLE_LIMIT]


_PARSERS: dict[str, Callable[[bytes], dict[str, Any]]] = {"PDF": _pdf, "DOCX": _docx, "HTML": _html}
