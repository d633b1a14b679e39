"""PDF, DOCX and HTML are read in a process of their own; what breaks, hangs or eats memory costs one file, no run."""

from __future__ import annotations

import asyncio
import os
import signal
import zipfile

import docx
import fpdf
import psutil
import pypdf
import pytest

from hector_host.documents.files import Skipped
from hector_host.documents.reading import child, parser
from hector_host.documents.reading.reader import Reader
from hector_host.documents.split import split

LIMIT = 100_000_000


@pytest.fixture
async def reader(tmp_path):
    async with Reader(tmp_path, LIMIT) as made:
        yield made


async def read(reader, path):
    contents = await reader.contents(path)
    return contents if isinstance(contents, Skipped) else await reader.document(contents)


async def reason(reader, path):
    skipped = await read(reader, path)
    assert isinstance(skipped, Skipped)
    return str(skipped)


def pdf(file, *pages, title=""):
    made = fpdf.FPDF()
    made.set_title(title)
    made.set_font("Helvetica")
    for page in pages:
        made.add_page()
        made.multi_cell(0, 10, page)
    made.output(str(file))


async def until(holds):
    while not holds():
        await asyncio.sleep(0)


def children():
    return [one for one in psutil.Process().children() if "hector_host.documents.reading.child" in one.cmdline()]


async def test_a_pdf_is_its_pages(reader, tmp_path):
    pdf(tmp_path / "a.pdf", "Pears ripen\nin September.", "Plums are purple.", title="Fruit")
    document = await read(reader, "a.pdf")
    assert document.title == "Fruit"
    assert [(one.page, one.line, one.text) for one in split(document, size=800, overlap=0)] == [
        (1, 0, "Pears ripen\nin September."),
        (2, 0, "Plums are purple."),
    ]


async def test_a_docx_is_its_headings_lists_and_tables(reader, tmp_path):
    made = docx.Document()
    made.add_heading("Manual", 0)
    made.add_heading("Install", 1)
    made.add_paragraph("Run the installer.")
    made.add_paragraph("as root", style="List Bullet")
    made.add_table(1, 2).cell(0, 1).text = "cell"
    made.save(tmp_path / "a.docx")
    document = await read(reader, "a.docx")
    chunks = split(document, size=60, overlap=0)
    assert [(one.heading, one.line, one.page) for one in chunks] == [("Manual", 0, 0), *[("Install", 0, 0)] * 2]
    assert document.title == "Manual"
    assert all(words in document.parts[0].text for words in ("# Manual", "Run the installer.", "* as root", "| cell |"))


async def test_a_page_is_what_it_says_and_not_what_is_around_it(reader, tmp_path):
    (tmp_path / "a.html").write_text(
        "<html><head><title>Fruit \n shop</title><style>p {}</style></head><body><nav>Menu</nav>"
        "<h1>Pears</h1><p>They are <b>sweet</b>.</p><script>alert(1)</script><h2>Care</h2><ul><li>Wash</li></ul>"
        "<footer>Imprint</footer></body></html>"
    )
    document = await read(reader, "a.html")
    assert document.title == "Fruit shop"
    assert [(one.heading, one.text) for one in split(document, size=40, overlap=0)] == [
        ("Pears", "# Pears\n\nThey are **sweet**."),
        ("Pears > Care", "## Care\n\n* Wash"),
    ]


async def test_what_cannot_be_read_is_named_and_the_next_is_read(reader, tmp_path):
    pdf(tmp_path / "good.pdf", "Good.")
    locked = pypdf.PdfWriter(clone_from=tmp_path / "good.pdf")
    locked.encrypt("secret", algorithm="AES-256")
    locked.write(tmp_path / "locked.pdf")
    pdf(tmp_path / "scan.pdf", " ")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    (tmp_path / "broken.docx").write_bytes(b"PK and nothing else")
    with zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("a", "w") as entry:
        for _ in range(201):
            entry.write(bytes(1 << 20))
    (tmp_path / "deep.html").write_text("<div>" * 100_000 + "deep")
    (tmp_path / "empty.html").write_text("<script>x</script>")
    assert [await reason(reader, path) for path in sorted(path.name for path in tmp_path.iterdir())[:-3]] == [
        "bomb.docx: is larger than 200 MiB when it is unpacked",
        "broken.docx: is damaged, or no DOCX: File is not a zip file",
        "broken.pdf: is damaged, or no PDF: Stream has ended unexpectedly",
        "deep.html: is nested too deeply",
        "empty.html: has no text",
    ]
    assert await reason(reader, "locked.pdf") == "locked.pdf: is encrypted: it opens with a password only"
    assert await reason(reader, "scan.pdf") == "scan.pdf: has no text: its pages are pictures, or empty"
    assert (await read(reader, "good.pdf")).parts[0].text == "Good."
    assert len(children()) == 1


async def test_a_process_that_dies_costs_one_file(reader, tmp_path):
    pdf(tmp_path / "a.pdf", "Good.")
    await read(reader, "a.pdf")
    (process,) = children()
    process.suspend()
    reading = asyncio.create_task(read(reader, "a.pdf"))
    await until(reader._parser._turn.locked)
    process.send_signal(signal.SIGKILL)
    assert str(await reading) == ("a.pdf: ended the process that read it (signal 9): it is damaged, or made to do harm")
    assert (await read(reader, "a.pdf")).parts[0].text == "Good."


async def test_a_file_that_takes_too_long_is_given_up(reader, tmp_path, monkeypatch):
    pdf(tmp_path / "a.pdf", "Good.")
    await read(reader, "a.pdf")
    (process,) = children()
    process.suspend()
    monkeypatch.setattr(parser, "SECONDS", 0.3)
    assert await reason(reader, "a.pdf") == "a.pdf: takes longer than 0 s to be read"
    assert not psutil.pid_exists(process.pid)


async def test_a_cancelled_reading_leaves_no_process_and_no_answer_to_the_next(reader, tmp_path):
    pdf(tmp_path / "a.pdf", "One.")
    pdf(tmp_path / "b.pdf", "Two.")
    await read(reader, "a.pdf")
    (process,) = children()
    process.suspend()
    reading = asyncio.create_task(read(reader, "a.pdf"))
    await until(reader._parser._turn.locked)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not psutil.pid_exists(process.pid)
    assert (await read(reader, "b.pdf")).parts[0].text == "Two."


async def test_the_process_ends_with_its_reader(tmp_path):
    pdf(tmp_path / "a.pdf", "Good.")
    async with Reader(tmp_path, LIMIT) as reader:
        await read(reader, "a.pdf")
        assert len(children()) == 1
    assert children() == []


async def test_a_file_that_computes_for_ever_is_ended_by_the_system(reader, tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("<p>Text.")
    program = (
        "from hector_host.documents.reading import child\n"
        "child.SECONDS = 0\n"
        "def endless(*_):\n    while True: pass\n"
        "child._answer = endless\nchild.main()"
    )
    monkeypatch.setattr(parser, "START", (*parser.START[:-2], "-c", program))
    assert await reason(reader, "a.html") == (
        f"a.html: ended the process that read it (signal {signal.SIGXCPU:d}): it is damaged, or made to do harm"
    )


async def test_a_library_that_is_missing_is_named_with_the_command(reader, tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("<p>Text.")
    monkeypatch.setattr(parser, "START", (*parser.START[:-2], "-c", WITHOUT))
    assert await reason(reader, "a.html") == (
        "a.html: cannot be read without the package bs4: run pip install 'hector-host[documents]'"
    )


WITHOUT = """
import sys
sys.modules["bs4"] = None
from hector_host.documents.reading.child import main
main()
"""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("{'title': 1, 'pages': []}", "was read, and what came of it is no document"),
        ("{'title': '', 'pages': [1]}", "was read, and what came of it is no document"),
        ("{'error': 'x\\x1b[2J' * 99}", ("x\\x1b[2J" * 99)[:200]),
        ("[]", "was read, and what came of it is no document"),
    ],
)
async def test_what_the_process_says_is_trusted_no_more_than_the_file(reader, tmp_path, monkeypatch, answer, said):
    (tmp_path / "a.html").write_text("<p>Text.")
    lies = f"from hector_host.documents.reading import child\nchild._answer = lambda *_: {answer}\nchild.main()"
    monkeypatch.setattr(parser, "START", (*parser.START[:-2], "-c", lies))
    assert (await reason(reader, "a.html")).removeprefix("a.html: ") == said


def test_the_process_can_use_little(tmp_path):
    """What a library made to do harm by a file may do: asked of a process with the same limits."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.dup2(write_end, 9)
            child.confine()
            for attempt in (lambda: bytearray(3 << 30), lambda: (tmp_path / "x").write_bytes(b"x" * 10)):
                try:
                    attempt()
                except (MemoryError, OSError) as error:
                    os.write(9, f"{type(error).__name__} ".encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write_end)
    assert os.read(read_end, 100) == b"MemoryError OSError "
    os.close(read_end)
