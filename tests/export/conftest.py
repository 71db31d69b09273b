"""Exports of real models, which take a quarter of a minute: made once for all tests that only read them."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ssd_voc() -> Path:
    """A real TF1 frozen graph, not made here."""
    from tests.export.peers import sample  # inside: it imports TensorFlow, which many tests of this folder do without

    return sample("models", "ssd_voc", "frozen_inference_graph.pb")


@pytest.fixture(scope="session")
def voc_export(ssd_voc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's directory of that graph's export, with the frozen graph beside it."""
    from tests.export.peers import export

    output = tmp_path_factory.mktemp("exports") / "voc"
    labels = ssd_voc.with_name("pascal_label_map.pbtxt")
    assert export(ssd_voc, "--labels", labels, "--output", output, "--frozen") == 0
    return output


@pytest.fixture(scope="session")
def bundled_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the bundled detector."""
    from tests.export.peers import export

    output = tmp_path_factory.mktemp("exports") / "insulators"
    assert export("--output", output, "--frozen") == 0
    return output
