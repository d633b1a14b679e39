"""A database that keeps every promise but one: the case that its option `fault` names, if any.

It is all in memory, and each change is appended to a file of its data directory first.
"""

import asyncio
import math
import os
import shutil
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filters import matches
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1 import database_pb2 as db
from hector_sdk import Database, Status, serve

STUCK = 7.0
"""Seconds for which a fault holds everybody up: longer than the suite is patient."""


@dataclass(frozen=True)
class Options:
    fault: str = ""


@dataclass
class Held:
    """A collection: its settings, and by id the vectors."""

    dimension: int
    metric: int
    vectors: dict


class Wrong(Database[Options]):
    async def start(self):
        self.stuck = False
        self.collections = {}
        self.graveyard = {}
        path = self.data_dir / "journal"
        data = path.read_bytes() if path.exists() else b""
        while len(data) > 5:
            kind, size = struct.unpack("<BI", data[:5])
            if len(data) >= 5 + size:
                self.apply(CHANGES[kind].FromString(data[5 : 5 + size]))
            data = data[5 + size :]
        self.waiting = []
        self.journal = path.open("ab")

    async def stop(self):
        self.journal.close()
        if self.wrong("a_stopped_one_goes_on_where_it_was"):
            (self.data_dir / "journal").unlink()

    def wrong(self, case):
        return self.options.fault == case

    def write(self, change):
        if not self.forgets(change):
            self.waiting.append(change)
        if not (self.wrong("kills_while_writing_lose_nothing_answered") and len(self.waiting) < 8 and of_five(change)):
            for each in self.waiting:
                data = each.SerializeToString()
                self.journal.write(struct.pack("<BI", CHANGES.index(type(each)), len(data)) + data)
            self.journal.flush()
            self.waiting = []
        done = self.apply(change)
        if not self.collections and not self.waiting:
            self.journal.truncate(0)
        return done

    def forgets(self, change):
        upsert = isinstance(change, db.UpsertVectorsRequest)
        overwrites = upsert and any(each.id in self.collections[change.collection].vectors for each in change.vectors)
        deletes = isinstance(change, db.DeleteVectorsRequest | db.DeleteCollectionRequest)
        return (
            (
                self.wrong("answered_upserts_survive_a_kill")
                and upsert
                and any("text" in v.metadata for v in change.vectors)
            )
            or (self.wrong("answered_changes_survive_a_kill") and overwrites)
            or (self.wrong("answered_deletions_survive_a_kill") and deletes)
        )

    def apply(self, change):
        match change:
            case db.CreateCollectionRequest():
                self.collections[change.name] = Held(change.dimension, change.metric or db.METRIC_COSINE, {})
            case db.DeleteCollectionRequest():
                held = self.collections.pop(change.name, None)
                if held and self.wrong("deleted_collections_are_gone"):
                    self.graveyard[change.name] = held
            case db.UpsertVectorsRequest():
                self.store(self.collections[change.collection].vectors, change.vectors)
            case db.DeleteVectorsRequest():
                vectors = self.collections[change.collection].vectors
                return sum(vectors.pop(name, None) is not None for name in change.ids)
        return None

    def store(self, vectors, given):
        given = [db.Vector.FromString(each.SerializeToString()) for each in given]
        if self.wrong("the_last_of_equal_ids_counts"):
            given = list({each.id: each for each in reversed(given)}.values())
        for each in given:
            if self.wrong("upserts_replace_whole") and each.id in vectors:
                each.metadata.MergeFrom(dict_of(vectors[each.id].metadata, each.metadata))
            if self.wrong("metadata_comes_back_as_it_was"):
                for key in [key for key, value in each.metadata.fields.items() if value.HasField("null_value")]:
                    if len(each.metadata.fields) > 5:
                        del each.metadata.fields[key]
            vectors[each.id] = each

    async def create_collection(self, request):
        if not request.name or request.dimension < 1 or request.metric not in db.Metric.values():
            raise status("FAILED_PRECONDITION" if self.wrong("bad_collections_are_invalid") else "INVALID_ARGUMENT")
        there = self.collections.get(request.name)
        if there is not None and not self.wrong("creating_it_alike_again_changes_nothing"):
            if (there.dimension, there.metric) == (request.dimension, request.metric or db.METRIC_COSINE):
                return db.CreateCollectionResponse(success=True)
            if not self.wrong("other_settings_already_exist"):
                raise status("ALREADY_EXISTS")
            return db.CreateCollectionResponse(success=True)
        if there is not None and there.dimension != request.dimension:
            raise status("ALREADY_EXISTS")
        self.write(request)
        if request.name in self.graveyard:
            self.collections[request.name].vectors = self.graveyard[request.name].vectors
        return db.CreateCollectionResponse(success=True)

    async def delete_collection(self, request):
        if not request.name and not self.wrong("deleting_without_a_name_is_invalid"):
            raise status("INVALID_ARGUMENT")
        if request.name in self.collections:
            self.write(request)
        elif self.wrong("deleting_an_absent_collection_succeeds"):
            raise status("NOT_FOUND")
        return db.DeleteCollectionResponse(success=True)

    async def upsert_vectors(self, request):
        request = request.message
        held = self.find(request.collection)
        if not request.vectors and self.wrong("an_empty_batch_is_a_success"):
            raise status("INVALID_ARGUMENT")
        for each in request.vectors:
            bad = len(each.vector) != held.dimension or not all(map(math.isfinite, each.vector))
            if bad or not 1 <= len(each.id.encode()) <= 512:
                raise status("INTERNAL" if self.wrong("bad_vectors_are_invalid") else "INVALID_ARGUMENT")
            if self.wrong("ids_are_any_text") and len(each.id.encode()) > 255:
                raise status("INVALID_ARGUMENT")
        if len(request.vectors) == 600:
            await self.slow("cancelled_upserts_leave_it_whole")
        if self.wrong("a_batch_of_8_mib_is_stored_whole") and len(request.vectors) > 1000:
            del request.vectors[len(request.vectors) // 2 :]
        if self.wrong("parallel_upserts_lose_nothing") and len(request.vectors) == 20:
            before = dict(held.vectors)
            await asyncio.sleep(0.01)  # others write meanwhile, and are overwritten
            held.vectors = before
        if self.wrong("parallel_collections_do_not_mix"):
            self.current = request.collection
            await asyncio.sleep(0.005)
            request.collection = self.current if self.current in self.collections else request.collection
            if self.find(request.collection).dimension != held.dimension:
                return db.UpsertVectorsResponse(success=True)
        self.write(request)
        return db.UpsertVectorsResponse(success=True)

    async def slow(self, case):
        """Takes its time; with the fault, whoever leaves meanwhile holds everybody up."""
        try:
            await asyncio.sleep(0.5 if self.wrong(case) else 0.01)
        except asyncio.CancelledError:
            if self.wrong(case) and not self.stuck:
                self.stuck = True  # once is enough
                time.sleep(STUCK)  # noqa: ASYNC251  that is the fault
            raise

    async def search_vectors(self, request):
        request = request.message
        held = self.find(request.collection)
        bad = len(request.vector) != held.dimension or not all(map(math.isfinite, request.vector))
        if bad or (request.limit < 1):
            raise status("OUT_OF_RANGE" if self.wrong("bad_searches_are_invalid") else "INVALID_ARGUMENT")
        if self.wrong("a_huge_limit_finds_all") and request.limit > 2_000_000:
            raise status("INVALID_ARGUMENT")
        if not held.vectors and self.wrong("an_empty_collection_finds_nothing"):
            raise status("NOT_FOUND")
        if request.limit == 500:
            await self.slow("late_searches_leave_it_whole")
        found = self.scored(held, request)
        if self.wrong("exact_searches_miss_nothing") and len(held.vectors) == 500:
            found = found[1:]
        if self.wrong("filters_come_before_limits"):
            found = [each for each in found[: request.limit + 50] if self.fits(request.filter, each[1])]
        if self.wrong("threshold_0_bounds_nothing"):
            found = [each for each in found if each[0] > -0.999999 or held.metric != db.METRIC_COSINE]
        if request.threshold and not self.wrong("thresholds_leave_out_what_scores_lower"):
            found = [each for each in found if each[0] >= request.threshold]
        if not self.wrong("limits_bound_the_results"):
            found = found[: request.limit]
        results = [db.VectorResult(id=each.id, score=score, metadata=each.metadata) for score, each in found]
        return db.SearchVectorsResponse(success=True, results=results)

    def scored(self, held, request):
        self.fits(request.filter, db.Vector())
        early = self.wrong("filters_come_before_limits") or not request.filter.fields
        chosen = [each for each in held.vectors.values() if early or self.fits(request.filter, each)]
        if not chosen:
            return []
        scores = self.scores(held, np.array([each.vector for each in chosen]), np.array(request.vector))
        return sorted(zip(scores.tolist(), chosen, strict=True), key=lambda pair: -pair[0])

    def scores(self, held, matrix, vector):
        products = matrix @ vector
        if held.metric == db.METRIC_DOT:
            return -products if self.wrong("dot_scores_are_inner_products") else products
        if held.metric == db.METRIC_L2:
            distances = np.linalg.norm(matrix - vector, axis=1)
            return -(distances**2) if self.wrong("l2_scores_are_minus_the_distances") else -distances
        lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
        cosines = products / np.where(lengths == 0, 1, lengths)
        return 2 - cosines if self.wrong("cosine_is_the_metric_unless_named") and held.dimension == 3 else cosines

    def fits(self, given, vector):
        condition = MessageToDict(given)
        metadata = MessageToDict(vector.metadata)
        if self.wrong("filters_match_as_the_contract_says") and "$ne" in str(condition) and "n" not in metadata:
            return False
        try:
            return matches(condition, metadata)
        except Status:
            if self.wrong("bad_filters_are_invalid"):
                return True
            raise

    async def delete_vectors(self, request):
        held = self.find(request.collection)
        if bool(request.ids) == bool(request.filter.fields):
            if self.wrong("deletes_want_either_ids_or_a_filter"):
                request.ids.extend(held.vectors)
            else:
                raise status("INVALID_ARGUMENT")
        if request.filter.fields and not request.ids:
            request.ids.extend(self.matching(held, request.filter))
        request.ClearField("filter")
        if self.wrong("deletes_take_the_named_alone") and len(request.ids) == 3:
            del request.ids[2]
        return db.DeleteVectorsResponse(success=True, deleted=self.write(request))

    def matching(self, held, given):
        if self.wrong("bad_filters_delete_nothing"):
            try:
                matches(MessageToDict(given), {})
            except Status:
                return list(held.vectors)
        matches(MessageToDict(given), {})
        if self.wrong("deletes_take_what_a_filter_matches"):
            return list(held.vectors)
        return [name for name, each in held.vectors.items() if self.fits(given, each)]

    async def list_collections(self, request):
        listed = [
            db.Collection(name=name, dimension=held.dimension, metric=held.metric, vectors=len(held.vectors))
            for name, held in sorted(self.collections.items(), reverse=self.wrong("collections_are_listed"))
        ]
        for each in listed:
            each.index.kind = "" if self.wrong("indexes_tell_of_themselves") else "flat"
        return db.ListCollectionsResponse(collections=listed)

    async def create_snapshot(self, request):
        size = self.copy(Path(request.folder))
        vectors = sum(len(held.vectors) for held in self.collections.values())
        return db.CreateSnapshotResponse(success=True, vectors=vectors, bytes=size)

    def copy(self, folder):
        if not folder.is_absolute():
            raise status("INVALID_ARGUMENT")
        if folder.exists() and any(folder.iterdir()) and not self.wrong("snapshots_go_into_new_folders_alone"):
            raise status("ALREADY_EXISTS")
        folder.mkdir(exist_ok=True)
        journal = self.data_dir / "journal"
        if self.wrong("snapshots_hold_what_was_there"):
            os.link(journal, folder / "journal")
        else:
            shutil.copy(journal, folder)
        return journal.stat().st_size

    async def list_vectors(self, request):
        held = self.find(request.collection)
        token = request.page_token
        if (token and not token.isdigit()) and not self.wrong("foreign_page_tokens_are_invalid"):
            raise status("INVALID_ARGUMENT")
        start = int(token) if token.isdigit() else 0
        size = request.page_size or 100
        names = [name for name in request.ids if name in held.vectors] if request.ids else list(held.vectors)
        response = db.ListVectorsResponse()
        for name in names[start : start + size]:
            added = response.vectors.add()
            added.CopyFrom(held.vectors[name])
            if self.wrong("vectors_are_fetched_by_id") and request.ids:
                length = math.hypot(*added.vector)
                added.vector[:] = [each / length for each in added.vector]
        if start + size < len(names):
            step = size - 1 if self.wrong("pages_hold_each_vector_once") else size
            response.next_page_token = str(start + step)
        return response

    def find(self, name):
        if name not in self.collections:
            raise status("UNAVAILABLE" if self.wrong("absent_collections_are_not_found") else "NOT_FOUND")
        return self.collections[name]


CHANGES = (db.CreateCollectionRequest, db.DeleteCollectionRequest, db.UpsertVectorsRequest, db.DeleteVectorsRequest)


def of_five(change):
    return isinstance(change, db.UpsertVectorsRequest) and len(change.vectors) == 5


def dict_of(old, new):
    kept = Struct()
    kept.CopyFrom(old)
    for key in new.fields:
        if key in kept.fields:
            del kept.fields[key]
    return kept


def status(code):
    import grpc

    return Status(grpc.StatusCode[code], f"that is {code}")


if __name__ == "__main__":
    serve(Wrong(), name="wrong-database", version="0.1.0", description="Breaks one promise.")
