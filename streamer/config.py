"""sightline.yaml: what may stand in it, and one clear line for what may not. docs/sightline.yaml comments every key."""

import os
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from streamer import address, url
from streamer.errors import ConfigError

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


class Section(BaseModel):
    """A mapping whose keys are all known; values are never converted from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Server(Section):
    """Where the page and the API are served."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    max_viewers: Annotated[int, Field(ge=1, le=10_000)] = 64
    """WebRTC and MJPEG viewers of all streams together."""


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


class Stream(Section):
    """One camera."""

    url: Annotated[str, AfterValidator(_checked_url)]
    listen: bool = False
    """The camera pushes to this URL, instead of being pulled from it."""
    sample_fps: Annotated[float, Field(gt=0, le=120)] = 5.0
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """None: what the model's contract says."""
    model: Name | None = None
    """None: the model of `serving`."""


class Config(Section):
    """The whole file."""

    server: Server = Server()
    serving: Serving = Serving()
    streams: dict[Name, Stream] = Field(default_factory=dict)


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
        document = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  a SafeLoader below
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
        raise ConfigError(f"must be a mapping with the keys {_list(Config)}, not {type(document).__name__}")
    _collect_secrets(document)
    # A section whose every line is commented out reads as null.
    document = {key: item for key, item in document.items() if item is not None or key not in Config.model_fields}
    document = _substitute(document, ())
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(url.redact(_explain(error, document))) from None
    _require_own_ports(config)
    return config


def _require_own_ports(config: Config) -> None:
    """Refuse listening streams that could get each other's camera, or that seem to ask for a password."""
    taken: dict[int, str] = {}
    for name, stream in config.streams.items():
        if not stream.listen:
            continue
        where = f"streams.{name}.url: {url.redact(stream.url)!r}"
        if url.has_login(stream.url):
            raise ConfigError(
                f"{where}: a camera that pushes is asked for no password; allowed is rtsp://host:port/path"
            )
        port = url.port_of(stream.url)
        if port in taken:
            raise ConfigError(f"{where}: port {port} listens for streams.{taken[port]} already; each needs its own")
        taken[port] = name


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a key stand twice and keeps the last; two cameras of one name are a mistake worth a word."""


def _unique_mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":  # <<: may stand with as many as it likes
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.MarkedYAMLError(problem="a key must be a text", problem_mark=key_node.start_mark)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)

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
            raise ConfigError(
                f"{_dotted(where)}: the environment variable {name} is not set; set it or write the value"
            )
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
        url.remember(_VARIABLE.sub(lambda match: os.environ.get(match.group(1), ""), value))


_ALLOWED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "missing": "a value: this key is required",
}


def _explain(error: ValidationError, document: dict[Any, Any]) -> str:
    """The first problem in one line: the key, the value, and what is allowed."""
    first = error.errors(include_url=False)[0]
    where = tuple(part for part in first["loc"] if part != "[key]")
    kind, context = first["type"], first.get("ctx", {})
    if kind == "extra_forbidden":
        return f"{_dotted(where)}: unknown key; allowed here are {_list(_section(where[:-1]))}"
    value: Any = document
    for part in where:
        value = value.get(part) if isinstance(value, dict) else None
    shown = repr(value)
    if kind == "invalid_key" or (kind == "string_type" and "[key]" in first["loc"]):
        return f"{_dotted(where)}: the key {where[-1]!r} is not a text; write it in quotes"
    if kind == "value_error":
        return f"{_dotted(where)}: {context['error']}"
    if kind == "string_pattern_mismatch":
        allowed = "a name of 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit"
        return f"{_dotted(where)}: {shown if '[key]' not in first['loc'] else repr(where[-1])} is not {allowed}"
    if kind == "missing":
        return f"{_dotted(where)}: is missing; it is required"
    allowed = _ALLOWED.get(kind) or first["msg"].removeprefix("Input should be ")
    return f"{_dotted(where)}: {shown} is not allowed; it must be {allowed}"


def _section(where: tuple[Any, ...]) -> type[Section]:
    """The section a key path leads into."""
    if not where:
        return Config
    sections: dict[str, type[Section]] = {"server": Server, "serving": Serving, "streams": Stream}
    return sections.get(str(where[0]), Config)


def _list(section: type[Section]) -> str:
    return ", ".join(section.model_fields)


def _dotted(where: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in where)
