"""The clean video of one stream, from its source's thread to its viewers.

    encoded pictures ─► message ─► unheard, or mailbox ─► group, viewers ◄─ boxes ◄─ frames, answers

Pictures are sent as they come: nothing waits for boxes here. Whoever shows them waits, as long as he likes to.
"""

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from streamer.values.buffer import Mailbox
from streamer.values.clock import Clock
from streamer.values.coded import CodedForm, CodedPicture
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from streamer.values.state import StreamState
from streamer.values.track import TrackedBox
from streamer.view.clean.group import Group
from streamer.view.clean.placing import Identity, Placing
from streamer.view.clean.room import Room, Spare
from streamer.view.clean.unheard import Unheard
from streamer.view.clean.viewer import CleanViewer, Pipe
from streamer.view.clean.wire import (
    PLAYED,
    Size,
    boxes_message,
    form_of,
    hello,
    picture_message,
    sampled_message,
    text,
)

ARRIVALS = 90
"""Pictures that may wait for the event loop: three seconds. Behind a missing one viewers wait for a key picture."""
MOST_WAITING = 16 << 20
"""Bytes of them."""
REMEMBERED = 32
"""Messages about the newest pictures, for whoever comes late."""

TURNED = "the camera holds its pictures otherwise than they are to be seen"
"""Why they are not shown as they come."""

BoxesAt = Callable[[float], Sequence[TrackedBox]]
"""Where everything is in the frame at a pts, in its pixels."""


@dataclass(slots=True)
class _Arrival:
    """A picture on its way to the event loop. Made for each, therefore not frozen."""

    number: int
    """Counts them: where one is missing, the loop was late."""
    identity: Identity
    form: CodedForm
    received_at: float
    is_key: bool
    message: bytes
    """Empty where browsers do not play it."""


class Clean:
    """What viewers of the camera's own pictures are sent."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        spare: Spare | None = None,
        placing: Placing | None = None,
        size: Size = "large",
        listens: bool = False,
    ) -> None:
        """Take nothing yet.

        Args:
            name: of the stream.
            clock: monotonic seconds.
            spare: room for long groups of pictures, which streams share; None: there is none.
            placing: what says where things are in its pictures; None: its own frames.
            size: which of the camera's videos it is.
            listens: what comes is taken up on the event loop even while nobody watches.
        """
        self._name, self._clock = name, clock
        self._size: Size = size
        self._listens = listens
        self._group = Group(Room(spare))
        self._viewers: dict[CleanViewer, int] = {}
        """With the pictures they had been too slow for when they came."""
        self._dropped_before = 0
        self.watched = False
        """Whether anybody takes it now; may be asked of in any thread."""
        self.lost = 0
        """Pictures that the event loop was too late for."""
        self._mishaps = Mishaps(f"{name}: pictures cannot be sent on as they came", clock=clock)
        self._numbers = itertools.count(1)
        self._mailbox: Mailbox[_Arrival] | None = None
        self._boxes_at: BoxesAt = _nowhere
        self._placing = Placing() if placing is None else placing
        self._unheard = Unheard[_Arrival](Room(spare))
        self._waiting, self._room = 0, Lock()
        """Bytes that wait for the event loop."""
        self._newest = 0
        """Number of the newest picture that arrived."""
        self._resumes = False
        """Whether pictures before the next that arrives may be missing as nobody listened."""
        self._goes_on = False
        """Whether the next picture can be decoded by who has those before it."""
        self._form: tuple[CodedForm, int] | None = None
        """And the opening it is of."""
        self._over = -1
        """The newest opening of which nothing is taken any more."""
        self._form_message: bytes | None = None
        self._is_turned = False
        """Whether pictures have to be turned upright, so that nobody is to see them as they come."""
        self._recent: deque[bytes] = deque(maxlen=REMEMBERED)
        self._withheld: str | None = None
        self.on_withheld: Callable[[], None] = _nothing
        """Told before viewers are, each time that they cannot be shown as they come."""
        self.sent_at = -math.inf
        """Monotonic arrival of the newest picture that could be shown."""

    @property
    def viewers(self) -> int:
        """Whoever takes it, those included who have paused."""
        return len(self._viewers)

    @property
    def dropped(self) -> int:
        """Pictures that viewers were too slow for."""
        return self._dropped_before + sum(viewer.dropped - before for viewer, before in self._viewers.items())

    @property
    def failed(self) -> int:
        """Pictures that could not be sent on."""
        return self._mishaps.count

    @property
    def withheld(self) -> str | None:
        """Why its pictures are not shown as they come, a sentence; None: they are, as far as is known."""
        newest = self._unheard.newest  # there is none while somebody listens
        if newest is None:
            return self._withheld
        return form_of(newest.form, newest.identity[0], TURNED if self._is_turned else None)["why"]

    @property
    def group(self) -> Group:
        """The pictures that are kept."""
        return self._group

    def open(self, loop: asyncio.AbstractEventLoop, boxes_at: BoxesAt) -> None:
        """Take pictures from now on; on the event loop."""
        self._boxes_at = boxes_at
        if self._listens:
            self._unheard.hear()
        self._mailbox = Mailbox(loop, self._heard, ARRIVALS, self._mishaps)

    # ---- in the source's thread

    def put(self, picture: CodedPicture) -> None:
        """Take one encoded picture. Neither waits nor raises."""
        mailbox = self._mailbox
        if mailbox is None:
            return
        with self._mishaps:
            message = picture_message(picture) if picture.form.codec == PLAYED else b""
            identity = picture.opening, picture.time
            arrival = _Arrival(
                next(self._numbers), identity, picture.form, picture.received_at, picture.is_key, message
            )
            if not self._unheard.put(arrival) and self._has_room(len(message)):
                lost = mailbox.put(arrival)
                if lost is not None:
                    self._has_room(-len(lost.message))

    def _has_room(self, size: int) -> bool:
        """Whether so many bytes more may wait for the event loop, and count them; below 0: they wait no more."""
        with self._room:
            if size > 0 and self._waiting and self._waiting + size > MOST_WAITING:
                return False
            self._waiting += size
            return True

    # ---- on the event loop

    def join(self, pipe: Pipe, state: StreamState) -> CleanViewer:
        """A new viewer, who is sent what there is at once; `state`: of the stream."""
        viewer = self.greet(pipe, state)
        self.admit(viewer)
        return viewer

    def greet(self, pipe: Pipe, state: StreamState) -> CleanViewer:
        """A new viewer, who has been told what this is; `state`: of the stream."""
        viewer = CleanViewer(pipe, self._clock())
        pipe.write(text(hello(self._name, state, self._clock(), viewer.id)))
        return viewer

    def admit(self, viewer: CleanViewer) -> None:
        """Send him what there is at once, and what comes, unless he has paused."""
        if not self._viewers and not self._listens:
            self._hear()
        if not viewer.paused:
            self._begin(viewer)
        self._viewers[viewer] = viewer.dropped
        self.watched = self._watched

    def __contains__(self, viewer: CleanViewer) -> bool:
        """Whether he takes it."""
        return viewer in self._viewers

    def viewer(self, named: str) -> CleanViewer | None:
        """The one of that id, while he is there."""
        return next((viewer for viewer in self._viewers if viewer.id == named), None)

    def let_pause(self, viewer: CleanViewer, *, pause: bool) -> None:
        """Send him nothing for now, or again what there is and what comes."""
        if pause:
            viewer.pause()
        elif viewer.paused:
            self._begin(viewer)
        self.watched = self._watched

    def leave(self, viewer: CleanViewer) -> None:
        """Forget a viewer; may be called twice."""
        if viewer in self._viewers:
            self._dropped_before += viewer.dropped - self._viewers.pop(viewer)
            self.watched = self._watched
            if not self._viewers and not self._listens:
                self._unheard.rest()

    def forget(self, over: int = -1) -> None:
        """Nothing of what came so far is sent to whoever comes, nor what still comes of openings up to `over`."""
        self._over = max(self._over, over)
        self._group.clear()
        self._recent.clear()
        self._goes_on, self._withheld, self.sent_at = False, None, -math.inf

    def decoded(self, frame: Frame) -> None:
        """A frame has left the decoder."""
        self._placing.decoded(frame)
        if self._unheard.is_group:
            self._group.clear()  # nobody begins with it any more
        if frame.is_turned != self._is_turned:
            self._is_turned = frame.is_turned
            self._say_form()

    def sampled(self, frame: Frame) -> None:
        """A frame was given to the model."""
        picture = self._placing.picture_of(frame)
        if self._watched and picture is not None:
            self._tell(sampled_message(*picture))

    def answered(self, frame: Frame, boxes: Sequence[TrackedBox]) -> None:
        """The model has answered a frame, and this is what is in it, in its pixels."""
        picture = self._placing.picture_of(frame)
        if picture is None:
            return
        since = self._placing.answered(picture)
        if self._watched:
            exact = boxes_message(*picture, boxes, (frame.width, frame.height), exact=True)
            self._tell(exact, *[self._predicted(each) for each in since])

    def _begin(self, viewer: CleanViewer) -> None:
        if not self._watched:
            self._recent.clear()  # they are of pictures of long ago
        viewer.begin(self._form_message, self._group.pictures, self._recent)

    def _heard(self, arrival: _Arrival) -> None:
        """Take a picture from the mailbox."""
        self._has_room(-len(arrival.message))
        self._arrived(arrival)

    def _hear(self) -> None:
        """Take up what came while nobody listened."""
        self._resumes = True
        pictures, lacked_some = self._unheard.hear()
        for picture in pictures:
            with self._mishaps:
                self._arrived(picture)
        self._resumes = lacked_some

    @property
    def _watched(self) -> bool:
        return any(not viewer.paused for viewer in self._viewers)

    def _arrived(self, arrival: _Arrival) -> None:
        if arrival.number <= self._newest:
            return  # of before somebody left, and another came
        if arrival.number != self._newest + 1:
            self.lost += 0 if self._resumes else arrival.number - self._newest - 1
            self._goes_on = False
            self._group.clear()
        self._newest, self._resumes, opening = arrival.number, False, arrival.identity[0]
        if opening <= self._over or (self._form is not None and opening < self._form[1]):
            return  # the last of a connection that was given up
        if self._form != (arrival.form, opening):
            self._goes_on = False
            if arrival.is_key:
                self._form = arrival.form, opening
                self._say_form()
        if self._is_turned or not arrival.message or not (arrival.is_key or self._goes_on):
            return
        self._goes_on = True
        self._group.put(arrival.message, is_key=arrival.is_key)
        self.sent_at = arrival.received_at
        self._placing.sent(arrival.identity, arrival.received_at)
        if self._watched:
            message, now = arrival.message + self._foretold(arrival), self._clock()
            for viewer in self._viewers:
                viewer.picture(message, is_key=arrival.is_key)
                viewer.receipts.sent(arrival.identity[1], arrival.identity, now)

    def _say_form(self) -> None:
        """Pictures of another form follow, of another opening, or none."""
        self._group.clear()
        self._recent.clear()
        self._goes_on = False
        if self._form is not None:
            form = form_of(*self._form, TURNED if self._is_turned else None, self._size)
            self._form_message, self._withheld = text(form), form["why"]
            if self._withheld is not None:
                self.on_withheld()
            for viewer in self._viewers:
                viewer.form(self._form_message)

    def _foretold(self, arrival: _Arrival) -> bytes:
        """Where everything will be found to be in a picture that has just come; b"" where nobody can tell."""
        if self._placing.is_exact(arrival.identity):
            return b""
        message = self._predicted(arrival.identity)
        if message:
            self._recent.append(message)
        return message

    def _predicted(self, picture: Identity) -> bytes:
        pts, size = self._placing.pts(picture), self._placing.size
        return b"" if pts is None else boxes_message(*picture, self._boxes_at(pts), size, exact=False)

    def _tell(self, *messages: bytes) -> None:
        """Something about the newest pictures: one message of it each, written as one."""
        self._recent.extend(messages)
        written = b"".join(messages)
        for viewer in self._viewers:
            viewer.other(written)


def _nowhere(_: float) -> Sequence[TrackedBox]:
    return ()


def _nothing() -> None:
    pass
