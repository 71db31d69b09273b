"""Clips that beep: a tone begins with every whole second, in step with the numbers in the pictures."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from streamer.values.coded import MICROSECONDS, CodedSound
from tests.peers.clip import draw_frame

RATE = 48_000
TONE = 1000.0
"""Hertz."""
BEEP = 0.3
"""Seconds of each second."""
FPS = 30
SOUNDS = {"aac": "aac", "opus": "libopus", "pcm_alaw": "pcm_alaw"}


def make_beeping_clip(path: Path, *, seconds: int = 4, sound: str = "aac") -> Path:
    """Encode numbered pictures, a key picture each half second, and beeps beside them.

    Args:
        path: where to write it; returned. Its suffix says in what.
        seconds: length.
        sound: FFmpeg's name of its codec.
    """
    rate = 8000 if sound.startswith("pcm") else RATE
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        video.time_base = Fraction(1, FPS)
        video.codec_context.gop_size = FPS // 2
        params = f"aud=1:repeat-headers=1:scenecut=0:keyint={FPS // 2}:min-keyint={FPS // 2}:bframes=0"
        video.options = {"preset": "ultrafast", "x264-params": params}
        audio = container.add_stream(SOUNDS[sound], rate=rate, layout="mono")
        assert isinstance(audio, av.AudioStream)
        for second in range(seconds):
            for index in range(second * FPS, (second + 1) * FPS):
                frame = av.VideoFrame.from_ndarray(draw_frame(index, 320, 240), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                container.mux(video.encode(frame))
            heard = av.AudioFrame.from_ndarray(_beep(rate), format="s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = rate, second * rate, Fraction(1, rate)
            for part in av.AudioResampler(audio.codec_context.format, "mono", rate).resample(heard):
                container.mux(audio.encode(part))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def _beep(rate: int) -> NDArray[np.int16]:
    times = np.arange(rate) / rate
    tone = np.where(times < BEEP, np.sin(2 * np.pi * TONE * times), 0.0)
    return (12_000 * tone).astype(np.int16)[None, :]


def loudness(sounds: Sequence[CodedSound]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What sound decodes to, in steps of 5 ms: times in seconds of its source's clock, and the loudness then."""
    form = sounds[0].form
    context = av.CodecContext.create(form.codec, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.extradata = form.setup or None
    context.sample_rate = form.sample_rate
    if form.codec.startswith("pcm"):
        context.layout = "mono" if form.channels == 1 else "stereo"
    times, loud = list[float](), list[float]()
    for each in sounds:
        packet = av.Packet(each.data)
        packet.pts, packet.time_base = each.time, Fraction(1, MICROSECONDS)
        for frame in context.decode(packet):
            samples = frame.to_ndarray()
            samples = samples.reshape(-1) if samples.shape[0] == 1 else samples[0]
            scale = 32_768 if samples.dtype == np.int16 else 1
            step = frame.sample_rate // 200
            begin = float((frame.pts or 0) * (frame.time_base or 0))
            for at in range(0, len(samples) - step + 1, step):
                times.append(begin + at / frame.sample_rate)
                loud.append(float(np.abs(samples[at : at + step] / scale).mean()))
    return np.array(times), np.array(loud)


def beeps(sounds: Sequence[CodedSound]) -> list[float]:
    """When beeps begin, in seconds of the sound's clock; one that goes on from before is none."""
    times, loud = loudness(sounds)
    is_loud = loud > 0.1
    begins = (number for number in range(20, len(times)) if is_loud[number] and not is_loud[number - 20 : number].any())
    return [float(times[number]) for number in begins]
