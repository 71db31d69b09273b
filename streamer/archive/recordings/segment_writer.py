"""Makes segments of one stream's pictures: begins them, ends them, and has the index know. In one thread; blocks."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import av

from streamer.archive.recordings.parameter_sets import sets_of
from streamer.archive.recordings.segment import Segment
from streamer.archive.recordings.segment_file import SegmentFile
from streamer.archive.recordings.segment_index import SegmentIndex, StreamBoxes
from streamer.archive.recordings.sound_encoder import ENCODED, SoundEncoder
from streamer.archive.recordings.sound_track import KEPT
from streamer.archive.recordings.tally import Tally
from streamer.values.clock import Clock
from streamer.values.coded import MICROSECONDS, CodedPicture, CodedSound, SoundForm
from streamer.values.uuid7 import uuid7

log = logging.getLogger(__name__)

LENGTH = round(59.5 * MICROSECONDS)
"""After which a segment ends at the next keyframe: those of cameras that have one a second come to a minute."""
MOST_LENGTH = 120 * MICROSECONDS
"""After which it ends in any case."""
MOST_BYTES = 1 << 30
MOST_AGE = 240.0
"""The same in seconds of ours: the camera's may stand still."""
MOST_SETS = 16 << 10
"""Bytes of parameter sets; a camera's are some hundred, and each segment's row has them."""
MOST_SIDE = 65_535
"""Pixels that MP4 has a place for."""
MOST_TIME = 1 << 62
"""Microseconds that the index has a place for."""
MOST_BEGUN, BEGUN_WITHIN = 30, 60.0
"""Files that may be begun in so many seconds: a camera whose form or clock changes with each picture makes no more."""
GAP = 2.0
"""Seconds that are a gap, in pictures' times or in the wall's clock, where pictures come oftener than that."""
ENOUGH = 16
"""Pictures that tell a camera's way: the time between two, which of a few B-frames would tell wrong; that all are
keyframes."""
SLOWEST = 60.0
"""Seconds from one picture to the next that may be a camera's way."""
SLEW = 0.02
"""Seconds by which a segment's begin may differ from where the one before it ended by the camera's clock."""
MOST_REORDER = 16
"""Pictures, H.264 and H.265 allow no more."""
RECENT = 150.0
"""Seconds for which a segment that has ended may still turn out to hold an event's beginning."""


@dataclass(slots=True)
class _Written:
    """A segment, and when its pictures came: monotonic."""

    segment: Segment
    since: float
    until: float


class SegmentWriter:
    """One stream's, in the life of one thread."""

    def __init__(
        self,
        stream: str,
        index: SegmentIndex,
        boxes: StreamBoxes,
        *,
        clock: Clock,
        wall: Clock,
        tally: Tally,
        on_begin: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Have written nothing.

        Args:
            stream: its name.
            index: where segments are written down.
            boxes: told which segment is where.
            clock: monotonic seconds.
            wall: UTC, seconds since 1970.
            tally: of what is kept.
            on_begin: told each segment's id before there is a file of it.
        """
        self.stream, self._index, self._boxes = stream, index, boxes
        self._clock, self._wall, self._tally, self._on_begin = clock, wall, tally, on_begin
        self._file: SegmentFile | None = None
        self._now: _Written | None = None
        """What is being written."""
        self._recent: list[_Written] = []
        """What has ended, and may yet be marked."""
        self.torn: list[Segment] = []
        """Whose files could not be ended."""
        self._last: CodedPicture | None = None
        self._sets: frozenset[bytes] = frozenset()
        self._offset = 0.0
        """From the monotonic clock to the wall's, as the segment began."""
        self._step = 0.0
        """Seconds from one picture to the next, about."""
        self._keys = 0
        """Keyframes without another picture between them, of those that came last."""
        self._reorder = 0
        self._sound: SoundForm | None = None
        """What was heard last, as it is kept; None: nothing."""
        self._encoder: SoundEncoder | None = None
        self._begun: deque[float] = deque(maxlen=MOST_BEGUN)
        """When files were begun last."""

    @property
    def is_writing(self) -> bool:
        """Whether a segment goes on."""
        return self._file is not None

    @property
    def last_at(self) -> float | None:
        """Arrival of the picture written last."""
        return None if self._now is None else self._now.until

    @property
    def patience(self) -> float:
        """Seconds without a picture after which there is a gap."""
        return max(GAP, 4 * self._step)

    def put(self, picture: CodedPicture, *, has_event: bool) -> None:
        """Write one picture.

        Raises:
            OSError: the disk will not have it; what was being written has been left as it is.
        """
        self._keys = self._keys + 1 if picture.is_key else 0
        if self._file is not None and self._must_end(picture):
            self._next(picture, has_event=has_event)
        elif self._file is None:
            self._begin(picture, self._arrival(picture), follows=False, has_event=has_event)
        self._add(picture)

    def put_sound(self, sound: CodedSound) -> None:
        """Write one packet of sound, in the file that has a track for it: the next one, where it is new.

        Raises:
            OSError: as with pictures.
        """
        for packet in self._as_kept(sound):
            self._sound = packet.form
            file, last = self._file, self._last
            if file is not None and last is not None and packet.opening == last.opening:
                self._or_leave(partial(file.put_sound, packet))

    def _as_kept(self, sound: CodedSound) -> Iterable[CodedSound]:
        """As MP4 takes it; nothing where it has no place for it."""
        if sound.form.codec in KEPT:
            return (sound,)
        if sound.form.codec not in ENCODED:
            return ()
        try:
            if self._encoder is None or self._encoder.source != sound.form:
                self._encoder = SoundEncoder(sound.form)
            return list(self._encoder.encode(sound))
        except (av.FFmpegError, ValueError) as error:
            log.debug("%s: sound that cannot be encoded: %s", self.stream, error)
            self._encoder = None
            return ()

    def close(self, ended_at: float | None = None) -> None:
        """End what is being written.

        Args:
            ended_at: when its last picture has been shown; None: by the time between pictures.

        Raises:
            OSError: the disk will not have it.
        """
        if self._file is None or self._now is None:
            return
        file, now, size = self._file, self._now, self._file.size
        self._or_leave(lambda: file.close())
        self._tally.bytes += file.size - size
        self._file = self._now = self._last = None
        if not file.fragments:
            self._boxes.forget(now.segment.id)
            file.path.unlink(missing_ok=True)
            return
        lasting = (file.duration + round(self._step * MICROSECONDS)) / MICROSECONDS
        now.segment = self._segment(file, now.segment, now.segment.began_at + lasting if ended_at is None else ended_at)
        self._index.put(now.segment)
        self._boxes.ended(now.segment.id, file.last_time)
        self._recent.append(now)

    def mark(self, touches: Callable[[float, float], bool]) -> None:
        """Have segments say that an event is in them.

        Args:
            touches: whether an event lies in the time from one arrival to another.
        """
        horizon = self._clock() - RECENT
        self._recent = [each for each in self._recent if each.until > horizon]
        for each in (*self._recent, *([self._now] if self._now is not None else [])):
            if not each.segment.has_event and touches(each.since, each.until):
                each.segment = replace(each.segment, has_event=True)
                if each.segment.fragments:
                    self._index.put(each.segment)

    # ---- where segments end and begin

    def _must_end(self, picture: CodedPicture) -> bool:
        file, last = self._file, self._last
        assert file is not None and last is not None and self._now is not None  # noqa: S101, PT018  of what goes on
        return (
            self._is_another(picture, last)
            or file.duration >= MOST_LENGTH
            or file.size >= MOST_BYTES
            or picture.received_at - self._now.since >= MOST_AGE
            or (picture.is_key and (picture.time - file.first_time >= LENGTH or self._clock_was_set()))
            or (picture.is_key and self._sound is not None and self._sound != file.sound)
        )

    def _is_another(self, picture: CodedPicture, last: CodedPicture) -> bool:
        """Whether it cannot be in one file with what came before."""
        assert self._file is not None  # noqa: S101  asked of what goes on
        form, before = picture.form, last.form
        ahead = (picture.time - self._file.last_time) / MICROSECONDS
        return (
            picture.opening != last.opening
            or (form.codec, form.width, form.height) != (before.codec, before.width, before.height)
            or not -GAP <= ahead <= self.patience
            or (picture.is_key and sets_of(form.codec, picture.data) != self._sets)
        )

    def _clock_was_set(self) -> bool:
        return abs(self._wall() - self._clock() - self._offset) > GAP

    def _next(self, picture: CodedPicture, *, has_event: bool) -> None:
        """End one segment and begin the next, if that can be."""
        file, now, last = self._file, self._now, self._last
        assert file is not None and now is not None and last is not None  # noqa: S101, PT018
        begins, arrival = None, self._arrival(picture)
        if not self._is_another(picture, last):
            by_camera = now.segment.began_at + (picture.time - file.first_time) / MICROSECONDS
            if abs(arrival - by_camera) <= GAP:
                begins = by_camera + max(-SLEW, min(arrival - by_camera, SLEW))
        ahead = (picture.time - file.last_time) / MICROSECONDS
        if file.sound is not None and not file.sounds:
            self._sound = None  # it has become silent, and comes back with another file
        self.close(begins)
        if self.patience < ahead < SLOWEST and picture.opening == last.opening:
            self._step += (ahead - self._step) / 2  # it may be the way of this camera
        self._begin(picture, arrival if begins is None else begins, follows=begins is not None, has_event=has_event)

    def _arrival(self, picture: CodedPicture) -> float:
        """UTC."""
        return self._wall() - (self._clock() - picture.received_at)

    def _begin(self, picture: CodedPicture, began_at: float, *, follows: bool, has_event: bool) -> None:
        form, sets = picture.form, sets_of(picture.form.codec, picture.data)
        if not picture.is_key or (form.codec in ("h264", "hevc") and not sets):
            self._tally.dropped["no_keyframe"] += 1
            return
        if not self._can_be_kept(picture, sets):
            self._tally.dropped["unreadable"] += 1
            return
        if len(self._begun) == MOST_BEGUN and self._clock() - self._begun[0] < BEGUN_WITHIN:
            self._tally.dropped["restless"] += 1
            return
        self._begun.append(self._clock())
        self._sets, self._reorder = sets, max(self._reorder, form.reorder)
        self._step = self._step or (1 / form.frame_rate if form.frame_rate else 0.0)
        self._offset = self._wall() - self._clock()
        segment = Segment(
            uuid7(began_at), self.stream, began_at, None, form.codec, "", form.width, form.height, 0, 0,
            picture.time, picture.camera_time, follows, has_event, b"", (),
        )  # fmt: skip
        self._on_begin(segment.id)
        step = round(self._step * MICROSECONDS) or MICROSECONDS // 25
        try:
            path = self._index.path(segment)
            self._file = SegmentFile(
                path, picture, reorder=self._reorder, step=step, sound=self._sound, is_all_keys=self._keys >= ENOUGH
            )
        except OSError:
            raise
        except (av.FFmpegError, ValueError) as error:
            self._tally.dropped["unreadable"] += 1
            log.debug("%s: no file begins with such a picture: %s", self.stream, error)
            return
        self._now = _Written(segment, picture.received_at, picture.received_at)
        self._tally.segments += 1
        self._boxes.begun(segment, picture.opening)

    def _can_be_kept(self, picture: CodedPicture, sets: frozenset[bytes]) -> bool:
        """Whether what it claims of itself has room in a file, and in a row."""
        form = picture.form
        return (
            0 < form.width <= MOST_SIDE
            and 0 < form.height <= MOST_SIDE
            and abs(picture.time) < MOST_TIME
            and sum(map(len, sets)) <= MOST_SETS
        )

    # ---- what is written

    def _add(self, picture: CodedPicture) -> None:
        file, now = self._file, self._now
        if file is None or now is None:
            return  # it could not begin with this one
        self._last = picture
        if not self._or_leave(lambda: file.put(picture)):
            is_leading = picture.time < file.first_time
            self._tally.dropped["leading" if is_leading else "out_of_order"] += 1
            if not is_leading:
                self._reorder = min(MOST_REORDER, self._reorder + 1)
            return
        now.until = picture.received_at
        if file.taken >= ENOUGH or (not self._step and file.taken > 1):
            self._step = file.duration / (file.taken - 1) / MICROSECONDS
        size = file.size
        has_grown = self._or_leave(file.flush, given_again=1)
        self._tally.written += 1
        if has_grown:
            self._tally.bytes += file.size - size
            if file.fragments:
                now.segment = self._segment(file, now.segment, None)
                self._index.put(now.segment)

    def _segment(self, file: SegmentFile, before: Segment, ended_at: float | None) -> Segment:
        """As it is now."""
        return replace(
            before, ended_at=ended_at, mime=file.mime, pictures=file.pictures, size=file.size, init=file.init,
            fragments=file.fragments,
        )  # fmt: skip

    def _or_leave(self, do: Callable[[], bool | None], *, given_again: int = 0) -> bool:
        """Do something with the file; where that fails it is left with what is whole of it.

        Args:
            do: what.
            given_again: pictures it took that are not lost with it, for whoever gave them gives them again.
        """
        file, now = self._file, self._now
        assert file is not None and now is not None  # noqa: S101, PT018  asked of what goes on
        try:
            return bool(do())
        except Exception:
            with contextlib.suppress(OSError):
                file.cut()
            lost = file.taken - file.pictures - given_again
            self._tally.written -= lost
            self._tally.dropped["unwritten"] += lost
            self.torn.append(now.segment)
            self._boxes.ended(now.segment.id, file.last_time)  # of which none is awaited any more
            self._file = self._now = self._last = None
            raise
