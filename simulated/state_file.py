"""One SQLite file that holds a simulated program's state: its tables, and transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock


class StateFile:
    """Safe to use from several threads, which take turns on one connection, and from several processes.

    `durable`: what was committed survives a power cut. Else its last second may be lost, and a commit costs no fsync.
    """

    def __init__(self, path: Path, schema: str, *, durable: bool = False) -> None:
        self._turn = RLock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        synchronous = "FULL" if durable else "NORMAL"
        self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};{schema}")
        self._connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end of the block, rolled back by an exception.

        A block inside a block of the same thread is part of it.
        """
        with self._turn:
            if self._connection.in_transaction:
                yield self._connection
                return
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
