"""Quiet for the seconds in which a C++ library talks past Python's own logging."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sightline_export.errors import Unusable


@contextmanager
def silence() -> Iterator[None]:
    """Keep standard error from the terminal, file descriptor and all; what was said is shown after all on an error."""
    with tempfile.TemporaryFile() as said:
        before = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(before, said.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)


def import_tensorflow(what: str) -> None:
    """Import TensorFlow without its greetings, which takes seconds.

    Raises:
        Unusable: it is not installed; `what` needs it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silence():
            import tensorflow as tf

            tf.config.list_physical_devices()  # looks for a GPU, and where there is none says so at length
    except ModuleNotFoundError as error:
        raise Unusable(f"{what} needs TensorFlow, pip install 'sightline[model]': {error}") from error
