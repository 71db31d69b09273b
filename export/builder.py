"""The code that rebuilds a network around its checkpoint: `path/to/file.py:function` or `package.module:function`.

The function takes nothing and returns a Keras model or tf.Module with the attributes `input_height`, `input_width`,
`labels` (dict of class id to name), `resize_rule`, `pad_value`, `min_score`, and `detect(images)`: uint8 [N, H, W, 3]
to the four outputs of `serving.signature`. `tf.train.Checkpoint(model=build()).restore(prefix)` must fill it.

For a Keras file it returns the custom objects instead: see `sightline_export.keras_model`.
"""

import hashlib
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_export.caller import import_callers, our_name
from sightline_export.errors import Unusable

FORM = "path/to/file.py:function or package.module:function"


@dataclass(frozen=True)
class Builder:
    """A builder, found without being imported, and without TensorFlow."""

    given: str
    """As the caller wrote it."""
    file: Path
    module: str
    function: str
    root: Path | None
    """The caller's directory that the module's name begins in; None where it is installed."""

    @property
    def name(self) -> str:
        """For the contract: without directories, which are one machine's."""
        return f"{self.file.name}:{self.function}" if _is_path(self.given) else self.given

    @property
    def sha256(self) -> str:
        """The digest of the module and the Python files beside it.

        A network is rarely one file, so its neighbours count as well: a changed decoding step means another model.
        Those of a module that stands alone in the working directory may be anything, and do not.
        """
        together = _is_path(self.given) or "." in self.module
        digest = hashlib.sha256()
        for file in sorted(self.file.parent.glob("*.py")) if together else [self.file]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()


def find_builder(given: str) -> Builder:
    """Find the builder: a file as it is named, a module in the working directory, or else an installed one.

    Raises:
        Unusable: `given` is of neither form, or nothing is there.
    """
    code, _, function = given.rpartition(":")
    if not function.isidentifier() or not (_is_path(given) or all(part.isidentifier() for part in code.split("."))):
        raise Unusable(f"builder {given!r} is not of the form {FORM}")
    try:
        file, module, root = _file(given, Path(code)) if _is_path(given) else _module(given, code)
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be read, links in a circle
        raise Unusable(f"cannot import builder {given[:100]}: {getattr(error, 'strerror', None) or error}") from error
    if ours := our_name(file):
        module, root = ours, None
    return Builder(given, file, module, function, root)


def import_builder(given: str) -> Callable[[], Any]:
    """Import the builder.

    Raises:
        Unusable: it cannot be imported, or is no function.
    """
    builder = find_builder(given)
    try:
        if builder.root is None:
            module = importlib.import_module(builder.module)
        else:
            module = import_callers(builder.module, builder.root, builder.file)
    except SystemExit as error:
        raise Unusable(
            f"cannot import builder {given}: {builder.file.name} ends the program when it is imported; "
            "what runs it belongs under if __name__ == '__main__'"
        ) from error
    except Exception as error:  # Any code may run, and fail, while a module is imported.
        raise Unusable(f"cannot import builder {given}: {type(error).__name__}: {error}") from error
    found = getattr(module, builder.function, None)
    if not callable(found):
        raise Unusable(f"cannot import builder {given}: {builder.file.name} has no function {builder.function}")
    return found  # type: ignore[no-any-return]


def run_builder(given: str) -> Any:
    """Import the builder and call it.

    Raises:
        Unusable: it cannot be imported, is no function, or fails.
    """
    builder = import_builder(given)
    try:
        return builder()
    except (Exception, SystemExit) as error:  # It is the caller's code; whatever it raises, it cannot be used.
        raise Unusable(f"builder {given} failed: {type(error).__name__}: {error}") from error


def _is_path(given: str) -> bool:
    code = given.rpartition(":")[0]
    return code.endswith(".py") or "/" in code


def _file(given: str, path: Path) -> tuple[Path, str, Path | None]:
    """The file, its module's name, and the directory that name begins in: the one above its outermost package."""
    file = path.resolve()
    if not file.is_file() or file.suffix != ".py":
        raise Unusable(f"cannot import builder {given}: there is no Python file {path}")
    if "." in file.stem:
        raise Unusable(f"cannot import builder {given}: a file with dots in its name, {file.name}, is no module")
    root, names = file.parent, [] if file.stem == "__init__" else [file.stem]
    while (root / "__init__.py").is_file():
        root, names = root.parent, [root.name, *names]
    return file, ".".join(names), root


def _module(given: str, module: str) -> tuple[Path, str, Path | None]:
    here = Path.cwd()
    place = here.joinpath(*module.split("."))
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file, module, here
    try:
        spec = importlib.util.find_spec(module)
    except Exception as error:  # The packages above it are imported, and may run any code.
        raise Unusable(f"cannot import builder {given}: {error}") from error
    if spec is None or spec.origin is None:
        raise Unusable(f"cannot import builder {given}: there is no module {module}, neither installed nor in {here}")
    return Path(spec.origin), module, None
