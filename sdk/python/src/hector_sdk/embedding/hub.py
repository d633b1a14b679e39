"""A hub model on this machine: the commit that the hub names now, else the one that this machine's cache has.

The hub is asked one short question first. Without an answer the library would try every file again and again, for
longer than a host waits; and the commit is needed anyway, as part of the model's name.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from hector_sdk.embedding.source import MARKS
from hector_sdk.errors import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds for the hub's answer."""
PERIOD = 3.0
"""Seconds between two words on a download."""


@dataclass(frozen=True)
class Commit:
    """A model's exact state.

    Attributes:
        digest: Its name.
        folder: Where this machine has it. Empty: to be fetched.
        files: What it consists of, and how many bytes that is. Empty where it is not to be fetched.
    """

    digest: str
    folder: str = ""
    files: tuple[tuple[str, int], ...] = ()


def fetched(
    model: str, revision: str, choose: Callable[[Sequence[str]], Sequence[str]], marks: Sequence[str] = MARKS
) -> Commit:
    """A hub model whose folder is on this machine, fetched if need be.

    Args:
        model: Its full name.
        revision: A branch, tag or commit. Empty: the newest.
        choose: Of all its files those that are needed.
        marks: Files of which every such model has one.

    Raises:
        Status: FAILED_PRECONDITION when there is no such model or revision, or nobody can be asked; UNAVAILABLE when
            fetching breaks off.
    """
    state = commit(model, revision, marks)
    if state.folder:
        return state
    sizes = dict(state.files)
    names = choose(list(sizes))
    with _told(model, len(names), sum(sizes[name] for name in names)):
        folder = _download(model, state.digest, names)
    return Commit(state.digest, folder)


def commit(model: str, revision: str, marks: Sequence[str] = MARKS) -> Commit:
    """The commit that a revision stands for, the newest where it is empty.

    Raises:
        Status: FAILED_PRECONDITION when there is no such model or revision, or nobody can be asked.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        answer = HfApi().model_info(model, revision=revision or None, timeout=TIMEOUT, files_metadata=True)
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        wanted = f'"{model}"' + (f' with revision "{revision}"' if revision else "")
        words = f"the hub has no model {wanted}, or none for everybody (a private one needs HF_TOKEN)"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
    except Exception as error:  # noqa: BLE001 - whatever keeps the hub from answering, the cache may have it
        return _cached(model, revision, _short(error), marks)
    if answer.sha is None or not answer.siblings:
        return _cached(model, revision, "it names no commit", marks)
    return Commit(answer.sha, files=tuple((file.rfilename, file.size or 0) for file in answer.siblings))


def _cached(model: str, revision: str, why: str, marks: Sequence[str]) -> Commit:
    from huggingface_hub import constants, try_to_load_from_cache

    files = (try_to_load_from_cache(model, mark, revision=revision or None) for mark in marks)
    found = next((file for file in files if isinstance(file, str)), None)
    if found is None:
        silence = f"{constants.ENDPOINT} does not answer: {why}"
        words = f'no model "{model}": it is not in {constants.HF_HUB_CACHE}, and {silence}'
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    folder = Path(found).parent
    log.warning("%s does not answer (%s): taking %s@%s from the cache", constants.ENDPOINT, why, model, folder.name)
    return Commit(folder.name, str(folder))


def _download(model: str, digest: str, names: Sequence[str]) -> str:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
    folder = ""
    for name in names:
        try:
            path = hf_hub_download(model, name, revision=digest)
        except Exception as error:
            words = f"fetching {name} of {model}@{digest} broke off: {_short(error)}"
            raise Status(grpc.StatusCode.UNAVAILABLE, words) from error
        folder = path.removesuffix(name)
    return folder.rstrip("/\\")


@contextlib.contextmanager
def _told(model: str, files: int, size: int) -> Iterator[None]:
    """Say every PERIOD how far fetching is."""
    started, ended = time.monotonic(), threading.Event()
    before = _on_disk(model)

    def tell() -> None:
        while not ended.wait(PERIOD):
            here = min(_on_disk(model) - before, size) / 1e6
            log.info("fetching %s: %.0f of %.0f MB after %.0f s", model, here, size / 1e6, time.monotonic() - started)

    log.info("fetching %s: %d files, %.1f MB", model, files, size / 1e6)
    teller = threading.Thread(target=tell, name="fetching", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
    log.info("fetched %s after %.1f s", model, time.monotonic() - started)


def _on_disk(model: str) -> int:
    """Bytes of a model in the cache, of files under way too."""
    from huggingface_hub import constants

    total = 0
    for path in Path(constants.HF_HUB_CACHE, f"models--{model.replace('/', '--')}", "blobs").glob("*"):
        with contextlib.suppress(OSError):  # it was just renamed
            total += path.stat().st_size
    return total


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
