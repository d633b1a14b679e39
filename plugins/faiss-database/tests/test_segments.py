"""Sealed rows: what a segment holds, how logs become segments and segments become one, and what damage does to them."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_L2, SearchVectorsRequest
from hector_faiss_database import background, engine, snapshot
from hector_faiss_database.engine import Engine
from hector_faiss_database.filters import parse
from hector_faiss_database.options import Options
from hector_faiss_database.records import Batch, Ids, Settings
from hector_faiss_database.segment import PIECE, Segment, write
from hector_faiss_database.service import Service
from hector_faiss_database.tail import Tail
from hector_sdk import Status
from hector_sdk.values import struct
from hector_sdk.vectors import SearchRequest

DIMENSION = 8
SETTINGS = Settings("c", DIMENSION, METRIC_COSINE)
RANDOM = np.random.default_rng(3)


def batch(ids: list[str], n: int = 0) -> Batch:
    metadata = [struct({"n": n, "id": each}).SerializeToString() for each in ids]
    return Batch(Ids(ids), (RANDOM.standard_normal((len(ids), DIMENSION)) * 3).astype(np.float32), metadata)


def tail(count: int) -> tuple[Tail, Batch]:
    made, given = Tail(SETTINGS), batch([f"näme-{number}" for number in range(count)])
    made.append(np.arange(1, count + 1), given)
    return made, given


def test_a_segment_gives_back_what_it_was_made_of(tmp_path: Path):
    block, given = tail(500)
    rows = np.flatnonzero(np.arange(500) % 3 != 1)
    write(tmp_path / "segment-1", DIMENSION, [(block, rows)], lambda: None)
    segment = Segment(tmp_path / "segment-1")
    segment.verify()
    assert len(segment) == len(rows)
    assert segment.find(Ids(given.ids[row] for row in rows)).tolist() == list(range(len(rows)))
    assert segment.find(Ids(["nobody", given.ids[1]])).tolist() == [-1, -1]
    for at, row in enumerate(rows.tolist()):
        assert (segment.id(at), segment.metadata[at]) == (given.ids[row], given.metadata[row])
        assert (segment.original(at) == given.vectors[row]).all()  # to the bit
    again = tmp_path / "segment-2"
    write(again, DIMENSION, [(segment, np.arange(10, 20)), (block, np.array([1]))], lambda: None)
    merged = Segment(again)
    assert [merged.id(row) for row in range(11)] == [segment.id(row) for row in range(10, 20)] + [given.ids[1]]
    assert merged.find(Ids([given.ids[1]])).tolist() == [10]
    assert (merged.original(10) == given.vectors[1]).all()


def test_a_segment_that_cannot_be_finished_leaves_nothing(tmp_path: Path):
    block, _ = tail(3)

    def stopped() -> None:
        raise background.Stopped

    with pytest.raises(background.Stopped):
        write(tmp_path / "segment-1", DIMENSION, [(block, np.arange(3))], stopped)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOG_BYTES", 20_000)


def quiet(opened: Engine) -> None:
    """Waits until nothing is left to be done behind the calls."""
    done = threading.Event()
    step = opened.background._step

    def last() -> bool:
        more = step()
        if not more and not opened.frozen:
            done.set()
        return more

    opened.background._step = last
    opened.background.wake()
    assert done.wait(30)


def contents(opened: Engine) -> dict[str, tuple[bytes, bytes]]:
    page = opened.collection("c").page([], None, 0, 10**9)
    return {stored.id: (stored.metadata, stored.vector.tobytes()) for _, stored in page}


def test_a_long_history_is_the_same_in_segments_after_every_start(tmp_path: Path, small_logs: None):
    model: dict[str, tuple[bytes, bytes]] = {}
    for round_ in range(4):
        opened = Engine(tmp_path, Options())
        opened.create(SETTINGS).result()
        collection = opened.collection("c")
        assert contents(opened) == model
        for step in range(60):
            ids = [str(each) for each in RANDOM.choice(900, 40, replace=False)]
            if RANDOM.random() < 0.3:
                expected = len(set(ids) & model.keys())
                assert opened.remove(collection, lambda ids=ids: ids).result() == expected
                for each in ids:
                    model.pop(each, None)
            else:
                given = batch(ids, step)
                opened.put(collection, given).result()
                model |= {
                    each: (metadata, vector.tobytes())
                    for each, metadata, vector in zip(ids, given.metadata, given.vectors, strict=True)
                }
            assert len(collection) == len(model)
        if round_ % 2:
            quiet(opened)
            assert not opened.frozen
            assert collection.segments
        assert contents(opened) == model
        sevens = {each for each, (metadata, _) in model.items() if Struct.FromString(metadata)["n"] == 7}
        assert set(collection.matching(parse(struct({"n": 7})))) == sevens
        opened.close()
    names = {path.name for path in tmp_path.iterdir()}
    assert not any(name.endswith(".new") for name in names)


def test_many_segments_become_few_and_dead_rows_go(tmp_path: Path, small_logs: None):
    opened = Engine(tmp_path, Options())
    opened.create(SETTINGS).result()
    collection = opened.collection("c")
    for number in range(200):
        opened.put(collection, batch([f"{number}-{each}" for each in range(20)])).result()
    quiet(opened)
    assert 0 < len(collection.segments) <= 3 * background.FAN
    gone = [f"{number}-{each}" for number in range(150) for each in range(20)]
    assert opened.remove(collection, lambda: gone).result() == 3000
    quiet(opened)
    assert sum(len(segment) for segment in collection.segments) < 1000 / (1 - background.DEAD)
    files = {path.name for path in tmp_path.iterdir() if path.name.startswith("segment-")}
    assert files == {segment.path.name for segment in collection.segments}
    opened.close()
    again = Engine(tmp_path, Options())
    assert len(again.collection("c")) == 1000
    again.close()


def test_a_snapshot_in_the_middle_of_it_harms_neither(tmp_path: Path, small_logs: None, monkeypatch):
    folder, copies = tmp_path / "db", tmp_path / "copies"
    opened = Engine(folder, Options())
    taken: list[int] = []

    def written(*arguments: object) -> Segment | None:
        made = original(*arguments)
        number = len(taken)
        vectors, _ = opened.do(lambda: snapshot.take(opened, copies / str(number))).result()
        taken.append(vectors)
        return made

    original = opened.background._written
    monkeypatch.setattr(opened.background, "_written", written)
    opened.create(SETTINGS).result()
    collection = opened.collection("c")
    for number in range(120):
        opened.put(collection, batch([f"{number}-{each}" for each in range(20)])).result()
    quiet(opened)
    before = contents(opened)
    opened.close()
    assert len(before) == 2400
    again = Engine(folder, Options())
    assert contents(again) == before
    again.close()
    assert len(taken) > 5
    for number, vectors in enumerate(taken):
        assert not list((copies / str(number)).glob("*.new"))
        copy = Engine(copies / str(number), Options())
        assert len(copy.collection("c")) == vectors
        assert contents(copy).items() <= before.items()
        copy.close()


def test_logs_become_segments_while_others_are_merged(tmp_path: Path, small_logs: None, monkeypatch):
    merging, waiting = threading.Event(), threading.Event()
    left: list[int] = []
    opened = Engine(tmp_path, Options())
    original = opened.background._sealing

    def held() -> None:
        merging.set()
        assert waiting.wait(30)
        original()
        left.append(len(opened.frozen))

    monkeypatch.setattr(opened.background, "_sealing", held)
    opened.create(SETTINGS).result()
    collection = opened.collection("c")
    number = 0
    while not merging.is_set() or not opened.frozen:
        opened.put(collection, batch([f"{number}-{each}" for each in range(20)])).result()
        number += 1
    waiting.set()
    quiet(opened)
    assert left[0] == 0
    before = contents(opened)
    opened.close()
    assert len(before) == 20 * number
    again = Engine(tmp_path, Options())
    assert contents(again) == before
    again.close()


def test_a_collection_that_is_dropped_while_its_rows_are_sealed_leaves_no_file(tmp_path: Path, monkeypatch):
    opened = Engine(tmp_path, Options())
    original = opened.background._written

    def dropped(*arguments: object) -> Segment | None:
        made = original(*arguments)
        opened.drop("c").result()
        return made

    monkeypatch.setattr(opened.background, "_written", dropped)
    opened.create(SETTINGS).result()
    opened.put(opened.collection("c"), batch(["a"])).result()
    with opened.turn:
        opened._rotate()
    quiet(opened)
    opened.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faiss-database.lock", "log-2", "manifest.json"]


def test_searches_go_on_while_segments_are_exchanged(tmp_path: Path, small_logs: None):
    opened = Engine(tmp_path, Options())
    opened.create(SETTINGS).result()
    collection = opened.collection("c")
    first = batch([f"first-{each}" for each in range(50)])
    opened.put(collection, first).result()
    over, wrong = threading.Event(), []

    def search() -> None:
        while not over.is_set():
            for row in range(50):
                (hit,) = collection.search(first.vectors[row], 1, None, None)
                if hit.id != f"first-{row}":
                    wrong.append(hit)

    reader = threading.Thread(target=search)
    reader.start()
    for number in range(150):
        opened.put(collection, batch([f"{number}-{each}" for each in range(20)])).result()
    quiet(opened)
    over.set()
    reader.join()
    assert wrong == []
    opened.close()


def sealed(folder: Path, count: int = 400) -> Path:
    """A directory with one segment; the path of its file."""
    opened = Engine(folder, Options())
    opened.create(SETTINGS).result()
    opened.put(opened.collection("c"), batch([f"v{number}" for number in range(count)])).result()
    with opened.turn:
        opened._rotate()
    quiet(opened)
    (segment,) = opened.collection("c").segments
    opened.close()
    return segment.path


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x55
    path.write_bytes(content)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "hector_faiss_database", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("at", [0, 100, 20_000, -1, -60])
def test_a_damaged_segment_is_refused_with_file_and_place_and_repaired(tmp_path: Path, at: int):
    folder = tmp_path / "db"
    path = sealed(folder)
    flip(path, at % path.stat().st_size)
    with pytest.raises(Status) as caught:
        Engine(folder, Options())
    assert caught.value.code.name == "FAILED_PRECONDITION"
    assert str(caught.value).startswith(f"{path} is damaged at byte ")
    assert str(caught.value).endswith(f"; stop this plugin and run: python -m hector_faiss_database repair {folder}")
    assert command("verify", folder).returncode == 1
    repaired = command("repair", folder)
    assert repaired.returncode == 0, repaired.stderr
    assert repaired.stdout.splitlines()[0].startswith(f"{path} is damaged at byte ")
    assert f"the damaged files are in {folder / 'damaged-1'}" in repaired.stdout
    assert (folder / "damaged-1" / path.name).exists()
    assert command("verify", folder).stdout == f"{folder} is whole: 0 vectors\n"


def large(folder: Path) -> tuple[Path, np.ndarray]:
    """A directory with one segment whose vectors are three pieces; its path and they."""
    opened = Engine(folder, Options())
    opened.create(Settings("c", 1024, METRIC_L2)).result()
    count = 3 * PIECE // 4096
    vectors = RANDOM.standard_normal((count, 1024)).astype(np.float32)
    whole = Batch(Ids(f"v{number}" for number in range(count)), vectors, [b""] * count)
    opened.put(opened.collection("c"), whole).result()
    with opened.turn:
        opened._rotate()
    quiet(opened)
    (segment,) = opened.collection("c").segments
    opened.close()
    return segment.path, vectors


def test_opening_a_segment_reads_a_small_part_of_it(tmp_path: Path):
    path, _ = large(tmp_path / "db")
    program = """
import re, sys
from pathlib import Path
from hector_faiss_database.segment import Segment
def mapped():
    return int(re.search(r"RssFile:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = mapped()
segment = Segment(Path(sys.argv[1]))
print(len(segment), mapped() - before)
"""
    told = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    count, kibibytes = map(int, told.stdout.split())
    assert count == 3 * PIECE // 4096
    assert path.stat().st_size > 3 * PIECE
    assert kibibytes < 6 << 10


def test_repair_keeps_the_rows_beside_a_damaged_piece(tmp_path: Path):
    folder = tmp_path / "db"
    path, vectors = large(folder)
    flip(path, PIECE + 5)
    repaired = command("repair", folder)
    lost = repaired.stdout.splitlines()[0]
    assert lost.startswith(f"{path} is damaged at byte {PIECE:,}: its checksum does not fit; lost: 1,025 vectors: ")
    assert '"v1023", "v1024"' in lost
    assert f"{folder} has {len(vectors) - 1025:,} vectors" in repaired.stdout
    again = Engine(folder, Options())
    (hit,) = again.collection("c").search(vectors[5], 1, None, None)
    assert (hit.id, hit.score) == ("v5", 0)
    again.close()


def test_bulk_is_verified_behind_the_calls_and_refused_once_it_is_known_to_be_damaged(tmp_path, monkeypatch):
    path, vectors = large(tmp_path)
    flip(path, PIECE + 5)
    monkeypatch.setattr("hector_faiss_database.opening.VERIFIED", 0)
    service = Service(tmp_path, Options())
    quiet(service._engine)
    request = SearchVectorsRequest(collection="c", vector=vectors[0], limit=1)
    with pytest.raises(Status) as caught:
        service.search(SearchRequest(request.SerializeToString()))
    service.close()
    assert caught.value.code.name == "FAILED_PRECONDITION"
    assert str(caught.value) == (
        f"{path} is damaged at byte {PIECE:,}: the checksum from there on does not fit; "
        f"stop this plugin and run: python -m hector_faiss_database repair {tmp_path}"
    )


def test_a_log_damaged_in_the_middle_keeps_what_stands_around(tmp_path: Path):
    opened = Engine(tmp_path / "db", Options())
    opened.create(SETTINGS).result()
    ends = []
    for number in range(3):
        opened.put(opened.collection("c"), batch([f"{number}-{each}" for each in range(5)])).result()
        ends.append(opened.log.end)
    opened.close()
    log = tmp_path / "db" / "log-1"
    flip(log, ends[0] + 50)
    repaired = command("repair", tmp_path / "db")
    assert repaired.stdout.splitlines() == [
        (
            f"{log} is damaged at byte {ends[0]:,}: the checksum of a record does not fit; "
            f"lost: changes in {ends[1] - ends[0]:,} bytes"
        ),
        f"{tmp_path / 'db'} has 10 vectors",
        f"the damaged files are in {tmp_path / 'db' / 'damaged-1'}",
    ]


class TestSnapshots:
    def test_a_snapshot_holds_that_moment_and_is_put_back(self, tmp_path: Path, small_logs: None):
        folder, copy = tmp_path / "db", tmp_path / "copies" / "one"
        opened = Engine(folder, Options())
        opened.create(SETTINGS).result()
        collection = opened.collection("c")
        for number in range(60):
            opened.put(collection, batch([f"{number}-{each}" for each in range(20)])).result()
        before = contents(opened)
        opened.close()
        taken = command("snapshot", folder, copy)
        size = sum(path.stat().st_size for path in copy.iterdir())
        assert taken.stdout == f"copied {folder} to {copy}: 1,200 vectors, {size:,} bytes\n"
        shutil.rmtree(folder)
        restored = command("restore", copy, folder)
        assert restored.stdout == f"restored {folder} from {copy}: {size:,} bytes\n"
        again = Engine(folder, Options())
        assert contents(again) == before
        again.close()

    def test_what_is_no_place_for_one_is_refused(self, tmp_path: Path):
        sealed(tmp_path / "db")
        (tmp_path / "used").mkdir()
        (tmp_path / "used" / "file").touch()
        taken = command("snapshot", tmp_path / "db", tmp_path / "used")
        assert (taken.returncode, taken.stderr.splitlines()[-1]) == (
            1,
            f"faiss-database: {tmp_path / 'used'} is in use: name a folder that is not there yet, or an empty one",
        )
        assert [path.name for path in (tmp_path / "used").iterdir()] == ["file"]
        restored = command("restore", tmp_path / "used", tmp_path / "new")
        assert restored.stderr == (
            f"faiss-database: {tmp_path / 'used'} is no database directory: it has no manifest.json\n"
        )
        assert not (tmp_path / "new").exists()

    def test_a_damaged_snapshot_is_not_put_back(self, tmp_path: Path):
        path = sealed(tmp_path / "db")
        flip(path, 300)
        restored = command("restore", tmp_path / "db", tmp_path / "new")
        assert restored.returncode == 1
        assert restored.stderr.startswith(f"faiss-database: {path} is damaged at byte 0: ")
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("words", ["snapshot", "restore", "verify"])
    def test_a_folder_that_is_no_database_stays_as_it_is(self, tmp_path: Path, words: str):
        other = tmp_path / "other"
        other.mkdir()
        told = command(words, other, *([] if words == "verify" else [tmp_path / "new"]))
        assert (told.returncode, told.stderr) == (
            1,
            f"faiss-database: {other} is no database directory: it has no manifest.json\n",
        )
        assert list(tmp_path.rglob("*")) == [other]

    def test_nothing_is_put_back_from_a_directory_that_is_in_use(self, tmp_path: Path):
        opened = Engine(tmp_path / "db", Options())
        told = command("restore", tmp_path / "db", tmp_path / "new")
        opened.close()
        assert told.returncode == 1
        assert f"faiss-database: {tmp_path / 'db'} is in use by process " in told.stderr

    @pytest.mark.parametrize("words", [["what"], ["repair"], ["restore", "a"]])
    def test_a_command_that_is_none_shows_those_that_are(self, words: list[str]):
        told = command(*words)
        assert told.returncode == 2
        assert told.stderr.startswith("usage: python -m hector_faiss_database COMMAND\n  snapshot DIR FOLDER")
