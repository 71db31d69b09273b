"""streamer.http.served_certificate: the certificate of HTTPS, and its successor."""

import asyncio
import logging
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from streamer.http import served_certificate
from streamer.http.served_certificate import ServedCertificate
from streamer.values.errors import ConfigError
from tests.http.test_listener import WHOLE, answer, run_port
from tests.peers.certificates import make_certificate, server_files
from tests.peers.until import until

OLD, NEW = make_certificate("old.example"), make_certificate("new.example")

ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANYBODY.check_hostname, ANYBODY.verify_mode = False, ssl.CERT_NONE


async def shown(port: int) -> str:
    """The name in the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ANYBODY)
    tls = writer.get_extra_info("ssl_object")
    found = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return found.subject.rfc4514_string().removeprefix("CN=")


async def test_another_certificate_is_served_to_who_comes_and_nobody_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New connections get what the files say by now; one that is open goes on with what it has."""
    monkeypatch.setattr(served_certificate, "LOOK", 0.01)
    async with run_port(ServedCertificate(*server_files(OLD, tmp_path))) as port:
        assert await shown(port.number) == "old.example"
        reader, writer = await port.say(WHOLE, tls=ANYBODY)
        await answer(reader)
        server_files(NEW, tmp_path)

        while await shown(port.number) != "new.example":
            pass
        writer.write(WHOLE)
        assert (await answer(reader)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "half",
    [
        {"cert.pem": NEW.cert},
        {"key.pem": NEW.key},
        {"cert.pem": NEW.cert[:200]},
        {"cert.pem": "", "key.pem": ""},
        {"key.pem": NEW.locked_key("secret")},
        {"cert.pem": None},
    ],
)
async def test_half_a_pair_changes_nothing_until_the_other_half_comes(
    half: dict[str, str | None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be served is said once in the log, and the certificate of before is served until it can."""
    caplog.set_level(logging.INFO)
    certificate = ServedCertificate(*server_files(OLD, tmp_path))
    before = certificate.expires_at
    async with run_port(certificate) as port:
        for name, text in half.items():
            if text is None:
                (tmp_path / name).unlink()
            else:
                (tmp_path / name).write_text(text)
        for _ in range(2):
            await certificate.look()
        assert certificate.expires_at == before
        assert await shown(port.number) == "old.example"
        [said] = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert said.startswith("the certificate of before stays: server.tls: ")
        assert "PRIVATE KEY" not in caplog.text
        server_files(NEW, tmp_path)
        await certificate.look()
        assert await shown(port.number) == "new.example"


async def test_files_that_are_the_same_are_not_read_again(tmp_path: Path) -> None:
    """Without a change the context stays, and with it what TLS remembers of its clients."""
    certificate = ServedCertificate(*server_files(OLD, tmp_path))
    context = certificate.context
    await certificate.look()
    assert certificate.context is context


async def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    """certbot and Kubernetes put the new pair beside the old one and turn a link to it."""
    for folder, made in (("1", OLD), ("2", NEW)):
        (tmp_path / folder).mkdir()
        server_files(made, tmp_path / folder)
    live = tmp_path / "live"
    live.symlink_to("1")
    certificate = ServedCertificate(live / "cert.pem", live / "key.pem")
    context = certificate.context
    live.unlink()
    live.symlink_to("2")
    await certificate.look()
    assert certificate.context is not context


@pytest.mark.parametrize(
    ("cert", "key", "says"),
    [
        (OLD.cert, NEW.key, "cannot be used"),
        (OLD.cert, OLD.locked_key("x"), "the key without a password"),
        (None, OLD.key, "is not there"),
    ],
)
def test_what_cannot_be_served_at_the_start_ends_it(cert: str | None, key: str, says: str, tmp_path: Path) -> None:
    """There is nothing of before to go on with: a sentence that names both files."""
    if cert is not None:
        (tmp_path / "cert.pem").write_text(cert)
    (tmp_path / "key.pem").write_text(key)
    with pytest.raises(ConfigError, match=says) as refused:
        ServedCertificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert "cert.pem" in str(refused.value)
    assert "key.pem" in str(refused.value)


async def test_its_end_is_a_metric(tmp_path: Path) -> None:
    """What is served says in /metrics when it ends, and whether it is what the files say."""
    certificate = ServedCertificate(*server_files(OLD, tmp_path))
    async with run_port(certificate) as port:
        port.service.metrics.certificate = certificate
        value = port.service.metrics.registry.get_sample_value
        end = datetime.fromtimestamp(value("sightline_certificate_expiry_timestamp_seconds") or 0.0, UTC)
        assert timedelta(hours=23) < end - datetime.now(UTC) < timedelta(hours=25)
        assert value("sightline_certificate_last_reload_successful") == 1
        (tmp_path / "key.pem").write_text(NEW.key)
        await certificate.look()
        assert value("sightline_certificate_last_reload_successful") == 0


async def test_the_task_that_looks_outlives_its_own_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is owned by the port: an end nobody foresaw is told under its name."""
    certificate = ServedCertificate(*server_files(OLD, tmp_path))
    monkeypatch.setattr(served_certificate, "LOOK", 0.001)
    told: list[str] = []

    async def fails() -> None:
        raise RuntimeError

    monkeypatch.setattr(certificate, "look", fails)
    async with run_port(certificate, on_restart=told.append):
        await until(lambda: told)
    assert told[0] == "certificate"
