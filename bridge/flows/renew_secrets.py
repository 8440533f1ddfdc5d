"""After a change of the operator's keys: what older keys have encrypted is encrypted anew, until they can go.

The worker does it a part at a time. What no key opens stays as it is, and `bridge doctor` counts it. Logins under way
aren't touched: they are over within half an hour, and until then `bridge doctor` lets no key go.
"""

from dataclasses import dataclass
from datetime import datetime

from bridge.flows.context import Context
from bridge.storage.sealed import Blob, count_older, count_under_way, list_older, replace_blob
from bridge.storage.secret_box import CannotDecrypt, SecretBox

#: Values of each place in one transaction: writers shouldn't wait for long.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Renewed:
    """How many values are under the first key now that weren't, and how many no key opens."""

    done: int
    unreadable: int


def renew_secrets(context: Context) -> Renewed:
    """Encrypt with the first key whatever another one has encrypted."""
    done, closed = 0, list[Blob]()
    while True:
        with context.database.reading() as rows:
            found = list_older(rows, context.secrets.mark, _AT_ONCE, after=closed)
        if not found:
            return Renewed(done, len(closed))
        opened = [(blob, _renewed(context.secrets, blob)) for blob in found]
        closed += [blob for blob, renewed in opened if renewed is None]
        with context.database.writing() as rows:
            done += sum(replace_blob(rows, blob, renewed) for blob, renewed in opened if renewed is not None)


def count_outdated(context: Context) -> int:
    """How many values the first key hasn't encrypted."""
    with context.database.reading() as rows:
        return count_older(rows, context.secrets.mark)


def count_ending(context: Context, now: datetime) -> int:
    """How many logins and set-ups under way hold what another key has encrypted; they end within half an hour."""
    with context.database.reading() as rows:
        return count_under_way(rows, context.secrets.older_marks, now)


def _renewed(box: SecretBox, blob: Blob) -> bytes | None:
    for purpose in blob.purposes:
        try:
            return box.encrypt(box.decrypt(blob.value, purpose), purpose)
        except CannotDecrypt:
            continue
    return None
