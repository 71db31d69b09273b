"""streamer.http.recording_metrics: what is kept of video, in numbers."""

from pathlib import Path

from streamer.archive.recordings.found import Removed
from tests.archive.recordings.segments import a_segment
from tests.http.guests import bearer
from tests.http.recorded import NOON, run_recorded
from tests.peers.service import Metrics
from tests.peers.until import until


async def test_what_is_there_and_what_went_is_counted(tmp_path: Path) -> None:
    """Bytes by stream, what was let go, and whether the index can be written."""
    kept, gone = (a_segment(NOON + 60 * number, stream="a") for number in range(2))
    async with run_recorded(tmp_path) as (door, recordings):
        for segment in (kept, gone):
            recordings.put_now(segment)
        await until(lambda: recordings.held.is_known)
        assert await recordings.remove("a", NOON + 60, NOON + 120) == Removed(1, 1000)
        recordings.upkeep.days_fit = {"a": 12.5}
        recordings.failing = "no room"
        async with door.ask("GET", "/metrics", bearer("metrics")) as response:
            found = Metrics(await response.text())
    assert found.sum("sightline_recordings_bytes", stream="a") == 1000
    assert found.sum("sightline_recordings_days_fit", stream="a") == 12.5
    assert found.sum("sightline_recordings_removed_total", what="segment") == 1
    assert found.sum("sightline_recordings_removed_total", what="byte") == 1000
    assert found.sum("sightline_recordings_index_ok") == 0
    assert found.sum("sightline_recordings_index_lost_total") == 0
