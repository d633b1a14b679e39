"""Loads the models that the options name."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

import grpc

from hector_onnx_embedder import weights
from hector_onnx_embedder.recipe import Recipe, recipe
from hector_sdk import InvalidOptions, Status
from hector_sdk.embedding import hub, source
from hector_sdk.embedding.cache import size
from hector_sdk.embedding.model import Models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hector_onnx_embedder.encoder import PairEncoder, TextEncoder
    from hector_onnx_embedder.options import Options
    from hector_onnx_embedder.session import Model

    EncoderT = TypeVar("EncoderT", TextEncoder, PairEncoder)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A model on this machine.

    Attributes:
        folder: Of its files.
        file: The one with its weights, in that folder.
        name: With its revision, and with the weights where they are not those that the model was trained with.
        aliases: What else it is called.
    """

    folder: Path
    file: str
    name: str
    aliases: tuple[str, ...]


def load(options: Options) -> Models:
    """Find the models and load them.

    Raises:
        InvalidOptions: An option cannot be served.
        Status: FAILED_PRECONDITION when a model is not there or does not load.
    """
    if options.batch_size < 1:
        raise InvalidOptions("batch_size", f"is {options.batch_size}, must be at least 1")
    kept = size(options.cache)
    started = time.monotonic()
    features = weights.processor()
    weights.choose([], options.weights, features)  # refuses here what it would refuse after a download
    wanted = source.found(options.model, options.revision)
    beside = None
    if options.reranker:
        beside = source.found(options.reranker, options.reranker_revision, source.RERANKER)

    from hector_onnx_embedder.encoder import PairEncoder, TextEncoder

    place = _place(options.model, wanted, options.weights, features)
    embedder = _made(place, options, lambda model, read: TextEncoder(model, read, options, place.name, place.aliases))
    reranker = None
    if beside:
        other = _place(options.reranker, beside, options.weights, features)
        reranker = _made(other, options, lambda model, read: PairEncoder(model, read, other.name, other.aliases))
    log.info("ready after %.1f s", time.monotonic() - started)
    return Models(embedder, reranker, options.batch_size, kept)


def needed(files: Sequence[str], chosen: str) -> list[str]:
    """Of a hub model's files those that are read: one with weights, and what tells how to use it."""
    small = [file for file in files if file.endswith(".json") and len(PurePosixPath(file).parts) <= 2]
    return [*small, *([chosen, *weights.beside(chosen, files)] if chosen else [])]


def _place(asked: str, wanted: source.Source, which: str, features: frozenset[str]) -> Place:
    """Where the model is, fetched if need be."""
    folder, revision = Path(wanted.location), wanted.revision
    if not wanted.local:

        def choose(files: Sequence[str]) -> list[str]:
            return needed(files, weights.choose(files, which, features))

        commit = hub.fetched(wanted.location, wanted.revision, choose)
        folder, revision = Path(commit.folder), commit.digest
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    chosen = weights.choose(files, which, features)
    if not chosen:
        raise weights.missing(str(folder) if wanted.local else wanted.name, which, files, features)
    name, stem = f"{wanted.name}@{revision}", PurePosixPath(chosen).stem
    return Place(folder, chosen, name if stem == "model" else f"{name}:{stem}", (asked, wanted.name))


def _made(place: Place, options: Options, make: Callable[[Model, Recipe], EncoderT]) -> EncoderT:
    from hector_onnx_embedder.session import Model

    started = time.monotonic()
    log.info("loading %s of %s", place.file, place.name)
    if not (place.folder / "tokenizer.json").is_file():
        words = f"{place.folder} has no tokenizer.json, the form of tokenizers that this plugin reads"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    read = recipe(place.folder)
    try:
        encoder = make(Model(place.folder, place.file, read.max_tokens, options.device), read)
    except (Status, InvalidOptions):
        raise
    except Exception as error:
        words = f"cannot load {place.folder / place.file}: {type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
    log.info("loaded %s after %.1f s", encoder.card.name, time.monotonic() - started)
    return encoder
