"""Which commit of a hub model to load: the one the hub names now, else the one that this machine's cache has.

The hub is asked one short question first. Without an answer the library would try every file again and again, for
longer than a host waits; and the commit is needed anyway, as part of the model's name.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import grpc

from hector_sdk import Status
from hector_sentence_transformers_embedder.source import MARKS

log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds for the hub's answer."""


@dataclass(frozen=True)
class Commit:
    """A model's exact state; `cached`: all of it that can be had is on this machine."""

    digest: str
    cached: bool


def commit(model: str, revision: str) -> Commit:
    """The commit that a revision stands for, the newest where it is empty.

    Raises:
        Status: FAILED_PRECONDITION when there is no such model or revision, or nobody can be asked.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        answer = HfApi().model_info(model, revision=revision or None, timeout=TIMEOUT)
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        wanted = f'"{model}"' + (f' with revision "{revision}"' if revision else "")
        words = f"the hub has no model {wanted}, or none for everybody (a private one needs HF_TOKEN)"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
    except Exception as error:  # noqa: BLE001 - whatever keeps the hub from answering, the cache may have it
        return _cached(model, revision, _short(error))
    if answer.sha is None:
        return _cached(model, revision, "it names no commit")
    return Commit(answer.sha, cached=False)


def _cached(model: str, revision: str, why: str) -> Commit:
    from huggingface_hub import constants, try_to_load_from_cache

    files = (try_to_load_from_cache(model, mark, revision=revision or None) for mark in MARKS)
    found = next((file for file in files if isinstance(file, str)), None)
    if found is None:
        silence = f"{constants.ENDPOINT} does not answer: {why}"
        words = f'no model "{model}": it is not in {constants.HF_HUB_CACHE}, and {silence}'
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    digest = Path(found).parent.name
    log.warning("%s does not answer (%s): taking %s@%s from the cache", constants.ENDPOINT, why, model, digest)
    return Commit(digest, cached=True)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
