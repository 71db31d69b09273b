"""Whatever it was exported from, a model is served by the embedded server and finds things on a real clip."""

from pathlib import Path

import pytest

from tests.export.peers import contract_of, export, sample
from tests.export.test_keras_model import HEAD, OUTPUTS, network
from tests.export.test_saved_model import metadata, save, ultralytics
from tests.export.test_tf1_checkpoint import PNET
from tests.peers.model_server import run_model_server
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import run_service

pytestmark = pytest.mark.timeout(600)

EVENTS = 5


def export_all(models: Path, beside: Path) -> dict[str, float]:
    """Export one model of each kind of source that is not exported yet; gives the scores from which they count here."""
    pnet = sample("models", "pnet_ckpt") / "PNet-18"
    texts = {"pnet.yaml": PNET, "keras.yaml": HEAD, "pnet.txt": "face\n", "keras.txt": "green\nblue\n"}
    for name, text in texts.items():
        (beside / name).write_text(text)
    pnet_heads = ("--outputs", "boxes=conv4_2/BiasAdd", "scores=conv4_1/BiasAdd", "--input-size", "160x120")
    keras_files = ("--decode", beside / "keras.yaml", "--labels", beside / "keras.txt")
    network().save(beside / "network.keras")
    save(beside / "ultralytics", ultralytics)
    metadata(beside / "ultralytics")
    sources: dict[str, tuple[list[object], float]] = {
        "tf1": ([pnet, *pnet_heads, "--decode", beside / "pnet.yaml", "--labels", beside / "pnet.txt"], 0.2),
        "keras": ([beside / "network.keras", *OUTPUTS, *keras_files], 0.0),
        "savedmodel": ([beside / "ultralytics"], 0.0),
    }
    for name, (arguments, _) in sources.items():
        assert export(*arguments, "--output", models / name) == 0, name
    return {name: min_score for name, (_, min_score) in sources.items()}


async def test_every_kind_of_source_ends_on_the_page(tmp_path: Path, voc_export: Path, bundled_export: Path) -> None:
    """A TF1 checkpoint, a frozen graph, a TF2 checkpoint, a Keras file and a SavedModel, in one server, on one clip."""
    clip, models = sample("video", "car-detection.mp4"), tmp_path / "models"
    min_scores = export_all(models, tmp_path)
    for name, exported in (("frozen", voc_export), ("tf2", bundled_export)):
        (models / name).symlink_to(exported)
        min_scores[name] = 0.02
    config = tmp_path / "models.config"
    entry = "config {{ name: '{0}' base_path: '{1}/{0}' model_platform: 'tensorflow' }}"
    entries = " ".join(entry.format(name, models) for name in min_scores)
    config.write_text(f"model_config_list {{ {entries} }}")
    with (
        run_rtsp_server({"/clip": clip}) as camera,
        run_model_server(models, "", flags=(f"--model_config_file={config}",)) as server,
    ):
        streams = {
            name: {"url": camera.url("/clip"), "model": name, "sample_fps": 1, "min_score": min_score}
            for name, min_score in min_scores.items()
        }
        serving = {"address": server.address, "model": "tf2", "deadline": 10.0}
        with run_service({"serving": serving, "streams": streams}) as service:
            async with service.events() as feed:
                for name in streams:
                    events = [event for _, event in await feed.more(EVENTS, stream=name)]
                    labels = set(contract_of(models / name / "1").labels.values())
                    found = [detection for event in events for detection in event["detections"]]
                    assert {event["model"] for event in events} == {name}
                    assert found, f"{name} found nothing on {EVENTS} frames"
                    assert {detection["label"] for detection in found} <= labels
