"""Plugins that write what they should not, or more than anybody can read: they go on, and cost their host little."""

import asyncio
import re
import time
from pathlib import Path

import psutil
import pytest

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.errors import StartError
from hector_host.manager.logs import lines, logbook, logfile

STDERR_STEP = "  Print to stderr: the first line of standard output belongs to the handshake."
MUCH = 20 << 20
"""Bytes by which the host may grow."""
FLOODED = 1.5
"""Seconds of a flood."""
RECALLED = 2 * (lines.REMEMBERED + logbook.RECALLED * (logbook.STAMP + 200))
"""What may be kept beyond what is allowed: the lines dropped last, and the note of how many are missing."""


async def ask(plugin):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    answer = await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hi"), timeout=5)
    return answer.text


async def refusal(host, **options):
    async with host.manager(x=host.faulty("noisy", **options)) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    return str(caught.value)


def resident():
    return psutil.Process().memory_info().rss


@pytest.mark.parametrize(
    ("banner", "shown"),
    [
        ("Loading model...\n", "Loading model..."),
        ("\xff\xfe caf\xe9\n", "\\xff\\xfe caf\\xe9"),
        ("\0\0\n", "\\x00\\x00"),
        ("\x1b[2J\x1b]0;owned\x07\n", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\n", ""),
    ],
)
async def test_a_banner_before_the_handshake_is_shown_escaped(host, banner, shown):
    assert await refusal(host, before=banner) == (
        f'llm_provider/x: printed a line before its handshake: "{shown}"\n{STDERR_STEP}'
    )


@pytest.mark.parametrize(
    ("text", "shown"), [("x", "x" * 80), ("\0", "\\x00" * 80), ("\xff", "\\xff" * 20)], ids=["text", "zeros", "no text"]
)
async def test_a_line_without_an_end_is_refused_and_not_kept(host, text, shown):
    before = resident()
    assert await refusal(host, before=text, endless=True) == (
        f"llm_provider/x: printed a line of more than 4096 bytes where its handshake was expected: "
        f'"{shown} …"\n{STDERR_STEP}'
    )
    assert resident() - before < MUCH


@pytest.mark.parametrize(
    ("line", "what", "step"),
    [
        (
            "1|1|unix|/tmp/\0x|grpc|",
            'its handshake names no address this host can dial: "1|1|unix|/tmp/\\x00x|grpc|"',
            "  NETWORK is unix or tcp, and ADDRESS is a path or host:port.",
        ),
        (
            "1|1|unix|/tmp/\xff|grpc|",
            "announces a socket that cannot be opened: /tmp/\\xff: No such file or directory",
            "  A plugin announces a socket of its own.",
        ),
        (
            "\xff1|1|unix|/tmp/x|grpc|",
            'printed a line before its handshake: "\\xff1|1|unix|/tmp/x|grpc|"',
            STDERR_STEP,
        ),
    ],
)
async def test_bytes_that_are_no_text_in_the_handshake(host, line, what, step):
    assert await refusal(host, before=line + "\n") == f"llm_provider/x: {what}\n{step}"


async def test_a_second_handshake_is_a_line_of_the_log(host, until):
    second = "1|1|unix|/tmp/other|grpc|"
    async with host.manager(x=host.faulty("noisy", after=[[1, f"{second}\n2|7|tcp|1.2.3.4:5|grpc|\n", 1]])) as manager:
        plugin = await manager.ready("x")
        await until(lambda: ("x", "2|7|tcp|1.2.3.4:5|grpc|") in host.lines)
        assert ("x", second) in host.lines
        assert await ask(plugin) == "hi"
    assert host.states[1] == "ready: healthy"


@pytest.mark.parametrize("closed", [[2], [1], [1, 2]])
async def test_a_plugin_that_closes_its_output_goes_on(host, until, closed):
    async with host.manager(x=host.faulty("noisy", after=[[2, "goodbye\n", 1]], close=closed)) as manager:
        plugin = await manager.ready("x")
        await until(lambda: set(closed).isdisjoint(open_outputs(plugin.pid)))
        assert await ask(plugin) == "hi"
        assert plugin.failure is None
    assert host.lines == [("x", "goodbye")]


def open_outputs(pid):
    """The numbers may be in use again, but not for a pipe."""
    files = [file for file in Path(f"/proc/{pid}/fd").iterdir() if file.name in {"1", "2"}]
    return {int(file.name) for file in files if str(file.readlink()).startswith("pipe:")}


FORGED = "2026-01-01T00:00:00.000Z ERROR the bank is empty"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (f"\x1b[1A\x1b[2K\r{FORGED}\n", f"\\x1b[1A\\x1b[2K\\r{FORGED}"),
        (f"all is well\r{FORGED}\n", f"all is well\\r{FORGED}"),
        (f"all is well\x85{FORGED}\n", f"all is well\\x85{FORGED}"),
        (f"all is well\xe2\x80\xa8{FORGED}\n", f"all is well\\u2028{FORGED}"),
        (f'{{"@message": "all is well\\n{FORGED}\\u001b[2J"}}\n', f"all is well\\n{FORGED}\\x1b[2J"),
        (f"{FORGED}\n", FORGED),
        ("\x9b2J\x07\x08\n", "\\x9b2J\\x07\\x08"),
        ("\xe2\x80\xae llew si lla\n", "\\u202e llew si lla"),
    ],
)
async def test_no_line_steers_a_terminal_or_looks_like_two(host, until, written, kept):
    async with host.manager(x=host.faulty("noisy", after=[[2, written, 1]])) as manager:
        await manager.ready("x")
        await until(lambda: host.lines)
    assert host.lines == [("x", kept)]
    (line,) = host.log("x").read_text().split("\n")[:-1]
    stamp, level, text = re.fullmatch(r"(\S+Z) (\S+) +(.*)", line).groups()
    assert (level, text) == ("-", kept)
    assert stamp != FORGED.split(maxsplit=1)[0]


@pytest.mark.parametrize("descriptor", [1, 2])
@pytest.mark.parametrize(
    "text",
    ["x" * 99 + "\n", "\n", "x", "\0", "\xff\n"],
    ids=["lines", "line ends", "no line end", "zeros", "no text"],
)
async def test_a_flood_costs_the_flooding_plugin_its_time_and_not_the_host(host, until, descriptor, text):
    async with host.manager(x=host.faulty("noisy", after=[[descriptor, text, 0]])) as manager:
        plugin = await manager.ready("x")
        await until(lambda: host.lines)
        memory, began = resident(), time.monotonic()
        written, kept = io(plugin.pid), weight(host.lines)
        while time.monotonic() - began < FLOODED:
            assert await ask(plugin) == "hi"
            await asyncio.sleep(0.05)
        elapsed = time.monotonic() - began
        # What is counted bounds what it costs: bytes that the plugin gets rid of, and lines that the host handles.
        assert (io(plugin.pid) - written) / elapsed < 8 << 20
        assert weight(host.lines) - kept < logbook.BURST + elapsed * logbook.RATE + RECALLED
        assert resident() - memory < MUCH
        assert plugin.failure is None
    assert host.log("x").stat().st_size < logfile.LIMIT + logbook.BURST


def weight(lines):
    """What lines count for, with zeros as they came."""
    return sum(len(line.replace("\\x00", "0")) + logbook.STAMP for _, line in lines)


def io(pid):
    """Bytes that a process has handed to `write` and the like."""
    facts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(facts["wchar"])


async def test_a_plugin_that_writes_much_and_not_too_much_is_neither_held_back_nor_cut(host, until):
    async with host.manager(x=host.faulty("noisy", after=[[2, "x" * 67 + "\n", 9000], [2, "done\n", 1]])) as manager:
        await manager.ready("x")
        await until(lambda: ("x", "done") in host.lines)
    assert len(host.lines) == 9001
    assert len(host.log("x").read_text().splitlines()) == 9001
