"""The key `record` of a stream, and `recordings` of the archive: which video is kept as it came, and for how long."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from streamer.config.section import Name, Section
from streamer.values.recording import Recording

GB = 10**9

Days = Annotated[float, Field(gt=0, le=36_500)]
Gigabytes = Annotated[float, Field(gt=0, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=60)]


class RecordSettings(Section):
    """A stream's; its mode alone may be written in its place: `record: continuous`."""

    mode: Literal["off", "events", "continuous"] = "off"
    before: Seconds = 5.0
    """Of video that is kept from before an event."""
    after: Seconds = 10.0
    """And from after its end."""
    labels: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list, max_length=100)
    """Classes of events that are recorded; empty: any."""
    zones: list[Name] = Field(default_factory=list, max_length=50)
    """Zones an event must have been in; empty: anywhere."""
    sound: bool = False
    """Keep the camera's sound too, where its codec has a place in MP4."""
    keep_days: Days | None = None
    """None: as `archive.recordings` has it."""
    keep_gb: Gigabytes | None = None
    """Of this stream; then its oldest goes. None: no limit of its own."""

    @model_validator(mode="before")
    @classmethod
    def _of_a_word(cls, value: Any) -> Any:
        if value is False:  # YAML 1.1 reads a bare `off` as that
            return {"mode": "off"}
        return {"mode": value} if isinstance(value, str) else value

    def value(self) -> Recording:
        """As it is handed on."""
        return Recording(
            self.mode,
            self.before,
            self.after,
            frozenset(self.labels),
            frozenset(self.zones),
            self.sound,
            self.keep_days,
            None if self.keep_gb is None else round(self.keep_gb * GB),
        )


class RecordingsSettings(Section):
    """How long recordings of all streams stay. Bookmarked events keep theirs for good."""

    keep_days: Days = 7.0
    """Of what is recorded without an event."""
    keep_event_days: Days = 30.0
    """Of what lies around events, with the seconds before and after."""
    keep_boxes_days: Days = 90.0
    """Of the boxes beside it, which are some thousandth of its size."""
    keep_gb: Gigabytes | None = None
    """Of all streams; then the oldest goes. None: as much as there is room for."""
    min_free_gb: Annotated[float, Field(ge=0.5, le=1_000_000)] | None = None
    """Of the disk, below which the oldest goes whatever its age. None: 5, or a twentieth of a disk below 100 GB.
    Half of the least of it must be left for anything to be recorded."""

    @property
    def keep_bytes(self) -> int | None:
        """Of all streams."""
        return None if self.keep_gb is None else round(self.keep_gb * GB)

    @property
    def min_free_bytes(self) -> int | None:
        """Of the disk."""
        return None if self.min_free_gb is None else round(self.min_free_gb * GB)
