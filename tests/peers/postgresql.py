"""A PostgreSQL server of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import psycopg

from tests.peers.process import Process, free_port, run_process
from tests.peers.required import postgresql_programs, requires
from tests.peers.until import wait_until


class PostgresqlServer:
    """One, which can be stopped and started again with what it holds."""

    def __init__(self, programs: Path, folder: Path, host: str = "127.0.0.1") -> None:
        self.port, self._host = free_port(), host
        self._programs, self._folder = programs, folder
        self._databases = 0
        self._process: Process | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for as long as the block lasts."""
        arguments: list[str | Path] = ["-D", self._folder, "-p", str(self.port), "-c", f"listen_addresses={self._host}"]
        arguments += ["-c", f"unix_socket_directories={self._folder}", "-c", "shared_buffers=16MB", "-c", "fsync=off"]
        with run_process([*_as_postgres(), self._programs / "postgres", *arguments]) as self._process:
            wait_until(self._answers)
            yield
            self._process.signal(signal.SIGINT)  # its fast shutdown: sessions are ended
            self._process.wait()

    def make_database(self) -> str:
        """A new one, empty; returns its address."""
        self._databases += 1
        name = f"archive{self._databases}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql://postgres@{self._host}:{self.port}/{name}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def make_postgresql(host: str = "127.0.0.1") -> Iterator[PostgresqlServer]:
    """One that does not run yet; what it holds is gone after the block. Its host's neighbours may ask it, too."""
    requires("postgresql")
    programs = postgresql_programs()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        path = Path(folder)
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(path, "postgres", "postgres")
        settings = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*_as_postgres(), programs / "initdb", "-D", path / "data", *settings], check=True, capture_output=True
        )
        with (path / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {ip_network(f'{host}/24', strict=False)} trust\n")
        yield PostgresqlServer(programs, path / "data", host)


def _as_postgres() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
