"""When something changed for somebody, and the events that did it: over the same facts as `access_past`, in a window.

What may have changed is read here; what did is told by what they could do before and after. So no second meaning of
access is needed to know why it changed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, text

from bridge.domain.access import ResourceRef
from bridge.domain.labels import Label
from bridge.storage.access import moment_of
from bridge.storage.access_past import STILL, WITHIN, over, parameters_of
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


# -- Resources and their labels ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A resource whose labels changed at a moment, by which causes; one that came or went had, or has, none."""

    resource: ResourceRef
    before: frozenset[Label]
    after: frozenset[Label]
    causes: frozenset[int]


_OF_WORKSPACE = """WITH resource_keys AS (
    SELECT id, type, uid FROM resources WHERE workspace_id = :workspace
    UNION SELECT id, type, uid FROM resources_past WHERE workspace_id = :workspace AND until > :first)
"""
_STOOD = "l.until > l.since AND l.since <= :last AND l.until > :first"
_LABELS = Prepared(
    text(f"""{_OF_WORKSPACE}
SELECT r.type, r.uid, l.key, l.value, l.since, l.cause, {STILL}
FROM resource_keys r CROSS JOIN resource_labels l WHERE l.resource_id = r.id AND l.since <= :last
UNION ALL SELECT r.type, r.uid, l.key, l.value, l.since, l.cause, l.until, l.ended_by
FROM resource_keys r CROSS JOIN resource_labels_past l WHERE l.resource_id = r.id AND {_STOOD}
""").bindparams(*parameters_of(":workspace :first :last"))
)
_LABELS_MATTER = over("SELECT 1 FROM grants g WHERE g.scope = 'labels' LIMIT 1", WITHIN)


def relabelled_between(
    connection: Connection, workspace_id: int, membership_id: int, first: datetime, last: datetime
) -> dict[datetime, list[Relabelled]]:
    """Which resources of the workspace carried other labels from which moment on, after `first` and until `last`;
    nothing where no role of that person's held by labels.
    """
    window = {"first": first, "last": last}
    if not _LABELS_MATTER[connection.dialect.name](connection, membership=membership_id, **window):
        return {}
    of_each: dict[ResourceRef, list[Any]] = {}
    for kind, uid, *row in _LABELS(connection, workspace=workspace_id, **window):
        of_each.setdefault(ResourceRef(kind, uid), []).append(row)
    found: dict[datetime, list[Relabelled]] = {}
    for ref, rows in of_each.items():
        for at, one in _relabelled(ref, rows):
            if first < moment_of(at) <= last:
                found.setdefault(moment_of(at), []).append(one)
    return found


def _relabelled(ref: ResourceRef, rows: Sequence[Any]) -> Iterator[tuple[int, Relabelled]]:
    """Each instant at which the labels were others than before; of those that were put on anew nothing is said."""
    for at in sorted({end for _, _, since, _, until, _ in rows for end in (since, until) if end is not None}):
        before = frozenset(Label(row[0], row[1]) for row in rows if row[2] < at and (row[4] is None or row[4] >= at))
        after = frozenset(Label(row[0], row[1]) for row in rows if row[2] <= at and (row[4] is None or row[4] > at))
        if before != after:
            causes = {row[3] for row in rows if row[2] == at} | {row[5] for row in rows if row[4] == at}
            yield at, Relabelled(ref, before, after, frozenset(causes))


_OF_RESOURCE = "FROM {table} o WHERE o.workspace_id = :workspace AND o.type = :type AND o.uid = :uid"
_KEYS = " UNION ".join(f"SELECT o.id {_OF_RESOURCE.format(table=table)}" for table in ("resources", "resources_past"))
_CHANGES = [
    f"SELECT o.{at} AS at, o.{cause} AS cause {of} AND o.{at} > :first AND o.{at} <= :last"
    for table, ends in (
        ("resources", (("since", "cause"),)),
        ("resources_past", (("since", "cause"), ("until", "ended_by"))),
    )
    for at, cause in ends
    for of in (_OF_RESOURCE.format(table=table),)
] + [
    f"SELECT l.{at}, l.{cause} FROM {table} l WHERE l.resource_id IN ({_KEYS}) AND l.{at} > :first AND l.{at} <= :last"
    for table, ends in (
        ("resource_labels", (("since", "cause"),)),
        ("resource_labels_past", (("since", "cause"), ("until", "ended_by"))),
    )
    for at, cause in ends
]
_MOMENTS_OF_RESOURCE = Prepared(text(" UNION ".join(_CHANGES)).bindparams(*parameters_of(":workspace :first :last")))


def moments_of_resource(
    connection: Connection, workspace_id: int, ref: ResourceRef, first: datetime, last: datetime
) -> dict[datetime, frozenset[int]]:
    """When a resource came, went, or was labelled anew, after `first` and until `last`, and by which causes."""
    found: dict[int, set[int]] = {}
    rows = _MOMENTS_OF_RESOURCE(connection, workspace=workspace_id, type=ref.type, uid=ref.id, first=first, last=last)
    for at, cause in rows:
        found.setdefault(at, set()).add(cause)
    return {moment_of(at): frozenset(causes) for at, causes in found.items()}


# -- Events ------------------------------------------------------------------------------------------


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
        about=f"""AND (t.subject IN :subjects OR t.subject IN (
        {" UNION ".join(f"SELECT uid FROM {name}" for name in _NAMED)}
        UNION SELECT type || ':' || uid FROM resources
        UNION SELECT (SELECT u.uid FROM users u WHERE u.id = m.user_id) FROM memberships m))"""
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
    *,
    resources: Collection[str] = (),
) -> list[EventThen]:
    """The first `most` events of each of these causes that are about what somebody had something by in the window, or
    about these `resources` (TYPE:ID).
    """
    first, last = window
    rows = _ABOUT[connection.dialect.name](
        connection,
        workspace=workspace_id,
        membership=membership_id,
        causes=list(causes),
        subjects=list(resources) or [""],
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
