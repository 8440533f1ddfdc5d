"""One line a request, in a file, without secrets: it shows what was asked of a person and what wasn't.

A line is JSON: `at`, `method`, `route` (as it is declared, so that no link's secret is in it), `status`, `fields` (the
names of the form's fields that were filled in), `client` (the OpenID client of the request), `account` (who was logged
in), `milliseconds`.
"""

import json
import logging
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

LARGEST_FILE = 5_000_000


class RequestLog:
    """The file, and the one before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handler = RotatingFileHandler(path, maxBytes=LARGEST_FILE, backupCount=1, encoding="utf-8", delay=True)
        path.touch(mode=0o600)

    def write(self, line: Mapping[str, Any]) -> None:
        """Adds a line."""
        text = json.dumps(line, ensure_ascii=False)
        self._handler.emit(logging.makeLogRecord({"msg": text}))

    def latest(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last lines, newest first."""
        lines = self._path.read_text(encoding="utf-8").splitlines()[-limit:]
        return [json.loads(line) for line in reversed(lines)]

    def close(self) -> None:
        """Closes the file."""
        self._handler.close()
