"""serving.signature: the contract that travels with a model."""

import json
import subprocess
import sys

import pytest

from serving.signature import Contract, ContractError

CONTRACT = Contract(
    name="insulators",
    height=384,
    width=640,
    labels={1: "insulator", 2: "défaut", 90: "broken cap"},
    resize="stretch",
    pad_value=0,
    max_batch_size=1,
    min_score=0.35,
    findings=("défaut", "broken cap"),
    provenance={"checkpoint": "ckpt-7", "nms": {"iou": 0.5}},
)


def test_a_contract_comes_back_from_json() -> None:
    """Whatever a contract says is read back the same, labels by number, from text and from bytes."""
    assert Contract.from_json(CONTRACT.to_json()) == CONTRACT
    assert Contract.from_json(CONTRACT.to_json().encode()) == CONTRACT
    small = Contract("m", 8, 8, {})
    assert Contract.from_json(small.to_json()) == small


def test_equal_contracts_are_equal_text() -> None:
    """The order of labels and of provenance does not show in the text."""
    other = Contract(**{**CONTRACT.__dict__, "labels": dict(reversed(CONTRACT.labels.items()))})
    assert other.to_json() == CONTRACT.to_json()


def test_missing_optional_fields_have_their_defaults() -> None:
    """A contract of only what is required is a letterboxed RGB model of any batch size."""
    text = json.dumps({"format": 1, "name": "m", "height": 8, "width": 8, "labels": {"1": "a"}})
    found = Contract.from_json(text)
    assert (found.resize, found.pad_value, found.color_order, found.max_batch_size) == ("letterbox", 114, "RGB", None)
    assert found.findings == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format 2"),
        ({"format": None}, "format None"),
        ({"resize": "crop"}, "'crop'"),
        ({"labels": {"one": "a"}}, "one"),
        ({"labels": ["a"]}, "contract"),
        ({"surprise": 1}, "surprise"),
        ({"pad_value": 300}, "pad_value is 300, not a whole number from 0 to 255"),
        ({"pad_value": "x"}, "pad_value is 'x'"),
        ({"pad_value": True}, "pad_value is True"),
        ({"height": 64.0}, "height is 64.0, not a whole number"),
        ({"width": 0}, "width is 0, not a whole number from 1"),
        ({"height": 8000, "width": 8000}, "an input of 8000 x 8000 is larger than 4194304 pixels"),
        ({"max_batch_size": "3"}, "max_batch_size is '3', not a whole number"),
        ({"min_score": "x"}, "min_score is 'x', not a number from 0 to 1"),
        ({"min_score": float("nan")}, "min_score is nan"),
        ({"min_score": -1}, "min_score is -1"),
        ({"labels": {"1": None}}, "labels must be texts"),
        ({"labels": {"1": ["x"]}}, "labels must be texts"),
        ({"name": 5}, "must be texts"),
        ({"color_order": ["RGB"]}, "must be texts"),
        ({"provenance": "x" * 1000, "height": "y" * 1000}, "height is 'y{39}…"),
        ({"findings": ["rust"]}, "sets 'rust' apart, which is none of its labels"),
        ({"findings": "insulator"}, "none of its labels"),
        ({"findings": [["insulator"]]}, "none of its labels"),
        ({"findings": None}, "contract"),
    ],
)
def test_a_contract_not_understood_is_refused(change: dict[str, object], says: str) -> None:
    """A newer format, an unknown rule and malformed labels are refused with what is wrong."""
    document = json.loads(CONTRACT.to_json()) | change
    with pytest.raises(ContractError, match=says):
        Contract.from_json(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "",
        "not json",
        "[]",
        "5",
        "null",
        "{}",
        '{"format": 1}',
        b"\xff\xfe",
        '{"format": 1, "labels": {}}',
    ],
)
def test_what_is_no_contract_is_refused(text: str | bytes) -> None:
    """Text that is no contract at all is refused as such."""
    with pytest.raises(ContractError):
        Contract.from_json(text)


def test_the_standard_library_is_enough() -> None:
    """The signature imports nothing but the standard library, so that everybody can use it."""
    check = "import sys, serving.signature; print('numpy' in sys.modules, 'tensorflow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )
