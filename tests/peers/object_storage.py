"""An object storage of its own: nanio, a server that speaks S3, checks signatures, and keeps objects as files."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streamer.archive.storage.bucket import Place
from tests.peers.process import Process, free_port, run_process
from tests.peers.until import wait_until

BUCKET = "cameras"
ACCESS_KEY, SECRET_KEY = "sightline", "a-secret-of-forty-letters"


class ObjectStorage:
    """One, which can be stopped and started again with what it holds."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: Process | None = None
        (folder / BUCKET).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for as long as the block lasts."""
        program = [sys.executable, "-m", "nanio", "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        keys = {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
        with run_process([*program, "--data-dir", self._folder], {**os.environ, **keys}) as self._process:
            wait_until(self._answers)
            yield
            self._process.signal(signal.SIGINT)
            self._process.wait()

    def place(self, **given: str | None) -> Place:
        """Where it is; `given` is otherwise."""
        known: dict[str, str | None] = {
            "prefix": "here",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
        }
        known |= given
        return Place(**{"bucket": BUCKET, **known})  # type: ignore[arg-type]

    @property
    def settings(self) -> dict[str, object]:
        """The key `archive.storage` of a service that uses it."""
        return {
            "url": f"s3://{BUCKET}/here",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
        }

    def objects(self) -> dict[str, int]:
        """Bytes of all there are below the prefix, by key: as they lie on its disk, where they come and go."""
        top, found = self._folder / BUCKET / "here", dict[str, int]()
        for folder, _, names in os.walk(top):  # unlike rglob, it bears a folder that is gone when it looks into it
            for path in (Path(folder, name) for name in names if not name.startswith(".")):
                with suppress(FileNotFoundError):
                    found[path.relative_to(top).as_posix()] = path.stat().st_size
        return found

    @property
    def output(self) -> str:
        """A line for each request."""
        return "" if self._process is None else self._process.output

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def run_object_storage(folder: Path) -> Iterator[ObjectStorage]:
    """One that runs for as long as the block lasts."""
    storage = ObjectStorage(folder)
    with storage.running():
        yield storage
