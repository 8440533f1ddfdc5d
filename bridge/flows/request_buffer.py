"""SCIM calls that wait to be written into the request log: those that changed nothing, and what changes were answered.

Written about once a second, so that a read costs no commit; a crash may lose that second. Shared by the threads of one
process and made after a fork, as the context is that holds it.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from bridge.domain.workspace import Connection

#: So many lines wait at most: the oldest go first where the database is away for long.
MOST_WAITING = 5_000
#: The call that makes them so many writes them itself.
MANY = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """One call as it came and was answered. `cause`: of the change it made, whose line there is already."""

    connection: Connection
    at: datetime
    method: str
    path: str
    status: int
    request: bytes
    answer: bytes
    answer_length: int
    cause: int | None = None


@dataclass(slots=True)
class RequestBuffer:
    """What waits, and how many calls came with a token that nobody has."""

    _waiting: deque[Waiting] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    _strangers: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, line: Waiting) -> bool:
        """Keep one more. Returns whether there are many by now."""
        with self._lock:
            self._waiting.append(line)
            return len(self._waiting) >= MANY

    def count_stranger(self) -> None:
        """A call came with a token that nobody has: it belongs to no workspace."""
        with self._lock:
            self._strangers += 1

    def take(self) -> tuple[list[Waiting], int]:
        """All that waits, and the number of strangers; both are then the taker's to write."""
        with self._lock:
            taken = list(self._waiting), self._strangers
            self._waiting.clear()
            self._strangers = 0
            return taken

    def give_back(self, lines: list[Waiting], strangers: int) -> None:
        """They couldn't be written: they wait again, before what came meanwhile."""
        with self._lock:
            newer = list(self._waiting)
            self._waiting.clear()
            self._waiting.extend([*lines, *newer])
            self._strangers += strangers
