"""Which thread serves which RPC: the engine's writer makes all changes, searches run beside it in threads of their own.

So a search never waits for a write to reach the disk. FAISS is imported by `start`: the process answers before that.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database.options import Options
from hector_sdk import Database, InvalidOptions

if TYPE_CHECKING:
    from concurrent.futures import Future

    from hector_faiss_database.service import Service
    from hector_sdk.vectors import ListResponse, SearchRequest, SearchResponse, UpsertRequest


SWITCH = 0.0005
"""Seconds after which a thread of the background lets a call go on; Python's own 5 ms are many searches."""


class FaissDatabase(Database[Options]):
    """A vector database in one directory."""

    _service: Service

    async def start(self) -> None:
        """Open the directory."""
        self.options.check()
        opening = asyncio.ensure_future(asyncio.to_thread(_opened, self._directory(), self.options))
        try:
            self._service = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # It ends nevertheless, and then must not keep the directory.
            opening.add_done_callback(_abandoned)
            await asyncio.wait([opening])
            raise

    async def stop(self) -> None:
        """Finish what was begun and leave the directory to the next process."""
        await asyncio.to_thread(self._service.close)

    async def create_collection(self, request: pb.CreateCollectionRequest) -> pb.CreateCollectionResponse:
        """Create a collection unless it exists alike."""
        await asyncio.wrap_future(self._service.create(request))
        return pb.CreateCollectionResponse(success=True)

    async def delete_collection(self, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
        """Delete a collection if it exists."""
        await asyncio.wrap_future(self._service.drop(request))
        return pb.DeleteCollectionResponse(success=True)

    async def upsert_vectors(self, request: UpsertRequest) -> pb.UpsertVectorsResponse:
        """Store vectors; they are durable when this returns."""
        change: Future[None] = await asyncio.to_thread(self._service.upsert, request)
        await asyncio.wrap_future(change)
        return pb.UpsertVectorsResponse(success=True)

    async def search_vectors(self, request: SearchRequest) -> SearchResponse:
        """Find the nearest vectors."""
        return await asyncio.to_thread(self._service.search, request)

    async def delete_vectors(self, request: pb.DeleteVectorsRequest) -> pb.DeleteVectorsResponse:
        """Delete vectors by id or by filter."""
        deleted = await asyncio.wrap_future(self._service.remove(request))
        return pb.DeleteVectorsResponse(success=True, deleted=deleted)

    async def list_collections(self, _request: pb.ListCollectionsRequest) -> pb.ListCollectionsResponse:
        """Say which collections there are."""
        return self._service.collections()

    async def list_vectors(self, request: pb.ListVectorsRequest) -> ListResponse:
        """Fetch vectors by id, or page through all that match."""
        return await asyncio.to_thread(self._service.vectors, request)

    async def create_snapshot(self, request: pb.CreateSnapshotRequest) -> pb.CreateSnapshotResponse:
        """Copy everything, as it is at one moment, into a folder."""
        vectors, size = await asyncio.wrap_future(self._service.snapshot(request))
        return pb.CreateSnapshotResponse(success=True, vectors=vectors, bytes=size)

    def _directory(self) -> Path:
        if not self.options.directory:
            if self.data_dir is None:
                raise InvalidOptions("directory", "is empty, and there is no data directory: give one of the two")
            return self.data_dir
        if not Path(self.options.directory).is_absolute():
            raise InvalidOptions("directory", f'"{self.options.directory}" is relative: write the whole path')
        return Path(self.options.directory)


def _opened(directory: Path, options: Options) -> Service:
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it tells which builds of itself it tried
    from hector_faiss_database.service import Service

    sys.setswitchinterval(SWITCH)
    return Service(directory, options)


def _abandoned(opening: asyncio.Task[Service]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
