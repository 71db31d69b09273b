"""Clips whose frames carry their numbers, as their cameras would send them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.values.coded import CodedPicture
from tests.archive.recordings.coded import FPS, pictures_of
from tests.archive.recordings.indexed import FakeIndex
from tests.peers.clip import make_clip

Coded = Callable[[str], list[CodedPicture]]


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Coded:
    """Gives four seconds of a kind: h264, b-frames, hevc, mjpeg; a keyframe a second, or each picture one: intra."""
    folder, made = tmp_path_factory.mktemp("coded"), dict[str, list[CodedPicture]]()

    def of(kind: str) -> list[CodedPicture]:
        if kind not in made:
            codec = {"hevc": "libx265", "mjpeg": "mjpeg"}.get(kind, "libx264")
            reorder = 2 if kind == "b-frames" else 0
            clip = make_clip(
                folder / f"{kind}.mkv",
                width=160,
                height=120,
                fps=FPS,
                seconds=4,
                gop=1 if kind == "intra" else FPS,
                b_frames=reorder,
                codec=codec,
            )
            made[kind] = pictures_of(clip, reorder)
        return made[kind]

    return of


@pytest.fixture
def index(tmp_path: Path) -> FakeIndex:
    """Of nothing yet."""
    return FakeIndex(tmp_path / "recordings")
