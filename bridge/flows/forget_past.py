"""What people could do, and who changed what, is kept as long as the operator says, and then forgotten.

First it is written down from when on facts are known, then they go: whoever asks meanwhile hears that the time before
is not known, never half of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.flows.context import SYSTEM, Context
from bridge.storage import forgetting
from bridge.storage.tables import PAST

#: How many events go in one transaction: writers shouldn't wait for long.
_EVENTS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many ended facts, and how many audit events, are no more."""

    facts: int
    events: int


def forget_past(context: Context, now: datetime) -> Forgotten:
    """Forget what ended, and what was done, longer ago than the setting says, a part at a time."""
    before = now - timedelta(days=context.audit_days)
    with context.changing(SYSTEM, now) as change:
        forgetting.note_kept_since(change, before)
    return Forgotten(_forget_facts(context, before, now), _forget_events(context, before, now))


def _forget_facts(context: Context, before: datetime, now: datetime) -> int:
    gone = 0
    for twin in PAST.values():
        with context.database.reading() as connection:
            for place in forgetting.old_slices(connection, twin, before):
                with context.changing(SYSTEM, now, durable=False) as change:
                    gone += forgetting.delete_slice(change, twin, before, place)
    return gone


def _forget_events(context: Context, before: datetime, now: datetime) -> int:
    with context.database.reading() as connection:
        keys = forgetting.workspaces_with_old_events(connection, before)
    gone = 0
    for key in keys:
        while True:
            with context.changing(SYSTEM, now, durable=False) as change:
                part = forgetting.delete_old_events(change, key, before, _EVENTS_AT_ONCE)
            gone += part
            if part < _EVENTS_AT_ONCE:
                break
    return gone
