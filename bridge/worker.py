"""Background work, in a process of its own beside the server: mail that is due, and forgetting what ran out."""

import logging
import time
from datetime import UTC, datetime
from typing import NoReturn

from bridge.flows.context import Context
from bridge.flows.deliver import Mailer, deliver_due
from bridge.flows.request_log import forget_old_requests
from bridge.flows.sessions import sweep_expired

_SECONDS_BETWEEN = 1.0
_SECONDS_AFTER_FAILURE = 10.0
_SECONDS_BETWEEN_SWEEPS = 3600.0
log = logging.getLogger(__name__)


def work(context: Context, mailer: Mailer) -> NoReturn:
    """Deliver what is due, and sweep each hour, again and again, until the process is told to end."""
    swept = -_SECONDS_BETWEEN_SWEEPS
    while True:
        if time.monotonic() - swept >= _SECONDS_BETWEEN_SWEEPS:
            _sweep(context)
            swept = time.monotonic()
        time.sleep(_turn(context, mailer))


def _sweep(context: Context) -> None:
    """Forget sessions, logins under way, used proofs and counters that ran out, and old SCIM calls."""
    try:
        sweep_expired(context, datetime.now(UTC))
        forget_old_requests(context, datetime.now(UTC))
    except Exception:  # nothing depends on it: what ran out doesn't count, swept or not
        log.exception("what ran out can't be swept")


def _turn(context: Context, mailer: Mailer) -> float:
    """One look at the outbox. Returns the seconds to wait before the next."""
    try:
        deliver_due(context, mailer, datetime.now(UTC))
    except Exception:  # a database that is away for a moment mustn't end the worker
        log.exception("the outbox can't be read")
        return _SECONDS_AFTER_FAILURE
    return _SECONDS_BETWEEN
