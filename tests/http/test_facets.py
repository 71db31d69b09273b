"""streamer.http.facets: what there is to look for, for whoever may see it."""

import time
from pathlib import Path

from streamer.values.event import Mark
from tests.archive.events import an_event
from tests.http.archived import asked, keep, run_archived
from tests.http.guests import cookie

NOW = time.time()
OVER = (Mark("cross", "kerb", NOW, "backward"),)


async def test_streams_one_may_not_see_contribute_nothing(tmp_path: Path) -> None:
    """Names are of events of streams that whoever asks may see, gone ones too; `stream` narrows all but those."""
    events = (
        an_event(NOW, stream="a", label="car", zones=("gate",)),
        an_event(NOW, stream="b", label="secret", zones=("vault",), marks=OVER),
        an_event(NOW, stream="gone", label="dog"),
    )
    async with run_archived(tmp_path) as door:
        await keep(door, *events)
        viewer = {"streams": ["a"], "classes": ["car"], "zones": ["gate"], "lines": []}
        assert await asked(door, "/api/events/facets", "viewer") == viewer
        nothing = {"streams": ["a"], "classes": [], "zones": [], "lines": []}
        assert await asked(door, "/api/events/facets?stream=b,gone", "viewer") == nothing
        everything = {"streams": ["a", "b", "gone"], "classes": ["car", "dog", "secret"], "zones": ["gate", "vault"]}
        assert await asked(door, "/api/events/facets") == {**everything, "lines": ["kerb"]}
        found = await asked(door, "/api/events/facets?stream=b")
        assert found == {"streams": ["a", "b", "gone"], "classes": ["secret"], "zones": ["vault"], "lines": ["kerb"]}
        [crossed] = (await asked(door, "/api/events?line=kerb"))["events"]
        assert crossed["stream"] == "b"
        assert (await asked(door, "/api/events?line=kerb", "viewer"))["events"] == []


async def test_what_is_no_question_is_refused(tmp_path: Path) -> None:
    """Another word of the query than `stream` is 400, in a sentence that names it."""
    async with run_archived(tmp_path) as door:
        status, sentence = await door.sentence("GET", "/api/events/facets?klass=car", cookie("viewer"))
    assert (status, "klass" in sentence) == (400, True)
