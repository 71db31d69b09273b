"""The sound that FFmpeg takes out of a container beside the video, as it came."""

from typing import cast

import av
from av.bitstream import BitStreamFilterContext

from streamer.source.claims import NEW_DESCRIPTION
from streamer.values.coded import MICROSECONDS, CodedSound, SoundForm

FILTERS = {"aac": "aac_adtstoasc"}
"""FFmpeg's, which take off the headers that MPEG-TS has before each unit; what has none passes as it is."""


class SoundTrack:
    """One track."""

    def __init__(self, stream: av.AudioStream) -> None:
        self.stream = stream
        context = stream.codec_context
        codec = context.codec.canonical_name
        self._tick = float(stream.time_base or 0) * MICROSECONDS
        self._form = SoundForm(codec, context.sample_rate, context.channels, context.extradata or b"")
        self._filter = BitStreamFilterContext(FILTERS[codec], stream) if codec in FILTERS else None

    def take(self, packet: "av.Packet[av.AudioStream]", now: float) -> CodedSound | None:
        """One packet as it is kept; None where it is damaged, or says nothing of its time."""
        if not packet.size or packet.pts is None:
            return None
        time, duration = round(packet.pts * self._tick), round((packet.duration or 0) * self._tick)
        data = self._plain(packet)
        if not data or not self._form.sample_rate:
            return None
        return CodedSound(data, time, duration, now, self._form)

    def _plain(self, packet: "av.Packet[av.AudioStream]") -> bytes:
        """Its data without what a container adds; what the container says anew is noted."""
        found = [packet]
        if self._filter is not None:
            try:
                found = cast("list[av.Packet[av.AudioStream]]", self._filter.filter(packet))
            except av.FFmpegError:
                return b""
        for each in found:
            if each.has_sidedata(NEW_DESCRIPTION):
                self._describe(bytes(each.get_sidedata(NEW_DESCRIPTION)))
        return b"".join(map(bytes, found))

    def _describe(self, setup: bytes) -> None:
        form = self._form
        self._form = SoundForm(form.codec, form.sample_rate, form.channels, setup)
