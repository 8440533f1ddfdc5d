"""How values are written for people: times, numbers, initials, labels.

`install(app, static_root)` puts the filters and `asset()` into a Flask app's Jinja environment. Every time
comes with the `now` of the request, so a page is the same for the same input. Times are written in UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from flask import Flask
from markupsafe import Markup, escape

LABEL = re.compile(r"(?<![\w:/-])([A-Za-z][A-Za-z0-9-]*:[A-Za-z][A-Za-z0-9-]*)(?![\w:/@-])")
SOON = timedelta(days=14)


def when(at: datetime, now: datetime) -> str:
    """Write a past moment: "today 10:58", "yesterday 10:58", "3 Oct", and "3 Oct 2024" in another year."""
    written = day(at, now)
    return written if abs(_days_ahead(at, now)) > 1 else f"{written} {at.astimezone(UTC):%H:%M}"


def day(at: datetime, now: datetime) -> str:
    """Write a day: "today", "yesterday", "tomorrow", "3 Oct", and "3 Oct 2024" in another year."""
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}.get(_days_ahead(at, now))
    if near:
        return near
    local = at.astimezone(UTC)
    return f"{local.day} {local:%b}" if local.year == now.astimezone(UTC).year else date(at)


def until(at: datetime, now: datetime) -> str:
    """Write a moment to come: "today 14:00", "tomorrow", "in 9 days", then the day itself."""
    ahead = _days_ahead(at, now)
    if ahead == 0:
        return when(at, now)
    return f"in {ahead} days" if 1 < ahead <= SOON.days else day(at, now)


def date(at: datetime) -> str:
    """Write a day that must be read the same next year: "3 Oct 2024"."""
    local = at.astimezone(UTC)
    return f"{local.day} {local:%b %Y}"


def moment(at: datetime) -> str:
    """Write a moment in full, for what leaves the workspace: "21 Nov 2025, 10:58 UTC"."""
    return f"{date(at)}, {at.astimezone(UTC):%H:%M} UTC"


def number(count: int) -> str:
    """Write a number exactly, with thousands apart: "1,312"."""
    return f"{count:,}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Write a number with its noun: "1 person", "1,312 people"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def initials(name: str) -> str:
    """Give one or two capitals for the round mark beside a name or an email address."""
    words = [word for word in re.split(r"[\s@._-]+", name) if word[:1].isalnum()]
    letters = [words[0], words[-1]] if len(words) > 1 and "@" not in name else words[:1]
    return "".join(word[0] for word in letters).upper()


def labels_as_code(text: str) -> Markup:
    """Escape a sentence and set each `key:value` label of it in code type."""
    return Markup(LABEL.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped the line's whole text


def asset_url(static_root: Path, prefix: str) -> Callable[[str], str]:
    """Make `asset("bridge.css")`: the address of a static file with the fingerprint of its content.

    So a browser may keep files for a year and still never mixes two releases.
    """
    prints: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in prints:
            prints[name] = sha256((static_root / name).read_bytes()).hexdigest()[:10]
        return f"{prefix}/{name}?v={prints[name]}"

    return asset


def install(app: Flask, static_root: Path, static_prefix: str = "/static") -> None:
    """Give `app`'s templates these filters and `asset()`; `static_root` is served at `static_prefix`."""
    for write in (when, day, until, date, moment, number, counted, initials, labels_as_code):
        app.jinja_env.filters[write.__name__] = write
    app.jinja_env.globals["asset"] = asset_url(static_root, static_prefix)
    app.jinja_env.globals["SOON"] = SOON
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _days_ahead(at: datetime, now: datetime) -> int:
    return (at.astimezone(UTC).date() - now.astimezone(UTC).date()).days
