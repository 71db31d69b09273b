"""One evaluation: what is given is checked, a model server started, the clip played, judged and told."""

import asyncio
import importlib.util
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.evaluate import clip, truth
from streamer.evaluate.clip import Clip
from streamer.evaluate.figures import Figures, judge
from streamer.evaluate.playing import meet, play
from streamer.evaluate.report import table
from streamer.service import Service
from streamer.tools.child import Child
from streamer.tools.memory import keep_memory
from streamer.tools.model_server import ModelServer, stopped_in_the_end
from streamer.tools.processes import free_port
from streamer.tools.progress import Progress
from streamer.values.errors import ConfigError

STREAM = "clip"
"""The name of the stream the clip is played into."""

Build = Callable[[str, str], Service]
"""Makes the service, given the model server's address and the URL that STREAM listens at."""


@dataclass(frozen=True)
class Material:
    """What is judged, by what."""

    clip: Path
    truth: Path
    seconds: float | None
    """Of the clip; None for all."""


def run(material: Material, server: ModelServer, build: Build, *, as_json: bool) -> int:
    """Play, judge, print, and return the exit code.

    Raises:
        ConfigError: the clip, its truth or the model cannot be used, or something is not installed.
        SightlineError: the clip did not come through, or a process ended.
    """
    if importlib.util.find_spec("pycocotools") is None:
        raise ConfigError("evaluate needs pycocotools, which is not installed: `pip install 'sightline[evaluate]'`")
    server.require_usable()
    evaluation = Evaluation(material, server, build)
    try:
        figures = evaluation.run()
    except KeyboardInterrupt:
        evaluation.progress.say("stopped")
        return 130
    print(json.dumps(figures, indent=2) if as_json else table(figures))
    return 0


class Evaluation:
    """One clip, played and judged once."""

    def __init__(self, material: Material, server: ModelServer, build: Build) -> None:
        self.progress = Progress()
        self._material, self._server, self._build = material, server, build
        self._children: list[Child] = []

    def run(self) -> Figures:
        """Everything, from the files to the figures; leaves no process behind."""
        path, count = self._material.clip, self.progress.count
        self.progress.say(f"reading {path.name}")
        played = clip.read(path, self._material.seconds, lambda frames: count(f"reading: {frames} frames"))
        known = truth.read(self._material.truth, frames=played.frames, width=played.width, height=played.height)
        with stopped_in_the_end(self._children):
            address = self._server.met(self._children, self.progress)
            url = f"rtsp://127.0.0.1:{free_port()}/{STREAM}"
            # The last process that is started, and before gRPC runs in this one: gRPC does not like to be forked.
            arguments = (str(path), url, str(played.packets))
            camera = Child("camera", "-m", "streamer.evaluate.camera", *arguments, aside=True)
            self._children.append(camera)
            keep_memory()
            return asyncio.run(self._watch(address, url, played, known, camera))

    async def _watch(self, address: str, url: str, played: Clip, known: truth.Truth, camera: Child) -> Figures:
        """Play the clip to the service, and judge what was seen."""
        # As asyncio has SIGINT: it ends this task where it waits, and is not raised in the midst of another one.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        service = self._build(address, url)
        (model,) = service.models.values()
        async with service.run():
            contract = await meet(model, self.progress)
            classes = tuple(dict.fromkeys(contract.labels.values()))
            labelled = truth.labelled(self._material.truth, known, classes)
            self.progress.say(f"playing {played.seconds:.1f} s of {played.path.name}")
            seen = await play(service, STREAM, played, camera, self.progress)
        stream = service.config.streams[STREAM]
        setting: dict[str, Any] = {
            "clip": played.path.name,
            "seconds": round(played.seconds, 3),
            "fps": round(played.fps, 3),
            "model": model.name,
            "version": model.version,
            "sample_fps": stream.sample_fps,
            "min_score": contract.min_score if stream.min_score is None else stream.min_score,
        }
        things = known if truth.has_ids(known) else None
        return {"setting": setting, **judge(seen, played, labelled, classes, things)}
