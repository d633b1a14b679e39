"""Vectors as numpy arrays, between the wire and plugin authors: no component becomes a Python object on the way.

Database plugins are handed `UpsertRequest` and `SearchRequest`, and may answer with `SearchResponse` and
`ListResponse`; embedders may answer with `Embeddings`. On the wire all of them are the contract's messages. numpy is
imported when an array is asked for: it is the plugin's dependency, not the SDK's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1 import database_pb2, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

COMPONENT = "<f4"
"""The components of a vector as they are on the wire, for numpy."""


class WrongLength(ValueError):  # noqa: N818 - it says what is wrong
    """A vector has another number of components than its collection.

    Attributes:
        index: Of the vector in its batch.
        length: Its components.
    """

    def __init__(self, index: int, length: int, dimension: int) -> None:
        super().__init__(f"vectors[{index}].vector has {length} components, not {dimension}")
        self.index = index
        self.length = length


class UpsertRequest:
    """An `UpsertVectorsRequest`, column by column.

    Attributes:
        collection: As in the contract.
        ids: As in the contract, in the order of the vectors.
        metadata: Of each vector its `google.protobuf.Struct`, serialised; empty where there is none.
    """

    def __init__(self, wire: bytes) -> None:
        self._wire = wire
        view = packed.UpsertVectorsRequest.FromString(wire)
        self.collection: str = view.collection
        self.ids: list[str] = []
        self.metadata: list[bytes] = []
        self._pieces: list[bytes] = []
        for vector in view.vectors:  # once: each pass makes an object of each vector
            self.ids.append(vector.id)
            self.metadata.append(vector.metadata)
            self._pieces.append(vector.vector)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def message(self) -> database_pb2.UpsertVectorsRequest:
        """The contract's own message: a list for each vector."""
        return database_pb2.UpsertVectorsRequest.FromString(self._wire)

    def matrix(self, dimension: int) -> NDArray[np.float32]:
        """The vectors, read-only, shape (n, dimension).

        Raises:
            WrongLength: One has another number of components.
        """
        import numpy as np

        pieces = self._pieces
        if any(size != 4 * dimension for size in set(map(len, pieces))):
            pieces = [_component_bytes(vector.vector) for vector in self.message.vectors]
            for index, piece in enumerate(pieces):
                if len(piece) != 4 * dimension:
                    raise WrongLength(index, len(piece) // 4, dimension)
        return np.frombuffer(b"".join(pieces), dtype=COMPONENT).reshape(-1, dimension)


class SearchRequest:
    """A `SearchVectorsRequest`, the vector as an array.

    Attributes:
        collection: As in the contract, as the next four.
        limit: How many results.
        threshold: The lowest score.
        filter: What metadata must match.
        exact: Compare with every vector.
    """

    def __init__(self, wire: bytes) -> None:
        self._wire = wire
        view = packed.SearchVectorsRequest.FromString(wire)
        self._vector: bytes = view.vector if packed.whole(view, wire) else _component_bytes(self.message.vector)
        self.collection: str = view.collection
        self.limit: int = view.limit
        self.threshold: float = view.threshold
        self.filter = Struct.FromString(view.filter)
        self.exact: bool = view.exact

    @property
    def message(self) -> database_pb2.SearchVectorsRequest:
        """The contract's own message: a list of floats."""
        return database_pb2.SearchVectorsRequest.FromString(self._wire)

    @property
    def vector(self) -> NDArray[np.float32]:
        """What to be near to, read-only, shape (components,)."""
        import numpy as np

        return np.frombuffer(self._vector, dtype=COMPONENT)


@dataclass(frozen=True)
class SearchResponse:
    """A successful `SearchVectorsResponse`.

    Attributes:
        results: Best first: id, score, and metadata as a serialised `Struct`, empty where there is none.
    """

    results: Iterable[tuple[str, float, bytes]]

    def wire(self, _rpc: str) -> bytes:
        """The message's bytes."""
        response = packed.SearchVectorsResponse(success=True)
        for vector_id, score, metadata in self.results:
            result = response.results.add(id=vector_id, score=score)
            if metadata:
                result.metadata = metadata
        return _serialised(response)


@dataclass(frozen=True)
class ListResponse:
    """A `ListVectorsResponse`.

    Attributes:
        vectors: Id, components of shape (dimension,) or None, and metadata as in `SearchResponse`.
        next_page_token: As in the contract.
    """

    vectors: Iterable[tuple[str, NDArray[np.float32] | None, bytes]]
    next_page_token: str = ""

    def wire(self, _rpc: str) -> bytes:
        """The message's bytes."""
        response = packed.ListVectorsResponse(next_page_token=self.next_page_token)
        for vector_id, components, metadata in self.vectors:
            vector = response.vectors.add(id=vector_id)
            if components is not None:
                vector.vector = components.astype(COMPONENT, copy=False).tobytes()
            if metadata:
                vector.metadata = metadata
        return _serialised(response)


@dataclass(frozen=True)
class Embeddings:
    """What an embedder made of its texts: the answer of `embed_batch`, and of `embed_text` with one row.

    Attributes:
        vectors: Shape (texts, dimension).
        tokens: As in the contract, one for each text. Empty: not known.
        truncated: As in the contract, one for each text. Empty: none was.
        model: As in the contract.
    """

    vectors: NDArray[np.float32]
    tokens: Sequence[int] = ()
    truncated: Sequence[bool] = ()
    model: str = ""

    def wire(self, rpc: str) -> bytes:
        """The bytes of the response of `EmbedBatch` or `EmbedText`."""
        rows = self.vectors.astype(COMPONENT, copy=False)
        told = list(zip_longest(rows, self.tokens, self.truncated))
        if rpc == "EmbedText":
            ((vector, tokens, truncated),) = told
            one = packed.EmbedTextResponse(success=True, vector=vector.tobytes(), model=self.model)
            one.tokens, one.truncated = tokens or 0, bool(truncated)
            return _serialised(one)
        response = packed.EmbedBatchResponse(success=True, model=self.model)
        for vector, tokens, truncated in told:
            response.embeddings.add(vector=vector.tobytes(), tokens=tokens or 0, truncated=bool(truncated))
        return _serialised(response)


READERS = {"UpsertVectors": UpsertRequest, "SearchVectors": SearchRequest}
"""By RPC, what reads its requests for a `Database`."""


def _component_bytes(components: Iterable[float]) -> bytes:
    import numpy as np

    return np.fromiter(components, dtype=COMPONENT).tobytes()


def _serialised(message: Any) -> bytes:
    wire: bytes = message.SerializeToString()
    return wire
