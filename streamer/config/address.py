"""Where the model server is: gRPC's forms of an address (grpc/doc/naming.md), and one clear line for what is none.

gRPC itself finds out at the first call, and takes port 443 where none is named.
"""

import re
from ipaddress import IPv4Address, IPv6Address

from streamer.values.errors import ConfigError

ALLOWED = "host:port, dns:///host:port, ipv4:1.2.3.4:port,1.2.3.5:port and unix:path"

_PORT = r"(?P<port>\d{1,5})"
_HOST_AND_PORT = re.compile(rf"(\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+)):{_PORT}", re.ASCII)
_ENTRY = {
    "ipv4": (re.compile(rf"(?P<ip>[\d.]+):{_PORT}", re.ASCII), IPv4Address, "1.2.3.4:5000"),
    "ipv6": (re.compile(rf"\[(?P<ip>[0-9A-Fa-f:.]+)\]:{_PORT}"), IPv6Address, "[::1]:5000"),
}


def check(address: str) -> str:
    """Return `address` if a channel can be opened to it.

    Raises:
        ConfigError: it is none of gRPC's forms, or one of several entries is wrong; says which and what is allowed.
    """
    scheme, colon, rest = address.partition(":")
    if colon and scheme in _ENTRY:
        _check_list(address, scheme, rest)
    elif colon and scheme in ("unix", "unix-abstract"):
        if not rest:
            raise ConfigError(f"{address!r} names no path; allowed is {scheme}:path")
    elif colon and scheme == "dns":
        # dns:host:port, dns:///host:port, or with the name server to ask: dns://10.0.0.2:53/host:port
        if rest.startswith("//") and "/" not in rest[2:]:
            raise ConfigError(f"{address!r} names a name server and nothing to ask it for; allowed is dns:///host:port")
        if not _is_host_and_port(re.sub(r"^(//[^/]*)?/", "", rest)):
            raise ConfigError(f"{address!r} is not of the form dns:///host:port, with a port of 1 to 65535")
    elif "," in address:
        raise ConfigError(
            f"{address!r}: several servers are written ipv4:1.2.3.4:port,1.2.3.5:port or dns:///host:port"
        )
    elif not _is_host_and_port(address):
        raise ConfigError(f"{address!r} is not a gRPC address; allowed are {ALLOWED}")
    return address


def _check_list(address: str, scheme: str, rest: str) -> None:
    form, literal, example = _ENTRY[scheme]
    seen = set()
    for entry in rest.split(","):
        match = form.fullmatch(entry)
        try:
            found = match and (literal(match["ip"]), _port(match["port"]))
        except ValueError:
            found = None
        if found is None:
            raise ConfigError(
                f"{address!r}: {entry!r} is not of the form {example}, with a port of 1 to 65535; "
                "a name is written dns:///name:port"
            )
        if found in seen:
            raise ConfigError(f"{address!r}: {entry!r} stands twice; each server is named once")
        seen.add(found)


def _is_host_and_port(text: str) -> bool:
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        return False
    try:
        _port(match["port"])
        if match["ipv6"]:
            IPv6Address(match["ipv6"])
    except ValueError:
        return False
    return True


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port
