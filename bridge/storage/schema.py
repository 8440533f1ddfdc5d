"""Bringing a database to the schema that this version of the bridge was written for."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, func, select

from bridge.storage.database import Database

#: Any number, the same in every process: who holds PostgreSQL's advisory lock on it changes the schema.
_LOCK = 0x6272_6964_6765


class UnknownSchema(Exception):
    """The database is of a newer version of the bridge than this one."""


def upgrade(database: Database) -> None:
    """Run the steps that `database` lacks, all or none. Of processes that try at once, one does it, the others wait.

    Raises UnknownSchema, changing nothing.
    """
    with migrating(database) as connection:
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise UnknownSchema(
                "The database was made by a newer version of the bridge: run that one, or restore a backup."
            ) from error


def pending(database: Database) -> bool:
    """Whether `database` is not at this version's schema."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_heads() != _heads()


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """One transaction in which nobody else changes the schema.

    On SQLite foreign keys are checked at its end only: most changes make a table anew and drop the old one, which
    would take the rows along that point to it.
    """
    if not database.is_sqlite:
        with database.writing() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection
        return
    with database.write_lock(), database.write_engine.connect() as connection:
        driver = connection.connection.cursor()  # below SQLAlchemy: the pragma does nothing inside a transaction
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                _check_foreign_keys(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
            driver.close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"A migration left rows of {broken[0]} that point to nothing in {broken[2]}.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "bridge.storage:migrations")  # by package: it may be in a wheel
    return config


@cache
def _heads() -> tuple[str, ...]:
    return tuple(ScriptDirectory.from_config(_config()).get_heads())
