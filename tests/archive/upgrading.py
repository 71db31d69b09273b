"""A service that brings an archive up to date, says so before a statement, and waits there: to be killed.

python -m tests.archive.upgrading ADDRESS STATEMENT
"""

import sys
import time
from pathlib import Path
from typing import Any

from streamer.archive import sqlite
from streamer.archive.database import Database
from streamer.archive.migrations import migrate
from streamer.archive.sqlite import Sqlite


def main(address: str, statement: int) -> None:
    """Never come behind the statement of that number, counted from 0; the first makes the table of the version."""
    database: Database
    cursors: Any
    if address.startswith("postgresql:"):
        from streamer.archive import postgresql

        database, cursors = postgresql.Postgresql(address), postgresql._Cursor
    else:
        database, cursors = Sqlite(Path(address)), sqlite._Cursor
    run, done = cursors.run, iter(range(statement))

    def wait_or_run(cursor: object, sql: str, values: tuple[object, ...] = ()) -> int:
        if next(done, None) is None:
            print("before:", sql.split("(")[0].strip(), flush=True)
            time.sleep(600)
        return int(run(cursor, sql, values))

    cursors.run = wait_or_run
    migrate(database)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
