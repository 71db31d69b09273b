"""sightline_export.findings: which labels call for a person."""

from pathlib import Path

import pytest

from sightline_export import findings
from sightline_export.errors import Unusable
from sightline_export.label_map import read_label_map
from tests.peers.required import REPOSITORY

LABELS = ("insulator", "defect", "person")


@pytest.mark.parametrize(
    "label", ["defect", "Broken cap", "missing_cap", "InsulatorDamage", "BROKEN", "wildfire", "rusty bolt", "intruder"]
)
def test_what_names_something_wrong_is_proposed(label: str) -> None:
    """A label that says that something is wrong is a finding, however it is spelled."""
    assert findings.choose_findings(None, ["insulator", label]) == (label,)


@pytest.mark.parametrize("label", ["insulator", "fire hydrant", "FireTruck", "fire-extinguisher", "trust", "default"])
def test_what_only_sounds_like_it_is_not(label: str) -> None:
    """Furniture with such a word in its name is none."""
    assert findings.choose_findings(None, [label]) == ()


def test_the_caller_decides() -> None:
    """What is given is taken, in the order of the labels; an empty list is none."""
    assert findings.choose_findings(("person", "insulator"), LABELS) == ("insulator", "person")
    assert findings.choose_findings((), LABELS) == ()


def test_an_unknown_label_is_refused() -> None:
    """A label that the model does not have is named beside those that it has."""
    with pytest.raises(Unusable, match="--findings 'rust' is none of the model's labels: insulator, defect, person"):
        findings.choose_findings(("rust",), LABELS)


def test_the_bundled_detector_sets_the_missing_cap_apart() -> None:
    """Of the bundled detector's labels, `defect` is the finding."""
    labels: Path = REPOSITORY / "models" / "insulators" / "labels.pbtxt"
    assert findings.choose_findings(None, read_label_map(labels).values()) == ("defect",)
