"""Proxies before the service, and what they say of whoever asks through them. Pure.

Anybody may write such headers, so they are believed of the proxies that the configuration names, and of nobody else.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from streamer.http.names import name_of
from streamer.values.host import host_of

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class TrustedProxies:
    """Those of one server."""

    def __init__(self, networks: Sequence[str] = (), base_path: str = "/") -> None:
        """Believe proxies at these addresses.

        Args:
            networks: addresses, such as "127.0.0.1", or networks.
            base_path: the folder that browsers find us in, where no proxy says another.
        """
        self._networks = [ip_network(each) for each in networks]
        self.base_path = base_path.rstrip("/")
        """Without a slash at its end: "" for the root."""

    def __contains__(self, address: object) -> bool:
        asked = host_of(str(address))
        return asked is not None and any(asked in network for network in self._networks)

    def asker(self, remote: str, forwarded: Sequence[str]) -> str:
        """The address of who asks: the last one in `X-Forwarded-For` that is no proxy of ours, since each adds its own.

        Args:
            remote: at the other end of the connection.
            forwarded: every such line. Some proxies (HAProxy) write one below the stranger's instead of into it, and
                several are one list (RFC 9110 section 5.3).
        """
        asker = remote
        for said in reversed(",".join(forwarded).split(",")):
            address = _address(said.strip())
            if asker not in self or address is None:
                break
            asker = address
        return asker

    def prefix(self, remote: str, headers: Mapping[str, str]) -> str:
        """What browsers have before our paths: as the proxy says (`X-Forwarded-Prefix`), else as is configured."""
        said = headers.get("X-Forwarded-Prefix")
        if said is None or remote not in self or not _PREFIX.fullmatch(said.rstrip("/")):
            return self.base_path
        return said.rstrip("/")


def _address(said: str) -> str | None:
    """An address as proxies say it, some of them (Azure's) with a port behind it; None: it is none."""
    address = name_of(said) or said  # IPv6 without brackets is no authority
    return None if host_of(address) is None else address
