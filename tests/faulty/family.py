"""Starts a child and a grandchild that daemonises (two forks, a session of its own), all deaf to SIGTERM, and waits.

Writes the numbers of all three into `family` in its data directory once all of them are deaf.
"""

import os
import signal
from pathlib import Path

signal.signal(signal.SIGTERM, signal.SIG_IGN)
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, f"{os.getpid()}\n".encode())
    signal.pause()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(writing, f"{os.getpid()}\n".encode())
        signal.pause()
    os._exit(0)
os.wait()
numbers = [str(os.getpid())]
while len(numbers) < 3:
    numbers += os.read(reading, 100).decode().split()
folder = Path(os.environ["HECTOR_PLUGIN_DATA_DIR"])
(folder / "family.new").write_text("\n".join(numbers))
(folder / "family.new").rename(folder / "family")
while True:
    signal.pause()
