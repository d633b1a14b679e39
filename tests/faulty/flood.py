"""Writes to standard error as fast as it can, for ever."""

import os

line = b"x" * 99 + b"\n"
while True:
    os.write(2, line * 600)
