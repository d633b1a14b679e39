"""What a stock host may ask of our plugins beside the usual."""

from __future__ import annotations

import os

import pytest

OURS = ("our Python", "our Go")
LARGE = str(30_000_000)
"""Bytes. An answer holds its text twice, and 64 MiB is what a message may have."""


@pytest.mark.parametrize("plugin", OURS)
@pytest.mark.parametrize("transport", ["unix", "tcp"])
def test_large_messages_pass_by_mutual_tls_on_either_transport(programs, plugin, transport):
    environ = {"HECTOR_TRANSPORT": "tcp"} if transport == "tcp" else {}
    seen = programs.stock(programs.plugins[plugin], "-automtls", "-bytes", LARGE, **environ)
    assert seen["exit_code"] == 0


@pytest.mark.parametrize("plugin", OURS)
def test_the_socket_is_given_to_the_hosts_group(programs, plugin):
    seen = programs.stock(programs.plugins[plugin], "-brief", "-group", str(os.getgid()))
    assert seen["exit_code"] == 0


@pytest.mark.parametrize("plugin", OURS)
def test_multiplexing_is_declined_so_that_the_host_can_tell(programs, plugin):
    ended = programs.run(programs.plugins[plugin], "-brief", "-multiplex")
    assert ended.returncode == 1
    assert "client requested gRPC broker multiplexing but plugin does not support the feature" in ended.stderr
