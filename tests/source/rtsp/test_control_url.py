"""streamer.source.rtsp.control_url: where a request about a track goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.rtsp.control_url import base_of, control_url
from streamer.source.rtsp.message import Fields

CAMERA = "rtsp://10.0.0.7:8554"


@pytest.mark.parametrize(
    ("path", "content_base", "control", "goes_to"),
    [
        # Dahua: a query in Content-Base.
        ("/cam?channel=1&subtype=0", "{url}/", "trackID=0", "/cam?channel=1&subtype=0/trackID=0"),
        ("/dss/cameraid=1%241?token=69154", "{url}", "trackID=0", "/dss/cameraid=1%241?token=69154/trackID=0"),
        # Beward: no slash at its end.
        ("/av0_1", "{url}", "trackID=1", "/av0_1/trackID=1"),
        # VStarcam: no Content-Base at all.
        ("/tcp/av0_0", None, "track0", "/tcp/av0_0/track0"),
        ("/", "{url}", "{url}?rtsp_tunnel&stream=video", "/?rtsp_tunnel&stream=video"),
        # IDS: = and , in the path.
        ("/video=video1,audio=none", "{url}", "track1", "/video=video1,audio=none/track1"),
        # Behind a NAT: the address it has at home.
        ("/h264", "rtsp://192.168.1.64:554/h264/", "trackID=0", "/h264/trackID=0"),
        ("/h264", "{url}/", "rtsp://192.168.1.64/h264/trackID=0", "/h264/trackID=0"),
        # Axis: a query in both.
        ("/media.amp?codec=h264", "{url}/", "stream=0?codec=h264", "/media.amp?codec=h264/stream=0?codec=h264"),
        ("/ch1", "{url}", "*", "/ch1"),
        ("/ch1", "{url}/", "", "/ch1/"),
        ("/ch1", "{url}/", "/track1", "/ch1/track1"),
        ("/ch1", "{url}", "?track=1", "/ch1?track=1"),
        ("/ch1", "/ch1/", "track1", "/ch1/track1"),
        ("/ch1", "{url}/", "RTSP://camera/x", "/x"),
        ("/ch1", "rtsp://camera", "track1", "/track1"),
        ("", None, "track1", "/track1"),
    ],
)
def test_a_track_is_asked_for_where_cameras_have_it(
    path: str, content_base: str | None, control: str, goes_to: str
) -> None:
    """SETUP goes where the makers' own viewers send it, and always to the host and port of the connection."""
    url = CAMERA + path
    said = () if content_base is None else (("content-base", content_base.format(url=url)),)
    assert control_url(base_of(Fields(said), url), control.format(url=url)) == CAMERA + goes_to


def test_content_location_stands_in_for_content_base() -> None:
    """Without Content-Base it is Content-Location that URLs are relative to."""
    found = base_of(Fields((("content-location", "rtsp://x/there/"),)), f"{CAMERA}/here")
    assert found == f"{CAMERA}/there/"


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_camera_writes_the_host_stays(content_base: str, control: str) -> None:
    """No description leads a request to another host, or breaks its line."""
    base = base_of(Fields((("content-base", content_base),)), f"{CAMERA}/live")
    found = control_url(base, control)
    assert found.startswith(CAMERA)
    assert found[len(CAMERA) : len(CAMERA) + 1] in ("", "/", "?")
    assert not any(letter.isspace() for letter in found)
