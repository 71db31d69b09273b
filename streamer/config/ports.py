"""The ports at which streams listen for cameras that push."""

from collections.abc import Mapping

from streamer.config.stream import StreamSettings
from streamer.values import url
from streamer.values.errors import ConfigError


def require_own(streams: Mapping[str, StreamSettings]) -> None:
    """Refuse listening streams that could get each other's camera, or that seem to ask for a password.

    Raises:
        ConfigError: which one.
    """
    taken: dict[tuple[str, int], str] = {}
    for name, stream in streams.items():
        scheme, port = url.scheme_of(stream.url), url.port_of(stream.url)
        if not stream.listen and scheme != "udp":
            continue
        where = f"streams.{name}.url: {url.redact(stream.url)!r}"
        if url.has_login(stream.url):
            raise ConfigError(
                f"{where}: a camera that pushes is asked for no password; allowed is {scheme}://host:port/path"
            )
        # A port of UDP's is another than TCP's, and every multicast group has its own.
        place = (url.host_of(stream.url) if scheme == "udp" else "udp" if scheme == "srt" else "tcp", port)
        if place in taken:
            raise ConfigError(f"{where}: port {port} listens for streams.{taken[place]} already; each needs its own")
        taken[place] = name
