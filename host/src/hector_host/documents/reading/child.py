"""The child process that parses: a request from standard input, its answer to standard output, until there is no more.

A request is a line of JSON (`kind`, `size`) and as many bytes; an answer is a line with the number of its bytes, and so
many of JSON. What is parsed may be made to do harm, so the process can use little, and write to nothing but its pipe.
"""

from __future__ import annotations

import json
import os
import resource
from contextlib import suppress
from typing import Any

from hector_host.documents.reading import formats

MEMORY = 2 << 30
"""Bytes of address space."""
SECONDS = 60
"""Of computing, for one file."""
OPEN = 32
"""Files that may be open."""


def main() -> None:
    """Answers until standard input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints would be taken for an answer
    confine()
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + SECONDS)
        answer = json.dumps(_answer(request["kind"], data)).encode()
        answers.write(b"%d\n" % len(answer) + answer)
        answers.flush()


def confine() -> None:
    """Takes from this process what parsing does not need."""
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_NOFILE, OPEN)
    _limit(resource.RLIMIT_FSIZE, 0)


def _answer(kind: str, data: bytes) -> dict[str, Any]:
    try:
        return formats.parse(kind, data)
    except formats.UnreadableError as error:
        return {"error": str(error)}
    except ImportError as error:
        return {"missing": error.name}
    except MemoryError:
        return {"error": f"needs more than {MEMORY >> 30} GiB of memory to be read"}


def _limit(which: int, value: int) -> None:
    """Lowers a limit, as far as a lower one is not there already."""
    _, hard = resource.getrlimit(which)
    with suppress(ValueError, OSError):  # macOS knows the limit of address space and sets none
        resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    main()
