"""Pages of a collection's vectors, in the order in which they were first stored.

A page's token holds the last key of the page, so vectors that come and go meanwhile shift nothing: each vector that
stays is listed once.
"""

from hector.plugin.v1.database_pb2 import ListVectorsRequest
from hector_faiss_database import requests
from hector_faiss_database.collection import Collection
from hector_faiss_database.records import Stored
from hector_sdk.vectors import ListResponse

PAGE_BYTES = 3 * 1024 * 1024  # clients refuse messages over 4 MiB unless told otherwise


def page(request: ListVectorsRequest, collection: Collection) -> ListResponse:
    """The page that the request asks for; it ends early rather than grow past 3 MiB, but holds one vector at least."""
    requests.either(request.ids, request.filter, needed=False)
    size = requests.page_size(request.page_size)
    after = requests.page_start(request.page_token, collection.number)
    taken: list[Stored] = []
    room, last = PAGE_BYTES, 0
    for key, stored in collection.page(request.ids, requests.condition(request.filter), after, size + 1):
        room -= len(stored.id) + len(stored.metadata) + request.with_vectors * stored.vector.nbytes
        if len(taken) == size or (room < 0 and taken):
            return _response(taken, requests.page_token(collection.number, last), request.with_vectors)
        taken.append(stored)
        last = key
    return _response(taken, "", request.with_vectors)


def _response(taken: list[Stored], token: str, with_vectors: bool) -> ListResponse:
    return ListResponse(((each.id, each.vector if with_vectors else None, each.metadata) for each in taken), token)
