"""sightline.yaml: what may stand in it, and one clear line for what may not. docs/sightline.yaml comments every key.

document.py      the whole file: read, checked, refused
server.py        its section `server`; serving.py, ingress.py, api_streams.py, access.py, archive.py, stream.py: others
watching.py      the keys of a stream that say what becomes an event, and where; recording.py: which video is kept
storage.py       the key of the archive that names an object storage; cluster.py: replicas that share the streams
alerts.py        the section of rules; webhook.py and mqtt.py: of who is told; outlets.py: what these need of each other
section.py       what every section is; sampling.py: what two of them have in common
address.py       where a model server may be; ports.py which ports streams listen at
variables.py     ${NAME} in a text; and the passwords that any text may hold
bounded_yaml.py  YAML that stays as small as it looks; unique_keys.py: in which no key stands twice
"""

from streamer.config.access import AccessSettings, GroupSettings, OidcSettings, ProxySettings, audit_path, store_path
from streamer.config.alerts import AlertSettings
from streamer.config.api_streams import ApiStreamsSettings
from streamer.config.cluster import ClusterSettings
from streamer.config.document import (
    Config,
    load,
    parse,
    parse_alert,
    parse_shared_stream,
    parse_stream,
    read,
    store_of,
    understand,
)
from streamer.config.ingress import IngressSettings
from streamer.config.server import IceServerSettings, ServerSettings, TlsSettings
from streamer.config.serving import ServingSettings
from streamer.config.stream import CameraTlsSettings, StreamSettings
from streamer.config.watching import PlacesSettings

__all__ = [
    "AccessSettings",
    "AlertSettings",
    "ApiStreamsSettings",
    "CameraTlsSettings",
    "ClusterSettings",
    "Config",
    "GroupSettings",
    "IceServerSettings",
    "IngressSettings",
    "OidcSettings",
    "PlacesSettings",
    "ProxySettings",
    "ServerSettings",
    "ServingSettings",
    "StreamSettings",
    "TlsSettings",
    "audit_path",
    "load",
    "parse",
    "parse_alert",
    "parse_shared_stream",
    "parse_stream",
    "read",
    "store_of",
    "store_path",
    "understand",
]
