"""streamer.doctor, the pure part: numbers become findings, failures become advice, and both become an answer."""

import itertools
import json
from dataclasses import replace
from typing import get_args

import pytest

from streamer.doctor.case import FindingKind
from streamer.doctor.findings import judge
from streamer.doctor.measurements import Measurements, measure
from streamer.doctor.observation import Arrival, Kind, Observation
from streamer.doctor.printout import printout
from streamer.doctor.remedies import remedy
from streamer.doctor.report import report
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.traits import Traits
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError, SourceErrorKind
from tests.peers.required import REPOSITORY

TARGET = Target("rtsp://camera/road")
H264 = Kind("h264", "Main", "yuv420p", 1.0)
GOOD = Measurements(
    width=1280, height=720, fps=25.0, bits_per_second=2e6, gop_seconds=2.0, keyframes=4, packets=150,
    watched_seconds=6.0, open_seconds=0.8, first_picture_seconds=0.9, decode_milliseconds=2.0, load=0.05,
    late_seconds=0.01, clock_ahead_seconds=-0.1,
)  # fmt: skip
"""A camera nobody would say a word about."""


LOSING = Traits(packets=3400, lost=17)
LOCKED = SourceError("authentication", "the camera refuses the user name or password", realm="Lobby")
SOUND = Track("audio", "RTP/AVP", "PCMA", 8)
SECRET = Track("video", "RTP/SAVP", "H264", 96)
DESCRIBED = Traits(tracks=(SOUND, Track("video", "RTP/AVP", "H264", 96)))


def seen(kind: Kind = H264, **changed: object) -> Observation:
    """An observation of such a camera, with changes."""
    observation = Observation(0.0, opened_at=0.8, kind=kind, pictures=150, contrast=40.0, size=(1280, 720))
    for name, value in changed.items():
        setattr(observation, name, value)
    return observation


def camera(
    *, seconds: float = 6.0, fps: float = 25.0, gop: int = 50, begin: int = 0, size: int = 1000, clocked: bool = True
) -> list[Arrival]:
    """What a steady camera sends, from its picture number `begin` on."""
    times = [(number, number / fps) for number in range(begin, begin + round(seconds * fps))]
    return [Arrival(1.0 + time, time if clocked else None, size, number % gop == 0) for number, time in times]


def test_nothing_is_said_about_a_good_camera() -> None:
    """A camera with nothing wrong is healthy: no finding, exit code 0."""
    assert judge(TARGET, seen(), GOOD) == ()
    found = report(TARGET, seen(arrivals=camera(), ended_at=7.0))
    assert (found.verdict, found.exit_code, found.findings) == ("healthy", 0, ())


@pytest.mark.parametrize(
    ("kind", "weight", "says", "measured", "observed"),
    [
        ("no_keyframe", "advice", "6.0 s", {"keyframes": 0}, {}),
        ("long_gop", "advice", "10.0 s apart", {"gop_seconds": 10.0}, {}),
        ("long_gop", "advice", "at least 8.1 s apart", {"gop_seconds": 8.1, "gop_is_open": True}, {}),
        ("slow_start", "advice", "waiting for a keyframe", {"first_picture_seconds": 6.0}, {}),
        ("slow_start", "advice", "what it sends", {"first_picture_seconds": 6.0, "open_seconds": 5.9}, {}),
        ("b_frames", "advice", "by up to 67 ms", {"reorder_seconds": 0.067}, {"b_pictures": 100}),
        ("h265", "note", "H.265", {}, {"kind": replace(H264, codec="hevc")}),
        ("mjpeg", "note", "2.0 Mbit/s", {}, {"kind": replace(H264, codec="mjpeg")}),
        ("lost", "advice", "17 of 3400 packets were lost (0.5 %)", {}, {"lost": 17, "damaged": 9, "traits": LOSING}),
        ("damaged", "advice", "9 of 153 pictures", {}, {"damaged": 6, "undecodable": 3}),
        ("no_times", "note", "no times", {}, {"kind": replace(H264, clocked=False)}),
        ("no_times", "advice", "149 of 150", {"timeless": 149}, {}),
        ("stuck_times", "advice", "stand still", {"stuck": 149}, {}),
        ("time_jumps", "advice", "once", {"jumps": 1}, {}),
        ("clock", "advice", "90 s ahead of", {"clock_ahead_seconds": 90.2}, {}),
        ("clock", "advice", "3 days behind", {"clock_ahead_seconds": -3 * 86400.0}, {}),
        ("clock", "advice", "is not set", {"clock_ahead_seconds": -9500 * 86400.0}, {}),
        ("large", "advice", "3840 × 2160", {"width": 3840, "height": 2160}, {}),
        ("load", "advice", "80 %", {"load": 0.8}, {}),
        ("bitrate", "advice", "30 Mbit/s", {"bits_per_second": 30e6}, {}),
        ("few_pictures", "advice", "2.0 pictures a second", {"fps": 2.0}, {}),
        ("uneven", "advice", "1.8 s late", {"late_seconds": 1.8}, {}),
        ("interlaced", "advice", "combs", {}, {"interlaced": 150}),
        ("pixel_aspect", "note", "1.33 : 1", {}, {"kind": replace(H264, pixel_aspect=4 / 3)}),
        ("pixel_format", "note", "yuv420p10le", {}, {"kind": replace(H264, pixel_format="yuv420p10le")}),
        ("no_contrast", "note", "one single shade", {}, {"contrast": 0.4}),
        ("no_idr", "advice", "no IDR", {}, {"traits": Traits(keyframes=("intra",))}),
        ("unmarked", "advice", "marks no packet", {}, {"traits": Traits(markers="never")}),
        ("unmarked", "advice", "marks every packet", {}, {"traits": Traits(markers="always")}),
        ("unnumbered", "note", "without sense", {}, {"traits": Traits(numbered=False)}),
        ("nominal_clock", "advice", "50.0 pictures a second, and 25.0 come", {}, {"traits": Traits(clock_pace=2.0)}),
        ("nominal_clock", "advice", "counts milliseconds", {}, {"traits": Traits(clock_pace=89.7)}),
        ("basic_login", "advice", "as it is written", {}, {"traits": Traits(login="Basic")}),
    ],
)  # fmt: skip
def test_each_fault_is_found_alone(
    kind: str, weight: str, says: str, measured: dict[str, object], observed: dict[str, object]
) -> None:
    """One thing wrong with a camera is one finding, with its number, its weight, and what to do or what it means."""
    [finding] = judge(TARGET, seen(**observed), replace(GOOD, **measured))  # type: ignore[arg-type]
    assert (finding.kind, finding.weight) == (kind, weight)
    assert says in finding.sentence
    assert finding.advice


@pytest.mark.parametrize(
    ("url", "kind", "measured"),
    [
        ("file:///clip.mp4", replace(H264, bursts=True, recorded=True), {"gop_seconds": 10.0, "reorder_seconds": 0.1}),
        ("https://h/live.m3u8", replace(H264, bursts=True), {"gop_seconds": 6.0, "reorder_seconds": 0.1}),
        ("rtsp://0.0.0.0:9/x", H264, {"first_picture_seconds": 7.0, "open_seconds": 6.9}),
        ("rtsp://h/", H264, {"width": 1920, "height": 1088}),
        ("rtsp://h/", H264, {"packets": 2, "timeless": 2, "stuck": 1, "fps": 0.4}),
    ],
    ids=["recording", "HLS", "pushed", "full HD", "two packets"],
)
def test_what_is_as_it_should_be_is_not_found(url: str, kind: Kind, measured: dict[str, object]) -> None:
    """Nothing is said against rare keyframes in what is not live, a camera that pushed later, or two packets' times."""
    target = Target(url, listen="0.0.0.0" in url)
    assert judge(target, seen(kind), replace(GOOD, **measured)) == ()  # type: ignore[arg-type]


def test_without_a_keyframe_what_was_waited_counts() -> None:
    """Of a camera that refreshes its pictures bit by bit it is told for how long no keyframe came."""
    told = seen(opened_at=0.1, ended_at=8.0, traits=Traits(keyframes=("refresh",)))
    [finding] = judge(TARGET, told, replace(GOOD, keyframes=0, watched_seconds=2.9))
    assert finding.sentence == "no keyframe came in the 7.9 s watched, so there was no whole picture"
    text = printout(report(TARGET, replace(told, arrivals=camera(gop=1000, begin=1))))
    assert "keyframes      none came, perhaps refreshed bit by bit" in text


def test_a_first_picture_that_waits_for_a_rare_keyframe_is_one_finding() -> None:
    """Where keyframes are rare, or do not say so, that the first picture waited for one is not said a second time."""
    late = replace(GOOD, first_picture_seconds=6.0, gop_seconds=8.0)
    assert [finding.kind for finding in judge(TARGET, seen(), late)] == ["long_gop"]
    unsaid = seen(traits=Traits(keyframes=("intra",)))
    assert [finding.kind for finding in judge(TARGET, unsaid, replace(late, gop_seconds=2.0))] == ["no_idr"]


def test_every_finding_is_explained() -> None:
    """docs/cameras.md has every word a finding may have, and every one of them is tested here."""
    section = (REPOSITORY / "docs" / "cameras.md").read_text().partition("the doctor\n")[2]
    for word in get_args(FindingKind):
        assert f"`{word}`" in section, word
    cases = test_each_fault_is_found_alone.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {case[0] for case in cases} == set(get_args(FindingKind))


def test_advice_comes_before_notes() -> None:
    """What should be changed stands first; a note alone leaves a camera healthy."""
    hevc = seen(replace(H264, codec="hevc"), b_pictures=3)
    assert [finding.weight for finding in judge(TARGET, hevc, replace(GOOD, load=0.9))] == ["advice", "advice", "note"]
    noted = report(TARGET, seen(replace(H264, codec="hevc"), arrivals=camera(), ended_at=7.0))
    assert ([finding.kind for finding in noted.findings], noted.exit_code) == (["h265"], 0)


# ---- numbers


def test_a_steady_camera_is_measured() -> None:
    """Rate, bits, distance of keyframes and time watched are those it sends, by its own times or by arrival."""
    for clocked in (True, False):
        found = measure(seen(arrivals=camera(seconds=6, gop=50, clocked=clocked), ended_at=7.0))
        assert found.fps == pytest.approx(25)
        assert found.bits_per_second == pytest.approx(25 * 1000 * 8)
        assert found.gop_seconds == pytest.approx(2.0)
        assert not found.gop_is_open
        assert found.watched_seconds == pytest.approx(149 / 25)
        assert (found.jumps, found.stuck, found.reorder_seconds) == (0, 0, 0.0)
        assert found.timeless == (0 if clocked else 150)


@pytest.mark.parametrize(
    ("gop", "begin", "seconds"),
    [(1000, 0, 8.0), (1000, 1, 8.0), (500, 300, 8.96), (200, 10, 8.0)],
    ids=["from its keyframe", "no keyframe", "one in the middle", "one late"],
)
def test_a_gop_that_was_not_seen_whole_is_a_lower_bound(gop: int, begin: int, seconds: float) -> None:
    """Where no two keyframes came, their distance is at least the longest time without one."""
    arrivals = camera(gop=gop, begin=begin, seconds=seconds)
    marks = [arrival.at for arrival in arrivals if arrival.is_keyframe]
    edges = [arrivals[0].at, *marks, arrivals[-1].at]
    longest = max(after - before for before, after in itertools.pairwise(edges))
    found = measure(seen(arrivals=arrivals, ended_at=10.0))
    assert found.gop_seconds == pytest.approx(longest)
    assert found.gop_is_open


def test_pictures_sent_out_of_order_are_measured() -> None:
    """With two B-frames between others a picture is sent two intervals after one that is shown later."""
    order = (0, 3, 1, 2, 6, 4, 5, 9, 7, 8)
    arrivals = [Arrival(at / 25, place / 25, 1000, at == 0) for at, place in enumerate(order)]
    assert measure(seen(arrivals=arrivals)).reorder_seconds == pytest.approx(2 / 25)


def test_lateness_is_told_from_jumps() -> None:
    """A pause of the network after which all comes at once is lateness; a clock that is set is a jump."""
    steady = camera(seconds=6)
    paused = [replace(arrival, at=max(arrival.at, 5.5)) if arrival.at > 3 else arrival for arrival in steady]
    found = measure(seen(arrivals=paused, ended_at=7.0))
    assert found.late_seconds == pytest.approx(2.2, abs=0.3)
    assert found.jumps == 0
    for step in (-30.0, 3600.0):
        turned = [
            replace(arrival, time=(arrival.time or 0) + step) if arrival.at > 4 else arrival for arrival in steady
        ]
        assert measure(seen(arrivals=turned, ended_at=7.0)).jumps == 1


def test_what_piled_up_during_the_opening_is_no_unevenness() -> None:
    """Packets that came while the camera was opened are handed over at once, and count neither as late nor as jumps."""
    piled = [replace(arrival, at=max(arrival.at, 3.0)) for arrival in camera(seconds=6)]
    found = measure(seen(arrivals=piled, ended_at=7.0))
    assert found.late_seconds == pytest.approx(0, abs=0.01)
    assert found.jumps == 0


def test_times_that_stand_still_are_counted() -> None:
    """Where every packet has the same time, arrival says how many there are a second."""
    stuck = [replace(arrival, time=0.0) for arrival in camera(seconds=4)]
    found = measure(seen(arrivals=stuck, ended_at=5.0))
    assert found.stuck == 99
    assert found.fps == pytest.approx(25)


def test_a_jump_of_the_camera_s_time_spoils_no_other_number() -> None:
    """Rate, keyframes and time watched are as if the camera's time had gone on, whichever way it jumped."""
    for step in (-30.0, 3600.0):
        turned = [replace(arrival, time=(arrival.time or 0) + step * (arrival.at > 4)) for arrival in camera()]
        found = measure(seen(arrivals=turned, ended_at=7.0))
        assert found.jumps == 1
        assert found.fps == pytest.approx(25, rel=0.01)
        assert found.gop_seconds == pytest.approx(2.0, abs=0.05)
        assert found.watched_seconds == pytest.approx(149 / 25, abs=0.05)
        assert found.late_seconds == pytest.approx(0, abs=0.05)


def test_a_slow_camera_that_catches_up_has_not_jumped() -> None:
    """A picture every two seconds, one of which came late and the next in time, is lateness and no jump."""
    slow = camera(seconds=20, fps=0.5, gop=1)
    late = [replace(arrival, at=arrival.at + 1.5 * (number == 5)) for number, arrival in enumerate(slow)]
    assert measure(seen(arrivals=late)).jumps == 0


def test_times_that_repeat_do_not_place_packets() -> None:
    """Where most packets have the time of the one before, arrival says how many there are a second."""
    stepping = [replace(arrival, time=float(number // 50)) for number, arrival in enumerate(camera(seconds=6))]
    found = measure(seen(arrivals=stepping, ended_at=7.0))
    assert found.fps == pytest.approx(25)
    assert found.late_seconds == 0


@pytest.mark.parametrize("pace", [25 / 30, 25 / 21, 90.0])
def test_times_that_had_to_be_mapped_spoil_no_number(pace: float) -> None:
    """Where the camera's clock was found to be wrong while it was watched, nothing is concluded from its times."""
    mapped = [
        replace(arrival, time=(arrival.time or 0) * (1.0 if arrival.at > 4 else 1 / pace)) for arrival in camera()
    ]
    found = measure(seen(arrivals=mapped, traits=Traits(clock_pace=pace), ended_at=7.0))
    assert (found.jumps, found.reorder_seconds, found.timeless) == (0, 0.0, 0)
    assert found.fps == pytest.approx(25, rel=0.01)


def test_the_promptest_packet_says_how_far_a_clock_is_off() -> None:
    """What the network takes makes a camera's clock seem slow; the least of it is nearest to the truth."""
    told = [replace(arrival, ahead=89.1 + number % 3 * 0.4) for number, arrival in enumerate(camera())]
    assert measure(seen(arrivals=told)).clock_ahead_seconds == pytest.approx(89.9)


def test_a_packet_that_waited_for_the_opening_says_nothing_of_a_clock() -> None:
    """A clock is not judged by what lay here while the camera was opened: it would seem to be late by as much."""
    piled = [replace(arrival, at=9.0, ahead=-8.0) for arrival in camera(seconds=1)]
    assert measure(seen(arrivals=piled)).clock_ahead_seconds is None


# ---- what does not work


def test_a_camera_that_falls_silent_has_stalled() -> None:
    """Nothing for seconds at the end of the watching is a stall, unless the camera sends that seldom."""
    assert report(TARGET, seen(arrivals=camera(seconds=4), ended_at=8.5)).verdict == "stalled"
    seldom = camera(seconds=8, fps=0.5, gop=1)
    assert report(TARGET, seen(arrivals=seldom, ended_at=seldom[-1].at + 4)).verdict == "advice"
    assert report(TARGET, seen(arrivals=[], ended_at=8.5)).verdict == "stalled"


def test_silence_counts_from_when_the_last_packet_was_sent() -> None:
    """FFmpeg hands the last packet before a silence over at its first timeout, two seconds later."""
    *before, last = camera(seconds=4)
    found = report(TARGET, seen(arrivals=[*before, replace(last, at=last.at + 2)], ended_at=last.at + 3.5))
    assert found.verdict == "stalled"
    assert found.measured.silent_seconds == pytest.approx(3.5)


def test_keyframes_without_a_picture_are_a_matter_of_the_codec() -> None:
    """Where keyframes came and none could be decoded, the camera does not work."""
    found = report(TARGET, seen(arrivals=camera(), pictures=0, damaged=150, ended_at=7.0))
    assert (found.verdict, found.exit_code) == ("codec", 1)


def test_without_a_picture_and_its_size_there_is_no_video() -> None:
    """Packets without a keyframe, of which nobody knows even the size, do not work; with a size they are a long GOP."""
    begun = camera(seconds=8, gop=1000, begin=1)
    nothing = report(TARGET, seen(arrivals=begun, pictures=0, size=None, ended_at=9.0))
    assert (nothing.verdict, nothing.findings) == ("codec", ())
    assert "None" not in printout(nothing)
    rare = report(TARGET, seen(arrivals=begun, pictures=0, ended_at=9.0))
    assert (rare.verdict, [finding.kind for finding in rare.findings]) == ("advice", ["no_keyframe"])


@pytest.mark.parametrize("kind", sorted(get_args(SourceErrorKind)))
def test_every_failure_has_advice(kind: SourceErrorKind) -> None:
    """Whatever word says that a camera does not work, there is something to do next, and exit code 1."""
    found = report(TARGET, Observation(0.0, error=SourceError(kind, "it fails")))
    assert (found.verdict, found.exit_code) == (kind, 1)
    assert found.remedy
    assert "it fails" in str(found.document()["reason"])


@pytest.mark.parametrize(
    ("kind", "url", "observed", "says"),
    [
        ("authentication", "rtsp://u:p@camera/", {"error": LOCKED}, 'of "Lobby": compare'),
        ("authentication", "rtsp://u:${PASSWORD}@camera/", {"error": LOCKED}, "% is %25), in a variable's value too"),
        ("authentication", "rtsp://camera/", {"error": LOCKED}, "the URL has none"),
        ("authentication", "srt://camera:9", {}, "passphrase"),
        ("timeout", "rtsp://camera/", {"answers_tcp": True}, "port 554 takes connections"),
        ("timeout", "rtsp://camera/", {"answers_tcp": True, "traits": Traits()}, "not what it is asked for"),
        ("timeout", "rtsp://camera/", {"answers_tcp": True, "traits": DESCRIBED}, "encoder hangs"),
        ("timeout", "rtsp://camera/", {"answers_tcp": False}, "nothing answers at all"),
        ("protocol", "rtsp://camera/", {"traits": Traits(tracks=(SOUND,))}, "offers no video, only audio"),
        ("protocol", "rtsp://camera/", {"traits": DESCRIBED}, "compare scheme"),
        ("unsupported", "rtsp://camera/", {"traits": Traits(tracks=(SECRET,))}, "switch the encryption of the media"),
        ("unsupported", "rtsp://camera/", {"traits": DESCRIBED}, "install what is missing"),
        ("codec", "rtsp://camera/", {"traits": Traits(parameter_sets=())}, "no parameter sets"),
        ("codec", "http://camera/", {"kind": Kind("", None, None, 1.0, ("aac",))}, "sound only (aac)"),
        ("not_found", "file:///x.mp4", {}, "file:///videos/"),
        ("protocol", "file:///x.txt", {}, "file:///videos/"),
        ("not_found", "rtsp://camera/", {}, "/Streaming/Channels/101"),
        ("not_found", "http://camera/", {}, "/video.mjpg"),
        ("protocol", "http://camera/", {}, "web page"),
        ("tls", "rtsps://camera/", {}, "-connect camera:322 "),
        ("tls", "rtsps://camera/", {}, "write rtsp://"),
        ("tls", "https://[fd00::7]/", {}, "-connect [fd00::7]:443 "),
        ("unreachable", "udp://0.0.0.0:9", {}, "uses the port"),
        ("protocol", "udp://0.0.0.0:9", {}, "have the encoder send"),
        ("timeout", "udp://0.0.0.0:9", {}, "have the encoder send"),
    ],
)
def test_advice_is_that_for_the_circumstances(
    kind: SourceErrorKind, url: str, observed: dict[str, object], says: str
) -> None:
    """What to do next depends on what the camera said, and on what stands in the URL."""
    observation = Observation(0.0)
    for name, value in observed.items():
        setattr(observation, name, value)
    assert says in remedy(kind, Target(url), observation)


def test_datagrams_that_are_kept_out_are_told_from_an_encoder_that_hangs() -> None:
    """Where RTSP is answered and video was asked for by UDP, the advice is TCP."""
    told = Observation(0.0, answers_tcp=True, traits=DESCRIBED)
    assert "leave out transport: udp" in remedy("timeout", Target("rtsp://camera/", transport="udp"), told)


# ---- how it is said


def test_no_password_and_no_control_character_is_printed() -> None:
    """Whatever the camera says of itself, it neither prints a password nor moves a terminal's cursor."""
    url = 'rtsp://user:s3cr"etö@camera/road?token=alsosecret'
    urls.remember(url)
    said = SourceError("protocol", 's3cr"etö \x1b[2J alsosecret', realm='s3cr"etö')
    track = Track("audio", "RTP/AVP", "alsosecret\x1b[2J", 96)
    found = report(Target(url), Observation(0.0, error=said, traits=Traits(tracks=(track,))))
    document = json.dumps(found.document(), ensure_ascii=False)
    for text in (printout(found), document):
        assert "s3cr" not in text
        assert "alsosecret" not in text
        assert "***" in text
    assert "\x1b" not in printout(found)
    assert "\x1b" not in document


def test_the_answer_says_what_was_measured_and_found() -> None:
    """The printed answer has the verdict, the numbers, and the advice, in lines that fit."""
    found = report(TARGET, seen(arrivals=camera(seconds=8, gop=1000), ended_at=9.0, first_picture_at=0.9))
    text = printout(found)
    for part in ("works; one thing would be better", "1280 × 720, H.264 Main, 25.0 fps, 0.20 Mbit/s", "at least 8.0 s"):
        assert part in text
    assert "! Keyframes are at least 8.0 s apart.\n  → When the stream starts" in text
    assert max(map(len, text.splitlines())) <= 100
