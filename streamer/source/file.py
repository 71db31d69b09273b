"""A file on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import av

from streamer.source import protocol as protocols
from streamer.source.container import Contained
from streamer.source.target import Target
from streamer.values.errors import SourceError


@contextmanager
def read_file(target: Target) -> Iterator[Contained]:
    """Open it, for as long as the block lasts.

    Raises:
        SourceError, OSError, av.FFmpegError: it is none, or no video.
    """
    path = Path(unquote(urlsplit(target.url).path))
    if path.is_dir():
        raise SourceError("not_found", "this is a folder, not a file")
    with av.open(str(path), mode="r", options=protocols.FILE.options) as container:
        yield Contained(container, protocols.FILE, recorded=True)
