"""streamer.config.access: the section `access`."""

import re
from pathlib import Path

import pytest
import yaml

from streamer import config
from streamer.config import audit_path, store_path
from streamer.values.errors import ConfigError
from tests.peers.required import REPOSITORY


def test_a_role_alone_is_that_role_everywhere() -> None:
    """`groups: {cameras: viewer}` says the same as with `streams: ["*"]`."""
    access = config.parse({"access": {"groups": {"a": "viewer", "b": {"role": "admin", "streams": ["line-*"]}}}}).access
    assert access is not None
    assert {name: (group.role, group.streams) for name, group in access.groups.items()} == {
        "a": ("viewer", ["*"]),
        "b": ("admin", ["line-*"]),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "{open: true}",
            "access.open: unknown key; allowed here are anonymous, session_hours, store, groups, proxy, oidc",
        ),
        ("7", "access: 7 is not allowed; it must be a mapping"),
        ("{anonymous: [administer]}", "access.anonymous.0: 'administer' is not allowed; it must be 'view', 'publish'"),
        ("{anonymous: view}", "access.anonymous: 'view' is not allowed; it must be a list"),
        ("{session_hours: 0}", "access.session_hours: 0 is not allowed; it must be greater than 0"),
        ("{store: ''}", "access.store"),
        (
            "{groups: {a: king}}",
            "access.groups.a.role: 'king' is not allowed; it must be 'viewer', 'operator' or 'admin'",
        ),
        ("{groups: {a: {streams: [x]}}}", "access.groups.a.role: is missing"),
        ("{groups: {a: {role: viewer, streams: []}}}", "access.groups.a.streams"),
        ("{groups: {a: {role: viewer, streams: ['~']}}}", "access.groups.a.streams.0: '~' is no name"),
        ("{groups: {a: {rank: viewer}}}", "access.groups.a.role: is missing"),
        ("{groups: {a: {role: viewer, rank: 1}}}", "access.groups.a.rank: unknown key; allowed here are role, streams"),
        ("{proxy: {user_header: 'a b'}}", "access.proxy.user_header: 'a b' is no header"),
        ("{proxy: {header: x}}", "access.proxy.header: unknown key; allowed here are user_header, groups_header"),
        ("{proxy: {}}", "access.proxy: needs server.trusted_proxies"),
        ("{oidc: {client_id: a}}", "access.oidc.issuer: is missing"),
        ("{oidc: {issuer: 'http://id.example.org', client_id: a}}", "'http://id.example.org' is no issuer; allowed is"),
        ("{oidc: {issuer: 'https://u:p@id.example.org', client_id: a}}", "is no issuer"),
        (
            "{oidc: {issuer: 'https://id.example.org', client_id: a, tls: {verify: false}}}",
            "access.oidc.tls.verify: unkn",
        ),
    ],
)
def test_what_is_no_access_is_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    """It names the key, the value and what is allowed."""
    (path := tmp_path / "a.yaml").write_text(f"access: {text}")
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_secret_is_shown_nowhere() -> None:
    """A provider's secret that is no text is not repeated."""
    with pytest.raises(ConfigError, match="its value is not allowed; it must be a text") as refused:
        config.parse({"access": {"oidc": {"issuer": "https://a", "client_id": "a", "client_secret": 12345678}}})
    assert "12345678" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "access:\n", "access: null"])
def test_a_section_without_a_line_is_none(text: str, tmp_path: Path) -> None:
    """Commented out as a whole, it is as if it were not there; written as {} it is there, and asks everybody."""
    (path := tmp_path / "a.yaml").write_text(text)
    assert config.load(path).access is None
    path.write_text("access: {}")
    assert config.load(path).access is not None


def test_files_lie_beside_the_configuration_or_where_it_says() -> None:
    """The audit lies beside the users, under a name of the same beginning; without a file there are none."""
    said = config.parse({"access": {"store": "/data/users.json"}}).access
    assert store_path(None, Path("/etc/a.yaml")) == Path("/etc/a.access.json")
    assert store_path(said, Path("/etc/a.yaml")) == store_path(said, None) == Path("/data/users.json")
    assert store_path(None, None) is None
    assert audit_path(Path("/etc/a.access.json")) == Path("/etc/a.audit.jsonl")
    assert audit_path(Path("/data/users.json")) == Path("/data/users.audit.jsonl")


def test_the_commented_section_is_all_of_it() -> None:
    """docs/sightline.yaml has every key of the section; without its comment signs it is one that can be used."""
    lines = (REPOSITORY / "docs" / "sightline.yaml").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# access:"))
    end = lines.index("", begin)
    text = "\n".join(re.sub("^# ?", "", line, count=1) for line in lines[begin:end])
    section = yaml.safe_load(text.replace("${OIDC_SECRET}", "secret"))
    access = config.parse({**section, "server": {"trusted_proxies": ["127.0.0.1"]}}).access
    assert access is not None
    for settings in (access, access.proxy, access.oidc):
        assert settings is not None
        assert settings.model_fields_set == type(settings).model_fields.keys()
