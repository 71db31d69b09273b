"""Which viewers are sent the camera's large video, and which its small one. On the event loop.

Whoever wishes for the small one is sent the large one until that is there, and again while it fails: `serve` says so.
Where browsers do not play the large one he is sent nothing meanwhile, for as long as there is hope.
"""

import asyncio
from collections.abc import Callable

from streamer.values.clock import Clock
from streamer.values.coded import CodedPicture, OnCoded
from streamer.values.frame import Frame
from streamer.values.state import StreamState
from streamer.view.clean.beside import Beside
from streamer.view.clean.clean import BoxesAt, Clean
from streamer.view.clean.room import Spare
from streamer.view.clean.viewer import CleanViewer, Pipe

OF_SMALL = 1 << 31
"""Where openings of the small video begin, so that a viewer takes none for one of the large video's."""


class Sizes:
    """One stream's."""

    def __init__(
        self, name: str, large: Clean, *, clock: Clock, on_wish: Callable[[], None], spare: Spare | None = None
    ) -> None:
        """Begin with the large video alone; `on_wish` is told whenever somebody wishes for the small one."""
        self.large = large
        self._beside = Beside()
        self.small = Clean(name, clock=clock, spare=spare, placing=self._beside, size="small", listens=True)
        self.small.on_withheld = lambda: self.serve(is_there=False, is_hoped=False)
        self.large.on_withheld = self._place_all
        self._boxes_at: BoxesAt = lambda pts: ()
        self._on_wish = on_wish
        self._wishes: set[CleanViewer] = set()
        """Who would have the small one."""
        self._is_there = self._is_hoped = self._is_placing = False
        self._opening = OF_SMALL
        """The newest of the small one."""

    @property
    def viewers(self) -> int:
        """Of both."""
        return self.large.viewers + self.small.viewers

    @property
    def watched(self) -> bool:
        """Whether anybody takes either now; may be asked of in any thread."""
        return self.large.watched or self.small.watched

    @property
    def wished(self) -> bool:
        """Whether anybody wishes for the small one now."""
        return any(not viewer.paused for viewer in self._wishes)

    @property
    def is_there(self) -> bool:
        """Whether who wishes for it is sent the small one."""
        return self._is_there

    def open(self, loop: asyncio.AbstractEventLoop, boxes_at: BoxesAt) -> None:
        """Take pictures of the small one from now on."""
        self._boxes_at = boxes_at
        self.small.open(loop, boxes_at)

    def serve(self, *, is_there: bool, is_hoped: bool) -> None:
        """Send the small one to those who wish for it, or the large one again; `is_hoped`: it will soon be there."""
        self._is_there, self._is_hoped = is_there, is_hoped
        self._place_all()

    def forget(self) -> None:
        """The small one ends, and what there is of it is of no use any more."""
        self.serve(is_there=False, is_hoped=self._is_hoped)
        self.small.forget()

    def renew(self) -> OnCoded:
        """The small one comes from another source from now on, which counts its openings anew.

        Returns:
            What takes that one's encoded pictures, in its thread. A last one of the source before is passed over.
        """
        before = self._opening
        self.forget()
        self.small.forget(before)

        def put(picture: CodedPicture) -> None:
            picture.opening += before
            self._opening = max(self._opening, picture.opening)
            self.small.put(picture)

        return put

    # ---- viewers

    def join(self, pipe: Pipe, state: StreamState, *, small: bool = False) -> CleanViewer:
        """A new viewer, who is sent what there is at once; `state`: of the stream."""
        viewer = self.large.greet(pipe, state)
        if small:
            self._wishes.add(viewer)
        self._place(viewer)
        self._on_wish()
        return viewer

    def wish(self, viewer: CleanViewer, *, small: bool) -> None:
        """Send him the other one, or none other."""
        (self._wishes.add if small else self._wishes.discard)(viewer)
        self._place(viewer)
        self._on_wish()

    def let_pause(self, viewer: CleanViewer, *, pause: bool) -> None:
        """Send him nothing for now, or again what there is and what comes."""
        there = self._of(viewer)
        if there is None:
            viewer.paused = pause
        else:
            there.let_pause(viewer, pause=pause)
        self._on_wish()

    def viewer(self, named: str) -> CleanViewer | None:
        """The one of that id, while he is there."""
        waiting = next((viewer for viewer in self._wishes if viewer.id == named), None)
        return waiting or self.large.viewer(named) or self.small.viewer(named)

    def leave(self, viewer: CleanViewer) -> None:
        """Forget a viewer; may be called twice."""
        self._wishes.discard(viewer)
        self.large.leave(viewer)
        self.small.leave(viewer)

    def _of(self, viewer: CleanViewer) -> Clean | None:
        """What he is sent."""
        return next((each for each in (self.small, self.large) if viewer in each), None)

    def _due(self, viewer: CleanViewer) -> Clean | None:
        """What he ought to be."""
        if viewer not in self._wishes:
            return self.large
        if self._is_there and (viewer in self.small or len(self.small.group)):
            return self.small  # from where there is a key picture to begin with
        return None if self._is_hoped and self.large.withheld is not None else self.large

    def _place(self, viewer: CleanViewer) -> None:
        before, now = self._of(viewer), self._due(viewer)
        if before is now or self._is_placing:
            return
        self._is_placing = True  # the first who is let in has a video heard, which may tell that it is withheld
        try:
            if before is not None:
                before.leave(viewer)
            if now is not None:
                now.admit(viewer)
        finally:
            self._is_placing = False

    def _place_all(self) -> None:
        for viewer in self._wishes:
            self._place(viewer)

    # ---- frames of the large one, which detection runs on

    def decoded(self, frame: Frame) -> None:
        """One has left the decoder."""
        self.large.decoded(frame)
        self._beside.seen(frame)

    def sampled(self, frame: Frame) -> None:
        """One was given to the model."""
        self.large.sampled(frame)
        if self.small.watched:
            self.small.sampled(frame)

    def answered(self, frame: Frame) -> None:
        """The model has answered one: what is in the small one's picture of about then, at its own time."""
        picture = self._beside.picture_of(frame) if self.small.watched else None
        pts = None if picture is None else self._beside.pts(picture)
        if pts is not None:
            self.small.answered(frame, self._boxes_at(pts))
