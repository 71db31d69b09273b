"""How a browser is asked whether it can play a segment: RFC 6381, with what each codec's own standard adds. Pure."""

from streamer.archive.recordings.fragments import boxes

_DIRECT = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
"""Boxes that hold nothing but boxes, on the way to the descriptions of samples."""
_VIDEO = {b"avc1", b"hvc1", b"hev1", b"mp4v"}
_SOUND = {b"mp4a": "mp4a.40.2", b"Opus": "opus"}


def mime_of(init: bytes) -> str:
    """`video/mp4; codecs="…"` of a segment whose `ftyp` and `moov` these are."""
    named = [name for name in (_name(kind, inside) for kind, inside in _entries(init, 0, len(init))) if name]
    return f'video/mp4; codecs="{", ".join(named)}"'


def _entries(data: bytes, begin: int, end: int) -> list[tuple[bytes, bytes]]:
    """Kind and content of each description of samples, ISO/IEC 14496-12 section 8.5.2."""
    found = []
    for box in boxes(data, begin, end):
        if box.kind in _DIRECT:
            found += _entries(data, box.inside, box.end)
        elif box.kind == b"stsd":
            found += [(each.kind, data[each.inside : each.end]) for each in boxes(data, box.inside + 8, box.end)]
    return found


def _name(kind: bytes, entry: bytes) -> str | None:
    if kind in _SOUND:
        return _SOUND[kind]
    if kind not in _VIDEO:
        return None
    if kind == b"mp4v":
        return "mp4v.6C"  # JPEG, ISO/IEC 14496-1 section 7.2.6.6.2
    inner = {box.kind: entry[box.inside : box.end] for box in boxes(entry, 78)}
    if kind == b"avc1":
        return f"avc1.{inner[b'avcC'][1:4].hex()}"
    return f"{kind.decode()}.{_hevc(inner[b'hvcC'])}"


def _hevc(config: bytes) -> str:
    """ISO/IEC 14496-15 annex E.3: profile, compatibility in reverse order of its bits, tier and level, constraints."""
    space, tier, profile = config[1] >> 6, config[1] >> 5 & 1, config[1] & 31
    compatible = int(f"{int.from_bytes(config[2:6]):032b}"[::-1], 2)
    constraints = config[6:12].rstrip(b"\0")
    parts = [f"{'' if not space else 'ABC'[space - 1]}{profile}", f"{compatible:X}", f"{'LH'[tier]}{config[12]}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints])
