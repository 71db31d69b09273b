"""streamer.source.manifest: what an HLS playlist says."""

import itertools
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source import manifest
from streamer.source.manifest import LONGEST, LONGEST_TARGET, MOST_LINES, Manifest
from streamer.values.errors import SourceError

URL = "http://camera/a/live.m3u8?x=1"
FAR = f"http://camera/{'a' * 4000}/live.m3u8"
"""What makes a short name a long URL."""
MOST_PIXELS = 1920 * 1080


def read(text: str, url: str) -> Manifest:
    """Read it within that limit."""
    return manifest.read(text, url, max_pixels=MOST_PIXELS)


def test_what_a_live_playlist_says_is_read() -> None:
    """Its target duration is known, and that it goes on, or has ended."""
    live = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg1.ts\n"
    assert (read(live, URL).target, read(live, URL).ended) == (6.0, False)
    assert read(live + "#EXT-X-ENDLIST\n", URL).ended
    assert read("#EXTM3U\n", URL).target is None


@pytest.mark.parametrize("said", ["1e9", "x", "", "86400"])
def test_a_target_duration_has_us_wait_for_so_long_at_the_most(said: str) -> None:
    """A playlist that claims to change once a day is given up like one of long segments."""
    assert read(f"#EXTM3U\n#EXT-X-TARGETDURATION:{said}\n", URL).target == LONGEST_TARGET


def test_every_url_is_absolute() -> None:
    """URLs are resolved against where the playlist was found, in lines and in attributes alike (RFC 3986)."""
    text = (
        "#EXTM3U\r\n"
        '#EXT-X-MAP:URI="init.mp4",BYTERANGE="9@0"\r\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="../k?id=1",IV=0x00\r\n'
        "#EXTINF:1,\r\n"
        "seg/1.ts\r\n"
        "/b/2.ts\r\n"
        "https://other/3.ts\r\n"
    )
    found = read(text, URL)
    assert found.text.splitlines() == [
        "#EXTM3U",
        '#EXT-X-MAP:URI="http://camera/a/init.mp4",BYTERANGE="9@0"',
        '#EXT-X-KEY:METHOD=AES-128,URI="http://camera/k?id=1",IV=0x00',
        "#EXTINF:1,",
        "http://camera/a/seg/1.ts",
        "http://camera/b/2.ts",
        "https://other/3.ts",
    ]
    assert found.keys == {"http://camera/k?id=1"}


@pytest.mark.parametrize(
    "key",
    [
        'METHOD=SAMPLE-AES,URI="k"',
        'METHOD=SAMPLE-AES-CTR,URI="k"',
        'METHOD=AES-128,URI="skd://k",KEYFORMAT="com.apple.streamingkeydelivery"',
    ],
)
def test_other_encryption_is_unsupported(key: str) -> None:
    """What is not plain AES-128 is refused by its name."""
    with pytest.raises(SourceError, match="AES-128 is") as refused:
        read(f"#EXTM3U\n#EXT-X-KEY:{key}\n", URL)
    assert refused.value.kind == "unsupported"
    read('#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="identity"\n', URL)


# ---- whatever it says

LINES = st.one_of(
    st.sampled_from(
        [
            *("#EXTM3U", "#EXTINF:1,", "#EXT-X-ENDLIST", "seg.ts", "//other/seg.ts", "http://[x/", "", " "),
            *('#EXT-X-KEY:METHOD=AES-128,URI="k"', '#EXT-X-MAP:URI="a",URI="b"', "#EXT-X-TARGETDURATION:nan"),
        ]
    ),
    st.text(max_size=40),
    st.text(max_size=40).map(lambda text: f"#EXT-X-TARGETDURATION:{text}"),
    st.text('METHOD=AES-128URI",', max_size=40).map(lambda text: f"#EXT-X-KEY:{text}"),
)


@given(st.lists(LINES, max_size=20).map("\n".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Any text is refused, or read: a line for each of its own, every name a URL, and so long to wait at the most."""
    try:
        found = read(text, URL)
    except (SourceError, ValueError):
        return
    assert found.target is None or 0 <= found.target <= LONGEST_TARGET
    lines = found.text.splitlines()
    assert len(lines) == max(1, len(text.replace("\0", "\n").splitlines()))
    assert all(urlsplit(line).scheme for line in lines if line.strip() and not line.startswith("#"))


@pytest.mark.parametrize(
    "text",
    [
        "#EXT-X-KEY:" + "A" * (1 << 20),
        "#EXT-X-KEY:" + "A=" * (1 << 19),
        "#EXT-X-KEY:" + '="' * (1 << 19),
        "#EXT-X-MAP:" + "URI=" * (1 << 18),
        '#EXT-X-MAP:URI="' * (1 << 16),
        '#EXT-X-MAP:URI="a"' + ',URI="a"' * (1 << 17),
    ],
    ids=["one name", "names", "quotes", "no values", "one value", "values"],
)
@pytest.mark.timeout(30)  # or hours
def test_what_is_long_is_read_in_one_go(text: str) -> None:
    """A line as long as a playlist may be takes time by its length, not by its square, and no more room than it has."""
    assert len(read(text, FAR).text) < len(text) + 3 * 4096


@pytest.mark.parametrize(
    "text",
    ["a\n" * (MOST_LINES + 1), "a\n" * 3000, "".join(f"#EXT-X-KEY:METHOD=AES-128,URI={n}\n" for n in range(3000))],
    ids=["lines", "names", "keys"],
)
def test_what_grows_beyond_measure_is_refused(text: str) -> None:
    """A playlist of many lines, or of names that grow a thousandfold with the URL before them, fills no memory."""
    with pytest.raises(SourceError, match=f"more than {MOST_LINES} lines, or {LONGEST} characters") as refused:
        read(text, FAR)
    assert refused.value.kind == "too_large"


# ---- master playlists

SOUND = '#EXT-X-STREAM-INF:BANDWIDTH=9000000,CODECS="mp4a.40.2"\nsound.m3u8\n'
HUGE = '#EXT-X-STREAM-INF:BANDWIDTH=8000000,RESOLUTION=7680x4320,CODECS="hvc1.1,mp4a.40.2"\nhuge.m3u8\n'
FULL = '#EXT-X-STREAM-INF:BANDWIDTH=4000000,RESOLUTION=1920x1080,AUDIO="a",CODECS="avc1.64,mp4a.40.2"\nfull.m3u8\n'
SMALL = "#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=640x360\n\n# a remark\nsmall.m3u8\n"


@pytest.mark.parametrize("order", list(itertools.permutations([SOUND, HUGE, FULL, SMALL])))
def test_the_best_variant_alone_is_kept(order: tuple[str, ...]) -> None:
    """Of a master playlist, wherever it stands, the variant with video, within the limit, of most bits is kept."""
    found = read("#EXTM3U\n" + "".join(order), URL)
    assert found.is_master
    assert found.text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-STREAM-INF:BANDWIDTH=4000000",
        "http://camera/a/full.m3u8",
    ]


def test_renditions_of_sound_are_not_fetched() -> None:
    """Renditions beside a variant, which FFmpeg would fetch or refuse, are left out."""
    sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="packed",DEFAULT=YES,URI="sound.aac.m3u8"\n'
    assert "sound" not in read(f"#EXTM3U\n{sound}{FULL}", URL).text


@pytest.mark.parametrize("end", ["\r", "\0", "\n", "\r\n"], ids=["CR", "NUL", "LF", "CRLF"])
def test_a_master_playlist_is_one_whatever_ends_its_lines(end: str) -> None:
    """Variants are seen behind whatever FFmpeg takes for the end of a line: it would fetch every one of them."""
    found = read(f"#EXTM3U{end}" + (SMALL + FULL).replace("\n", end), URL)
    assert (found.is_master, found.text.count("#EXT-X-STREAM-INF")) == (True, 1)


def test_a_playlist_of_segments_names_no_other_playlists() -> None:
    """Renditions among segments, where none belong, are left out: FFmpeg would fetch ten thousand of them."""
    sound = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="more",URI="more.m3u8"\n'
    found = read(f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n{sound * 3}#EXTINF:1,\n1.ts\n", URL)
    assert "more" not in found.text
    assert "#EXT-X-MEDIA-SEQUENCE:7" in found.text


def test_what_is_too_large_or_sound_is_better_than_nothing() -> None:
    """Where no variant fits, the one there is comes through, so that what is wrong with it is said."""
    assert read(f"#EXTM3U\n{HUGE}", URL).text.endswith("huge.m3u8\n")
    assert read(f"#EXTM3U\n{SOUND}", URL).text.endswith("sound.m3u8\n")


def test_a_master_playlist_of_nothing_is_said() -> None:
    """One without a variant is refused."""
    with pytest.raises(SourceError, match="no variant"):
        read("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", URL)


@given(st.lists(st.text('#EXT-MSTREAINFBDWH:=0123,"xRESOLU\n.m38u', max_size=60)))
def test_whatever_a_master_playlist_says_one_is_kept_or_it_is_refused(lines: list[str]) -> None:
    """What is kept of a master playlist is three lines, whatever it says; else it is refused in words of the API."""
    text = "#EXTM3U\n" + "\n".join(f"#EXT-X-STREAM-INF:{line}\n{line}" for line in lines)
    try:
        found = read(text, URL)
    except (SourceError, ValueError):
        return
    assert not found.is_master or len(found.text.splitlines()) == 3
