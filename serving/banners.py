"""Import TensorFlow without its greetings.

TensorFlow's C++ writes to stderr before any log level can be set: that oneDNN is on, that there is no GPU, each twice.
Those lines are left out; whatever else it writes is passed on.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_BANNERS = re.compile(
    "All log messages before absl::InitializeLog"
    "|oneDNN custom operations are on"
    "|Could not find cuda drivers"
    "|optimized to use available CPU instructions"
    "|To enable the following instructions"
    "|failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR .303.",  # no GPU here
)


@contextmanager
def no_banners() -> Iterator[None]:
    """Hold back the process's stderr meanwhile, then pass it on without the greetings."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if not _BANNERS.search(line):
                    print(line, file=sys.stderr)


def import_tensorflow() -> None:
    """Import TensorFlow and let it find its devices; seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with no_banners():
        import tensorflow as tf

        tf.config.list_physical_devices()
    # Python's side of it: that sessions are deprecated, and which file it restores.
    tf.get_logger().setLevel("ERROR")
