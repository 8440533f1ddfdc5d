"""Who put the labels on a resource that it carries, or carried at a moment: read for answers about that one alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, null, select, union_all

from bridge.domain.labels import Label
from bridge.domain.origins import Made, Makers
from bridge.storage.columns import Instant
from bridge.storage.origins import actors_of, names_of
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, resource_labels

_now, _past = resource_labels.c, PAST[resource_labels].c
_ROWS = Prepared(
    union_all(
        select(_now.key, _now.value, _now.since, _now.cause, null().cast(Instant).label("until")).where(
            _now.resource_id == bindparam("resource", type_=BigInteger)
        ),
        select(_past.key, _past.value, _past.since, _past.cause, _past.until).where(
            _past.resource_id == bindparam("resource", type_=BigInteger), _past.until > _past.since
        ),
    )
)


def labels_put_on(connection: Any, workspace_key: int, resource_key: int, at: datetime) -> dict[Label, Made]:
    """Of each label that the resource carried at that moment, who put it there. Setting labels anew moves the rows of
    all of them: one that stays has been there since the first of its rows that follow each other.
    """
    rows = _ROWS(connection, resource=resource_key)
    ended = {(row.key, row.value, row.until): row for row in rows if row.until is not None}
    first = {}
    for row in rows:
        if row.since <= at and (row.until is None or row.until > at):
            began = row
            while (before := ended.get((row.key, row.value, began.since))) is not None:
                began = before
            first[Label(row.key, row.value)] = began
    actors = actors_of(connection, workspace_key, {row.cause for row in first.values()})
    makers = Makers(names=names_of(connection, set(actors.values())))
    return {label: makers.made(actors.get(row.cause), row.since) for label, row in first.items()}
