"""The folders of what is made of recordings when somebody asks. Everything here blocks."""

import contextlib
import re
from pathlib import Path

_OURS = re.compile(r"[0-9a-f-]{32,36}\.(mp4|part)")


def remove_made(folder: Path) -> None:
    """Remove what a service made there, and the folder if nothing else is in it: it lies where people keep files too.

    A disk that cannot do it now is asked again at the next start.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)
        folder.rmdir()
