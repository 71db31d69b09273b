"""streamer.inference.intake and answer: whatever a model server sends becomes detections, or a sentence."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import signature, wire
from serving.signature import Contract, ContractError
from streamer.inference import answer, intake
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from tests.peers.fake_model_server import float_tensor
from tests.peers.frames import make_frame, make_sample

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})
SAMPLE = make_sample(make_frame())

GOOD = {
    signature.DETECTION_BOXES: float_tensor(np.array([[[0.1, 0.1, 0.5, 0.5], [0.2, 0.2, 0.6, 0.6]]])),
    signature.DETECTION_SCORES: float_tensor(np.array([[0.9, 0.8]])),
    signature.DETECTION_CLASSES: float_tensor(np.array([[1, 2]])),
    signature.NUM_DETECTIONS: float_tensor(np.array([2])),
}


def response(**changed: Any) -> Any:
    """A good answer to one sample, with some outputs changed; None takes one away."""
    made = wire.PredictResponse()
    for name, tensor in (GOOD | changed).items():
        if tensor is not None:
            made.outputs[name].CopyFrom(tensor)
    return made


def read(made: Any) -> Detections:
    """What is made of an answer to one sample, once it went over the wire."""
    received = intake.message(wire.PredictResponse, made.SerializeToString())
    (found,) = answer.read(received, [SAMPLE], CONTRACT, model="m", version=1, answered_at=0.0)
    return found


def claiming(*sizes: int, dtype: int = wire.DT_FLOAT, **fields: Any) -> Any:
    """A TensorProto of that shape, whatever it carries."""
    return wire.TensorProto(dtype=dtype, tensor_shape={"dim": [{"size": size} for size in sizes]}, **fields)


# ---- answers


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (None, "the model's answer lacks detection_scores"),
        (claiming(1, 200_000_000), "the model's detection_scores cannot be read: a tensor of shape (1, 200000000)"),
        (claiming(1, 1 << 62), "cannot be read: a tensor of shape"),
        (claiming(*[1 << 62] * 200), "cannot be read: a tensor of shape"),
        (claiming(*[1] * 100_000), "cannot be read: a tensor of 100000 dimensions"),
        (claiming(1, -2), "cannot be read: a tensor of open shape (1, -2) has no values"),
        (claiming(1, 2, dtype=wire.DT_STRING, string_val=[b"x"]), "is of DT_STRING, not DT_FLOAT"),
        (claiming(1, 2, dtype=wire.DataType["DT_BOOL"], bool_val=[True]), "is of DT_BOOL, not DT_FLOAT"),
        (claiming(1, 2, dtype=wire.DataType["DT_DOUBLE"], double_val=[0.5]), "is of DT_DOUBLE, not DT_FLOAT"),
        (claiming(1, 2, dtype=999), "is of dtype 999, not DT_FLOAT"),
        (claiming(1, 2, tensor_content=b"abc"), "cannot be read: 3 bytes of content"),
        (claiming(1, 2, 1), "has shape"),
        (claiming(), "has shape"),
    ],
)  # fmt: skip
def test_an_output_that_is_not_the_contracts_is_named(tensor: Any, says: str) -> None:
    """An output that is missing, of another type, or claims more than a message holds is named; nothing is made up."""
    with pytest.raises(PredictError) as refused:
        read(response(detection_scores=tensor))
    assert says in str(refused.value)
    assert len(str(refused.value)) <= 2 * intake.MAX_SENTENCE
    assert refused.value.code == "INTERNAL"


@pytest.mark.parametrize(
    ("boxes", "scores", "classes", "left"),
    [
        ([0.8, 0.8, 0.2, 0.2], 0.9, 1, 0),  # inside out
        ([0.2, 0.2, 0.2, 0.4], 0.9, 1, 0),  # a line
        ([2, 2, 3, 3], 0.9, 1, 0),  # elsewhere
        ([-5, -5, 9, 9], 0.9, 1, 1),
        ([-1e38, -1e38, 1e38, 1e38], 0.9, 1, 1),
        ([0.1, 0.1, 0.5, 0.5], 7, 1, 0),
        ([0.1, 0.1, 0.5, 0.5], 1.0000001, 1, 1),
        ([0.1, 0.1, 0.5, 0.5], -0.1, 1, 0),
        ([0.1, 0.1, 0.5, 0.5], 0.9, -1, 0),
        ([0.1, 0.1, 0.5, 0.5], 0.9, 1.5, 0),
        ([0.1, 0.1, 0.5, 0.5], 0.9, 1e30, 0),
        ([0.1, 0.1, 0.5, 0.5], 0.9, 7, 1),
    ],
)
def test_rows_that_are_no_detections_are_left_out(boxes: list[float], scores: float, classes: float, left: int) -> None:
    """A row whose box, score or class cannot be is no detection, and its neighbour is."""
    found = read(
        response(
            detection_boxes=float_tensor(np.array([[boxes, [0.1, 0.1, 0.5, 0.5]]])),
            detection_scores=float_tensor(np.array([[scores, 0.5]])),
            detection_classes=float_tensor(np.array([[classes, 2]])),
        )
    )
    require_sound(found)
    assert len(found) == left + 1


def test_classes_without_a_name_are_known_as_such() -> None:
    """A class that the contract does not name has a label of ours, and is told apart from those of the model."""
    found = read(response(detection_classes=float_tensor(np.array([[7, 2]]))))
    assert found.labels == ("class 7", "defect")
    assert found.unnamed == {"class 7"}


def require_sound(found: Detections) -> None:
    """Fail where something that is drawn, counted or told is not what it says."""
    assert found.boxes.shape == (len(found), 4)
    assert found.scores.shape == found.class_ids.shape == (len(found.labels),)
    assert len(found) <= answer.MAX_DETECTIONS
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [64, 48, 64, 48]).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    json.dumps(found.event(), allow_nan=False)


floats = st.floats(width=32) | st.sampled_from([0.5, 1.0, 2.0])
sizes = st.integers(-2, 5) | st.integers(-(2**63), 2**63 - 1)
numbers = st.lists(floats, max_size=12)
tensors = st.one_of(
    st.builds(
        lambda shape, dtype, values, content, flags, words: claiming(
            *shape, dtype=dtype, float_val=values, tensor_content=content, bool_val=flags, string_val=words
        ),
        st.lists(sizes, max_size=4),
        st.sampled_from(sorted(wire.DataType.values())) | st.integers(0, 2**31 - 1),
        numbers,
        st.binary(max_size=24),
        st.lists(st.booleans(), max_size=3),
        st.lists(st.binary(max_size=5), max_size=3),
    ),
    *(
        st.builds(lambda values, shape=shape: claiming(*shape, float_val=values), numbers)
        for shape in ((1, 2, 4), (1, 2), (1,))
    ),
)


@given(st.dictionaries(st.sampled_from(signature.DETECTION_OUTPUTS), st.none() | tensors))
def test_whatever_is_answered_is_read_or_refused(changed: dict[str, Any]) -> None:
    """Any answer becomes detections that are sound, or a PredictError; nothing else comes of it."""
    try:
        found = read(response(**changed))
    except PredictError as error:
        sentence = str(error)
    else:
        sentence = ""
        require_sound(found)
    assert "\n" not in sentence


@given(st.binary(max_size=60), st.booleans())
def test_whatever_bytes_come_are_a_message_or_refused(raw: bytes, behind: bool) -> None:
    """Any bytes in place of an answer, or behind one, are read or are a PredictError."""
    sent = response().SerializeToString() + raw if behind else raw
    try:
        received = intake.message(wire.PredictResponse, sent)
        answer.read(received, [SAMPLE], CONTRACT, model="m", version=1, answered_at=0.0)
    except PredictError:
        pass


# ---- contracts


def labels_response(tensor: Any) -> Any:
    """An answer about the labels."""
    made = wire.PredictResponse()
    if tensor is not None:
        made.outputs[signature.CONTRACT].CopyFrom(tensor)
    return made


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (None, "the model's answer lacks contract"),
        (claiming(1, dtype=wire.DT_INT64, int64_val=[5]), "the model's contract is of DT_INT64, not DT_STRING"),
        (claiming(0, dtype=wire.DT_STRING), "the model's contract is empty"),
        (claiming(1 << 40, dtype=wire.DT_STRING), "cannot be read"),
        (claiming(1, dtype=wire.DT_STRING, string_val=[b"x" * (signature.MAX_CONTRACT + 1)]), "1048577 bytes"),
    ],
)
def test_a_contract_is_a_text_of_some_size(tensor: Any, says: str) -> None:
    """What stands in the contract's place and is no text, or too long, is refused as it is."""
    with pytest.raises(PredictError, match=says):
        intake.text(labels_response(tensor), signature.CONTRACT)


def test_labels_are_fit_to_be_shown() -> None:
    """Labels lose control characters and what turns a line around, and are cut; those that sets apart follow."""
    said = json.loads(CONTRACT.to_json())
    said["labels"] = {"1": "\x1b[31mred\nline\x00", "2": "L" * 2000, "3": "\u202egnp", "4": "نمی\u200cدانم", "5": "\n"}
    said["findings"] = ["L" * 2000]
    found = intake.contract(json.dumps(said).encode())
    assert found.labels == {1: "[31mred line", 2: "L" * 63 + "…", 3: "gnp", 4: "نمی\u200cدانم", 5: "class 5"}
    assert found.findings == ("L" * 63 + "…",)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(CONTRACT.to_json()))), anything))
def test_whatever_a_contract_says_is_usable_or_refused(changed: dict[str, Any]) -> None:
    """Any contract is one whose every field is what it says, or is refused; nothing else comes of it."""
    try:
        found = intake.contract(json.dumps(json.loads(CONTRACT.to_json()) | changed).encode())
    except ContractError:
        return
    assert 1 <= found.height * found.width <= signature.MAX_PIXELS
    assert 0 <= found.pad_value <= 255
    assert 0 <= found.min_score <= 1
    assert all(
        label and len(label) <= intake.MAX_LABEL and label.splitlines() == [label] for label in found.labels.values()
    )


# ---- words


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("bad shape", "bad shape"),
        ("\x1b[31mred\r\nsecond\tline\u2028third", "[31mred second line third"),
        ("x" * 3000, "x" * 299 + "…"),
        ("\ud800", ""),
    ],
)
def test_what_a_server_says_is_one_line(said: str, told: str) -> None:
    """A server's words are told in one line without control characters, and cut where they are long."""
    assert intake.sentence(said) == told
