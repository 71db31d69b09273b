"""The schema, brought up to date: numbered files, all in one transaction, the number kept in the database.

Own code in the place of alembic, which brings SQLAlchemy: 20 MB and 0.2 s for what is forty lines here, as the schema
is written in SQL that both databases read.
"""

from importlib.resources import files

from streamer.archive.database import Cursor, Database
from streamer.values.errors import ConfigError

_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"


def migrate(database: Database) -> int:
    """Bring it up to date; returns the version it has then.

    Raises:
        ConfigError: it was written by a newer Sightline.
        DatabaseAway: it cannot be used, and is as it was.
    """
    known = steps()
    newest = max(known)
    with database.writing(at_length=True) as cursor:
        version = _version(cursor)
        if version > newest:
            raise ConfigError(
                f"the archive's database is of version {version} and this Sightline knows {newest}: it is newer"
            )
        for number in sorted(known):
            if number > version:
                for statement in filter(str.strip, known[number].split(";")):
                    cursor.run(statement)
                cursor.run("UPDATE schema_version SET version = ?", (number,))
    return newest


def require_current(database: Database) -> None:
    """For who only looks, beside a service that may run.

    Raises:
        ConfigError: it is of another version than this Sightline.
        DatabaseAway: it cannot be read.
    """
    newest = max(steps())
    with database.reading() as cursor:
        ((version,),) = cursor.all("SELECT version FROM schema_version") or [(0,)]
    if version > newest:
        raise ConfigError(
            f"the archive's database is of version {version} and this Sightline knows {newest}: it is newer"
        )
    if version < newest:
        raise ConfigError(
            f"the archive's database is of version {version} and this Sightline's is {newest};"
            " start the service once, which brings it up to date"
        )


def _version(cursor: Cursor) -> int:
    cursor.run(_VERSION_TABLE)
    rows = cursor.all("SELECT version FROM schema_version")
    if not rows:
        cursor.run("INSERT INTO schema_version (version) VALUES (0)")
        return 0
    return int(rows[0][0])


def steps() -> dict[int, str]:
    """What is done, by the version it leads to."""
    folder = files("streamer") / "archive" / "schema"
    return {
        int(each.name.removesuffix(".sql")): _without_comments(each.read_text(encoding="utf-8"))
        for each in folder.iterdir()
        if each.name.endswith(".sql")
    }


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
