"""How long recordings of shared streams stay, as a service hears it: none goes before it has."""

import json
from pathlib import Path

import pytest

from streamer import config
from streamer.cluster.registry import RecordHeard
from streamer.service import Service


async def test_no_recording_goes_until_the_registry_was_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And then each by its stream's own days, though it cannot run here."""
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    service = Service(
        config.parse(
            {
                "cluster": {"nats": "nats://127.0.0.1:1", "replica": "a", "url": "http://127.0.0.1:1", "key": "k" * 40},
                "archive": {"path": str(tmp_path), "database": "postgresql://127.0.0.1:1/none"},
            }
        )
    )
    clustering, archive = service.clustering, service.keeping.archive
    assert clustering is not None
    assert archive is not None
    await service.stream_changes.follow()
    assert not archive.recordings.retention.rules.are_known
    registry = clustering._registry
    registry.opens("now")
    said = {"settings": {"url": "rtsp://u:${NOT_SET_HERE}@h/", "record": {"keep_days": 365}}, "replica": "b"}
    registry.heard(RecordHeard("file", "road", json.dumps(said).encode(), 1))
    registry.caught_up()
    await service.stream_changes.follow()
    rules = archive.recordings.retention.rules
    assert rules.are_known
    assert rules.days("road", has_event=False) == 365
