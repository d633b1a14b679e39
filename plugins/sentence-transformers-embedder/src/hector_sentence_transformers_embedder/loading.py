"""Loads the models that the options name. The only module that imports sentence-transformers.

It is imported in the thread that loads: torch alone takes seconds, and the process answers meanwhile.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from hector_sdk import InvalidOptions, Status
from hector_sdk.embedding import hub, source
from hector_sdk.embedding.cache import size
from hector_sdk.embedding.model import Models
from hector_sentence_transformers_embedder.encoder import PairEncoder, Place, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hector_sdk.embedding.source import Source
    from hector_sentence_transformers_embedder.options import Options

log = logging.getLogger(__name__)

EncoderT = TypeVar("EncoderT", TextEncoder, PairEncoder)

FOREIGN = (".onnx", ".onnx_data", ".h5", ".msgpack", ".ot", ".tflite", ".gguf", ".mlmodel")
"""Ends of files with weights for other libraries."""


def load(options: Options) -> Models:
    """Find the models, import what is needed and load them.

    Raises:
        InvalidOptions: An option cannot be served.
        Status: FAILED_PRECONDITION when a model is not there or does not load.
    """
    if options.batch_size < 1:
        raise InvalidOptions("batch_size", f"is {options.batch_size}, must be at least 1")
    kept = size(options.cache)
    started = time.monotonic()
    wanted = [source.found(options.model, options.revision)]
    if options.reranker:
        wanted.append(source.found(options.reranker, options.reranker_revision, source.RERANKER))
    if all(each.local for each in wanted):
        os.environ["HF_HUB_OFFLINE"] = "1"  # read on import: nothing asks the network for what is here
    places = [_place(asked, each) for asked, each in zip((options.model, options.reranker), wanted, strict=False)]
    log.info("importing sentence-transformers")
    text_model, pair_model = _library()
    log.info("imported sentence-transformers after %.1f s", time.monotonic() - started)
    given = {"device": None if options.device == "auto" else options.device, "local_files_only": True}
    embedder = _made(places[0], lambda place: TextEncoder(text_model(place.folder, **given), place, options))
    reranker = None
    if options.reranker:
        reranker = _made(places[1], lambda place: PairEncoder(pair_model(place.folder, **given), place))
    log.info("ready after %.1f s", time.monotonic() - started)
    return Models(embedder, reranker, options.batch_size, kept)


def needed(files: Sequence[str]) -> list[str]:
    """Of a hub model's files those that sentence-transformers reads: weights once, and not for other libraries."""
    safe = any(file.endswith(".safetensors") for file in files)
    return [
        file
        for file in files
        if not file.endswith(FOREIGN)
        and PurePosixPath(file).parts[0] not in ("onnx", "openvino", "coreml", ".gitattributes")
        and not (safe and PurePosixPath(file).name.startswith("pytorch_model"))
    ]


def _place(asked: str, wanted: Source) -> Place:
    if wanted.local:
        return Place(wanted.location, f"{wanted.name}@{wanted.revision}", (asked, wanted.name))
    commit = hub.fetched(wanted.location, wanted.revision, needed)
    return Place(commit.folder, f"{wanted.name}@{commit.digest}", (asked, wanted.name))


def _made(place: Place, make: Callable[[Place], EncoderT]) -> EncoderT:
    started = time.monotonic()
    log.info("loading %s", place.name)
    try:
        encoder = make(place)
    except Status:
        raise
    except Exception as error:
        words = f"cannot load {place.folder}: {type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
    log.info("loaded %s after %.1f s", encoder.card.name, time.monotonic() - started)
    return encoder


def _library() -> tuple[Any, Any]:
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)  # it says again what is said here
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer, CrossEncoder
