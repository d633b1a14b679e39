"""The gRPC channel to a plugin, and its limits."""

from __future__ import annotations

import grpc.aio

MESSAGE_LIMIT = 64 << 20
"""Bytes of one message in either direction: a plugin's answer must not take the host's memory."""

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.enable_http_proxy", 0),
    # Notices a peer that holds its connection and is gone. A Go server in its default configuration answers more than
    # a few pings within five minutes by hanging up: with 10 s here, a call that was quiet for 141 s was cut off.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    # A plugin may announce its address a moment before it listens there.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def connect(
    target: str, credentials: grpc.ChannelCredentials | None = None, options: tuple[tuple[str, str], ...] = ()
) -> grpc.aio.Channel:
    """A channel that connects with the first call. Without credentials it is plain text."""
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    return grpc.aio.secure_channel(target, credentials, options=(*OPTIONS, *options))
