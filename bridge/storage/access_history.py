"""When something changed for somebody, and the events that did it: over the same facts as `access_past`, in a window.

What may have changed is read here; what did is told by what they could do before and after. So no second meaning of
access is needed to know why it changed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, text

from bridge.storage.access import moment_of
from bridge.storage.access_past import WITHIN, over, parameters_of
from bridge.storage.prepared import Prepared

#: Facts whose beginning or end can change what somebody may do; what only has a name isn't among them. Of facts that
#: are changed as they stand: what one row that ends, and one that begins as it does, say alike if nothing is changed.
_DECIDING = {
    "workspaces": "b.plan = a.plan",
    "memberships": "b.status = a.status",
    # Or else each sign-in would be a moment to look at: it puts off when asserted groups run out.
    "directory_users": """b.membership_id = a.membership_id AND b.pushed = a.pushed AND b.holds_out = a.holds_out
    AND (COALESCE(b.asserted_until, 0) >= {at}) = (COALESCE(a.asserted_until, 0) >= {at})""",
    **dict.fromkeys(("group_members", "mapping_matches", "mapping_user_groups", "user_group_members")),
    **dict.fromkeys(("grants", "grant_resources", "grant_labels")),
}
Elapsed = Literal["expired", "ran_out"]
#: Rows that ended as they began never stood.
_BEGAN = """SELECT a.since AS at, a.cause, '' AS elapsed FROM {name} a
WHERE a.since > :first AND a.since <= :last AND (a.until IS NULL OR a.until > a.since){unlike}"""
_ENDED = """SELECT a.until, a.ended_by, '' FROM {name} a
WHERE a.until > :first AND a.until <= :last AND a.until > a.since{unlike}"""
_UNLIKE = """ AND NOT EXISTS (SELECT 1 FROM {name} b
    WHERE b.id = a.id AND {meets} AND (b.until IS NULL OR b.until > b.since) AND {alike})"""


def _moments_of(name: str, alike: str | None) -> list[str]:
    parts = []
    for part, meets, at in ((_BEGAN, "b.until = a.since", "a.since"), (_ENDED, "b.since = a.until", "a.until")):
        unlike = _UNLIKE.format(name=name, meets=meets, alike=alike.format(at=at)) if alike else ""
        parts.append(part.format(name=name, unlike=unlike))
    return parts


_EXPIRED = """SELECT expires_at, NULL, 'expired' FROM grants WHERE expires_at > :first AND expires_at <= :last
AND expires_at >= since AND (until IS NULL OR expires_at < until)"""
# At that very instant they still count.
_RAN_OUT = """SELECT asserted_until + 1, NULL, 'ran_out' FROM directory_users
WHERE asserted_until >= :first AND asserted_until < :last
AND asserted_until >= since AND (until IS NULL OR asserted_until + 1 < until)"""
_MOMENTS_TEXT = "\nUNION ".join(
    [*(part for name, alike in _DECIDING.items() for part in _moments_of(name, alike)), _EXPIRED, _RAN_OUT]
)
_MOMENTS = over(_MOMENTS_TEXT, WITHIN)


@dataclass(frozen=True, slots=True)
class Stirred:
    """What may have changed something at a moment: causes, and what time alone ended (a grant that expired, groups of a
    login that counted no more).
    """

    causes: frozenset[int]
    elapsed: frozenset[Elapsed]


def moments_between(
    connection: Connection, workspace_id: int, membership_id: int, first: datetime, last: datetime
) -> dict[datetime, Stirred]:
    """When anything may have changed for somebody, after `first` and until `last`."""
    rows = _MOMENTS[connection.dialect.name](
        connection, workspace=workspace_id, membership=membership_id, first=first, last=last
    )
    causes: dict[int, set[int]] = {}
    elapsed: dict[int, set[Elapsed]] = {}
    for at, cause, kind in rows:
        causes.setdefault(at, set()).update([] if cause is None else [cause])
        elapsed.setdefault(at, set()).update([kind] if kind else [])
    return {moment_of(at): Stirred(frozenset(causes[at]), frozenset(elapsed[at])) for at in causes}


class EventThen(NamedTuple):
    """An event of the audit trail."""

    at: datetime
    cause: int
    seq: int
    actor: str
    type: str
    subject: str
    before: Any
    after: Any


#: The first `:most` events of each cause.
_EVENTS_TEXT = """
SELECT e.at, e.cause, e.seq, e.actor, e.type, e.subject, e.before, e.after FROM (
    SELECT t.*, ROW_NUMBER() OVER (PARTITION BY t.cause ORDER BY t.seq) AS place FROM audit t
    WHERE t.cause IN :causes AND t.workspace_id = :workspace {about}) AS e
WHERE e.place <= :most ORDER BY e.seq
"""
_NAMED = (
    *("workspaces", "memberships", "directory_users", "grants", "user_groups", "mappings", "directory_groups"),
    "connections",
)
_ABOUT = over(
    _EVENTS_TEXT.format(
        about=f"""AND t.subject IN ({" UNION ".join(f"SELECT uid FROM {name}" for name in _NAMED)}
        UNION SELECT type || ':' || uid FROM resources
        UNION SELECT (SELECT u.uid FROM users u WHERE u.id = m.user_id) FROM memberships m)"""
    ),
    WITHIN,
)
_ANY_TEXT = _EVENTS_TEXT.format(about="")
_ANY = Prepared(text(_ANY_TEXT).bindparams(*parameters_of(_ANY_TEXT)))


def events_about(
    connection: Connection,
    workspace_id: int,
    membership_id: int,
    causes: Collection[int],
    window: tuple[datetime, datetime],
    most: int,
) -> list[EventThen]:
    """The first `most` events of each of these causes that are about what somebody had something by in the window."""
    first, last = window
    rows = _ABOUT[connection.dialect.name](
        connection,
        workspace=workspace_id,
        membership=membership_id,
        causes=list(causes),
        first=first,
        last=last,
        most=most,
    )
    return list(map(_event, rows))


def any_events(connection: Connection, workspace_id: int, causes: Collection[int], most: int) -> list[EventThen]:
    """The first `most` events of each of these causes."""
    return list(map(_event, _ANY(connection, workspace=workspace_id, causes=list(causes), most=most)))


def _event(row: Any) -> EventThen:
    at, *plain, before, after = row
    return EventThen(moment_of(at), *plain, *(None if said is None else orjson.loads(said) for said in (before, after)))
