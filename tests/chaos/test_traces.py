"""Whatever is left of the dead is found; what is alive, or whole, is not."""

import os
import sqlite3
import subprocess
import sys

import psutil
import pytest
from commandline import until

from chaos import traces
from chaos.world import World


@pytest.fixture
def place(tmp_path):
    for name in ("folder/.hector", "sockets", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    return World(tmp_path / "folder", tmp_path / "sockets", tmp_path / "temporary")


@pytest.fixture
def process(place):
    environ = os.environ | {"HECTOR_PLUGIN_DATA_DIR": str(place.folder / ".hector/plugins/echo")}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_nothing(place):
    assert traces.of_a_host(place, []) == []
    assert list(traces.of_plugins(place, [])) == []
    assert list(traces.in_files(place)) == []


def test_a_process_of_a_dead_host(place, process):
    known = psutil.Process(process.pid)
    assert traces.of_a_host(place, []) == traces.of_a_host(place, [known]) == [str(known)]
    process.kill()
    until(lambda: known.status() == psutil.STATUS_ZOMBIE)
    assert traces.of_a_host(place, [known]) == []


def test_a_folder_of_a_dead_host(place):
    (place.sockets / "hector-1").mkdir()
    assert traces.of_a_host(place, []) == [str(place.sockets / "hector-1")]


def test_a_process_of_a_dead_plugin(place, process):
    (place.sockets / "hector-1/1").mkdir(parents=True)
    assert list(traces.of_plugins(place, [process.pid])) == []
    assert list(traces.of_plugins(place, [os.getpid()])) == []  # whose child it is
    assert list(traces.of_plugins(place, [1 << 22])) == [f"beside the plugins there runs {psutil.Process(process.pid)}"]


def test_a_folder_of_a_dead_plugin(place, process):
    for number in "12":
        (place.sockets / "hector-1" / number).mkdir(parents=True)
    assert list(traces.of_plugins(place, [process.pid])) == ["1 plugins have 2 folders of sockets"]


def test_files(place):
    (place.temporary / "torchinductor_me").mkdir()
    (place.temporary / "tmp1").touch()
    whole, damaged = place.folder / ".hector/whole.db", place.folder / ".hector/plugins/faiss/damaged.db"
    damaged.parent.mkdir(parents=True)
    for file in (whole, damaged):
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE texts (text)")
        connection.executemany("INSERT INTO texts VALUES (?)", [("x" * 100,)] * 1000)
        connection.commit()
        connection.close()
    content = bytearray(damaged.read_bytes())
    content[9000:9300] = b"z" * 300
    damaged.write_bytes(content)
    manifest = damaged.with_name("manifest.json")
    manifest.touch()
    left, broken, mangled = traces.in_files(place)
    assert left == f"{place.temporary / 'tmp1'} is left"
    assert broken.startswith(f"{damaged} is damaged: *** in database main ***")
    assert mangled.startswith(f"faiss-database: {manifest} is damaged at byte 0: it is no manifest; ")
