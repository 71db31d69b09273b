"""A publisher's pictures decoded in a thread of its own, which never has more waiting than it can be late.

aiortc's own decoder has neither a limit to what waits for it nor one to a picture's size, and is joined on the event
loop.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Literal, cast

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from streamer.rtp.packet import Malformed
from streamer.rtp.picture import Picture
from streamer.rtp.sequence import read, sets
from streamer.values.mishaps import Mishaps

VideoCodec = Literal["H264", "VP8"]
DECODERS: dict[VideoCodec, str] = {"H264": "h264", "VP8": "vp8"}
"""FFmpeg's own, both: they obey `max_pixels`, so what is shown too large is refused before its memory is taken."""
MAX_WAITING = 15
"""Pictures that may wait: half a second. Whoever decodes slower than that starts again at a keyframe."""

Deliver = Callable[[av.VideoFrame, Picture], None]
"""Takes a decoded picture, in the decoder's thread; must not wait."""


class Decoder:
    """One publisher's decoder. `put` and `close` from the event loop."""

    def __init__(self, name: str, codec: VideoCodec, deliver: Deliver, *, max_pixels: int) -> None:
        self.wants_keyframe = False
        """Whether pictures are thrown away until a keyframe comes: one could not be decoded, or too many waited."""
        self.dropped = 0
        """Pictures thrown away undecoded, or that could not be decoded or delivered."""
        self.codec: VideoCodec = codec
        self._deliver = deliver
        self._mishaps = Mishaps(f"{name}: the publisher's pictures cannot be delivered", on_each=self._drop)
        self._context = cast(VideoCodecContext, av.CodecContext.create(DECODERS[codec], "r"))
        # Frame threads would add a frame of delay each.
        self._context.thread_type = "NONE"
        self._context.thread_count = 1
        # Each frame comes with the picture it was: after B-frames, which a sender should not send, not the last one in.
        self._context.flags |= Flags.low_delay | Flags.copy_opaque
        self._context.options = {"max_pixels": str(max_pixels)}
        self._max_pixels = max_pixels
        self._waiting: deque[Picture] = deque()
        self._news = threading.Condition()
        self._closed = False
        threading.Thread(target=self._run, name=f"decoder-{name}", daemon=True).start()

    def put(self, picture: Picture) -> None:
        """Hand over the next picture."""
        with self._news:
            if len(self._waiting) >= MAX_WAITING:
                self.dropped += len(self._waiting)
                self._waiting.clear()
                self.wants_keyframe = True
            if self.wants_keyframe and not picture.is_keyframe:
                self.dropped += 1
                return
            self.wants_keyframe = False
            self._waiting.append(picture)
            self._news.notify()

    def close(self) -> None:
        """Stop; the thread ends after the picture it is at. May be called twice."""
        with self._news:
            self._closed = True
            self._waiting.clear()
            self._news.notify()

    def _run(self) -> None:
        while (picture := self._take()) is not None:
            with self._mishaps:  # what happens to one is nothing to those behind it
                self._decode(picture)

    def _decode(self, picture: Picture) -> None:
        try:
            self._require_modest(picture.data)
            packet = av.Packet(picture.data)
            packet.opaque = picture
            for frame in self._context.decode(packet):
                if not self._closed:
                    self._deliver(frame, cast(Picture, frame.opaque))
        except (av.FFmpegError, Malformed):
            self._drop()
            with self._news:
                self.wants_keyframe = True

    def _require_modest(self, data: bytes) -> None:
        """Check what pictures claim: H.264's are decoded whole, and `max_pixels` is for the part that is shown.

        Raises:
            Malformed: they are too large, or there is more of such claims than any picture brings.
        """
        codec = DECODERS[self.codec]
        if any(sequence.shown > self._max_pixels for sequence in read(codec, sets(codec, data))):
            raise Malformed("pictures larger than allowed")

    def _drop(self) -> None:
        with self._news:
            self.dropped += 1

    def _take(self) -> Picture | None:
        with self._news:
            while not self._waiting and not self._closed:
                self._news.wait()
            return None if self._closed else self._waiting.popleft()
