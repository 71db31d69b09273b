"""sightline.yaml: what may stand in it, and one clear line for what may not. docs/sightline.yaml comments every key."""

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from streamer import address, url
from streamer.errors import ConfigError
from streamer.explanation import dotted, explain, keys_of
from streamer.unique_keys import UniqueKeys

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Stream and model names stand in URLs, metric labels and file names."""


def _checked_url(value: str) -> str:
    try:
        return url.check(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _checked_address(value: str) -> str:
    try:
        return address.check(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _checked_ice_url(value: str) -> str:
    if not re.fullmatch(r"(stuns?|turns?):[A-Za-z0-9._\[\]:-]+(\?transport=(udp|tcp))?", value):
        raise ValueError(f"{value!r} is no ICE server; allowed are stun:host:port and turn:host:port?transport=udp")
    return value


def _checked_origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", value):
        raise ValueError(f'{value!r} is no origin; allowed are https://host[:port], and "*" for any')
    return value


def _checked_pattern(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._*?-]{1,64}", value):
        raise ValueError(f"{value!r} is no name; allowed are letters, digits, '.', '_', '-', and * and ? for some")
    return value


def _checked_network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"{value!r} is no network; allowed are 10.0.0.0/8, fd00::/8 and single addresses") from None


class Section(BaseModel):
    """A mapping whose keys are all known; values are never converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Tls(Section):
    """What the page and the API are served with over HTTPS."""

    cert: Annotated[str, Field(min_length=1)]
    """Path of the certificate and those it is signed by, in PEM."""
    key: Annotated[str, Field(min_length=1)]
    """Path of its private key, in PEM."""


class IceServer(Section):
    """A STUN or TURN server that browsers are told of."""

    url: Annotated[str, AfterValidator(_checked_ice_url)]
    username: str | None = None
    credential: str | None = None


class Server(Section):
    """Where the page and the API are served."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    max_viewers: Annotated[int, Field(ge=1, le=10_000)] = 64
    """WebRTC and MJPEG viewers of all streams together."""
    max_viewers_per_stream: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_viewers_per_address: Annotated[int, Field(ge=1, le=10_000)] = 64
    tls: Tls | None = None
    """None: plain HTTP."""
    origins: list[Annotated[str, AfterValidator(_checked_origin)]] = Field(default_factory=list)
    """Web pages of other origins that may use the API; "*" for all."""
    ice_servers: Annotated[list[IceServer], Field(max_length=8)] = Field(default_factory=list)


class Serving(Section):
    """The model server, and how it is asked."""

    address: Annotated[str, AfterValidator(_checked_address)] = "127.0.0.1:5000"
    """One server, host:port, or several: dns:///host:port, ipv4:1.2.3.4:port,1.2.3.5:port."""
    model: Name = "insulators"
    max_batch_size: Annotated[int, Field(ge=1, le=128)] = 8
    in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """Predict calls under way at once, over all servers: two keep one busy while the next batch fills."""
    deadline: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Seconds a frame stays worth an answer, from its arrival."""


class Ingress(Section):
    """Streams that are published by WebRTC (WHIP)."""

    names: list[Annotated[str, AfterValidator(_checked_pattern)]] | None = None
    """Names that may be published, or patterns with * and ?. None: any on loopback, else none."""
    token: Annotated[str, Field(min_length=8)] | None = None
    """What a publisher must show. None: nothing."""
    max_publishers: Annotated[int, Field(ge=1, le=1000)] = 8
    max_pixels: Annotated[int, Field(ge=64 * 64, le=4096 * 2304)] = 1920 * 1080
    """Width times height of a picture."""
    max_fps: Annotated[float, Field(gt=0, le=240)] = 60.0
    """Frames a second that are taken; what comes beyond is dropped."""
    sample_fps: Annotated[float, Field(gt=0, le=120)] = 5.0
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """None: what the model's contract says."""
    model: Name | None = None
    """None: the model of `serving`."""


class CameraTls(Section):
    """How a camera proves who it is, over rtsps:// and https://."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    """Path of a PEM file: the authority that signed its certificate, or a self-signed certificate itself. None: the
    system's authorities."""
    name: Annotated[str, Field(min_length=1)] | None = None
    """What stands in the certificate. None: the URL's host."""
    verify: bool = True
    """False: whoever answers is taken for the camera."""


class Stream(Section):
    """One camera."""

    url: Annotated[str, AfterValidator(_checked_url)]
    listen: bool = False
    """The camera pushes to this URL, instead of being pulled from it."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries the video."""
    tls: CameraTls = CameraTls()
    sample_fps: Annotated[float, Field(gt=0, le=120)] = 5.0
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """None: what the model's contract says."""
    model: Name | None = None
    """None: the model of `serving`."""
    paused: bool = False
    """The camera is not connected. Left out: as the API was last told."""

    @model_validator(mode="after")
    def _fits_its_url(self) -> Self:
        scheme = url.scheme_of(self.url)
        if self.listen and scheme not in ("rtsp", "rtmp", "srt"):
            raise ValueError(f"listen: {scheme}:// cannot be pushed to; allowed are rtsp://, rtmp:// and srt://")
        if self.transport != "tcp" and (scheme != "rtsp" or self.listen):
            raise ValueError("transport: udp is for rtsp:// URLs that are pulled; what pushes chooses for itself")
        if self.tls != CameraTls() and scheme not in ("rtsps", "https"):
            raise ValueError(f"tls: {scheme}:// has no certificates; allowed with rtsps:// and https://")
        return self


class ApiStreams(Section):
    """Streams that are added through the API: whoever may, has this service connect where he says."""

    allowed: bool = False
    max_streams: Annotated[int, Field(ge=1, le=1000)] = 16
    """Added ones, beside those of the configuration."""
    token: Annotated[str, Field(min_length=8)] | None = None
    """What whoever changes streams must show. None: nothing."""
    state: Annotated[str, Field(min_length=1)] | None = None
    """Path of the file that keeps what was changed. None: beside the configuration."""
    schemes: list[Literal["rtsp", "rtsps", "rtmp", "http", "https", "srt"]] = Field(
        default=["rtsp", "rtsps", "http", "https"]
    )
    networks: list[Annotated[str, AfterValidator(_checked_network)]] = Field(default=["0.0.0.0/0", "::/0"])
    """Where their hosts may be. Loopback, link-local, multicast and the clouds' metadata addresses are not allowed by a
    wider network, only by one that lies inside theirs: 127.0.0.1/32."""
    max_pixels: Annotated[int, Field(ge=64 * 64, le=8192 * 8192)] = 3840 * 2160
    """Width times height of a picture."""
    max_fps: Annotated[float, Field(gt=0, le=240)] = 60.0
    """Pictures a second that are taken; what comes beyond is dropped."""
    max_packet_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 28)] = 4 << 20
    """Of one encoded picture."""


class Config(Section):
    """The whole file."""

    server: Server = Server()
    serving: Serving = Serving()
    streams: dict[Name, Stream] = Field(default_factory=dict)
    ingress: Ingress = Ingress()
    api_streams: ApiStreams = ApiStreams()


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: in one line, what is wrong, where, and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read: {reason}") from None
    try:
        document = yaml.load(text, Loader=UniqueKeys)  # noqa: S506  a SafeLoader below
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ConfigError(f"{path}:{where} is not YAML: {url.redact(problem)}") from None
    try:
        return parse(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse(document: Any) -> Config:
    """Check a configuration that has been read already; None stands for an empty file."""
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise ConfigError(f"must be a mapping with the keys {keys_of(Config)}, not {type(document).__name__}")
    _collect_secrets(document)
    # A section whose every line is commented out reads as null.
    document = {key: item for key, item in document.items() if item is not None or key not in Config.model_fields}
    document = _substitute(document, ())
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(url.redact(explain(error, document, _section))) from None
    _require_own_ports(config)
    return config


def parse_stream(name: str, document: dict[str, Any]) -> Stream:
    """Check the settings of one stream that did not come from the configuration file.

    No ${NAME} is replaced in them: a stranger's URL would carry our environment to his camera.

    Raises:
        ConfigError: as `load`, the keys without the stream's name before them.
    """
    _collect_secrets(document)
    whole = {"streams": {name: document}}
    try:
        return Config.model_validate(whole).streams[name]
    except ValidationError as error:
        sentence = url.redact(explain(error, whole, _section))
        raise ConfigError(sentence.removeprefix(f"streams.{name}.").removeprefix(f"streams.{name}: ")) from None


def _require_own_ports(config: Config) -> None:
    """Refuse listening streams that could get each other's camera, or that seem to ask for a password."""
    taken: dict[tuple[str, int], str] = {}
    for name, stream in config.streams.items():
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


_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def _substitute(value: Any, where: tuple[Any, ...]) -> Any:
    """Replace ${NAME} in every text by the environment variable NAME."""
    if isinstance(value, dict):
        return {key: _substitute(item, (*where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, (*where, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(f"{dotted(where)}: the environment variable {name} is not set; set it or write the value")
        return os.environ[name]

    return _VARIABLE.sub(variable, value)


def _collect_secrets(value: Any) -> None:
    """Know every password before the first sentence is written about anything: a URL may stand in the wrong place."""
    if isinstance(value, dict):
        for key, item in value.items():
            _collect_secrets(key)
            _collect_secrets(item)
    elif isinstance(value, list):
        for item in value:
            _collect_secrets(item)
    elif isinstance(value, str):
        url.remember(value)
        url.remember(_VARIABLE.sub(lambda match: os.environ.get(match.group(1), ""), value))


def _section(where: tuple[Any, ...]) -> type[Section]:
    """The section a key path leads into."""
    if not where:
        return Config
    if where[:2] == ("server", "tls"):
        return Tls
    if where[:2] == ("server", "ice_servers"):
        return IceServer
    if where[:1] == ("streams",) and where[2:3] == ("tls",):
        return CameraTls
    if where[:1] == ("api_streams",):
        return ApiStreams
    sections: dict[str, type[Section]] = {"server": Server, "serving": Serving, "streams": Stream, "ingress": Ingress}
    return sections.get(str(where[0]), Config)
