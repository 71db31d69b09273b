"""The gRPC channel to the model server, or to several behind one address, which then share the calls.

Whoever does not answer gets no calls: the channel notices it, goes on with the others and looks for it again by itself.
"""

import json
from typing import Any

import grpc.aio

from streamer.inference.credentials import Credentials
from streamer.inference.intake import MAX_ANSWER

MAX_PICTURES = 64 << 20
"""Bytes of the pictures in one call; frames beyond them wait for the next."""
MAX_REQUEST = MAX_PICTURES + (1 << 20)
"""Bytes of a message that is sent."""

SERVICE_CONFIG = {
    # One call after the other to each server that is there; gRPC's default keeps to the first.
    "loadBalancingConfig": [{"round_robin": {}}],
    # A server that says NOT_SERVING gets no calls (grpc.health.v1; the empty name stands for the whole server). One
    # without that service gets them all the same.
    "healthCheckConfig": {"serviceName": ""},
}

OPTIONS: tuple[tuple[str, Any], ...] = (
    # A channel left to its defaults finds a restarted server after 20 s and more, and a silent one never.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Without this a server that froze is left after ten seconds instead of three (gRPC 1.85). It holds for every ping,
    # so none is sent to measure the line: behind a large batch that one may well take a second.
    ("grpc.http2.ping_timeout_ms", 1000),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_send_message_length", MAX_REQUEST),
    ("grpc.max_receive_message_length", MAX_ANSWER),
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # A name is looked up again when a connection ends, at most this often; after 30 s if left alone.
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ("grpc.enable_http_proxy", 0),
)


def open_channel(address: str, credentials: Credentials | None = None) -> grpc.aio.Channel:
    """A channel to `address`, any that `streamer.config.address.check` lets pass; connects with the first call.

    Without credentials it is plain.
    """
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    name = () if credentials.name is None else (("grpc.ssl_target_name_override", credentials.name),)
    return grpc.aio.secure_channel(address, credentials.channel, options=(*OPTIONS, *name))
