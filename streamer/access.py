"""Who may watch and publish, and from which pages, as the configuration has it."""

from ipaddress import ip_address

from streamer.config import Config
from streamer.control.admission import Admission
from streamer.control.viewers import ViewerLimits
from streamer.http.origins import Origins
from streamer.http.signalling import IceServer, Signalling


def viewer_limits(config: Config) -> ViewerLimits:
    """How many may watch."""
    server = config.server
    return ViewerLimits(server.max_viewers, server.max_viewers_per_stream, server.max_viewers_per_address)


def admission(config: Config) -> Admission:
    """Who may publish: under the names that are configured, else under any where only this machine can ask."""
    names = config.ingress.names
    if names is None:
        names = ["*"] if _is_loopback(config.server.host) else []
    return Admission(tuple(names), config.ingress.token, config.ingress.max_publishers)


def signalling(config: Config) -> Signalling:
    """What pages of other origins may do, and the ICE servers that browsers are told of."""
    server = config.server
    return Signalling(
        Origins(server.origins, on_loopback=_is_loopback(server.host)),
        tuple(IceServer(each.url, each.username, each.credential) for each in server.ice_servers),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
