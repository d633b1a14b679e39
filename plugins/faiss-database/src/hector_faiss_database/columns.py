"""The metadata of a collection, readable by key: which slots say what.

Metadata stays bytes until a filter names a key; the column of that key is then read once and kept up to date from there
on. So what nobody filters by (the text of a passage) costs nothing but its bytes.
"""

import threading
from collections.abc import Hashable, Mapping

from google.protobuf.struct_pb2 import Struct

from hector_faiss_database.values import faces

Column = dict[Hashable, set[int]]


class Columns:
    """Metadata by slot. Slots are numbered from 0 without gaps; an empty one says nothing.

    Changes need a caller that lets no reader in meanwhile; readers may come side by side.
    """

    def __init__(self) -> None:
        self._metadata: list[bytes] = []
        self._columns: dict[str, Column] = {}
        self._reading = threading.Lock()  # two filters may name the same new key at once

    def __len__(self) -> int:
        return len(self._metadata)

    def __getitem__(self, slot: int) -> bytes:
        return self._metadata[slot]

    def put(self, slot: int, metadata: bytes) -> None:
        """Replace what the slot says; the slot after the last one is new."""
        if slot == len(self._metadata):
            self._metadata.append(b"")
        old, self._metadata[slot] = self._metadata[slot], metadata
        if self._columns and old != metadata:
            self._forget(slot, Struct.FromString(old))
            self._learn(slot, Struct.FromString(metadata))

    def slots(self, key: str) -> Mapping[Hashable, set[int]]:
        """The slots of each value of the key; a list stands under itself and under each of its elements."""
        with self._reading:
            if key not in self._columns:
                self._columns[key] = self._read(key)
            return self._columns[key]

    def _read(self, key: str) -> Column:
        column: Column = {}
        for slot, metadata in enumerate(self._metadata):
            struct = Struct.FromString(metadata)
            if key in struct.fields:
                for face in faces(struct.fields[key]):
                    column.setdefault(face, set()).add(slot)
        return column

    def _learn(self, slot: int, struct: Struct) -> None:
        for key in self._columns.keys() & struct.fields.keys():
            for face in faces(struct.fields[key]):
                self._columns[key].setdefault(face, set()).add(slot)

    def _forget(self, slot: int, struct: Struct) -> None:
        for key in self._columns.keys() & struct.fields.keys():
            column = self._columns[key]
            for face in set(faces(struct.fields[key])):
                column[face].discard(slot)
                if not column[face]:
                    del column[face]
