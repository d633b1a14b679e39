"""What the hosts under test reach their plugins by: tests whose plugin can do only one of the two say so."""

import os

import pytest

on_unix_sockets = pytest.mark.skipif(
    os.environ.get("HECTOR_TRANSPORT") == "tcp", reason="its plugin serves on unix sockets alone"
)
