"""One machine's programs: a NATS server and a replica, what is done to them, and what the replica says."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.faults.network import Machine
from tests.faults.observed import Observed, State, Stored, Turned, understood
from tests.peers.required import nats_server_path

STORE, ROUTES, PORT = 4222, 6222, 8000
"""Ports, the same on each machine."""
LONGEST_END = 60.0
"""Seconds that a replica may take to end."""


class Actor:
    """A replica, its NATS server, and the machine that both run on."""

    def __init__(self, machine: Machine, others: Sequence[Machine], folder: Path, config: Mapping[str, Any]) -> None:
        """Write down what both are to be.

        Args:
            machine: to run on.
            others: all machines, this one too.
            folder: for what they keep and print.
            config: of the replica, without its section `cluster` and its port.
        """
        self.machine, self.name, self._folder = machine, f"r{machine.number}", folder / f"r{machine.number}"
        self.seen: list[Observed] = []
        self.lines: list[tuple[float, str]] = []
        self._store: subprocess.Popen[bytes] | None = None
        self._replica: subprocess.Popen[str] | None = None
        self.url = f"http://{machine.front}:{PORT}"
        self._folder.mkdir()
        routes = ", ".join(f'"nats://{each.address}:{ROUTES}"' for each in others)
        (self._folder / "nats.conf").write_text(
            f'listen: "0.0.0.0:{STORE}"\nserver_name: n{machine.number}\n'
            f'jetstream {{ store_dir: "{self._folder / "store"}" }}\n'
            f'cluster {{ name: faults, listen: "{machine.address}:{ROUTES}", routes: [{routes}] }}\n'
        )
        own_first = sorted(others, key=lambda each: (each is not machine, each.number))
        cluster = {
            "nats": [f"nats://{each.address}:{STORE}" for each in own_first],
            "name": "faults",
            "replica": self.name,
            "url": f"http://{machine.address}:{PORT}",
            "key": "of all machines that were never there",
            "copies": len(others),
            "capacity": 1000,
        }
        server = {"host": "0.0.0.0", "port": PORT, **config.get("server", {})}
        document = {**config, "server": server, "cluster": cluster}
        (self._folder / "sightline.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    # ---- what is done to them

    def start_store(self) -> None:
        """Run the NATS server."""
        program = nats_server_path()
        assert program is not None
        command = [*self.machine.prefix, program, "-c", str(self._folder / "nats.conf")]
        with (self._folder / "nats.log").open("ab") as log:
            self._store = subprocess.Popen(command, stdout=log, stderr=log)
        self.seen.append(Stored(time.monotonic(), self.name, is_up=True))

    def kill_store(self) -> None:
        """Its power fails."""
        if self._store is not None:
            self.seen.append(Stored(time.monotonic(), self.name, is_up=False))
            self._store.kill()
            self._store.wait()

    def start(self) -> None:
        """Run the replica; it is up when it says that it serves."""
        command = [*self.machine.prefix, sys.executable, "-m", "streamer", "serve", "--verbose"]
        self._replica = subprocess.Popen(
            [*command, "--config", str(self._folder / "sightline.yaml")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._read, args=(self._replica,), daemon=True).start()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def leave(self) -> None:
        """Stop it as one is meant to."""
        self._end(signal.SIGTERM)

    def stop(self) -> None:
        """Freeze it."""
        self._signal(signal.SIGSTOP)
        self._turn("stopped")

    def go_on(self) -> None:
        """Let it go on."""
        self._turn("up")
        self._signal(signal.SIGCONT)

    def cut(self) -> None:
        """Pull the cable to the other machines."""
        self.machine.cut()
        self._turn("cut")

    def mend(self) -> None:
        """Put it back."""
        self._turn("up")
        self.machine.mend()

    def restore(self) -> None:
        """Have both run and reach the others, whatever was done to them."""
        self.machine.mend()
        if self._store is None or self._store.poll() is not None:
            self.start_store()
        if self._replica is None or self._replica.poll() is not None:
            self._turn("dead")
            self.start()
        elif self._state in {"cut", "stopped"}:
            self.go_on()

    # ---- what is seen

    @property
    def pid(self) -> int:
        """Of the replica."""
        assert self._replica is not None
        return self._replica.pid

    @property
    def is_up(self) -> bool:
        """Whether nothing is done to it, and it serves."""
        return self._state == "up"

    @property
    def _state(self) -> State | None:
        """What was done to it last; None: it has not begun."""
        return next((each.state for each in reversed(tuple(self.seen)) if isinstance(each, Turned)), None)

    def _turn(self, state: State) -> None:
        self.seen.append(Turned(time.monotonic(), self.name, state))

    def _signal(self, number: signal.Signals) -> None:
        if self._replica is not None:
            self._replica.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._replica is not None and self._replica.poll() is None:
            self._replica.send_signal(signal.SIGCONT)
            self._replica.send_signal(number)
            self._replica.wait(LONGEST_END)
        self._turn("dead")

    def _read(self, replica: subprocess.Popen[str]) -> None:
        assert replica.stdout is not None
        with (self._folder / "replica.log").open("a") as log:
            for line in replica.stdout:
                at = time.monotonic()
                self.lines.append((at, line.rstrip("\n")))
                print(json.dumps(at), line, file=log, end="", flush=True)
                if line.startswith("sightline: serving "):
                    self._turn("up")
                seen = understood(at, self.name, line.rstrip("\n"))
                if seen is not None:
                    self.seen.append(seen)

    def close(self) -> None:
        """End both."""
        for process in (self._replica, self._store):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
