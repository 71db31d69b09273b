"""streamer.values.url: which URLs a source takes, and passwords kept out of everything a person may read."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.target import Target
from streamer.values import url
from streamer.values.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    """Each test begins and ends with no password registered."""
    url._secrets.clear()
    yield
    url._secrets.clear()


@pytest.mark.parametrize(
    "good",
    [
        "rtsp://10.0.0.7/stream",
        "rtsps://camera.example:322/a/b?channel=1&subtype=0",
        "rtsp://user:secret@10.0.0.7:554/stream",
        "rtsp://[fe80::1]:8554/x",
        "rtsp://0.0.0.0:8554/drone",
        "rtsp://user:p%40ss%2Fword@camera/",
        "rtmp://media.example/live/road?token=abc",
        "http://camera/video.mjpg",
        "https://media.example/live/index.m3u8",
        "udp://239.1.2.3:5000",
        "srt://encoder:9000?passphrase=hunter2hunter2",
        "file:///videos/road.mp4",
        "file:road.mp4",
    ],
)
def test_urls_of_cameras_are_returned_as_they_are(good: str) -> None:
    """A URL that a source can open comes back unchanged."""
    assert url.check(good) == good


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("ftp://camera/stream", "allowed are rtsp://, rtsps://, rtmp://, http://, https://, udp:// and srt:// URLs"),
        ("/dev/video0", "allowed are rtsp://"),
        ("", "allowed are rtsp://"),
        ("udp://239.1.2.3", "names no port"),
        ("srt://encoder", "names no port"),
        ("file://server/road.mp4", "names no file"),
        ("file:", "names no file"),
        ("rtsp://camera/a b", "must be percent-encoded"),
        ("rtsp://camera/a\r\nX: y", "must be percent-encoded"),
        ("rtsp:///stream", "names no host"),
        ("rtsp://user:secret@/stream", "names no host"),
        ("rtsp://camera:port/", "a port is 0 to 65535"),
        ("rtsp://camera:99999/", "a port is 0 to 65535"),
        ("rtsp://[fe80::1/x", "is not a URL"),
    ],
)
def test_other_urls_are_refused_in_one_line(bad: str, says: str) -> None:
    """A URL no source can open is refused with the URL and what is allowed, in one line without its password."""
    with pytest.raises(ConfigError) as refused:
        url.check(bad)
    text = str(refused.value)
    assert says in text
    assert "\n" not in text
    assert "secret" not in text
    assert repr(bad.replace("secret", "***")) in text


@pytest.mark.parametrize("bad", ["rtsp://us%0d%0aer:secret@camera/", "http://u:sec%00ret@camera/", "srt://u%7f@h:1"])
def test_a_login_holds_no_control_characters(bad: str) -> None:
    """A line break in a user name would be a line of the request, percent-encoded or not (RFC 7617 section 2)."""
    with pytest.raises(ConfigError, match="control characters") as refused:
        url.check(bad)
    assert "ret" not in str(refused.value)


@pytest.mark.parametrize("bad", ["rtsp://camera/\x85", "rtsp://camera/\udc80", "http://camera/\u0080"])
def test_what_no_request_can_carry_is_refused(bad: str) -> None:
    """Control characters beyond ASCII, and half characters that no encoding knows, are in no URL."""
    with pytest.raises(ConfigError, match="percent-encoded"):
        url.check(bad)


def test_a_url_is_so_long_at_the_most() -> None:
    """A URL that FFmpeg would cut off is refused by its length, and not shown."""
    with pytest.raises(ConfigError, match="5000 characters") as refused:
        url.check("rtsp://user:" + "secret" * 100 + "@camera/" + "a" * (5000 - 620))
    assert "secret" not in str(refused.value)
    assert url.check("rtsp://camera/" + "a" * (url.LONGEST - 14))


AWKWARD = ("hunter@2", "hunter/2", "hunter:2", "hunter%2", "hunter#2", "hunter?2", "hu[n]ter", "hun'ter\\2", "hünter ñ")


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize("encoded", [True, False])
def test_passwords_are_redacted_in_every_spelling(password: str, encoded: bool) -> None:
    """Once a URL was seen, its password is cut out of any text: as written, as meant, percent-encoded and quoted."""
    url.remember(f"rtsp://user:{quote(password, safe='') if encoded else password}@camera:554/stream?x=1")
    spellings = {password, repr(password)[1:-1], quote(password), quote(password, safe="")}
    for spelling in spellings | {quote(password, safe="").replace("%2F", "%2f")}:
        found = url.redact(f"cannot open rtsp://user:{spelling}@camera:554/stream; password {spelling}!")
        assert found == "cannot open rtsp://user:***@camera:554/stream; password ***!"


@pytest.mark.parametrize("password", AWKWARD)
def test_no_part_of_a_password_is_in_a_refusal(password: str) -> None:
    """Whatever a URL parser makes of an unencoded password, the refusal holds no piece of it."""
    for address in (f"rtsp://user:{password}@/x", f"ftp://user:{password}@camera/", f"rtsp://u:{password}@h:70000/"):
        with pytest.raises(ConfigError) as refused:
            url.check(address)
        for piece in ("hunt", "hünt", "hu[n", "ter"):
            assert piece not in str(refused.value)


@pytest.mark.parametrize("name", ["password", "pwd", "token", "passphrase", "key", "PASS", "access_token", "loginpas"])
def test_passwords_in_a_query_are_redacted(name: str) -> None:
    """What a camera or media server takes as a password in the query is one, short ones too; other values are none."""
    for secret in ("hunter%402", "h4"):
        url.remember(f"http://camera/video?user=admin&{name}={secret}&channel=12345")
        assert url.redact(f"GET /video?user=admin&{name}={secret}&channel=12345") == (
            f"GET /video?user=admin&{name}=***&channel=12345"
        )


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("user=admin_password=s3c_r3t_channel=1_stream=0.sdp", "user=admin_password=***_channel=1_stream=0.sdp"),
        ("user=admin_Password=s3cr3t/1", "user=admin_Password=***/1"),
        ("pw=s3cr3t", "pw=***"),
        ("live;token=s3cr3t;track=2", "live;token=***;track=2"),
        ("compass=north/tokens=2", "compass=north/tokens=2"),
        ("video?x?password=s3cr3t", "video?x?password=***"),
        ("video?x=1?password=s3cr3t&y=2", "video?x=1?password=***&y=2"),
    ],
)
def test_passwords_in_a_path_are_redacted(path: str, shown: str) -> None:
    """Cameras that want their password in the path, beside other values, have it cut out there too.

    So have those whose query was pasted behind another.
    """
    camera = f"rtsp://camera:554/{path}"
    url.remember(camera)
    assert url.redact(camera) == f"rtsp://camera:554/{shown}"


def test_a_url_is_taken_apart_and_put_together() -> None:
    """Host, port and login are read as they are meant, and a host can be replaced by its address."""
    camera = "rtsp://us%40er:p%2Fw@camera:8554/a/b?c=d"
    assert (url.host_of(camera), url.port_of(camera), url.login_of(camera)) == ("camera", 8554, ("us@er", "p/w"))
    assert url.at(camera, "10.0.0.7") == "rtsp://us%40er:p%2Fw@10.0.0.7:8554/a/b?c=d"
    assert url.at("rtsp://camera/", "fd00::7") == "rtsp://[fd00::7]/"
    assert url.without_login(camera) == "rtsp://camera:8554/a/b?c=d"
    assert (url.port_of("rtsps://h/"), url.port_of("https://h/"), url.port_of("rtmp://h/a")) == (322, 443, 1935)
    assert url.login_of("rtsp://camera/") is None


def test_a_path_is_what_it_means() -> None:
    """A path is compared as it is meant: not percent-encoded, without slashes at its end, and without its query."""
    assert {url.path_of(f"rtsp://h:8554/{same}") for same in ("a%20b", "a b", "a%20b/", "a%20b//?x=/1")} == {"/a b"}
    assert {url.path_of(f"rtsp://h{bare}") for bare in ("", "/", "?x=1")} == {""}
    assert url.query_of("rtsp://h/a?x=%20&y") == "x=%20&y"


def test_an_at_sign_in_the_path_hides_no_password() -> None:
    """With an @ after the host, the password before it is known all the same."""
    url.remember("rtsp://user:secret@camera/view@2x")
    assert url.redact("rtsp://user:secret@camera/") == "rtsp://user:***@camera/"
    assert "secret" not in url.redact("401 for user with secret at rtsp://user:secret@camera/view@2x")


def test_short_passwords_are_cut_only_out_of_urls() -> None:
    """A password of three letters is taken from URLs and leaves words that contain it alone."""
    url.remember("rtsp://user:cam@10.0.0.7/x")
    assert url.redact("the camera at rtsp://user:cam@10.0.0.7/x") == "the camera at rtsp://user:***@10.0.0.7/x"


def test_urls_without_a_password_change_nothing() -> None:
    """Neither a user alone, nor an empty password, nor a host with a port is taken for a secret."""
    for plain in ("rtsp://camera:5540/stream", "rtsp://viewer@camera/stream", "rtsp://viewer:@camera/stream", "text"):
        url.remember(plain)
        assert url.redact(f"opening {plain}") == f"opening {plain}"
    assert url.redact("5540 viewers of stream") == "5540 viewers of stream"


def test_a_longer_password_is_cut_before_one_it_contains() -> None:
    """Where one camera's password begins another's, no rest of the longer one stays."""
    url.remember("rtsp://a:secret@one/")
    url.remember("rtsp://a:secretplus@two/")
    assert url.redact("secretplus and secret") == "*** and ***"


MARKED = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12).map(lambda text: f"Zq{text}qZ")
"""Passwords of which every piece that is left somewhere shows: nothing else holds these letters."""
ENDS = ("", "/view@2x", "/a?b=c", "/user=a", "/\"'")


@given(
    MARKED, st.booleans(), st.sampled_from(["rtsp", "srt", "ftp", "file"]), st.sampled_from(["h", "", "h:99999", "[x"])
)
def test_no_piece_of_a_password_survives(password: str, encoded: bool, scheme: str, host: str) -> None:
    """Whatever a password is made of and wherever it stands, no sentence about its URL holds its beginning or its end.

    Not encoded it may be before the @ only: elsewhere a & ends it, and nobody can tell.
    """
    quoted = quote(password, safe="")
    written = quoted if encoded else password
    for end in ENDS:
        for address in (
            f"{scheme}://user:{written}@{host}{end}",
            f"{scheme}://{host}{end}?password={quoted}",
            f"{scheme}://{host}/user=a_password={quoted}{end}",
        ):
            url._secrets.clear()
            said = [_refusal(address), url.redact(f"cannot open {address}: {[address, address + chr(34)]}")]
            assert not [sentence for sentence in said if "Zq" in sentence or "qZ" in sentence]


def _refusal(address: str) -> str:
    try:
        return url.check(address) and ""
    except ConfigError as error:
        return str(error)


def test_a_password_is_known_while_a_target_has_it() -> None:
    """Whatever is to be opened has its password known, though nobody has checked its URL."""
    target = Target("rtsp://user:hunter2@camera/x")
    assert url.redact("hunter2") == "***"
    assert replace(target, url="rtsp://user:hunter3@camera/x").url
    assert url.redact("hunter3") == "***"


def test_log_records_carry_no_password(caplog: pytest.LogCaptureFixture) -> None:
    """The filter cleans a record's text, its arguments and its traceback."""
    url.remember("rtsp://user:hunter2@camera/")
    caplog.handler.addFilter(url.RedactFilter())
    logger = logging.getLogger("tests.url")
    try:
        raise ConnectionError("rtsp://user:hunter2@camera/ refused")
    except ConnectionError:
        logger.exception("cannot open %s (%d)", "rtsp://user:hunter2@camera/", 3)
    assert "cannot open rtsp://user:***@camera/ (3)" in caplog.text
    assert "ConnectionError: rtsp://user:***@camera/ refused" in caplog.text
    assert "hunter2" not in caplog.text
