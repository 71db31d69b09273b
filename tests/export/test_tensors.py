"""The words after --inputs and --outputs become names; what is no such word is refused in one sentence."""

import pytest

from sightline_export.errors import Unusable
from sightline_export.tensors import Tensor, TensorNames, listing


def test_one_input_takes_pictures_and_others_a_value() -> None:
    """A name without a value is the tensor for pictures; NAME=VALUE is fixed, as a number or a truth."""
    names = TensorNames.read(["keep_prob=1", "image", "phase/train=False"], ["boxes=a", "scores=b:1", "count=c"])
    assert names.picture == "image"
    assert names.fixed == {"keep_prob": 1.0, "phase/train": False}
    assert names.outputs == {"boxes": "a", "scores": "b:1", "count": "c"}


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        (["image", "model.ckpt-9"], [], "one tensor for pictures, not image and model.ckpt-9"),
        (["image", "train=maybe"], [], "train=maybe: the value must be a number, true or false"),
        ([], ["boxes=a", "frozen.pb"], "not 'frozen.pb'; SOURCE stands before the options"),
        ([], ["boxes="], "not 'boxes='"),
        ([], ["boxes=a", "masks=b"], "masks=b: no such role; allowed are boxes, scores, classes, count"),
        ([], ["boxes=a", "boxes=b"], "gives boxes twice, a and b"),
        ([], ["boxes=a"], "lacks scores"),
    ],
)
def test_other_words_are_refused(inputs: list[str], outputs: list[str], said: str) -> None:
    """What is wrong, and what is allowed: a SOURCE that was swallowed by the option before it is guessed at."""
    with pytest.raises(Unusable) as caught:
        TensorNames.read(inputs, outputs)
    assert said in str(caught.value)


def test_a_listing_is_short() -> None:
    """Tensors are listed by name, dtype and shape, a few of them."""
    tensors = [Tensor("x", "float32", (None, 4)), Tensor("y", "uint8", None), Tensor("z", "int32", ())]
    assert listing(tensors, 2) == "x float32 [?, 4], y uint8 and 1 more"
    assert listing([]) == "none"
