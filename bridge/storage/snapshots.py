"""Copies of the embedded database, made while others write."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.storage.database import Database


def file_of(database: Database) -> Path:
    """Where the embedded database is. Raises ValueError for another engine."""
    name = database.write_engine.url.database
    if not database.is_sqlite or not name:
        raise ValueError("only the embedded database is a file")
    return Path(name)


def copy_database(source: Path, target: Path) -> None:
    """One consistent copy, by SQLite's online backup; writers go on meanwhile."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def is_whole(path: Path) -> bool:
    """Whether this file is a SQLite database whose pages and indexes are sound, and one of the bridge's."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            ours = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            return copy.execute("PRAGMA quick_check").fetchone() == ("ok",) and ours is not None
    except sqlite3.DatabaseError:
        return False
