"""Sound of telephones, which most cameras send and MP4 has no place for, as AAC: in one thread.

G.711 is 64 kbit/s whatever is to be heard; as AAC it is 24, and no browser plays it out of MP4 otherwise.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler

from streamer.values.coded import MICROSECONDS, CodedSound, SoundForm

ENCODED = frozenset({"pcm_alaw", "pcm_mulaw"})
"""Codecs that are encoded anew."""
BIT_RATE = 24_000
GAP = MICROSECONDS // 5
"""Between the end of one packet and the time of the next, beyond which time begins anew."""


class SoundEncoder:
    """Of one form."""

    def __init__(self, form: SoundForm) -> None:
        """Begin.

        Args:
            form: of what is to come; one of ENCODED.

        Raises:
            av.FFmpegError, ValueError: FFmpeg cannot.
        """
        self.source = form
        self._base = Fraction(1, form.sample_rate)
        layout = "mono" if form.channels == 1 else "stereo"
        self._decoder = cast(AudioCodecContext, av.CodecContext.create(form.codec, "r"))
        self._decoder.sample_rate, self._decoder.layout = form.sample_rate, layout
        self._encoder = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = form.sample_rate, layout, "fltp"
        self._encoder.bit_rate, self._encoder.time_base = BIT_RATE, self._base
        self._encoder.open()
        self._resampler, self._fifo = AudioResampler("fltp", layout, form.sample_rate), AudioFifo()
        self._given = self._samples = 0
        """Given to the encoder before time began, and since."""
        self._began: int | None = None
        """The time of the first of these, in microseconds."""
        self.form = SoundForm("aac", form.sample_rate, form.channels, self._encoder.extradata or b"")
        """Of what comes out."""

    def encode(self, sound: CodedSound) -> Iterator[CodedSound]:
        """What is whole with one more packet; its time is that of its first sample.

        Raises:
            av.FFmpegError: FFmpeg cannot.
        """
        held = self._fifo.samples
        if self._began is None or abs(self._began + self._length(self._samples + held) - sound.time) > GAP:
            self._given += self._samples
            self._fifo, self._began, self._samples = AudioFifo(), sound.time, 0
        for frame in self._decoder.decode(av.Packet(sound.data)):
            for part in self._resampler.resample(frame):
                part.pts = None
                self._fifo.write(part)
        while (frames := self._fifo.read(self._encoder.frame_size)) is not None:
            frames.pts, frames.time_base = self._given + self._samples, self._base
            self._samples += frames.samples
            for packet in self._encoder.encode(frames):
                # What an encoder holds back is of the time before, or of none at all.
                if packet.pts is not None and packet.pts >= self._given:
                    yield self._coded(packet, sound)

    def _coded(self, packet: "av.Packet[Any]", sound: CodedSound) -> CodedSound:
        assert self._began is not None and packet.pts is not None  # noqa: S101, PT018  it has begun
        at = self._began + self._length(packet.pts - self._given)
        length = self._length(self._encoder.frame_size)
        return CodedSound(bytes(packet), at, length, sound.received_at, self.form, sound.opening)

    def _length(self, samples: int) -> int:
        """Microseconds."""
        return samples * MICROSECONDS // self.source.sample_rate
