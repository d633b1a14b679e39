"""A cross-encoder without a model: it likes short texts."""

from hector.plugin.v1.embedder_pb2 import (
    EmbedBatchRequest,
    EmbedBatchResponse,
    GetDimensionsRequest,
    GetDimensionsResponse,
    RerankRequest,
    RerankResponse,
)
from hector_sdk import Embedder, serve


class Lengths(Embedder):
    async def rerank(self, request: RerankRequest) -> RerankResponse:
        return RerankResponse(success=True, scores=[-float(len(text)) for text in request.texts], model="lengths")

    async def embed_batch(self, request: EmbedBatchRequest) -> EmbedBatchResponse:
        return EmbedBatchResponse(success=False, error="it only reranks")

    async def get_dimensions(self, request: GetDimensionsRequest) -> GetDimensionsResponse:
        return GetDimensionsResponse(dimension=1)


if __name__ == "__main__":
    serve(Lengths())
