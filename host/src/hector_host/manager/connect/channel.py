"""The gRPC channel to a plugin, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio

if TYPE_CHECKING:
    from hector_host.manager.connect.addresses import Target

MESSAGE_LIMIT = 64 << 20
"""Bytes of one message in either direction: a plugin's answer must not take the host's memory."""

NEVER = (1 << 31) - 1
"""Milliseconds, as gRPC takes it."""

OPTIONS = {
    "grpc.max_receive_message_length": MESSAGE_LIMIT,
    "grpc.max_send_message_length": MESSAGE_LIMIT,
    "grpc.enable_http_proxy": 0,
    # Notices a peer that holds its connection and is gone. A Go server in its default configuration answers more than
    # a few pings within five minutes by hanging up: with 10 s here, a call that was quiet for 141 s was cut off. The
    # limit stands twice: it is the second that ends the connection, and its own default is a minute.
    "grpc.keepalive_time_ms": 310_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.http2.ping_timeout_ms": 5_000,
    # A plugin may announce its address a moment before it listens there.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # Despite its name it is what one attempt to connect may take, TLS included: across a network, 50 ms are too few.
    "grpc.min_reconnect_backoff_ms": 10_000,
}

FAR_OPTIONS = OPTIONS | {
    # A channel is one connection: whoever wants another one makes another channel, which inherits nothing from this.
    # gRPC dials again by itself even after `close`, as long as somebody holds the error of a call that failed.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 3_600_000,
    "grpc.max_reconnect_backoff_ms": 3_600_000,
    # A connection that nobody uses for half an hour is not a lost one.
    "grpc.client_idle_timeout_ms": NEVER,
}


def connect(
    target: str, credentials: grpc.ChannelCredentials | None = None, server_name: str | None = None
) -> grpc.aio.Channel:
    """A channel to a process of this machine. It connects with the first call.

    Args:
        credentials: None for plain text.
        server_name: The name in its certificate.
    """
    options: dict[str, int | str] = dict(OPTIONS)
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=tuple(options.items()))
    if server_name is not None:
        options["grpc.ssl_target_name_override"] = server_name
    return grpc.aio.secure_channel(target, credentials, options=tuple(options.items()))


def dial(
    target: Target, credentials: grpc.ChannelCredentials | None, server_name: str | None, *, keepalive: bool = True
) -> grpc.aio.Channel:
    """A channel to a process that somebody else runs. It connects with the first call.

    Args:
        credentials: None for plain text.
        server_name: The name in its certificate, where it is not the target's.
        keepalive: Take a connection on which nobody answers pings for lost.
    """
    options: dict[str, int | str] = dict(FAR_OPTIONS)
    if not keepalive:
        options["grpc.keepalive_time_ms"] = NEVER
    if server_name is not None:
        options["grpc.ssl_target_name_override"] = server_name
    elif target.authority:
        options["grpc.default_authority"] = target.authority
    arguments = tuple(options.items())
    if credentials is None:
        return grpc.aio.insecure_channel(target.dial, options=arguments)
    return grpc.aio.secure_channel(target.dial, credentials, options=arguments)
