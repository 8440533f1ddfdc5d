"""Mail that changes have put into the outbox: sealed there, sent outside any transaction, tried again when it fails.

A dead mail server costs that one delivery only (properties.md 19): the change that wanted the mail is long committed.
"""

from base64 import b64decode, b64encode
from dataclasses import asdict
from datetime import datetime, timedelta
from logging import getLogger
from typing import Any, Protocol

import orjson

from bridge.domain.mail import Mail
from bridge.flows.context import Context
from bridge.storage import outbox
from bridge.storage.changes import Change
from bridge.storage.outbox import Due, Stuck

_PURPOSE = "outbox.body"
#: How long a claimed mail is left to the one who claimed it, should they never come back.
_LEASE = timedelta(minutes=10)
#: Few enough that a mail server which takes its time for each keeps all of them within the lease.
_AT_ONCE = 5
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_GIVEN_UP_AFTER = timedelta(days=4)
#: How long an operator can see that a mail was given up.
_REMEMBERED = timedelta(days=30)
_log = getLogger(__name__)


class Mailer(Protocol):
    """Whatever takes a mail out of the house, or raises."""

    def send(self, mail: Mail) -> None:
        """Deliver, or raise."""


def queue_mail(context: Context, change: Change, mail: Mail) -> None:
    """Have a mail sent once the change is committed. It may hold a link that lets its bearer in, so it is sealed."""
    sealed = context.secrets.encrypt(orjson.dumps(asdict(mail)), purpose=_PURPOSE)
    outbox.put(change, "mail", mail.to, {"sealed": b64encode(sealed).decode()})


def deliver_due(context: Context, mailer: Mailer, now: datetime) -> int:
    """Send what is due, oldest first, at most five. Returns how many left the house.

    Several processes may do this at once: each mail is claimed by one. A mail is sent at least once; after a crash
    between sending and noting it, twice.
    """
    with context.database.writing() as connection:
        claimed = outbox.claim(connection, now, until=now + _LEASE, at_most=_AT_ONCE)
    return sum(_deliver(context, mailer, due, now) for due in claimed)


def forget_given_up(context: Context, now: datetime) -> None:
    """Forget mails that were given up a month ago."""
    with context.database.writing() as connection:
        outbox.forget_given_up(connection, now - _REMEMBERED)


def stuck_mail(context: Context) -> Stuck:
    """What doesn't leave, for whoever operates the bridge."""
    with context.database.reading() as connection:
        return outbox.find_stuck(connection)


def _deliver(context: Context, mailer: Mailer, due: Due, now: datetime) -> bool:
    try:
        mailer.send(_open(context, due.body))
    except Exception as error:  # whatever a mail server does, the next mail is tried
        _log.warning("mail %s was not delivered at try %s: %s", due.key, due.tries, error)
        _put_off(context, due, now, f"{type(error).__name__}: {error}")
        return False
    with context.database.writing() as connection:
        outbox.delete_row(connection, due.key)
    return True


def _put_off(context: Context, due: Due, now: datetime, error: str) -> None:
    with context.database.writing() as connection:
        if now - due.created_at > _GIVEN_UP_AFTER:
            _log.error("mail %s is given up after %s tries", due.key, due.tries)
            outbox.give_up(connection, due.key, now, error[:500])
        else:
            outbox.put_off(connection, due.key, now + _wait(due.tries), error[:500])


def _wait(tries: int) -> timedelta:
    doubled: timedelta = _SHORTEST_WAIT * 2 ** min(tries - 1, 16)
    return min(doubled, _LONGEST_WAIT)


def _open(context: Context, body: dict[str, Any]) -> Mail:
    return Mail(**orjson.loads(context.secrets.decrypt(b64decode(body["sealed"]), purpose=_PURPOSE)))
