"""Times as they are typed."""

from datetime import UTC, datetime
from typing import Any

import click


class _Moment(click.ParamType[datetime]):
    """An ISO 8601 date or time: of UTC unless it says otherwise, a date its first instant."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """To an aware moment in UTC. Fails with a usage error."""
        try:
            found = datetime.fromisoformat(str(value))
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time. Write 2026-03-03, or 2026-03-03T14:30, or 2026-03-03T14:30+02:00.")


MOMENT = _Moment()
