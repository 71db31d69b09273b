"""`python -m serving.nothing MODEL_BASE_PATH HEIGHTxWIDTH`: write a model that does nothing, as version 1.

It takes a batch of pictures and answers with one pixel of each. What a call of it takes is what a call costs besides
the model: `sightline bench` tells it as the overhead of the server.
"""

import sys
from pathlib import Path
from typing import Any

from serving.banners import import_tensorflow
from serving.signature import INPUT_TENSOR, SERVING_DEFAULT


def write(base_path: Path, height: int, width: int) -> None:
    """Write the version, unless it is there."""
    import tensorflow as tf

    class Nothing(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, height, width, 3], tf.uint8, name=INPUT_TENSOR)])  # type: ignore[untyped-decorator]
        def first_pixel(self, input_tensor: Any) -> dict[str, Any]:
            return {"pixel": input_tensor[:, 0, 0, 0]}

    if not (base_path / "1").exists():
        draft = base_path / ".1"
        model = Nothing()
        tf.saved_model.save(model, str(draft), signatures={SERVING_DEFAULT: model.first_pixel})
        draft.rename(base_path / "1")


def main() -> int:
    """Write it as the command line says."""
    base_path, size = sys.argv[1:]
    height, width = map(int, size.split("x"))
    import_tensorflow()
    write(Path(base_path), height, width)
    return 0


if __name__ == "__main__":
    sys.exit(main())
