"""One segment as it is written: encoded pictures go into fragmented MP4 as they are. Blocks.

A fragment is written at each keyframe and each second, and the file plays up to the last of them whatever happens; once
it is closed it is a plain MP4 with an index, its fragments where they were (FFmpeg's `hybrid_fragmented`).
"""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Stream

from streamer.archive.recordings.decode_times import DecodeTimes
from streamer.archive.recordings.growing_file import GrowingFile
from streamer.archive.recordings.mime import mime_of
from streamer.archive.recordings.segment import Fragment
from streamer.archive.recordings.sound_track import sound_track
from streamer.values.coded import MICROSECONDS, CodedPicture, CodedSound, SoundForm

KEPT = frozenset({"h264", "hevc", "mjpeg"})
"""Codecs that MP4 has a place for; of VP8 it has none."""

HVC1 = "hvc1"
"""The tag of H.265: Apple's players take no `hev1`, which would be written else."""

_FLAGS = "+hybrid_fragmented+empty_moov+default_base_moof+negative_cts_offsets"
MOST_FRAGMENT = 16 << 20
"""Bytes; FFmpeg holds one in memory, and of pictures whose times stand still it would never be a second."""
_OPTIONS = {
    "frag_duration": str(MICROSECONDS),
    "frag_size": str(MOST_FRAGMENT),
    "flush_packets": "1",
    "max_interleave_delta": str(MICROSECONDS // 4),  # pictures do not wait longer than that for sound that has ended
}
_TIME_BASE = Fraction(1, MICROSECONDS)


class SegmentFile:
    """One file, from its first picture on."""

    def __init__(
        self,
        path: Path,
        first: CodedPicture,
        *,
        reorder: int,
        step: int,
        sound: SoundForm | None = None,
        is_all_keys: bool = False,
    ) -> None:
        """Begin it; the first picture is put as all others are.

        Args:
            path: of the file; nothing may be there.
            first: a keyframe.
            reorder: pictures that may come before one that is shown earlier.
            step: microseconds from one picture to the next, about.
            sound: what comes beside them; None: none. A track cannot be added later.
            is_all_keys: pictures are keyframes, every one: fragments begin each second and not with each of them.

        Raises:
            OSError: it cannot be made.
            av.FFmpegError: the picture, or the sound, is not what its form says.
        """
        self.first_time = first.time
        self.last_time = first.time
        """Of the picture that is shown last."""
        self.taken = 0
        """Pictures it was given, and has or will have."""
        self.sound = sound
        """What comes beside the pictures."""
        self.sounds = 0
        """Packets of it that were taken."""
        self._heard = -1
        """The time of the last, from the first picture on."""
        self._times = DecodeTimes(reorder, first.time, step)
        self._mime = ""
        with io.BytesIO(first.data) as data:
            self._file = GrowingFile(path, MICROSECONDS)
            try:
                self._container = container_in(
                    self._file, has_fragment_a_key=not is_all_keys and first.form.codec != "mjpeg"
                )
                self._stream = _stream(self._container, first, data)
                self._sound = None if sound is None else sound_track(self._container, sound)
            except BaseException:
                self._file.close()
                path.unlink(missing_ok=True)
                raise

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._file.path

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._file.written

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """Those on disk."""
        return tuple(self._file.fragments)

    @property
    def pictures(self) -> int:
        """In these."""
        return self._file.pictures

    @property
    def init(self) -> bytes:
        """`ftyp` and `moov`, once a picture was put."""
        return self._file.init

    @property
    def mime(self) -> str:
        """RFC 6381, once a picture was put."""
        if not self._mime:
            self._mime = mime_of(self.init)
        return self._mime

    @property
    def duration(self) -> int:
        """Microseconds from its first picture to where the last begins."""
        return self.last_time - self.first_time

    def put(self, picture: CodedPicture) -> bool:
        """Have a picture written; whether it was taken: its time is later than its first's, and in order.

        Raises:
            OSError: the disk will not have it, or what came before it.
        """
        time = picture.time - self.first_time
        due = None if time < 0 else self._times.of(picture.time)
        if due is None:
            return False
        packet = av.Packet(picture.data)
        packet.stream = self._stream
        packet.time_base = _TIME_BASE
        packet.dts = due - self.first_time
        packet.pts = max(time, packet.dts)
        packet.is_keyframe = picture.is_key
        if not self._mux(packet):
            return False
        self.taken += 1
        self.last_time = max(self.last_time, picture.time)
        return True

    def put_sound(self, sound: CodedSound) -> bool:
        """Have a packet of sound written; whether it was taken: there is a track for it, and it is in order.

        Raises:
            OSError: the disk will not have what came before it.
        """
        time = sound.time - self.first_time
        if self._sound is None or sound.form != self.sound or time <= self._heard or not self.taken:
            return False
        packet = av.Packet(sound.data)
        packet.stream = self._sound
        packet.time_base = _TIME_BASE
        packet.dts = packet.pts = time
        packet.duration = sound.duration
        if not self._mux(packet):
            return False
        self.sounds += 1
        self._heard = time
        return True

    def _mux(self, packet: "av.Packet[Any]") -> bool:
        try:
            self._container.mux(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError):
            return False
        return True

    def flush(self) -> bool:
        """Put on disk what FFmpeg has written, whether it had: a fragment, that is.

        Raises:
            OSError: the disk will not have it.
        """
        return self._file.flush(durably=True) if self._file.size > self._file.written else False

    def close(self) -> None:
        """Write the last fragment and the index.

        Raises:
            OSError: the disk will not have them; `cut` remains.
        """
        self._container.close()
        self._file.flush(durably=True)
        self._file.close()

    def cut(self) -> None:
        """Leave it with what is whole on disk, where no more can be written.

        Raises:
            OSError: it cannot even be cut.
        """
        self._file.cut()


def container_in(file: GrowingFile, *, has_fragment_a_key: bool) -> OutputContainer:
    """MP4 as segments are written in.

    Args:
        file: that it is written to.
        has_fragment_a_key: each keyframe begins a fragment. Of what has nothing else these would be as many as
            pictures, each brought to the disk.
    """
    flags = _FLAGS + "+frag_keyframe" if has_fragment_a_key else _FLAGS
    return av.open(file, "w", format="mp4", options=_OPTIONS | {"movflags": flags})


def _stream(container: OutputContainer, first: CodedPicture, data: io.BytesIO) -> Stream:
    """The track, as the first picture's parameter sets have it."""
    form = first.form
    if form.codec != "hevc":
        stream = container.add_mux_stream(form.codec, width=form.width, height=form.height)
    else:  # a tag of one's own needs a context, which `add_mux_stream` makes none of
        with av.open(data, format="hevc", options={"probesize": str(max(32, len(first.data)))}) as probed:
            stream = container.add_stream_from_template(probed.streams.video[0], opaque=True)
            stream.codec_context.codec_tag = HVC1
    stream.time_base = _TIME_BASE
    return stream
