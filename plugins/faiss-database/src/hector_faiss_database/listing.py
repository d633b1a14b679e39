"""Pages of a collection's vectors, in the order in which they were first stored.

A page's token holds the last key of the page, so vectors that come and go meanwhile shift nothing: each vector that
stays is listed once. Which vectors is read from memory, what they hold from disk: memory has only normalised copies.
"""

import numpy as np
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.database_pb2 import ListVectorsRequest, ListVectorsResponse, Vector
from hector_faiss_database import requests
from hector_faiss_database.collection import Collection
from hector_faiss_database.records import COMPONENT, Stored
from hector_faiss_database.store import Store

PAGE_BYTES = 3 * 1024 * 1024  # clients refuse messages over 4 MiB unless told otherwise


def page(request: ListVectorsRequest, collection: Collection, store: Store) -> ListVectorsResponse:
    """The page that the request asks for; it ends early rather than grow past 3 MiB, but holds one vector at least."""
    requests.either(request.ids, request.filter, needed=False)
    size = requests.page_size(request.page_size)
    after = requests.page_start(request.page_token, collection.number)
    keys = collection.page(request.ids, requests.condition(request.filter), after, size + 1)
    response, taken, room = ListVectorsResponse(), 0, PAGE_BYTES
    for key in keys[:size]:
        stored = store.fetch(key)
        if stored is not None:
            room -= len(stored.id) + len(stored.metadata) + request.with_vectors * len(stored.vector)
            if room < 0 and response.vectors:
                break
            response.vectors.append(_vector(stored, with_vector=request.with_vectors))
        taken += 1
    if taken < len(keys):
        response.next_page_token = requests.page_token(collection.number, keys[taken - 1])
    return response


def _vector(stored: Stored, *, with_vector: bool) -> Vector:
    return Vector(
        id=stored.id,
        vector=np.frombuffer(stored.vector, dtype=COMPONENT) if with_vector else None,
        metadata=Struct.FromString(stored.metadata) if stored.metadata else None,
    )
