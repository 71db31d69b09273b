"""The section `archive`: what is kept of what was seen, where, and for how long."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.config.recording import RecordingsSettings
from streamer.config.section import Section
from streamer.config.storage import StorageSettings

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}

Label = Annotated[str, Field(min_length=1, max_length=100)]
Days = Annotated[float, Field(gt=0, le=36_500)]


def _checked_database(value: str) -> str:
    if not re.fullmatch(r"postgresql://[^\s]+", value):
        raise ValueError("it is no database; allowed is postgresql://user:password@host/name, or to leave it out")
    return value


def _checked_size(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)? ?(MB|GB|TB)", value):
        raise ValueError(f"{value!r} is no size; allowed is one such as 50 GB")
    return value


def _bytes(size: str) -> int:
    return round(float(size[:-2]) * UNITS[size[-2:]])


Size = Annotated[str, AfterValidator(_checked_size)]


class ArchiveSettings(Section):
    """Events with their pictures, and recordings."""

    path: Annotated[str, Field(min_length=1)] = "archive"
    """Folder of the pictures and of the database; beside the configuration, where it is no absolute path."""
    database: Annotated[str, AfterValidator(_checked_database)] | None = None
    """None: SQLite, in that folder."""
    days: Days = 30.0
    """That an event stays; one that is bookmarked stays for good."""
    days_of: dict[Label, Days] = Field(default_factory=dict, max_length=100)
    """For classes that stay for longer or less."""
    max_size: Size | None = None
    """Of all pictures; then the oldest events go. None: as much as there is room for."""
    max_size_of: dict[Label, Size] = Field(default_factory=dict, max_length=100)
    """Of those of these classes; then the oldest of the class go."""
    recordings: RecordingsSettings = RecordingsSettings()
    """How long video stays."""
    storage: StorageSettings | None = None
    """None: all files stay in that folder."""

    @property
    def max_bytes(self) -> int | None:
        """Of all pictures."""
        return None if self.max_size is None else _bytes(self.max_size)

    @property
    def max_bytes_of(self) -> dict[str, int]:
        """Of the pictures of these classes."""
        return {label: _bytes(size) for label, size in self.max_size_of.items()}
