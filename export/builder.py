"""The code that rebuilds a network around its checkpoint, named `package.module:function`.

The function takes nothing and returns a Keras model or tf.Module with the attributes `input_height`, `input_width`,
`labels` (dict of class id to name), `resize_rule`, `pad_value`, `min_score`, and `detect(images)`: uint8 [N, H, W, 3]
to the four outputs of `serving.signature`. `tf.train.Checkpoint(model=build()).restore(prefix)` must fill it.

For a Keras file it returns the custom objects instead: see `export.keras_model`.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from export.errors import Unusable


def builder_sha256(name: str) -> str:
    """The digest of the builder's module and the Python files beside it, found without importing TensorFlow.

    A network is rarely one file, so its neighbours count as well: a changed decoding step means another model.

    Raises:
        Unusable: `name` is not of the form package.module:function, or there is no such module.
    """
    module, _ = _split(name)
    try:
        spec = importlib.util.find_spec(module)
    except Exception as error:  # The packages above it are imported, and may run any code.
        raise Unusable(f"cannot import builder {name}: {error}") from error
    if spec is None or spec.origin is None:
        raise Unusable(f"cannot import builder {name}: there is no module {module}")
    origin = Path(spec.origin)
    files = sorted(origin.parent.glob("*.py")) if "." in module else [origin]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def import_builder(name: str) -> Callable[[], Any]:
    """Import the builder.

    Raises:
        Unusable: it cannot be imported, or is no function.
    """
    module, function = _split(name)
    try:
        found = getattr(importlib.import_module(module), function, None)
    except Exception as error:  # Any code may run, and fail, while a module is imported.
        raise Unusable(f"cannot import builder {name}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise Unusable(f"cannot import builder {name}: module {module} has no function {function}")
    return found  # type: ignore[no-any-return]


def run_builder(name: str) -> Any:
    """Import the builder and call it.

    Raises:
        Unusable: it cannot be imported, is no function, or fails.
    """
    builder = import_builder(name)
    try:
        return builder()
    except Exception as error:  # The builder is the caller's code; whatever it raises, it cannot be used.
        raise Unusable(f"builder {name} failed: {type(error).__name__}: {error}") from error


def _split(name: str) -> tuple[str, str]:
    module, colon, function = name.partition(":")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise Unusable(f"builder {name!r} is not of the form package.module:function")
    if (here := str(Path.cwd())) not in sys.path:
        # `python -m export` finds modules of the working directory; the installed `sightline` command would not.
        sys.path.append(here)
    return module, function
