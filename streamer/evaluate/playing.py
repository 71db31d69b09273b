"""A clip is played to a running service by a camera, and what a viewer of the stream sees is recorded."""

import asyncio
import contextlib
import os
from typing import Protocol

from serving.signature import Contract
from streamer.evaluate.camera import BEGIN
from streamer.evaluate.clip import Clip
from streamer.evaluate.recording import Pass, Recording
from streamer.service import Service
from streamer.stream.pipeline import Pipeline
from streamer.tools.child import Child
from streamer.tools.progress import Progress
from streamer.values.errors import ConfigError, SightlineError
from streamer.view.view import View

SETTLE = 4.0
"""Seconds the camera stands still at least before the clip: the encoder and the hold settle meanwhile."""
SETTLE_SAMPLES = 5
"""Answers there are at least before the clip, however seldom is sampled."""
RUN_OUT = 2.0
"""Seconds watched on after the clip: more than its beginning in the stream's time may be mistaken by."""
MODEL_PATIENCE = 15.0
"""Seconds a model server gets to answer."""
PATIENCE = 30.0
"""Seconds without a frame, or without an answer, after which nothing more is expected."""
LOOK = 0.1
"""Seconds between two looks."""


class Model(Protocol):
    """What is waited for of a model."""

    @property
    def contract(self) -> Contract | None:
        """What it says of itself."""

    @property
    def up(self) -> bool:
        """Whether it answers."""

    @property
    def reason(self) -> str | None:
        """Why it does not, as a sentence."""


async def meet(model: Model, progress: Progress) -> Contract:
    """Wait until a model answers.

    Raises:
        ConfigError: it does not, within MODEL_PATIENCE; says why.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MODEL_PATIENCE):
            while not model.up or model.contract is None:  # a model tells nobody that it is there
                await asyncio.sleep(LOOK)
                progress.count(f"waiting: {model.reason or 'the model was not met yet'}")
    if not model.up or model.contract is None:
        raise ConfigError(model.reason or "the model does not answer")
    return model.contract


async def play(service: Service, stream: str, clip: Clip, camera: Child, progress: Progress) -> Pass:
    """Let a camera play the clip once, and watch as a viewer does.

    Args:
        service: runs, and its model answers.
        stream: that the camera pushes to.
        clip: what the camera plays.
        camera: `streamer.evaluate.camera`, which stands still until it is told to begin.
        progress: told how far it is.

    Raises:
        SightlineError: the clip did not come through to its end.
    """
    pipeline = service.streams.get(stream)
    if pipeline is None:
        raise ValueError(f"no stream {stream}")
    recording = Recording(service.clock)
    pipeline.view.witness = recording
    viewer = asyncio.create_task(_watch(pipeline.view), name="viewer")
    run_up = max(SETTLE, SETTLE_SAMPLES / service.config.streams[stream].sample_fps)
    try:
        while (stood := recording.newest or 0.0) < run_up or recording.samples < SETTLE_SAMPLES:
            progress.count(f"the camera stands still until all has settled: {stood:.0f} of {run_up:.0f} s")
            if stood > run_up + PATIENCE:
                raise SightlineError(f"{recording.samples} samples answered in {stood:.0f} s: {_why(pipeline)}")
            await _look(pipeline, recording, camera)
        os.kill(camera.pid, BEGIN)
        while (played := (recording.newest or 0.0) - stood) < clip.seconds + RUN_OUT:
            progress.count(f"playing: {min(played, clip.seconds):.0f} of {clip.seconds:.0f} s")
            await _look(pipeline, recording, camera)
    finally:
        pipeline.view.witness = None
        viewer.cancel()
        camera.terminate()  # before the stream it pushes to is gone
        progress.end()
    return recording.find(clip, stood)


async def _look(pipeline: Pipeline, recording: Recording, camera: Child) -> None:
    """A moment later: whether the stream goes on."""
    before, deadline = recording.newest, asyncio.get_running_loop().time() + PATIENCE
    while recording.newest == before:
        camera.require_alive()
        if pipeline.source.state == "offline":
            raise SightlineError(f"the clip broke off: {pipeline.source.reason}")
        if asyncio.get_running_loop().time() > deadline:
            raise SightlineError(f"no frame was shown for {PATIENCE:.0f} s: {_why(pipeline)}")
        await asyncio.sleep(LOOK)


def _why(pipeline: Pipeline) -> str:
    state = pipeline.state()
    return state.reason or f"the stream is {state.word}"


async def _watch(view: View) -> None:
    """Be a viewer: without one nothing is drawn. What a browser and the network add is not in it."""
    subscription = view.h264.subscribe()
    try:
        while True:
            await subscription.take()
    finally:
        view.h264.unsubscribe(subscription)
