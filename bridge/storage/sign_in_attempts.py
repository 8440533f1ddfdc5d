"""The sign-in log: one row an attempt, read newest first; past a limit, one row for many that are alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, union_all, update

from bridge.domain.people import fold
from bridge.domain.sign_in_log import AttemptsQuery, Outcome
from bridge.storage.changes import Change
from bridge.storage.prepared import Prepared
from bridge.storage.tables import connections, domains, memberships, sign_in_attempts, workspaces

_COLUMNS = sign_in_attempts.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login to be kept. `ref` is what the error page shows; `workspace_key` None: of whoever's account it is."""

    ref: str
    kind: str
    outcome: Outcome
    code: str
    text: str
    check: str
    test: bool
    address: str
    agent: str
    email: str
    email_ci: str
    workspace_key: int | None
    connection_key: int | None
    user_key: int | None
    steps: Sequence[Mapping[str, Any]]
    message: str | None
    would: Mapping[str, Any] | None


_INSERT = Prepared(insert(sign_in_attempts), [column.name for column in _COLUMNS if not column.primary_key])


def insert_attempt(change: Change, attempt: Attempt) -> None:
    """Keep one line of the sign-in log."""
    values: dict[str, Any] = {
        "ref": attempt.ref,
        "workspace_id": attempt.workspace_key,
        "connection_id": attempt.connection_key,
        "user_id": attempt.user_key,
        "at": change.now,
        "last_at": change.now,
        "times": 1,
        "kind": attempt.kind,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "text": attempt.text,
        "check": attempt.check,
        "test": attempt.test,
        "email": attempt.email,
        "email_ci": attempt.email_ci,
        "address": attempt.address,
        "agent": attempt.agent,
        "steps": list(attempt.steps),
        "message": attempt.message,
        "would": attempt.would,
    }
    _INSERT.run(change.connection, **values)


@dataclass(frozen=True, slots=True)
class Like:
    """Which kept attempt stands for another: since then, from the same address or from anywhere; where it came through
    no connection, from the same address with the same email.
    """

    since: datetime
    anywhere: bool


def count_one_more(change: Change, attempt: Attempt, like: Like) -> str | None:
    """Count it with the latest refused attempt like it. Returns whose reference stands for it; None: there is none."""
    same = [
        _COLUMNS.connection_id.is_not_distinct_from(attempt.connection_key),
        _COLUMNS.workspace_id.is_not_distinct_from(attempt.workspace_key),
        _COLUMNS.user_id.is_not_distinct_from(attempt.user_key),
        _COLUMNS.at > like.since,
        _COLUMNS.outcome == "refused",
        _COLUMNS.kind == attempt.kind,
        _COLUMNS.code == attempt.code,
        _COLUMNS.test.is_(False),
    ]
    if not like.anywhere:
        same.append(_COLUMNS.address == attempt.address)
        same += [_COLUMNS.email_ci == attempt.email_ci] if attempt.connection_key is None else []
    latest = select(_COLUMNS.id).where(*same).order_by(_COLUMNS.at.desc(), _COLUMNS.id.desc()).limit(1)
    more = update(sign_in_attempts).where(_COLUMNS.id == latest.scalar_subquery())
    counted = more.values(times=_COLUMNS.times + 1, last_at=change.now).returning(_COLUMNS.ref)
    ref: str | None = change.connection.execute(counted).scalar()
    return ref


def delete_old_attempts(change: Change, before: datetime, limit: int) -> int:
    """Forget at most `limit` attempts from before that moment. Returns how many."""
    some = select(_COLUMNS.id).where(_COLUMNS.at < before).order_by(_COLUMNS.at).limit(limit)
    return change.connection.execute(delete(sign_in_attempts).where(_COLUMNS.id.in_(some))).rowcount


def find_workspace_proving(connection: Any, domain: str) -> int | None:
    """The key of the workspace that has proved this domain."""
    chosen = select(domains.c.workspace_id).where(domains.c.name == domain, domains.c.proved_at.is_not(None))
    key: int | None = connection.execute(chosen).scalar()
    return key


# -- Reading -----------------------------------------------------------------------------------------

_SHOWN = (
    _COLUMNS.id,
    _COLUMNS.ref,
    _COLUMNS.at,
    _COLUMNS.last_at,
    _COLUMNS.times,
    _COLUMNS.kind,
    _COLUMNS.outcome,
    _COLUMNS.code,
    _COLUMNS.text,
    _COLUMNS.check,
    _COLUMNS.test,
    _COLUMNS.email,
    _COLUMNS.address,
    _COLUMNS.agent,
    _COLUMNS.connection_id,
    _COLUMNS.workspace_id,
)


def list_attempts(connection: Any, workspace_key: int, query: AttemptsQuery, limit: int) -> list[Any]:
    """The newest attempts of a workspace that fit, older than `query.before`: rows of all but steps and message."""
    where = _wanted(connection, query)
    each = [_newest(whose, where, limit).subquery() for whose in _whose(workspace_key)]
    every = union_all(*(select(one) for one in each)).subquery()
    chosen = select(every).order_by(every.c.at.desc(), every.c.id.desc()).limit(limit)
    return list(connection.execute(chosen))


def _whose(workspace_key: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The workspace's own, and those by password of its members whose domain no workspace has proved.

    Of members who accepted it themselves: anybody can be invited, or pushed.
    """
    members = select(memberships.c.user_id).where(
        memberships.c.workspace_id == workspace_key,
        memberships.c.status == "active",
        memberships.c.accepted_at.is_not(None),
    )
    theirs = and_(_COLUMNS.workspace_id.is_(None), _COLUMNS.user_id.in_(members))
    return _COLUMNS.workspace_id == workspace_key, theirs


def _newest(whose: ColumnElement[bool], where: Sequence[ColumnElement[bool]], limit: int) -> Any:
    return select(*_SHOWN).where(whose, *where).order_by(_COLUMNS.at.desc(), _COLUMNS.id.desc()).limit(limit)


def _wanted(connection: Any, query: AttemptsQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.person:
        part = _COLUMNS.email_ci.contains(fold(query.person), autoescape=True)
        where.append(or_(part, _COLUMNS.ref == query.person.strip().upper()))
    if query.outcome:
        where.append(_COLUMNS.test.is_(query.outcome == "test"))
    if query.outcome in ("signed_in", "refused", "password_reset"):
        where.append(_COLUMNS.outcome == query.outcome)
    if query.outcome == "break_glass":
        where.append(_COLUMNS.kind == query.outcome)
    if query.connection_id:
        ours = select(connections.c.id).where(connections.c.uid == query.connection_id).scalar_subquery()
        where.append(_COLUMNS.connection_id == ours)
    if query.since is not None:
        where.append(_COLUMNS.at >= query.since)
    return [*where, *_older(connection, query.before)]


def _older(connection: Any, before: str) -> list[ColumnElement[bool]]:
    if not before:
        return []
    last = connection.execute(select(_COLUMNS.at, _COLUMNS.id).where(_COLUMNS.ref == before)).first()
    if last is None:
        return []
    same = and_(_COLUMNS.at == last.at, _COLUMNS.id < last.id)
    return [and_(_COLUMNS.at <= last.at, or_(_COLUMNS.at < last.at, same))]


def find_attempt(connection: Any, workspace_key: int, ref: str) -> Any:
    """One attempt of a workspace with its steps and message, or None."""
    chosen = select(*_SHOWN, _COLUMNS.steps, _COLUMNS.message, _COLUMNS.would)
    return connection.execute(chosen.where(_COLUMNS.ref == ref, or_(*_whose(workspace_key)))).first()


def find_attempt_anywhere(connection: Any, ref: str) -> Any:
    """The same, whosever it is; with the slug of its workspace, None where it is in nobody's own."""
    chosen = select(*_SHOWN, _COLUMNS.steps, _COLUMNS.message, _COLUMNS.would, workspaces.c.slug)
    joined = chosen.outerjoin(workspaces, workspaces.c.id == _COLUMNS.workspace_id)
    return connection.execute(joined.where(_COLUMNS.ref == ref)).first()


def count_like(connection: Any, connection_uid: str, code: str, since: datetime) -> tuple[int, datetime | None]:
    """How many attempts through a connection ended by that code since then, and when the first of them was."""
    ours = select(connections.c.id).where(connections.c.uid == connection_uid).scalar_subquery()
    chosen = select(func.sum(_COLUMNS.times), func.min(_COLUMNS.at))
    found = connection.execute(
        chosen.where(_COLUMNS.connection_id == ours, _COLUMNS.at >= since, _COLUMNS.code == code)
    ).one()
    return int(found[0] or 0), found[1]
