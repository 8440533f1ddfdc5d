"""Background work, in a process of its own beside the server: mail that is due."""

import logging
import time
from datetime import UTC, datetime
from typing import NoReturn

from bridge.flows.context import Context
from bridge.flows.deliver import Mailer, deliver_due

_SECONDS_BETWEEN = 1.0
_SECONDS_AFTER_FAILURE = 10.0
log = logging.getLogger(__name__)


def work(context: Context, mailer: Mailer) -> NoReturn:
    """Deliver what is due, again and again, until the process is told to end."""
    while True:
        time.sleep(_turn(context, mailer))


def _turn(context: Context, mailer: Mailer) -> float:
    """One look at the outbox. Returns the seconds to wait before the next."""
    try:
        deliver_due(context, mailer, datetime.now(UTC))
    except Exception:  # a database that is away for a moment mustn't end the worker
        log.exception("the outbox can't be read")
        return _SECONDS_AFTER_FAILURE
    return _SECONDS_BETWEEN
