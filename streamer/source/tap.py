"""Where an attempt's encoded pictures are handed on as they come, whatever decoding makes of them."""

from typing import Protocol as Interface
from typing import cast

import av
from av.bitstream import BitStreamFilterContext
from av.packet import PacketSideData

from streamer.rtp.coding import Coding
from streamer.source.claims import NEW_DESCRIPTION
from streamer.source.opened import Unit, Video
from streamer.source.protocol import Protocol
from streamer.values.coded import MICROSECONDS, CodedPicture, CodedSound, OnCoded, OnSound

FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""FFmpeg's, which put start codes and parameter sets where a container has lengths and a description; what has start
codes passes as it is."""


class Taker(Interface):
    """Who wants what comes, from time to time: `Source` says what each is."""

    on_coded: OnCoded | None
    on_sound: OnSound | None


class Nobody:
    """No taker."""

    on_coded: OnCoded | None = None
    on_sound: OnSound | None = None


class Tap:
    """One attempt's. Used in the connection's thread."""

    def __init__(self, taker: Taker, opening: int = 0) -> None:
        self._taker, self._opening = taker, opening
        self._video: Video | None = None
        self._codec = ""
        self._ticks = 0.0
        """Microseconds a tick of its packets' times; 0: their arrival is their time."""
        self._last = -1
        self._heard = 0
        """Before which nothing is heard any more, in microseconds, but where the clock was set back."""
        self._described: PacketSideData | None = None
        """What the container said anew and the filter has not heard."""
        self._filter: BitStreamFilterContext | None = None
        self._coding: Coding | None = None

    def begin(self, video: Video, protocol: Protocol) -> None:
        """The camera has said what it sends."""
        context = video.context
        self._video, self._codec = video, context.codec.canonical_name
        self._coding = Coding(self._codec, frame_rate=video.frame_rate, described=_sets(context.extradata))
        self._ticks = video.time_base * MICROSECONDS if protocol.clocked else 0.0

    def take(self, unit: Unit) -> None:
        """One encoded picture has come: say when it is shown, and hand it on to whoever wants it now."""
        packet = unit.packet
        video, coding = self._video, self._coding
        if packet is None or not packet.size or video is None or coding is None:
            return
        unit.coded_at = self._time(packet.pts, unit.received_at)
        if packet.has_sidedata(NEW_DESCRIPTION):
            self._described = packet.get_sidedata(NEW_DESCRIPTION)
        take = self._taker.on_coded
        if take is not None:
            picture = self._picture(packet, unit, video, coding)
            if picture is not None:
                take(picture)
            return
        coding.form = None  # whoever wants pictures later begins with one that says it
        if packet.is_keyframe and self._codec in FILTERS and video.stream is None:
            coding.hear(bytes(packet))

    def hear(self, sound: CodedSound) -> None:
        """Some sound has come: hand it on, if somebody wants it and its clock has not gone back."""
        take = self._taker.on_sound
        if take is None:
            return
        if not self._heard - MICROSECONDS < sound.time < self._heard:
            self._heard = sound.time + max(1, sound.duration // 2)  # containers round
            sound.opening = self._opening
            take(sound)

    def _time(self, pts: int | None, received_at: float) -> int:
        if pts is not None and self._ticks:
            return round(pts * self._ticks)
        self._last = max(self._last + 1, round(received_at * MICROSECONDS))
        return self._last

    def _picture(
        self, packet: "av.Packet[av.VideoStream]", unit: Unit, video: Video, coding: Coding
    ) -> CodedPicture | None:
        data = self._plain(packet, video.stream)
        if data:
            decoded = video.context.width, video.context.height
            data = coding.complete(data, unit.coded_at, is_key=packet.is_keyframe, decoded=decoded)
        if not data or coding.form is None:
            return None
        return CodedPicture(
            data,
            unit.coded_at,
            unit.received_at,
            packet.is_keyframe,
            coding.form,
            self._opening,
            unit.camera_time,
        )

    def _plain(self, packet: "av.Packet[av.VideoStream]", stream: av.VideoStream | None) -> bytes | None:
        """The picture as a stream of its own has it; None where it is not what the container says."""
        if stream is None or self._codec not in FILTERS:
            return bytes(packet)
        if self._filter is None:
            self._filter = BitStreamFilterContext(FILTERS[self._codec], stream)
        own = cast("av.Packet[av.VideoStream]", av.Packet(bytes(packet)))  # which it takes away
        own.is_keyframe = packet.is_keyframe
        if self._described is not None:
            own.set_sidedata(self._described)
            self._described = None
        try:
            return b"".join(map(bytes, self._filter.filter(own)))
        except av.FFmpegError:
            return None


def _sets(described: bytes | None) -> bytes:
    """Parameter sets a container describes in Annex B."""
    return described if described and described.startswith((b"\0\0\1", b"\0\0\0\1")) else b""
