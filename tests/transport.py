"""What the hosts under test reach their plugins by: tests of what only one of the two can do say so."""

import os

import pytest

on_unix_sockets = pytest.mark.skipif(
    os.environ.get("HECTOR_TRANSPORT") == "tcp", reason="what it tests is there on unix sockets alone"
)
