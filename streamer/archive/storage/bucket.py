"""A bucket of an object storage that speaks S3. Everything here blocks.

The library is loaded with the first bucket: where none is configured it need not be there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obstore.store import S3Store

CONNECTING = timedelta(seconds=5)
READING = timedelta(seconds=10)
"""For what somebody waits for."""
WRITING = timedelta(seconds=120)
"""For a part: 5 MiB in that time are 0.35 Mbit/s."""
PART = 5 << 20
"""Bytes of a file that are sent, and held, at a time; the least that S3 allows."""
PARTS = 4
"""That are on their way at once."""
MEDIA = {".mp4": "video/mp4", ".jpg": "image/jpeg"}

_CODE = re.compile(r"(?:<Code>|code: )([A-Z]\w+)")
_STATUS = re.compile(r"status code: (\d{3} ?[A-Za-z ]*)")


class StorageAway(OSError):
    """It does not answer, or will not have us. The text says which, in one clause, without keys."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket is, and who we are to it."""

    bucket: str
    prefix: str = ""
    """Of all keys, without a slash at either end."""
    endpoint: str | None = None
    """None: Amazon's."""
    region: str = "us-east-1"
    access_key: str | None = None
    """None: as Amazon's own tools find one: AWS_… variables, the role of the machine."""
    secret_key: str | None = field(default=None, repr=False)
    path_style: bool = True
    """The bucket is named in the URL's path, not in the host's name."""

    def __str__(self) -> str:
        """As a person says it."""
        name = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return name if self.endpoint is None else f"{name} at {self.endpoint}"


class Bucket:
    """One; from any thread."""

    def __init__(self, place: Place) -> None:
        """Join it; nothing is sent yet.

        Raises:
            ImportError: the library is not installed.
        """
        self.place = place
        self._reading, self._writing = _store(place, READING), _store(place, WRITING)

    def upload(self, key: str, path: Path) -> None:
        """Put a file there, in the place of what is there.

        Raises:
            StorageAway: it cannot be; nothing half-sent is seen.
            OSError: the file cannot be read.
        """
        import obstore

        path.stat()  # ours to say, where it is gone
        attributes: Any = {"Content-Type": MEDIA.get(path.suffix, "application/octet-stream")}
        with self._told():
            obstore.put(
                self._writing, key, path, attributes=attributes, chunk_size=PART, max_concurrency=PARTS
            )  # fmt: skip

    def read(self, key: str, offset: int, size: int) -> bytes:
        """A part of what is there.

        Raises:
            StorageAway: it cannot be read.
            FileNotFoundError: it is not there.
        """
        import obstore

        with self._told():
            return bytes(obstore.get_range(self._reading, key, start=offset, length=size))

    def whole(self, key: str) -> bytes:
        """All of it: for what is small.

        Raises:
            StorageAway: it cannot be read.
            FileNotFoundError: it is not there.
        """
        import obstore

        with self._told():
            return bytes(obstore.get(self._reading, key).bytes())

    def remove(self, key: str) -> None:
        """Let go of it, if it is there.

        Raises:
            StorageAway: it cannot be.
        """
        import obstore

        with self._told():
            try:
                obstore.delete(self._reading, key)
            except FileNotFoundError as error:
                if _is_bucket_missing(error):
                    raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the library says, in a clause of ours."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, FileNotFoundError) and not _is_bucket_missing(error):
                raise FileNotFoundError("it is not in the object storage") from None
            raise StorageAway(self._clause(error)) from None

    def _clause(self, error: Exception) -> str:
        said = str(error)
        if _is_bucket_missing(error):
            return f"there is no bucket {self.place.bucket}"
        if code := _CODE.search(said):
            return f"the object storage refuses: {code[1]}"
        if status := _STATUS.search(said):
            return f"the object storage answers {status[1].strip()}"
        if "HTTP error" in said or "error sending request" in said or "timed out" in said.lower():
            return f"the object storage does not answer: {self.place}"
        return f"the object storage cannot be used: {said.splitlines()[0][:200] if said else 'it does not say why'}"


def _is_bucket_missing(error: Exception) -> bool:
    return "NoSuchBucket" in str(error)


def _store(place: Place, timeout: timedelta) -> "S3Store":
    from obstore.store import S3Store

    known: Any = {"endpoint": place.endpoint, "access_key_id": place.access_key, "secret_access_key": place.secret_key}
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        region=place.region,
        virtual_hosted_style_request=not place.path_style,
        disable_bulk_delete=True,  # Google's and others' know no DeleteObjects
        client_options={"allow_http": True, "timeout": timeout, "connect_timeout": CONNECTING},
        # Whoever uploads tries again by himself, and whoever reads is told at once.
        retry_config={"max_retries": 1, "retry_timeout": timeout},
        **{name: value for name, value in known.items() if value is not None},
    )
