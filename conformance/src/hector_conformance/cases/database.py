"""What every vector database promises of its collections and of what it is given to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from hector.plugin.v1.database_pb2 import (
    METRIC_COSINE,
    METRIC_UNSPECIFIED,
    CreateCollectionRequest,
    DeleteCollectionRequest,
    DeleteVectorsRequest,
    ListCollectionsRequest,
    ListVectorsRequest,
    SearchVectorsRequest,
    UpsertVectorsRequest,
    Vector,
)
from hector_conformance.answers import answer, beyond_bare, refusal
from hector_conformance.case import Failed, case
from hector_conformance.vectors import Collection, collection, fresh_name, point
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

METADATA: dict[str, Any] = {
    "text": "Grüße, 日本語 \u0000 \t end ",
    "whole": 9007199254740991,
    "real": 0.1,
    "small": -5e-324,
    "large": 1.7976931348623157e308,
    "yes": True,
    "no": False,
    "nothing": None,
    "list": [1, "1", True, None, [], {"deep": [{}]}],
    "": "a key without a name",
    "a.b $c": {"x": {"y": ""}},
}
"""One of everything that JSON can say."""


def _corners() -> list[Vector]:
    return [point("east", 1, 0), point("north", 0, 1), point("west", -1, 0.5)]


def _same(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what}: should be {wanted}, was {found}")


@case(Kind.DATABASE, "contract", requires=("DeleteCollection",))
async def deleted_collections_are_gone(subject: Subject) -> None:
    """A deleted collection is gone with its vectors: made again, it is empty."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*_corners())
        await made.drop()
        await made.create()
        await made.upsert(point("new", 1, 0))
        _same(await made.ids(1, 0), ["new"], "the ids in a collection that was deleted, made again and given one")


@case(Kind.DATABASE, "contract")
async def creating_it_alike_again_changes_nothing(subject: Subject) -> None:
    """CreateCollection succeeds when the collection exists with equal settings, and keeps what is in it."""
    async with subject.running() as instance, collection(instance, metric=METRIC_UNSPECIFIED) as made:
        await made.upsert(*_corners())
        await made.create(metric=METRIC_COSINE)
        _same(len(await made.ids(1, 0)), 3, "vectors after a second CreateCollection with equal settings")


@case(Kind.DATABASE, "contract", requires=("DeleteCollection",))
async def deleting_an_absent_collection_succeeds(subject: Subject) -> None:
    """DeleteCollection succeeds when there is no such collection."""
    async with subject.running() as instance:
        await Collection(instance.stubs.database, fresh_name()).drop()


@case(Kind.DATABASE, "contract")
async def upserts_replace_whole(subject: Subject) -> None:
    """An upsert of an id that is there replaces its vector, and its metadata whole."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0, old=1, both=1), point("b", 1, 0.5))
        await made.upsert(point("a", 0, 1, both=2))
        found = await made.search(0, 1)
        _same([result.id for result in found], ["a", "b"], "the ids, nearest first, once a vector was replaced")
        _same(dict(found[0].metadata), {"both": 2}, "the metadata of the vector that was replaced")


@case(Kind.DATABASE, "contract")
async def the_last_of_equal_ids_counts(subject: Subject) -> None:
    """Where an id comes twice in one batch, the last one counts."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0, turn=1), point("b", 1, 0.5), point("a", 0, 1, turn=2))
        found = [(result.id, dict(result.metadata)) for result in await made.search(0, 1)]
        _same(found, [("a", {"turn": 2}), ("b", {})], "what a batch with an id twice has left, nearest first")


@case(Kind.DATABASE, "contract")
async def ids_are_any_text(subject: Subject) -> None:
    """An id is any UTF-8 text of 1 to 512 bytes, and comes back as it was."""
    names = ["x" * 512, "日" * 170, " ", "a b", "A", "a", "é", "e\u0301", "\u0000", "../'\"%;--", "\n"]
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*(point(name, 1, number) for number, name in enumerate(names)))
        _same(sorted(await made.ids(1, 0)), sorted(names), "the ids")


@case(Kind.DATABASE, "contract")
async def metadata_comes_back_as_it_was(subject: Subject) -> None:
    """Metadata comes back from a search as it was upserted, to the byte."""
    wanted = Struct()
    wanted.update(METADATA)
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("full", 1, 0, **METADATA), point("none", 0, 1))
        found = {result.id: result.metadata for result in await made.search(1, 0)}
        _same(sorted(found), ["full", "none"], "the ids")
        full = found["full"]
        if full.SerializeToString(deterministic=True) != wanted.SerializeToString(deterministic=True):
            changed = sorted(key for key in METADATA if key not in full or full.fields[key] != wanted.fields[key])
            raise Failed(f"the metadata of {len(METADATA)} keys differs in: {changed or 'its keys'}")
        _same(dict(found["none"]), {}, "the metadata of a vector without any")


@case(Kind.DATABASE, "contract", requires=("DeleteVectors",))
async def deletes_take_the_named_alone(subject: Subject) -> None:
    """DeleteVectors by id deletes those that are there; those that are not are no error."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*_corners())
        deleted = await made.delete("east", "nobody", "west")
        _same(await made.ids(1, 0), ["north"], "the ids after two of three were deleted, and one that was not there")
        if deleted not in (0, 2):
            raise Failed(f"DeleteVectors of two vectors that were there: deleted should be 2 (or 0), was {deleted}")


@case(Kind.DATABASE, "contract", requires=("DeleteVectors",))
async def deletes_take_what_a_filter_matches(subject: Subject) -> None:
    """DeleteVectors by filter deletes what matches, and nothing else."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0, kind="x"), point("b", 1, 0, kind="y"), point("c", 1, 0))
        await made.delete(where={"kind": "x"})
        _same(sorted(await made.ids(1, 0)), ["b", "c"], "the ids after what has kind x was deleted")


@case(Kind.DATABASE, "contract", requires=("ListCollections",))
async def collections_are_listed(subject: Subject) -> None:
    """ListCollections names each collection with its settings and how many vectors it has, by name."""
    async with subject.running() as instance, collection(instance) as one, collection(instance, 3) as other:
        await one.upsert(*_corners())
        await one.upsert(point("east", 0, 1))
        listed = (
            await answer(instance.stubs.database.ListCollections(ListCollectionsRequest()), "ListCollections")
        ).collections
        names = [each.name for each in listed]
        _same(names, sorted(names), "the order of ListCollections")
        for made, dimension, count in ((one, 2, 3), (other, 3, 0)):
            found = [(each.dimension, each.metric, each.vectors) for each in listed if each.name == made.name]
            _same(found, [(dimension, METRIC_COSINE, count)], "dimension, metric and vectors of a collection")


@case(Kind.DATABASE, "contract", requires=("ListCollections",))
async def indexes_tell_of_themselves(subject: Subject) -> None:
    """Where ListCollections tells of an index, it has a kind, holds no more than there is, and recall is a share."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*_corners())
        response = await answer(instance.stubs.database.ListCollections(ListCollectionsRequest()), "ListCollections")
        for each in response.collections:
            index = each.index
            fits = index.kind and 0 <= index.vectors <= each.vectors and 0 <= index.recall <= 1
            if each.HasField("index") and not fits:
                told = f"kind {index.kind!r}, {index.vectors} of {each.vectors} vectors, recall {index.recall}"
                raise Failed(f"the index of a collection: should have a kind, and shares of what is there, was {told}")


@case(Kind.DATABASE, "contract", requires=("ListVectors",))
async def vectors_are_fetched_by_id(subject: Subject) -> None:
    """ListVectors gives the named vectors with their own floats and metadata; absent ones are left out."""
    vector = point("b", 3.25, -4.5, kind="x")
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0), vector)
        _same(await made.pages("b", "nobody"), [vector], "what ListVectors gives of one id that is there")


@case(Kind.DATABASE, "contract", requires=("ListVectors",))
async def pages_hold_each_vector_once(subject: Subject) -> None:
    """The pages of ListVectors hold every vector once, and at most as many as were asked for."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*(point(f"v{number}", 1, number) for number in range(7)))
        request = ListVectorsRequest(collection=made.name, page_size=3)
        first = await answer(instance.stubs.database.ListVectors(request), "ListVectors in pages of 3")
        if len(first.vectors) > 3 or not first.next_page_token:
            raise Failed(f"a page of 3 of 7 vectors: has {len(first.vectors)}, and says that it is the last")
        _same(sorted(each.id for each in await made.pages(size=3)), [f"v{number}" for number in range(7)], "all pages")


@case(Kind.DATABASE, "statuses")
async def absent_collections_are_not_found(subject: Subject) -> None:
    """Every call that names a collection which does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        stub, name = instance.stubs.database, fresh_name()
        calls = {
            "UpsertVectors": UpsertVectorsRequest(collection=name, vectors=[point("a", 1, 0)]),
            "SearchVectors": SearchVectorsRequest(collection=name, vector=[1, 0], limit=1),
            "DeleteVectors": DeleteVectorsRequest(collection=name, ids=["a"]),
            "ListVectors": ListVectorsRequest(collection=name),
        }
        for rpc, request in calls.items():
            if await subject.offers(rpc):
                call = getattr(stub, rpc)(request)
                await refusal(subject, call, StatusCode.NOT_FOUND, f"{rpc} with a collection that does not exist")


@case(Kind.DATABASE, "statuses")
async def other_settings_already_exist(subject: Subject) -> None:
    """CreateCollection of one that exists with another dimension is ALREADY_EXISTS."""
    async with subject.running() as instance, collection(instance) as made:
        call = instance.stubs.database.CreateCollection(CreateCollectionRequest(name=made.name, dimension=3))
        await refusal(subject, call, StatusCode.ALREADY_EXISTS, "CreateCollection with another dimension")


@case(Kind.DATABASE, "statuses")
async def bad_collections_are_invalid(subject: Subject) -> None:
    """CreateCollection with an empty name, a dimension below 1 or no such metric is INVALID_ARGUMENT."""
    async with subject.running() as instance:
        stub = instance.stubs.database
        named = [
            ("an empty name", CreateCollectionRequest(dimension=2)),
            ("dimension 0", CreateCollectionRequest(name=fresh_name())),
            ("dimension -1", CreateCollectionRequest(name=fresh_name(), dimension=-1)),
        ]
        for what, request in named:
            call = stub.CreateCollection(request)
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"CreateCollection with {what}")
        metric = CreateCollectionRequest(name=fresh_name(), dimension=2, metric=99)  # type: ignore[arg-type]
        async with beyond_bare(subject, "metric"):
            await refusal(
                subject, stub.CreateCollection(metric), StatusCode.INVALID_ARGUMENT, "CreateCollection with metric 99"
            )


@case(Kind.DATABASE, "statuses", requires=("DeleteCollection",))
async def deleting_without_a_name_is_invalid(subject: Subject) -> None:
    """DeleteCollection with an empty name is INVALID_ARGUMENT."""
    async with subject.running() as instance:
        call = instance.stubs.database.DeleteCollection(DeleteCollectionRequest())
        await refusal(subject, call, StatusCode.INVALID_ARGUMENT, "DeleteCollection with an empty name")


@case(Kind.DATABASE, "statuses")
async def bad_vectors_are_invalid(subject: Subject) -> None:
    """UpsertVectors of a bad id, of another dimension or of floats that are not finite is INVALID_ARGUMENT."""
    bad = {
        "a vector that is too short": point("a", 1),
        "a vector that is too long": point("a", 1, 0, 0),
        "a vector without floats": point("a"),
        "a NaN": point("a", float("nan"), 0),
        "an infinity": point("a", 0, float("-inf")),
        "an empty id": point("", 1, 0),
        "an id of 513 bytes": point("x" * 513, 1, 0),
    }
    async with subject.running() as instance, collection(instance) as made:
        for what, vector in bad.items():
            await _refused_upsert(subject, instance, made, what, vector)


async def _refused_upsert(subject: Subject, instance: Instance, made: Collection, what: str, vector: Vector) -> None:
    request = UpsertVectorsRequest(collection=made.name, vectors=[vector])
    call = instance.stubs.database.UpsertVectors(request)
    await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"UpsertVectors of {what}")


@case(Kind.DATABASE, "statuses", requires=("DeleteVectors",))
async def deletes_want_either_ids_or_a_filter(subject: Subject) -> None:
    """DeleteVectors with neither ids nor filter, or with both, is INVALID_ARGUMENT and deletes nothing."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(*_corners())
        neither = DeleteVectorsRequest(collection=made.name)
        both = DeleteVectorsRequest(collection=made.name, ids=["east"])
        both.filter.update({"kind": {"$exists": False}})
        for what, request in (("neither ids nor filter", neither), ("ids and filter", both)):
            call = instance.stubs.database.DeleteVectors(request)
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"DeleteVectors with {what}")
            _same(len(await made.ids(1, 0)), 3, f"vectors after DeleteVectors with {what}")


@case(Kind.DATABASE, "statuses", requires=("ListVectors",))
async def foreign_page_tokens_are_invalid(subject: Subject) -> None:
    """ListVectors with a page_token that the collection did not give is INVALID_ARGUMENT."""
    async with subject.running() as instance, collection(instance) as made:
        request = ListVectorsRequest(collection=made.name, page_token="conformance")  # noqa: S106  no password
        call = instance.stubs.database.ListVectors(request)
        await refusal(subject, call, StatusCode.INVALID_ARGUMENT, "ListVectors with a page_token of nobody's")


@case(Kind.DATABASE, "empty input")
async def an_empty_batch_is_a_success(subject: Subject) -> None:
    """UpsertVectors without vectors has nothing to do, and succeeds."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert()


@case(Kind.DATABASE, "empty input")
async def an_empty_collection_finds_nothing(subject: Subject) -> None:
    """SearchVectors in an empty collection succeeds and finds nothing."""
    async with subject.running() as instance, collection(instance) as made:
        _same(await made.ids(1, 0), [], "the ids in an empty collection")
