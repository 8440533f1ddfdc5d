"""Whose a verified identity is (product.md 2.6): identities, pushed records and accounts, looked up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, bindparam, delete, exists, insert, or_, select, update

from bridge.domain.people import fold_letters, fold_user_name
from bridge.domain.roles import OWNER
from bridge.domain.sign_in import Found
from bridge.domain.workspace import Connection, Membership, User
from bridge.storage.access import may
from bridge.storage.accounts import NO_TWILIO, has_way_in
from bridge.storage.changes import Change
from bridge.storage.connections import COLUMNS as CONNECTION
from bridge.storage.people import MEMBERSHIP, USER, find_member, proves_domain
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    connections,
    directory_users,
    domains,
    grants,
    identities,
    memberships,
    recovery_codes,
    second_factors,
    sessions,
    users,
    workspaces,
)

# -- Finding -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PushedRecord:
    """A connection's pushed record that an identity fits. `by_subject`: by user name or external id, not by email."""

    membership_key: int | None
    holds_out: bool
    by_subject: bool


_OURS = and_(identities.c.connection_id == bindparam("connection"), identities.c.subject == bindparam("subject"))
_IDENTITY = Prepared(select(identities.c.user_id).where(_OURS))
_LINKED_USER = Prepared(
    select(*USER)
    .join_from(identities, users, users.c.id == identities.c.user_id)
    .where(_OURS, users.c.id == bindparam("user"), users.c.closed_at.is_(None))
)


def find_identity(connection: Any, connection_key: int, subject: str) -> int | None:
    """The key of the user whom this subject of this connection is linked to."""
    key: int | None = _IDENTITY.scalar(connection, connection=connection_key, subject=subject)
    return key


def find_linked_user(connection: Any, connection_key: int, subject: str, user_key: int) -> User | None:
    """That account, if this subject of this connection opens it."""
    row = _LINKED_USER.first(connection, connection=connection_key, subject=subject, user=user_key)
    return None if row is None else User(*row)


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a subject of a connection is linked to. `user` None: the account is closed. `pushed_here`,
    `pushed_elsewhere`: the membership, by this connection, by others.
    """

    user: User | None
    membership: Membership | None
    pushed_here: bool
    pushed_elsewhere: bool


_pushes = (directory_users.c.membership_id == memberships.c.id, directory_users.c.pushed)
_LINKED = Prepared(
    select(
        users.c.closed_at.is_(None),
        exists().where(*_pushes, directory_users.c.connection_id == bindparam("connection")),
        exists().where(*_pushes, directory_users.c.connection_id != bindparam("connection")),
        *USER,
        *MEMBERSHIP,
    )
    .select_from(identities)
    .join(users, users.c.id == identities.c.user_id)
    .outerjoin(
        memberships, and_(memberships.c.workspace_id == bindparam("workspace"), memberships.c.user_id == users.c.id)
    )
    .where(_OURS)
)


def find_linked(connection: Any, ours: Connection, subject: str) -> Linked | None:
    """All that is known of whom this subject of this connection is linked to, in one statement; None: to nobody."""
    row = _LINKED.first(connection, connection=ours.key, workspace=ours.workspace_key, subject=subject)
    if row is None:
        return None
    is_open, here, elsewhere = row[:3]
    user, membership = row[3 : 3 + len(USER)], row[3 + len(USER) :]
    return Linked(
        User(*user) if is_open else None, None if membership[0] is None else Membership(*membership), here, elsewhere
    )


_columns = directory_users.c
_FITTING = Prepared(
    select(_columns.membership_id, _columns.holds_out, _columns.external_id, _columns.user_name, _columns.email_ci)
    .where(_columns.connection_id == bindparam("connection"), _columns.pushed)
    .where(
        or_(
            _columns.external_id == bindparam("subject"),
            _columns.user_name_ci == bindparam("user_name"),
            _columns.email_ci == bindparam("email"),
        )
    )
    .order_by(_columns.id)
)


def find_pushed_records(connection: Any, connection_key: int, subject: str, email: str) -> list[PushedRecord]:
    """The pushed records that an identity fits: by external id, by user name, by email, in this order."""
    said, address = fold_letters(subject), fold_letters(email)
    ranked: list[tuple[int, bool, PushedRecord]] = []
    for key, holds_out, external_id, user_name, email_ci in _FITTING(
        connection, connection=connection_key, subject=subject, user_name=fold_user_name(subject), email=address
    ):
        # The index folds "ß" to "ss", which is fine to look up by and not enough to be somebody.
        ways = (external_id == subject, fold_letters(user_name) == said, email_ci == address)
        if any(ways):
            ranked.append((ways.index(True), key is None, PushedRecord(key, holds_out, ways[0] or ways[1])))
    return [record for _, _, record in sorted(ranked, key=lambda each: each[:2])]


def describe_found(connection: Any, ours: Connection, by: Literal["push", "email"], user: User, now: datetime) -> Found:
    """All that `bridge.domain.sign_in.decide` looks at where a first login opens an account."""
    membership = find_member(connection, ours.workspace_key, user.key)
    pushing = _pushing(connection, membership.key) if membership else set()
    return Found(
        by=by,
        user=user,
        membership=membership,
        domain_proved=proves_domain(connection, ours.workspace_key, user.email),
        pushed_here=ours.key in pushing,
        pushed_elsewhere=bool(pushing - {ours.key}),
        signed_in_elsewhere=_signed_in_elsewhere(connection, ours, user.key),
        owner=membership is not None and may(connection, membership.key, [OWNER.id], None, now),
        has_credentials=has_way_in(connection, user.key),
    )


def _pushing(connection: Any, membership_key: int) -> set[int]:
    chosen = select(directory_users.c.connection_id).where(
        directory_users.c.membership_id == membership_key, directory_users.c.pushed
    )
    return set(connection.execute(chosen).scalars())


def _signed_in_elsewhere(connection: Any, ours: Connection, user_key: int) -> bool:
    others = exists().where(
        identities.c.user_id == user_key,
        identities.c.connection_id == connections.c.id,
        connections.c.workspace_id == ours.workspace_key,
        connections.c.id != ours.key,
    )
    return bool(connection.execute(select(others)).scalar())


def find_password_hash(connection: Any, user_key: int) -> str | None:
    """What is kept of an account's password."""
    kept: str | None = connection.execute(select(users.c.password_hash).where(users.c.id == user_key)).scalar()
    return kept


def list_connections_of_domain(connection: Any, domain: str) -> list[Connection]:
    """The enabled connections that people of a proved domain sign in through; none where no workspace proved it.

    The domain's own connection, else every one of its workspace.
    """
    chosen = (
        select(*CONNECTION)
        .select_from(domains)
        .join(
            connections,
            and_(
                connections.c.workspace_id == domains.c.workspace_id,
                or_(domains.c.connection_id.is_(None), domains.c.connection_id == connections.c.id),
            ),
        )
        .join(workspaces, workspaces.c.id == domains.c.workspace_id)
        .where(domains.c.name == domain, domains.c.proved_at.is_not(None))
        .where(connections.c.enabled, workspaces.c.plan == "business")
        .order_by(connections.c.id)
    )
    return [Connection(*row) for row in connection.execute(chosen)]


# -- Linking -----------------------------------------------------------------------------------------


def link_identity(change: Change, connection_key: int, subject: str, user_key: int) -> None:
    """From now this subject opens this account. IntegrityError where it opens another."""
    values = {"connection_id": connection_key, "subject": subject, "user_id": user_key, "linked_at": change.now}
    change.connection.execute(insert(identities).values(**values))


def clear_account(change: Change, user_key: int) -> None:
    """Take away every way in that somebody may have left in an account whose address was never proved."""
    for table in (sessions, identities, second_factors, recovery_codes):
        change.connection.execute(delete(table).where(table.c.user_id == user_key))
    cleared = update(users).where(users.c.id == user_key).values(password_hash=None, **NO_TWILIO)
    change.connection.execute(cleared)


def workspaces_owned_by_hand(connection: Any, user_key: int) -> list[int]:
    """The keys of the workspaces in which this person is an owner named by hand."""
    chosen = (
        select(memberships.c.workspace_id)
        .join(grants, grants.c.principal_id == memberships.c.id)
        .where(memberships.c.user_id == user_key, memberships.c.status == "active", grants.c.role == OWNER.id)
    )
    return sorted(set(connection.execute(chosen).scalars()))
