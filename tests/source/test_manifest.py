"""streamer.source.manifest: what an HLS playlist says."""

import pytest

from streamer.source.manifest import LONGEST_TARGET, read
from streamer.values.errors import SourceError

URL = "http://camera/a/live.m3u8?x=1"


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
