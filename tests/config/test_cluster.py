"""The section `cluster`."""

from itertools import takewhile
from typing import Any

import pytest
import yaml

from streamer import config
from streamer.config.cluster import ClusterSettings, ClusterTlsSettings
from streamer.values.errors import ConfigError
from tests.peers.required import REPOSITORY

SAID = {"nats": "nats://10.0.0.5:4222", "url": "http://10.0.0.7:8000/", "key": "k" * 32}


def settings(**said: Any) -> ClusterSettings:
    """One of a document with these."""
    found = config.parse({"cluster": {**SAID, **said}}).cluster
    assert found is not None
    return found


def test_nats_is_one_server_or_several_of_one_nats() -> None:
    """A user without a password is a token, the same at all; it is part of no address."""
    assert settings().servers == ("nats://10.0.0.5:4222",)
    found = settings(nats=["nats://s%2F3cret@a:4222", "tls://s%2F3cret@b"])
    assert (found.servers, found.token) == (("nats://a:4222", "tls://b"), "s/3cret")
    found = settings(nats=["nats://anna:secret@a", "nats://anna:secret@b"])
    assert (found.servers, found.token) == (("nats://anna:secret@a", "nats://anna:secret@b"), None)
    assert found.url == "http://10.0.0.7:8000"


def test_a_replica_without_a_name_has_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot stand in a replica's name becomes a hyphen."""
    assert settings(replica="hangar-1").member == "hangar-1"
    monkeypatch.setattr("socket.gethostname", lambda: "_hangar 1.example.org")
    assert settings().member == "hangar-1.example.org"


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({"nats": "http://h"}, ("cluster.nats.0: it is no NATS server", "nats://user:password@10.0.0.5:4222")),
        ({"nats": "nats://u:s3cret@h:99999"}, ("cluster.nats.0: it is no NATS server",)),
        ({"nats": []}, ("nats: 0 servers are named; allowed are 1 to 16",)),
        ({"nats": ["nats://s3cret@a", "nats://s3cret2@b"]}, ("several tokens are named; allowed is one",)),
        ({"key": "s3cret"}, ("cluster.key: is too short", "at least 32 characters")),
        ({"url": "hangar"}, ("cluster.url: 'hangar' is no address of a replica", "http://10.0.0.7:8000")),
        ({"copies": 2}, ("cluster.copies: 2 is not allowed; it must be 1, 3 or 5",)),
        ({"tls": {"key": "client.key"}}, ("key needs cert",)),
        ({"credentials": ""}, ("cluster.credentials: '' is not allowed",)),
        (
            {"credentials": "a.creds", "nats": "nats://s3cret@a"},
            ("credentials say who we are", "without user or token"),
        ),
        ({"replica": "a b"}, ("cluster.replica: 'a b' is not a name",)),
    ],
)
def test_each_mistake_is_one_sentence_without_secrets(said: dict[str, Any], parts: tuple[str, ...]) -> None:
    """It says the key, and what is allowed there."""
    with pytest.raises(ConfigError) as raised:
        settings(**said)
    sentence = str(raised.value)
    assert all(part in sentence for part in parts), sentence
    assert "s3cret" not in sentence


def test_an_archive_is_shared_or_refused() -> None:
    """Each replica's own in SQLite would show what it kept itself, and nothing of the others."""
    with pytest.raises(ConfigError, match=r"archive.database: is missing; .* PostgreSQL"):
        config.parse({"cluster": SAID, "archive": {}})
    assert config.parse({"cluster": SAID, "archive": {"database": "postgresql://h/n"}}).cluster is not None


def test_a_stream_whose_variable_is_set_elsewhere_is_no_mistake_in_a_cluster() -> None:
    """It is known as it is written, and not among those that can run here; without a cluster it is refused."""
    streams = {"a": {"url": "rtsp://${NOT_SET_HERE}/"}, "b": {"url": "rtsp://h/"}}
    found = config.parse({"cluster": SAID, "streams": streams})
    assert found.streams.keys() == {"b"}
    assert found.streams_said == streams
    with pytest.raises(ConfigError, match="NOT_SET_HERE is not set"):
        config.parse({"streams": streams})


def test_the_commented_section_is_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/sightline.yaml has every key of it; without its comment signs it can be used, one way to be let in apart."""
    lines = (REPOSITORY / "docs" / "sightline.yaml").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# cluster:"))
    block = takewhile(lambda line: line.startswith("#"), lines[begin:])
    document = yaml.safe_load("\n".join(line.removeprefix("# ") for line in block))["cluster"]
    assert document.keys() == ClusterSettings.model_fields.keys()
    assert document["tls"].keys() == ClusterTlsSettings.model_fields.keys()
    monkeypatch.setenv("NATS_PASSWORD", "secret")
    monkeypatch.setenv("CLUSTER_KEY", "k" * 40)
    with_file = document | {"nats": ["nats://10.0.0.5:4222"]}
    assert settings(**with_file).credentials == document.pop("credentials")
    assert settings(**document).key == "k" * 40
