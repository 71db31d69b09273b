"""The ports at which streams listen for cameras that push."""

from collections.abc import Mapping

from streamer.config.stream import StreamSettings
from streamer.values import url
from streamer.values.errors import ConfigError


def require_own(streams: Mapping[str, StreamSettings]) -> None:
    """Refuse listening streams that could get each other's camera, or that seem to ask for a password nobody asks for.

    Raises:
        ConfigError: which one.
    """
    taken: dict[tuple[str, int], str] = {}
    for name, stream in streams.items():
        scheme, port = url.scheme_of(stream.url), url.port_of(stream.url)
        if not stream.listen and scheme != "udp":
            continue
        where = f"streams.{name}.url: {url.redact(stream.url)!r}"
        _require_login(scheme, stream.url, where)
        # A port of UDP's is another than TCP's, and every multicast group has its own.
        place = (url.host_of(stream.url) if scheme == "udp" else "udp" if scheme == "srt" else "tcp", port)
        if place not in taken:
            taken[place] = name
        elif scheme == "rtsp" and url.scheme_of(streams[taken[place]].url) == "rtsp":
            _require_own_path(name, taken[place], streams, where)
        else:
            raise ConfigError(f"{where}: port {port} listens for streams.{taken[place]} already; each needs its own")


def _require_login(scheme: str, stream_url: str, where: str) -> None:
    """A user and a password are asked for by RTSP alone, and then both."""
    login = url.login_of(stream_url)
    if login is None:
        return
    if scheme != "rtsp":
        raise ConfigError(
            f"{where}: a camera that pushes by {scheme} is asked for no password; allowed is {scheme}://host:port/path"
        )
    if not all(login):
        raise ConfigError(
            f"{where}: a camera that pushes is asked for a user and a password; allowed are "
            "rtsp://user:password@host:port/path and rtsp://host:port/path"
        )


def _require_own_path(name: str, first: str, streams: Mapping[str, StreamSettings], where: str) -> None:
    """Streams of one RTSP port listen at one address, each with a path of its own."""
    own, port = streams[name].url, url.port_of(streams[name].url)
    host = url.host_of(streams[first].url)
    if url.host_of(own) != host:
        raise ConfigError(f"{where}: port {port} listens at {host} for streams.{first}; a port's streams have one host")
    for other, stream in streams.items():
        if other == name:
            return
        there = stream.url
        shares = stream.listen and url.scheme_of(there) == "rtsp" and url.port_of(there) == port
        if shares and (url.path_of(there), url.query_of(there)) == (url.path_of(own), url.query_of(own)):
            path = url.path_of(own) or "/"
            raise ConfigError(f"{where}: at port {port} the path {path} is streams.{other}'s; each needs its own")
