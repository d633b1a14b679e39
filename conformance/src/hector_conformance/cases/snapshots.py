"""What every vector database promises that copies itself into a folder."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from grpc import StatusCode

from hector.plugin.v1.database_pb2 import CreateSnapshotRequest
from hector_conformance.answers import answer, bare, refusal
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.vectors import Collection, collection, point
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.subject import Subject


@case(Kind.DATABASE, "contract", requires=("CreateSnapshot", RESTART))
async def snapshots_hold_what_was_there(subject: Subject) -> None:
    """A snapshot is a data directory with everything that was answered before it, and nothing that came after."""
    if await bare(subject):
        raise NotOffered("a bare server is given no data directory")
    folder = subject.folder()
    copy = subject.data_directory(folder)
    copy.parent.mkdir(parents=True)
    async with subject.running(fresh=True) as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0), point("b", 0, 1), point("c", 1, 1))
        await made.delete("c")
        request = CreateSnapshotRequest(folder=str(copy))
        copied = await answer(instance.stubs.database.CreateSnapshot(request), "CreateSnapshot into a new folder")
        await made.upsert(point("late", 1, 0))
    if copied.vectors != 2:
        raise Failed(f"vectors of a snapshot: should be 2, were {copied.vectors}")
    async with subject.running(data=folder) as restored:
        found = sorted(await Collection(restored.stubs.database, made.name).ids(1, 0))
        if found != ["a", "b"]:
            raise Failed(f"the ids in a snapshot: should be ['a', 'b'], were {found}")


@case(Kind.DATABASE, "statuses", requires=("CreateSnapshot",))
async def snapshots_go_into_new_folders_alone(subject: Subject) -> None:
    """CreateSnapshot is INVALID_ARGUMENT for what is no whole path, ALREADY_EXISTS where something is."""
    async with subject.running() as instance:
        stub = instance.stubs.database
        for folder in ("", "snapshot"):
            call = stub.CreateSnapshot(CreateSnapshotRequest(folder=folder))
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f'CreateSnapshot into "{folder}"')
        with tempfile.TemporaryDirectory(prefix="hector-snapshot-") as used, tempfile.NamedTemporaryFile(dir=used):
            call = stub.CreateSnapshot(CreateSnapshotRequest(folder=used))
            await refusal(subject, call, StatusCode.ALREADY_EXISTS, "CreateSnapshot into a folder that is in use")
