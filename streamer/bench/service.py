"""The service under measurement, with its cameras, as people run them: each a process of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from streamer.tools.child import Child, Say, await_until, get
from streamer.tools.demo import MODEL
from streamer.tools.processes import free_port, running


def config_of(state: Path) -> Path:
    """The configuration of the service under measurement."""
    return state / "bench.yaml"


@contextmanager
def run_service(
    state: Path,
    port: int,
    streams: dict[str, dict[str, Any]],
    serving_port: int | None = None,
    ingress: dict[str, Any] | None = None,
    access: dict[str, Any] | None = None,
    archive: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    checkout: Path | None = None,
    model: str = MODEL,
) -> Iterator[Child]:
    """Run `sightline serve` for as long as the block lasts.

    Args:
        state: where its configuration is written.
        port: of the page.
        streams: as in sightline.yaml.
        serving_port: of the model server; None: there is none.
        ingress: as in sightline.yaml.
        access: as in sightline.yaml; None: the section is not there.
        archive: the same.
        cluster: the same.
        checkout: whose service it is; None: this one's.
        model: what it asks the model server for.
    """
    config = config_of(state)
    address = f"127.0.0.1:{serving_port or free_port()}"
    document: dict[str, Any] = {
        "server": {"port": port, "max_viewers_per_address": 64},  # all of ours come from this one
        "serving": {"address": address, "model": model},
        "streams": streams,
        "ingress": ingress or {},
    }
    if access is not None:
        document["access"] = access
    if archive is not None:
        document["archive"] = archive
    if cluster is not None:
        document["cluster"] = cluster
    config.write_text(yaml.safe_dump(document))
    command = ("-m", "streamer", "serve", "--config", str(config))
    with running(Child("service", *command, quiet=True, checkout=checkout)) as service:
        yield service


def push(file: Path, url: str) -> Child:
    """A camera that pushes a file by RTSP."""
    return Child("camera", "-m", "streamer", "camera", str(file), url, quiet=True)


def streams_of(page: str) -> list[dict[str, Any]]:
    """What /api/streams says; nothing while the page is not there."""
    found: list[dict[str, Any]] = json.loads(get(f"{page}/api/streams") or "[]")
    return found


def await_live(page: str, count: int, children: list[Child], say: Say) -> None:
    """Wait until so many streams have pictures."""

    def live() -> bool:
        return sum(bool(stream["fps"]) for stream in streams_of(page)) >= count

    await_until(live, "the cameras", children, say)
