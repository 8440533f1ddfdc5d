"""dateTime values between text and moments (RFC 7643 2.3.5)."""

import re
from datetime import UTC, datetime

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?(Z|z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_date_time(text: str) -> datetime | None:
    """An xsd:dateTime in UTC, None if it is not one; without a zone it is UTC (RFC 7643 2.3.5)."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    seconds, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6].ljust(6, '0')}{zone or 'Z'}".upper())
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def render_date_time(moment: datetime) -> str:
    """RFC 3339 in UTC with Z, with as many digits as the moment has, so that a filter on it finds it again."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{in_utc.isoformat()[:-6]}Z"
