"""Guessing is counted, and slowed down: passwords and codes by account and by address, mails and SMS by recipient."""

from collections.abc import Callable

from simulated.state_file import StateFile
from simulated.twilio.errors import TooManyTries

WINDOW_SECONDS = 15 * 60
LIMITS = {"password": 10, "address": 100, "code": 5, "mail": 10, "sms": 10}


class Attempts:
    """The counters, in the file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def count(self, what: str, who: str) -> None:
        """Counts one try, before its outcome is known. Raises TooManyTries beyond the limit of a quarter of an hour."""
        now = int(self._clock())
        with self._file.transaction() as db:
            db.execute("DELETE FROM attempts WHERE ends_at <= ?", (now,))
            tries, ends_at = db.execute(
                "INSERT INTO attempts VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET tries = tries + 1"
                " RETURNING tries, ends_at",
                (f"{what} {who}", now + WINDOW_SECONDS),
            ).fetchone()
        if tries > LIMITS[what]:
            raise TooManyTries(f"Too many tries. Try again in {max(1, (ends_at - now + 59) // 60)} minutes.")

    def forget(self, what: str, who: str) -> None:
        """It went well: the count begins anew."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM attempts WHERE key = ?", (f"{what} {who}",))
