"""The tables of the one SQLite file."""

from pathlib import Path

from simulated.state_file import StateFile

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


class Database(StateFile):
    """The state of one company IdP. A demo's: losing the last second to a power cut is fine, an fsync a row isn't."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA)
