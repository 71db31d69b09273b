"""What is worth a word about a camera's pictures, and the work they make. Pure."""

from collections.abc import Iterator

from streamer.doctor.case import FEW, Case, Finding, share

LONG_GOP = 4.0
"""Seconds from keyframe to keyframe that a viewer of a stream that has just come back notices."""
SLOW_START = 4.0
LARGE = 1920 * 1088
"""Pixels: some cameras send full HD with the rows that fill its last macroblocks."""
SUB_STREAM = 1280 * 720
"""Pixels that are plenty: models take 320 to 1024 a side."""
HIGH_LOAD = 0.5
"""Share of a core for one camera's decoding."""
HIGH_BITRATE = 16e6
UNEVEN = 1.0
BLANK = 2.0
"""Standard deviation of 0..255 below which a picture shows nothing."""
USUAL_FORMATS = ("yuv420p", "yuvj420p", "nv12", None)

CURE = "set the keyframe (I-frame) interval to one or two seconds; switch off H.264+, H.265+, Zipstream and the like"


def keyframes(case: Case) -> Iterator[Finding]:
    """Whether there are any, and how far apart."""
    measured, gop = case.measured, case.measured.gop_seconds or 0.0
    least = "at least " if measured.gop_is_open else ""
    if not measured.keyframes:
        found = f"no keyframe came in the {_watched(case):.1f} s watched, so there was no picture"
        effect = "each start shows nothing until one comes"
        if case.seen.pictures:
            found = f"no keyframe came in the {_watched(case):.1f} s watched, so there was no whole picture"
            effect = "it refreshes its pictures bit by bit, or its keyframes are far apart: each start takes seconds"
        yield Finding("no_keyframe", "advice", found, f"{effect}; {CURE}, and intra refresh")
    elif gop > LONG_GOP and not case.kind.bursts:  # what comes by segments, or was recorded, begins with one
        longest = f"{gop:.0f} s and more" if measured.gop_is_open else f"up to {gop:.0f} s"
        effect = f"when the stream starts or loses something, the next good picture takes {longest}"
        yield Finding("long_gop", "advice", f"keyframes are {least}{gop:.1f} s apart", f"{effect}; {CURE}")


def kind(case: Case) -> Iterator[Finding]:
    """Whether they say what they are."""
    if case.traits.keyframes[:1] == ("intra",):
        found = "keyframes come without a word that they are: intra pictures that are no IDR"
        effect = "each start, and each loss, takes 2.5 s longer, after which such pictures are believed"
        yield Finding("no_idr", "advice", found, f"{effect}; have the encoder send IDR pictures, with a closed GOP")


def start(case: Case) -> Iterator[Finding]:
    """How long the first picture took."""
    first, opened = case.measured.first_picture_seconds, case.measured.open_seconds or 0.0
    if first is None or first <= SLOW_START or case.target.waits:  # then it is the camera that comes late
        return
    if case.traits.keyframes[:1] == ("intra",):
        return  # that has been said
    if first - opened <= first / 2:
        cause, cure = "until the camera had said what it sends", "close other viewers of the camera, or restart it"
    elif (case.measured.gop_seconds or 0.0) <= LONG_GOP:  # else that has been said
        cause, cure = "waiting for a keyframe", CURE
    else:
        return
    yield Finding("slow_start", "advice", f"the first picture took {first:.1f} s, most of it {cause}", cure)


def order(case: Case) -> Iterator[Finding]:
    """Whether pictures are held back."""
    delay = case.measured.reorder_seconds
    if case.kind.bursts:
        return  # it is later than that anyway
    if case.seen.b_pictures or (delay > 0 and case.kind.codec in ("h264", "hevc")):
        held = f" by up to {1000 * delay:.0f} ms" if delay else ""
        cure = "switch B-frames off, or choose the Baseline profile: everything live comes that much later"
        yield Finding("b_frames", "advice", f"B-frames hold pictures back{held}", cure)


def codec(case: Case) -> Iterator[Finding]:
    """What decoding it means."""
    load, bits = case.measured.load, case.measured.bits_per_second
    if case.kind.codec == "hevc":
        cost = "" if load is None else f"; decoding alone takes {share(load)} of one core"
        meaning = f"viewers get H.264 or VP8 all the same: each picture is decoded, drawn on and encoded here{cost}"
        yield Finding("h265", "note", "H.265, which few browsers play", f"{meaning}. H.264 is cheaper to decode")
    if case.kind.codec == "mjpeg":
        rate = "" if bits is None else f" at {bits / 1e6:.1f} Mbit/s"
        meaning = "each picture is sent whole: H.264 takes a tenth of the network for the same"
        yield Finding("mjpeg", "note", f"MJPEG{rate}", meaning)


def size(case: Case) -> Iterator[Finding]:
    """Whether it is larger than anybody sees."""
    width, height = case.measured.width, case.measured.height
    if width and height and width * height > LARGE:
        found = f"{width} × {height} is far more than a model sees, and more than most viewers are shown"
        cure = f"a sub-stream of 1280 × 720 takes {share(SUB_STREAM / (width * height))} of the work on each picture"
        yield Finding("large", "advice", found, cure)


def work(case: Case) -> Iterator[Finding]:
    """What it costs this machine and the network."""
    load, bits = case.measured.load, case.measured.bits_per_second
    if load is not None and load > HIGH_LOAD:
        cure = "choose a sub-stream, fewer pictures a second, or H.264"
        yield Finding("load", "advice", f"decoding takes {share(load)} of one core of this machine", cure)
    if bits is not None and bits > HIGH_BITRATE and not case.kind.recorded:
        cure = "a lower bitrate is easier on network and decoder, and no model sees the difference"
        yield Finding("bitrate", "advice", f"the stream takes {bits / 1e6:.0f} Mbit/s", cure)


def rhythm(case: Case) -> Iterator[Finding]:
    """Whether pictures come as often, and as evenly, as they should."""
    fps, late = case.measured.fps, case.measured.late_seconds
    if fps is not None and fps < 0.9 * case.sample_fps and case.measured.packets >= FEW:
        found = f"{fps:.1f} pictures a second, where the model is to see {case.sample_fps:g}"
        yield Finding("few_pictures", "advice", found, "raise the camera's frame rate, or lower sample_fps")
    if late is not None and late > UNEVEN:
        cure = "the network or the camera is overloaded: a cable instead of Wi-Fi, a lower bitrate"
        yield Finding("uneven", "advice", f"pictures come unevenly, up to {late:.1f} s late", cure)


def picture(case: Case) -> Iterator[Finding]:
    """What is odd about what it shows."""
    kind, contrast = case.kind, case.seen.contrast
    if case.seen.interlaced:
        cure = "set the camera or encoder to progressive"
        yield Finding("interlaced", "advice", "interlaced video: what moves has combs", cure)
    if abs(kind.pixel_aspect - 1) > 0.02:
        meaning = "they are shown as if they were; choose a size of the sensor's own proportions"
        yield Finding("pixel_aspect", "note", f"pixels are not square ({kind.pixel_aspect:.2f} : 1)", meaning)
    if kind.pixel_format not in USUAL_FORMATS and kind.codec in ("h264", "hevc"):
        meaning = "each picture is converted to 8 bits and 4:2:0, which takes time and gains nothing"
        yield Finding("pixel_format", "note", f"pixels are {kind.pixel_format}", meaning)
    if contrast is not None and contrast < BLANK:
        cause = "a cap on the lens, night without infrared, or an encoder without a signal"
        yield Finding("no_contrast", "note", "the picture shows one single shade", cause)


def _watched(case: Case) -> float:
    """Seconds, with those in which nothing came that a decoder could begin with."""
    opened, ended = case.seen.opened_at, case.seen.ended_at
    return case.measured.watched_seconds if opened is None or ended is None else ended - opened
