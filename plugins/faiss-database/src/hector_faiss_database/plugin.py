"""Which thread serves which RPC: changes run one after the other in a thread of their own, all else beside them.

So a search never waits for a write to reach the disk. FAISS is imported by `start`: the process answers before that.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hector_faiss_database.options import Options
from hector_sdk import Database, InvalidOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.plugin.v1 import database_pb2 as pb
    from hector_faiss_database.service import Service
    from hector_sdk.vectors import SearchRequest, UpsertRequest

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class FaissDatabase(Database[Options]):
    """A vector database in one directory."""

    _writer: ThreadPoolExecutor
    _service: Service

    async def start(self) -> None:
        """Read the directory into memory."""
        directory = self._directory()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        opening = self._writer.submit(_opened, directory)
        try:
            self._service = await asyncio.wrap_future(opening)
        except BaseException:
            await asyncio.to_thread(self._abandon, opening)
            raise

    async def stop(self) -> None:
        """Finish what was begun and leave the directory to the next process."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._service.close)
        finally:
            await asyncio.to_thread(self._writer.shutdown)

    async def create_collection(self, request: pb.CreateCollectionRequest) -> pb.CreateCollectionResponse:
        """Create a collection unless it exists alike."""
        return await self._change(self._service.create, request)

    async def delete_collection(self, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
        """Delete a collection if it exists."""
        return await self._change(self._service.drop, request)

    async def upsert_vectors(self, request: UpsertRequest) -> pb.UpsertVectorsResponse:
        """Store vectors; they are durable when this returns."""
        collection, batch = await asyncio.to_thread(self._service.batch, request)
        return await self._change(lambda vectors: self._service.upsert(collection, vectors), batch)

    async def search_vectors(self, request: SearchRequest) -> pb.SearchVectorsResponse:
        """Find the nearest vectors, exactly."""
        return await asyncio.to_thread(self._service.search, request)

    async def delete_vectors(self, request: pb.DeleteVectorsRequest) -> pb.DeleteVectorsResponse:
        """Delete vectors by id or by filter."""
        return await self._change(self._service.remove, request)

    async def list_collections(self, _request: pb.ListCollectionsRequest) -> pb.ListCollectionsResponse:
        """Say which collections there are."""
        return self._service.collections()

    async def list_vectors(self, request: pb.ListVectorsRequest) -> pb.ListVectorsResponse:
        """Fetch vectors by id, or page through all that match."""
        return await asyncio.to_thread(self._service.vectors, request)

    def _directory(self) -> Path:
        if not self.options.directory:
            if self.data_dir is None:
                raise InvalidOptions("directory", "is empty, and there is no data directory: give one of the two")
            return self.data_dir
        if not Path(self.options.directory).is_absolute():
            raise InvalidOptions("directory", f'"{self.options.directory}" is relative: write the whole path')
        return Path(self.options.directory)

    async def _change(self, change: Callable[[Argument], Result], argument: Argument) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._writer, change, argument)

    def _abandon(self, opening: Future[Service]) -> None:
        """A start that was cancelled ends nevertheless, and then must not keep the directory."""
        self._writer.shutdown()
        if not opening.cancelled() and opening.exception() is None:
            opening.result().close()


def _opened(directory: Path) -> Service:
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it tells which builds of itself it tried
    from hector_faiss_database.service import Service

    return Service(directory)
