"""Backup and restore of the embedded database with its key, as one file (PostgreSQL has its own tools)."""

import io
import os
import tarfile
import tempfile
from pathlib import Path

from bridge.domain.errors import Conflict, DomainError, Invalid
from bridge.flows.context import Context
from bridge.storage.snapshots import copy_database, file_of, is_whole

_DATABASE, _KEY = "bridge.db", "secret.key"
_BESIDES = ("-wal", "-shm")


def back_up(context: Context, key_file: Path, target: Path) -> tuple[str, ...]:
    """Write the database, as it is at one moment, and the key file if there is one, into `target` (mode 0600).

    The server may go on meanwhile. Returns what is in it. Raises DomainError: PostgreSQL, or `target` can't be written.
    """
    if not context.database.is_sqlite:
        raise DomainError("This is for the embedded database. For PostgreSQL: pg_dump --format=custom --file=FILE URL")
    if target.exists():
        raise Conflict(f"{target} is there already: choose another name.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / _DATABASE
        copy_database(file_of(context.database), copy)
        members = {_DATABASE: copy} | ({_KEY: key_file} if key_file.exists() else {})
        try:
            _pack(target, members)
        except OSError as error:
            raise DomainError(f"{target} can't be written: {error.strerror}.") from error
    return tuple(members)


def restore(source: Path, database_file: Path, key_file: Path) -> tuple[str, ...]:
    """Put a backup where there is no database yet, while no server runs. Returns what was put there.

    A key that is there (each command makes one) is kept beside as `….old`. Raises Conflict where there is a database,
    Invalid for a file that is no backup.
    """
    for suffix in ("", *_BESIDES):
        present = database_file.with_name(database_file.name + suffix)
        if present.exists():
            raise Conflict(f"{present} is there already: stop the server and move it away first.")
    contents = _unpack(source)
    targets = {_DATABASE: database_file, _KEY: key_file}
    with tempfile.TemporaryDirectory(dir=database_file.parent) as folder:
        for name, content in contents.items():
            _write(Path(folder) / name, content)
        if not is_whole(Path(folder) / _DATABASE):
            raise Invalid(f"{source} holds no sound database of the bridge.")
        if _KEY in contents and key_file.exists() and key_file.read_bytes() != contents[_KEY]:
            os.replace(key_file, key_file.with_name(f"{key_file.name}.old"))
        for name in contents:
            os.replace(Path(folder) / name, targets[name])
    return tuple(contents)


def _pack(target: Path, members: dict[str, Path]) -> None:
    draft = target.with_name(f".{target.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, path in members.items():
                archive.add(path, arcname=name)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)


def _unpack(source: Path) -> dict[str, bytes]:
    """Only the two names that a backup has, and only as plain files."""
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            wanted = [member for member in archive if member.name in (_DATABASE, _KEY) and member.isfile()]
            contents = {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in wanted}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise Invalid(f"{source} is no backup of the bridge: {error}.") from error
    if _DATABASE not in contents:
        raise Invalid(f"{source} is no backup of the bridge: it holds no database.")
    return contents


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
