"""streamer.config: what may stand in sightline.yaml, and one clear line for what may not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer import config
from streamer.config import Config
from streamer.config.bounded_yaml import MAX_BYTES
from streamer.values import url
from streamer.values.errors import ConfigError
from tests.peers.required import REPOSITORY

EXAMPLE = """\
server:  {host: 127.0.0.1, port: 8000}
serving: {address: "127.0.0.1:5000", model: insulators}
streams:
  line-1: {url: "rtsp://user:${LINE_1_PASSWORD}@10.0.0.7/stream", sample_fps: 5, min_score: 0.4, show_ids: true}
  drone:  {url: "rtsp://0.0.0.0:8554/drone", listen: true, model: insulators}   # the drone pushes to us
"""


@pytest.fixture(autouse=True)
def _no_secrets() -> None:
    """No test profits from a password that another has made known."""
    url._secrets.clear()


def load(folder: Path, text: str) -> Config:
    """What a file with this text is read as."""
    path = folder / "sightline.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def refusal(folder: Path, text: str) -> str:
    """The sentence such a file is refused with; always one line that names the file."""
    with pytest.raises(ConfigError) as refused:
        load(folder, text)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{folder / 'sightline.yaml'}:")
    return sentence.removeprefix(f"{folder / 'sightline.yaml'}:").strip()


def test_the_documented_example_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the documentation means what it says, its password taken from the environment."""
    monkeypatch.setenv("LINE_1_PASSWORD", "hunter2")
    found = load(tmp_path, EXAMPLE)
    assert (found.server.host, found.server.port) == ("127.0.0.1", 8000)
    assert (found.serving.address, found.serving.model) == ("127.0.0.1:5000", "insulators")
    assert list(found.streams) == ["line-1", "drone"]
    line, drone = found.streams.values()
    assert line.url == "rtsp://user:hunter2@10.0.0.7/stream"
    assert (line.sample_fps, line.min_score, line.listen, line.model) == (5.0, 0.4, False, None)
    assert (line.show_ids, line.sampling.show_ids, drone.sampling.show_ids) == (True, True, False)
    assert (drone.sample_fps, drone.min_score, drone.listen, drone.model) == (5.0, None, True, "insulators")


def test_a_streams_priority_is_its_weight(tmp_path: Path) -> None:
    """`priority` is said by stream and for publishers, from 0.1 to 100; left out it is 1, as for all."""
    text = 'ingress: {priority: 0.1}\nstreams: {a: {url: "rtsp://10.0.0.7/a", priority: 100}}'
    found = load(tmp_path, text)
    assert (found.streams["a"].sampling.priority, found.ingress.sampling.priority) == (100, 0.1)
    assert load(tmp_path, 'streams: {a: {url: "rtsp://10.0.0.7/a"}}').streams["a"].sampling.priority == 1
    for said in ("0", "0.09", "101", ".inf", ".nan", "high"):
        text = f'streams: {{a: {{url: "rtsp://10.0.0.7/a", priority: {said}}}}}'
        assert "streams.a.priority" in refusal(tmp_path, text)


@pytest.mark.parametrize(("said", "meant"), [("off", "off"), ('"off"', "off"), ("2x2", "2x2"), ("auto", "auto")])
def test_how_frames_are_cut_is_a_word(tmp_path: Path, said: str, meant: str) -> None:
    """`tiles` is said by stream and for publishers; a bare `off`, which YAML reads as false, is meant as it stands."""
    text = f'ingress: {{tiles: {said}}}\nstreams: {{a: {{url: "rtsp://10.0.0.7/a", tiles: {said}}}}}'
    found = load(tmp_path, text)
    assert {found.streams["a"].sampling.tiles, found.ingress.sampling.tiles} == {meant}
    assert load(tmp_path, 'streams: {a: {url: "rtsp://10.0.0.7/a"}}').streams["a"].sampling.tiles == "off"


def test_a_cut_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """The sentence says which there are."""
    sentence = refusal(tmp_path, 'streams: {a: {url: "rtsp://10.0.0.7/a", tiles: 4x4}}')
    assert "streams.a.tiles" in sentence
    assert all(word in sentence for word in ("off", "2x2", "3x2", "auto"))


@pytest.mark.parametrize("path", sorted((REPOSITORY / "docs").glob("sightline*.yaml")), ids=lambda path: path.name)
def test_the_configurations_in_docs_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sightline*.yaml of the documentation is a configuration that can be used."""
    monkeypatch.setattr("os.environ", _AnyVariable())
    config.load(path)


class _AnyVariable(dict[str, str]):
    """An environment in which every variable is set, those that are an address, a port or a key to one."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        kinds = {"SIGHTLINE_SERVING": "127.0.0.1:5000", "SIGHTLINE_PORT": "8001", "CLUSTER_KEY": "k" * 32}
        return kinds.get(name, "set")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "{}", "streams: {}", "streams:\n#  a: {url: 'rtsp://h/'}\n", "server:"]
)
def test_everything_has_a_default(tmp_path: Path, text: str) -> None:
    """An empty file, empty sections and sections commented out are the defaults, without streams."""
    assert load(tmp_path, text) == Config()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        # unknown keys, at each level
        ("servers: {port: 1}", ("servers: unknown key", "server, serving, streams")),
        ("server: {prot: 8000}", ("server.prot: unknown key", "host, port, max_viewers")),
        ("serving: {adress: x}", ("serving.adress: unknown key", "address, model")),
        (
            "streams: {a: {url: 'rtsp://h/', fps: 5}}",
            (
                "streams.a.fps: unknown key",
                "url, listen, transport, tls, sub, record, labels, on_partition, paused, sample",
            ),
        ),
        # wrong types
        ("server: {max_viewers: '64'}", ("server.max_viewers: '64'", "a whole number")),
        ("server: {port: true}", ("server.port: True", "a whole number")),
        ("server: {port: 80.5}", ("server.port: 80.5", "a whole number")),
        ("server: {host: 127}", ("server.host: 127", "a text")),
        ("server: 8000", ("server: 8000", "a mapping")),
        ("streams: [a, b]", ("streams: ['a', 'b']", "a mapping")),
        ("streams: {a: 5}", ("streams.a: 5", "a mapping")),
        ("streams: {a: {url: 5}}", ("streams.a.url: 5", "a text")),
        ("streams: {a: {url: 'rtsp://h/', listen: 1}}", ("streams.a.listen: 1", "true or false")),
        ("streams: {a: {url: 'rtsp://h/', sample_fps: fast}}", ("streams.a.sample_fps: 'fast'", "a number")),
        # values out of their ranges
        ("server: {port: 65536}", ("server.port: 65536", "65535")),
        ("server: {port: -1}", ("server.port: -1", "0")),
        ("server: {max_viewers: 0}", ("server.max_viewers: 0", "1")),
        ("serving: {address: ''}", ("serving.address", "''", "host:port")),
        ("serving: {address: 127.0.0.1}", ("serving.address", "'127.0.0.1'", "host:port")),
        ("server: {host: ''}", ("server.host: ''",)),
        (
            "streams: {a: {url: 'rtmp://u:hunter22@h:8554/a', listen: true}}",
            ("streams.a.url", "no password", "rtmp://host:port/path"),
        ),
        (
            "streams: {a: {url: 'rtsp://u@h:8554/a', listen: true}}",
            ("streams.a.url", "a user and a password", "rtsp://user:password@host:port/path"),
        ),
        (
            "streams: {a: {url: 'rtsp://h:8554/a', listen: true}, b: {url: 'rtsp://u:p@h:8554/a/', listen: true}}",
            ("streams.b.url", "port 8554", "path /a", "streams.a"),
        ),
        (
            "streams: {a: {url: 'rtsp://h:8554', listen: true}, b: {url: 'rtsp://h:8554/', listen: true}}",
            ("streams.b.url", "port 8554", "path /", "streams.a"),
        ),
        (
            "streams: {a: {url: 'rtsp://h:8554/a', listen: true}, b: {url: 'rtsp://i:8554/b', listen: true}}",
            ("streams.b.url", "port 8554", "at h for streams.a", "have one host"),
        ),
        (
            "streams: {a: {url: 'rtsp://h:8554/a', listen: true}, b: {url: 'rtmp://h:8554/b', listen: true}}",
            ("streams.b.url", "port 8554", "streams.a"),
        ),
        ("streams: {a: {url: 'rtsps://h:8554/a', listen: true}}", ("streams.a: listen", "rtsp://, rtmp:// and srt://")),
        ("serving: {tls: {cafile: x}}", ("serving.tls.cafile: unknown key", "ca, cert, key, name")),
        ("serving: {tls: {cert: x}}", ("serving.tls: cert and key go together",)),
        ("serving: {tls: {ca: ''}}", ("serving.tls.ca: ''", "not empty")),
        ("serving: {model: 'my model'}", ("serving.model: 'my model'", "letters, digits")),
        ("serving: {deadline: 0}", ("serving.deadline: 0", "greater than 0")),
        ("serving: {max_batch_size: 1000}", ("serving.max_batch_size: 1000", "128")),
        ("streams: {a: {url: 'rtsp://h/', sample_fps: 0}}", ("streams.a.sample_fps: 0", "greater than 0")),
        ("streams: {a: {url: 'rtsp://h/', sample_fps: .nan}}", ("streams.a.sample_fps: nan", "120")),
        ("streams: {a: {url: 'rtsp://h/', sample_fps: .inf}}", ("streams.a.sample_fps: inf", "120")),
        ("streams: {a: {url: 'rtsp://h/', min_score: 1.5}}", ("streams.a.min_score: 1.5", "1")),
        # names
        ("streams: {'a b': {url: 'rtsp://h/'}}", ("'a b'", "letters, digits")),
        ("streams: {../x: {url: 'rtsp://h/'}}", ("'../x'", "letters, digits")),
        ("streams: {7: {url: 'rtsp://h/'}}", ("streams.7", "key 7", "quotes")),
        ("server: {1: 2}", ("server.1", "key 1", "quotes")),
        # URLs
        ("streams: {a: {}}", ("streams.a.url", "required")),
        ("streams: {a: {url: 'ftp://h/'}}", ("streams.a.url: 'ftp://h/'", "rtsp://, rtsps://")),
        ("streams: {a: {url: 'srt://h/'}}", ("streams.a.url: 'srt://h/'", "names no port")),
        # what does not go together
        ("streams: {a: {url: 'http://h/', listen: true}}", ("streams.a: listen", "rtsp://, rtmp:// and srt://")),
        ("streams: {a: {url: 'rtmp://h/a', transport: udp}}", ("streams.a: transport", "rtsp://")),
        ("streams: {a: {url: 'rtsp://h/a', transport: sctp}}", ("streams.a.transport: 'sctp'", "'tcp' or 'udp'")),
        ("streams: {a: {url: 'rtsp://h/a', tls: {verify: false}}}", ("streams.a: tls", "rtsps:// and https://")),
        ("streams: {a: {url: 'rtsps://h/a', tls: {cert: x}}}", ("streams.a.tls.cert: unknown key", "ca, name, verify")),
        # a sub-stream
        ("streams: {a: {url: 'rtsp://h/a', sub: 'rtsp://h/b'}}", ("streams.a.sub: 'rtsp://h/b'", "a mapping")),
        ("streams: {a: {url: 'rtsp://h/a', sub: {}}}", ("streams.a.sub.url", "required")),
        (
            "streams: {a: {url: 'rtsp://h/a', sub: {url: 'rtsp://h/b', uri: x}}}",
            ("streams.a.sub.uri: unknown key", "url"),
        ),
        ("streams: {a: {url: 'rtsp://h/a', sub: {url: 'ftp://h'}}}", ("streams.a.sub.url: 'ftp://h'", "rtsp://")),
        ("streams: {a: {url: 'rtsp://h/a', sub: {url: 'udp://h:1'}}}", ("streams.a: sub.url: udp://", "rtsp://")),
        ("streams: {a: {url: 'file:a.mp4', sub: {url: 'rtsp://h/b'}}}", ("streams.a: sub", "rtsp://, rtsps://")),
        ("streams: {a: {url: 'rtsp://h/a', listen: true, sub: {url: 'rtsp://h/b'}}}", ("streams.a: sub", "rtsp://")),
        ("streams: {a: {url: 'rtsp://h/a', sub: {url: 'rtsp://h/a'}}}", ("streams.a: sub.url", "another address")),
        ("streams: {a: {url: 'udp://h:1'}, b: {url: 'udp://h:1'}}", ("streams.b.url", "port 1", "streams.a")),
        # https, other origins, ICE servers
        ("server: {tls: {cert: a.pem}}", ("server.tls.key: is missing",)),
        ("server: {tls: {cert: a, key: b, ca: c}}", ("server.tls.ca: unknown key", "cert, key")),
        ("server: {tls: true}", ("server.tls: True", "a mapping")),
        ("server: {names: ['http://a']}", ("server.names.0: 'http://a'", "without scheme, port and path")),
        ("server: {names: ['a:80']}", ("server.names.0: 'a:80'", "without scheme, port and path")),
        ("server: {base_path: sightline}", ("server.base_path: 'sightline'", "begins with a slash")),
        ("server: {base_path: '//evil.example'}", ("server.base_path: '//evil.example'", "begins with a slash")),
        ("server: {trusted_proxies: [proxy]}", ("server.trusted_proxies.0: 'proxy'", "127.0.0.1 and 10.0.0.0/8")),
        ("server: {origins: 'https://a'}", ("server.origins: 'https://a'", "a list")),
        ("server: {origins: [a.example]}", ("server.origins.0: 'a.example'", "https://host[:port]")),
        ("server: {origins: ['https://a/page']}", ("server.origins.0", "https://host[:port]")),
        ("server: {ice_servers: [{url: 'http://a'}]}", ("server.ice_servers.0.url: 'http://a'", "stun:host:port")),
        ("server: {ice_servers: [{uri: 'stun:a'}]}", ("server.ice_servers.0.u", "url")),
        (
            "server: {ice_servers: [{url: 'turn:h', secret: sesame-open, username: u}]}",
            ("server.ice_servers.0: a secret makes", "one or the other"),
        ),
        ("server: {ice_servers: [{url: 'stun:h', secret: sesame-open}]}", ("'stun:h' is none",)),
        ("server: {max_viewers_per_address: 0}", ("server.max_viewers_per_address: 0", "1")),
        # who may publish
        ("ingress: {names: phone}", ("ingress.names: 'phone'", "a list")),
        ("ingress: {names: ['a b']}", ("ingress.names.0: 'a b'", "letters, digits")),
        ("ingress: {token: short}", ("ingress.token", "at least 8 characters")),
        ("ingress: {max_pixels: 100000000}", ("ingress.max_pixels: 100000000", "9437184")),
        ("ingress: {tokens: x}", ("ingress.tokens: unknown key", "names, token, max_publishers")),
        # streams by the API
        ("api_streams: {schemes: [file]}", ("api_streams.schemes.0: 'file'", "'rtsp'")),
        (
            "api_streams: {networks: [10.0.0.1/8]}",
            ("api_streams.networks.0", "'10.0.0.1/8' is no network", "10.0.0.0/8"),
        ),
        ("api_streams: {allow: true}", ("api_streams.allow: unknown key", "allowed, max_streams, token")),
        ("streams: {a: {url: 'rtsp:///x'}}", ("streams.a.url: 'rtsp:///x'", "host")),
        ("streams: {a: {url: 'rtsp://h:99999/'}}", ("streams.a.url: 'rtsp://h:99999/'", "port")),
        # what is not YAML, or not one mapping
        ("- a", ("mapping", "server, serving, streams", "list")),
        ("just words", ("mapping", "str")),
        ("server: {port: 1", ("line 1", "not YAML")),
        ("a: b: c", ("line 1, column 5", "not YAML")),
        ("a:\n\t- b", ("line 2", "not YAML")),
        ("a: \x00", ("not YAML",)),
        ("a: *b", ("not YAML", "'b'")),
        ("a: 2024-13-45", ("not YAML", "month")),
        ("? [a]\n: b", ("line 1", "not YAML")),
        ("a: !!python/name:os.system x", ("not YAML",)),
        ("--- {}\n--- {}", ("line 2", "not YAML")),
        ("streams: &s [*s]", ("line 1", "not YAML", "an alias in it stands for all of it")),
        ("streams: &s {x: *s}", ("line 1", "not YAML", "an alias in it stands for all of it")),
        ("[" * 5000, ("nested too deeply",)),
        ("streams: {a: " + "{b: " * 5000, ("nested too deeply",)),
        # what is long is told in short
        (f"serving: {{model: '{'m' * 5000}!'}}", ("serving.model: 'mmm", "m… is not a name of 1 to 64 letters")),
        (f"{'k' * 500}: 1", ("kkk", "k…: unknown key; allowed here are server")),
        # keys that stand twice
        ("server: {}\nserver: {port: 1}", ("line 2", "'server' stands twice")),
        ("streams:\n  a: {url: 'rtsp://h/'}\n  a: {url: 'rtsp://i/'}", ("line 3", "'a' stands twice")),
        ("server: {port: 1, port: 2}", ("line 1", "'port' stands twice")),
    ],
)
def test_each_mistake_is_one_line_with_key_value_and_allowed(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    """A mistake is answered with one line: which key, which value, and what is allowed there."""
    sentence = refusal(tmp_path, text)
    for part in parts:
        assert part in sentence


def test_cameras_that_push_rtsp_may_share_a_port(tmp_path: Path) -> None:
    """Streams with paths of their own listen at one port, with a user and password or without."""
    urls = ("rtsp://h:8554/a", "rtsp://u:p%40@h:8554/b", "rtsp://h:8554/b?camera=2", "rtsp://h:8554", "rtsp://i:8555/a")
    streams = ", ".join(f"s{number}: {{url: '{url}', listen: true}}" for number, url in enumerate(urls))
    assert len(load(tmp_path, f"streams: {{{streams}}}").streams) == len(urls)


def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set is named, with the key that wants it."""
    monkeypatch.delenv("LINE_1_PASSWORD", raising=False)
    sentence = refusal(tmp_path, EXAMPLE)
    assert "streams.line-1.url" in sentence
    assert "LINE_1_PASSWORD is not set" in sentence


def test_variables_stand_anywhere_in_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} is replaced in every text, as often as it stands there; the value is not looked into again."""
    monkeypatch.setenv("HOST", "10.0.0.7")
    monkeypatch.setenv("ODD", "${HOST}")
    found = load(tmp_path, "server: {host: '${HOST}'}\nstreams: {a: {url: 'rtsp://${HOST}:554/${ODD}/${HOST}'}}")
    assert found.server.host == "10.0.0.7"
    assert found.streams["a"].url == "rtsp://10.0.0.7:554/${HOST}/10.0.0.7"


def test_the_port_may_be_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} may stand for the port, so that services share a file; what is no port is refused all the same."""
    text = "server: {port: '${PORT}'}"
    monkeypatch.setenv("PORT", "8001")
    assert load(tmp_path, text).server.port == 8001
    for wrong in ("70000", "http", "-1", ""):
        monkeypatch.setenv("PORT", wrong)
        assert refusal(tmp_path, text).startswith("server.port: ")


def test_yaml_anchors_and_merges_are_understood(tmp_path: Path) -> None:
    """What cameras have in common may be written once and merged with <<."""
    found = load(
        tmp_path,
        "streams:\n  a: &a {url: 'rtsp://h/1', sample_fps: 2}\n  b: {<<: *a, url: 'rtsp://h/2'}\n",
    )
    assert (found.streams["b"].url, found.streams["b"].sample_fps) == ("rtsp://h/2", 2.0)


@pytest.mark.parametrize(
    "text",
    [
        "streams: {a: 'rtsp://user:hunter2@h/'}",
        "streams: {a: {url: ['rtsp://user:hunter2@h/']}}",
        "streams: {a: {url: 'rtsp://user:hunter2@h:port/'}}",
        "streams: {a: {url: 'ftp://user:hunter2@h/'}}",
        "streams: {a: {url: 'rtsp://user:hunter2/x@h/'}}",
        "streams: {a: {url: 'rtsp://user:hunter2#x@h/'}}",
        "streams: {a: {url: 'rtsp://user:${SECRET}/@h/'}}",
        "streams: {'rtsp://user:hunter2@h/': {}}",
        "streams: 'rtsp://user:hunter2@h/'",
        "rtsp: 'rtsp://user:hunter2@h/'",
        "'rtsp://user:hunter2@h/': a",
        "'rtsp://user:hunter2@h/': a\n'rtsp://user:hunter2@h/': b",
        "streams: {'rtsp://user:hunter2@h/': {url: '${NOT_SET_ANYWHERE}'}}",
        f"serving: {{model: '{'m' * 80} rtsp://user:hunter2{'x' * 20}@h/'}}",
        "server: {host: 'rtsp://user:hunter2@h/', port: 'rtsp://user:hunter2@h/'}",
        "streams: {a: {url: 'rtsp://user:hunter2@h/', sample_fps: hunter2}}",
        "ingress: {token: hunter2}",
        "ingress: {token: [hunter2]}",
        "ingress: {token: {hunter2: hunter2}}",
        "server: {ice_servers: [{url: 'turn:h', credential: [hunter2]}]}",
        "server: {ice_servers: [{url: 'turn:h', secret: hunter2}]}",
    ],
)
def test_no_refusal_holds_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Wherever a URL was written by mistake, its password is not in the sentence that says so."""
    monkeypatch.setenv("SECRET", "hunter2")
    assert "hunter2" not in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("rtsp://user:hunter2@h/", {"url": "rtsp://h/"}),
        ("a", {"url": "rtsp://h/", "rtsp://user:hunter2@h/": 1}),
        ("a", {"url": ["rtsp://user:hunter2@h/"]}),
        ("a", {"url": "rtsp://user:hunter2@h/", "model": "rtsp://user:hunter2@h/"}),
    ],
)
def test_no_refusal_of_a_strangers_stream_holds_a_password(name: str, document: dict[str, object]) -> None:
    """Wherever in a request a URL stands, its name or its keys, its password is not in the sentence that refuses it."""
    with pytest.raises(ConfigError) as refused:
        config.parse_stream(name, document)
    assert "hunter2" not in str(refused.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A missing file, a folder and a file that is not text are each refused with the path and the reason."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, reason in (
        (tmp_path / "missing.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not UTF-8 text"),
    ):
        with pytest.raises(ConfigError, match=reason) as refused:
            config.load(path)
        assert str(path) in str(refused.value)


def test_a_configuration_does_not_change() -> None:
    """A configuration that was read cannot be written to."""
    with pytest.raises(ValueError, match="frozen"):
        Config().server.port = 1


# ---- documents that are more than they look


def bomb(levels: int, *, each: str = "x") -> str:
    """A line of YAML for each level, every one of them ten times the one before."""
    lines = [f"a0: &a0 [{', '.join([each] * 10)}]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join([*lines, f"streams: *a{levels - 1}"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bomb(6), "its aliases, written out, make it larger than 4 MiB"),
        (bomb(25), "its aliases, written out, make it larger than 4 MiB"),
        (bomb(3, each="x" * 10_000), "its aliases, written out, make it larger than 4 MiB"),
        (
            "a0: &a0 {k: v}\n"
            + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)),
            "its aliases, written out, make it larger than 4 MiB",
        ),
        ("a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 900)), "it is nested too deeply"),
        ("streams: [" + "a," * 100_000 + "]", "it has more than 100000 keys and values"),
        ("server: {port: " + ":".join(["1"] * 400_000) + "}", "line 1 holds a number of 799999 characters"),
        ("server: {port: 0x" + "f" * 5000 + "}", "line 1 holds a number of 5002 characters"),
    ],
    ids=["aliases", "aliases of aliases", "long texts", "merges", "a ladder", "many", "base sixty", "hexadecimal"],
)  # fmt: skip
def test_a_document_that_is_more_than_it_looks_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """What would take minutes or gigabytes is refused before it does, in a sentence that says what makes it so."""
    assert refusal(tmp_path, text) == f"is not YAML that can be read: {says}"


def test_a_file_is_read_as_far_as_it_may_go(tmp_path: Path) -> None:
    """Of a file without end no more is read than would be allowed."""
    assert refusal(tmp_path, "#" * (MAX_BYTES + 1)) == "cannot be read: it is larger than 1 MiB"
    said = config.read(Path("/dev/zero"))
    assert isinstance(said, bytes)
    assert len(said) == MAX_BYTES + 1


def test_a_thousand_cameras_with_common_settings_are_read(tmp_path: Path) -> None:
    """Aliases that are used as they are meant to be, once a stream, are no bomb."""
    lines = [f"  camera-{n}: {{<<: *common, url: 'rtsp://10.0.0.7/{n}'}}" for n in range(1000)]
    text = "\n".join(["streams:", "  first: &common {url: 'rtsp://10.0.0.7/', sample_fps: 2}", *lines])
    assert load(tmp_path, text).streams["camera-999"].sample_fps == 2


@pytest.mark.parametrize("value", ["!!bool maybe", "!!int ''", "!!int x", "!!timestamp x", "!!float ''", "!!binary é"])
def test_a_tag_its_text_does_not_fit_is_a_mistake(tmp_path: Path, value: str) -> None:
    """A tag that says what the text is, and is wrong, is refused as any mistake is."""
    assert "is not YAML" in refusal(tmp_path, f"server: {{host: {value}}}")


def test_a_strangers_settings_do_not_go_deep() -> None:
    """Settings from elsewhere that are nested a thousand times are refused in a sentence."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ConfigError, match="no setting of a stream is that deep"):
        config.parse_stream("a", {"url": deep})


@given(st.text(alphabet="ab*&:-?![]{}<>,#|'\" \n0.1~", max_size=200))
def test_whatever_is_written_is_read_or_refused(said: str) -> None:
    """Any text is a configuration, or is refused with a sentence in one line; nothing else comes of it."""
    try:
        config.understand(Path("sightline.yaml"), said.encode())
    except ConfigError as error:
        refused: str = str(error)
    else:
        refused = ""
    assert "\n" not in refused
