"""The one SQLite file: its tables, and transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, given_name TEXT NOT NULL,
    family_name TEXT NOT NULL, title TEXT NOT NULL, department TEXT NOT NULL, active INTEGER NOT NULL,
    provisioned INTEGER NOT NULL, featured TEXT NOT NULL, remote_id TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS groups (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, description TEXT NOT NULL,
    remote_id TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS members (
    group_id TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    PRIMARY KEY (group_id, person_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_of_person ON members (person_id);
-- What the other side is known to have: by its ids, so that it outlives the person here.
CREATE TABLE IF NOT EXISTS pushed_members (
    group_id TEXT NOT NULL REFERENCES groups ON DELETE CASCADE, remote_id TEXT NOT NULL,
    PRIMARY KEY (group_id, remote_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pushes (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL, outcome TEXT NOT NULL, said TEXT NOT NULL,
    exchanges TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, ends_at REAL NOT NULL);
-- What a session was called in the answers that signed its person in elsewhere.
CREATE TABLE IF NOT EXISTS named_sessions (
    session_index TEXT PRIMARY KEY, hash TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, name_id TEXT NOT NULL,
    name_id_format TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS logouts (request_id TEXT PRIMARY KEY, ends_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS pending (
    id TEXT PRIMARY KEY, request_id TEXT NOT NULL, relay_state TEXT, force INTEGER NOT NULL, ends_at REAL NOT NULL);
"""


class Database:
    """The state of one company IdP; safe to use from several threads, which take turns on one connection."""

    def __init__(self, path: Path) -> None:
        self._turn = Lock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # A demo's state: losing the last second to a power cut is fine, an fsync a row isn't.
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
        self._connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end of the block, rolled back by an exception. They don't nest."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Closes the file; nothing can be read or written after."""
        with self._turn:
            self._connection.close()
