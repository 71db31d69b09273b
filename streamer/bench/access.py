"""What asking for a login costs: a request where a token is shown, against the same one where nobody is asked.

Both services run at once and are asked in turn, over one connection each, so that what else the machine does falls on
both alike.
"""

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamer.bench.service import config_of, run_service
from streamer.tools.child import Child, Say, await_until
from streamer.tools.processes import free_port, listens
from streamer.values.errors import SightlineError

ROUNDS = 3000
WARMING_UP = 300
"""Of these, at first, which are not counted."""
PATH = "/api/streams"


def measure_access(state: Path, say: Say) -> dict[str, Any]:
    """Milliseconds of a request with and without, and memory before the first stream where users are kept."""
    say(f"access: {ROUNDS} requests of each of two services, in turn")
    with TemporaryDirectory(dir=state) as folder, _open(Path(folder), say) as open_port:
        kept = Path(folder) / "access"
        kept.mkdir()
        with _asking(kept, say) as (port, service, token):
            asked = [_Asker(open_port, {}), _Asker(port, {"Authorization": f"Bearer {token}"})]
            for _ in range(ROUNDS):
                for each in asked:
                    each.ask()
                asked.reverse()
            resident = service.resident_bytes()
    of = {each.port: each.milliseconds[WARMING_UP:] for each in asked}
    differences = [after - before for before, after in zip(of[open_port], of[port], strict=True)]
    return {
        "request_ms_p50": round(statistics.median(of[open_port]), 3),
        "added_ms_p50": round(statistics.median(differences), 3),
        "resident_mb": round(resident / 1e6, 1),
    }


class _Asker:
    """Asks one service, over one connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self._headers = port, headers
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.milliseconds: list[float] = []

    def ask(self) -> None:
        """One request, from its first byte to the answer's last."""
        started = time.perf_counter()
        self._connection.request("GET", PATH, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        self.milliseconds.append(1000 * (time.perf_counter() - started))
        if answer.status != 200:
            raise SightlineError(f"{PATH} was answered {answer.status}")


@contextmanager
def _open(folder: Path, say: Say) -> Iterator[int]:
    """A service that asks nobody who he is."""
    port = free_port()
    with run_service(folder, port, {}) as service:
        await_until(lambda: listens(port), "the service", [service], say)
        yield port


@contextmanager
def _asking(folder: Path, say: Say) -> Iterator[tuple[int, Child, str]]:
    """A service that asks everybody, and a token it knows."""
    port = free_port()
    with run_service(folder, port, {}, access={"anonymous": []}) as service:
        command = ["token", "add", "bench", "--actions", "view", "--config", str(config_of(folder))]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "streamer", *command], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SightlineError(f"no token was made: {done.stderr.strip()}")
        token = done.stdout.strip()
        await_until(lambda: listens(port) and _is_known(port, token), "the token", [service], say)
        yield port, service, token


def _is_known(port: int, token: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status == 200
    finally:
        connection.close()
