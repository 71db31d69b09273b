"""sightline.yaml: what may stand in it, and one clear line for what may not. docs/sightline.yaml comments every key.

document.py      the whole file: read, checked, refused
server.py        its section `server`; serving.py, ingress.py, api_streams.py, stream.py: the others
section.py       what every section is
ports.py         which ports its streams listen at
variables.py     ${NAME} in a text; and the passwords that any text may hold
unique_keys.py   YAML in which no key stands twice
explanation.py   a mistake in one line: the key, its value, and what is allowed
"""

from streamer.config.api_streams import ApiStreams
from streamer.config.document import Config, load, parse, parse_stream
from streamer.config.ingress import Ingress
from streamer.config.server import IceServer, Server, Tls
from streamer.config.serving import Serving
from streamer.config.stream import CameraTls, Stream

__all__ = [
    "ApiStreams",
    "CameraTls",
    "Config",
    "IceServer",
    "Ingress",
    "Server",
    "Serving",
    "Stream",
    "Tls",
    "load",
    "parse",
    "parse_stream",
]
