import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hector_faiss_database.latch import Latch

SOON = 10  # seconds within which a thread must have got somewhere


def started(function: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_readers_share_it():
    latch, both_in = Latch(), threading.Barrier(2, timeout=SOON)

    def read() -> int:
        with latch.shared():
            return both_in.wait()

    with ThreadPoolExecutor(2) as pool:
        assert {future.result(SOON) for future in (pool.submit(read), pool.submit(read))} == {0, 1}


def test_a_writer_waits_for_readers_and_goes_before_later_ones():
    latch, order = Latch(), []
    writing = threading.Event()

    def write() -> None:
        writing.set()
        with latch.exclusive():
            order.append("written")

    def read() -> None:
        with latch.shared():
            order.append("read")

    with latch.shared():
        writer = started(write)
        assert writing.wait(SOON)
        while not latch._writers_waiting:  # the writer stands in the queue
            writer.join(0.001)
        reader = started(read)
        reader.join(0.05)
        assert order == []  # neither passed: the latch is held, and a writer waits
    writer.join(SOON)
    reader.join(SOON)
    assert order == ["written", "read"]
