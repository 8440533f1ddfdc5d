"""A connection's people and groups by the thousand: what `directory` and `people` do one at a time, set-based.

For an import only, which holds the whole directory first (`hold_directory`): nothing here looks again at what it read.
Keys are given out beforehand, so that every table takes its rows in one statement.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, and_, delete, func, select

from bridge.domain.directory import PushedUser
from bridge.domain.people import fold_letters
from bridge.domain.roles import MINIMAL, OWNER
from bridge.domain.workspace import Connection
from bridge.storage import directory
from bridge.storage.access import in_batches
from bridge.storage.changes import Change, alter_each, begin_facts, insert_rows, lock_workspace, reserve_keys
from bridge.storage.directory import StoredUser
from bridge.storage.tables import (
    connections,
    directory_emails,
    directory_groups,
    directory_users,
    domains,
    grants,
    group_members,
    identities,
    memberships,
    principals,
    users,
)

_BATCH = 500

#: What a new membership begins with, as the audit trail says it.
JOINED = {"role": MINIMAL.name}


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A pushed person, as much as it takes to recognise them."""

    key: int
    id: str
    user_name_ci: str
    external_id: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account, its membership of the workspace, and whether a record of the connection is linked to that."""

    key: int
    email: str
    email_ci: str
    name: str
    closed: bool
    membership_key: int | None
    status: str | None
    has_record: bool


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to be written down: with an account or to get one, with a membership or to get one, or with neither.

    Without an `email` the record stays without a person. `proved`: their domain is the workspace's, proved.
    """

    pushed: PushedUser
    email: str | None
    account_key: int | None = None
    membership_key: int | None = None
    proved: bool = False


@dataclass(frozen=True, slots=True)
class WrittenPerson:
    """The outside ids of what was made for one of them; None for what was there, or isn't needed."""

    record_id: str
    account_id: str | None
    membership_id: str | None


def hold_directory(change: Change, connection: Connection) -> None:
    """Keep everybody else off this directory, and off the workspace, until the change ends.

    In the order of locks (`bridge.storage.changes.lock_workspace`), so that nobody waits for us who holds what we need.
    """
    records, groups = directory_users.c.connection_id == connection.key, directory_groups.c
    # What is under way may still refer to the connection and its groups; without people it gets no further than that.
    _hold(change, select(connections.c.id).where(connections.c.id == connection.key), but_refer=True)
    _hold(change, select(directory_users.c.id).where(records))
    _hold(change, select(groups.id).where(groups.connection_id == connection.key), but_refer=True)
    _hold(
        change,
        select(memberships.c.id).where(memberships.c.id.in_(select(directory_users.c.membership_id).where(records))),
    )
    lock_workspace(change, connection.workspace_key)


def _hold(change: Change, chosen: Select[tuple[int]], *, but_refer: bool = False) -> None:
    """Lock these rows, in order of key; `but_refer`: others may refer to them all the same."""
    if change.connection.dialect.name != "sqlite":  # which has one writer
        held = chosen.order_by("id").with_for_update(key_share=but_refer).subquery()
        change.connection.execute(select(func.count()).select_from(held))


# -- Finding -----------------------------------------------------------------------------------------


def known_records(connection: Any, connection_key: int) -> list[KnownRecord]:
    """Everybody whom the connection's IdP pushes, in the order they came."""
    columns = directory_users.c
    chosen = select(columns.id, columns.uid, columns.user_name_ci, columns.external_id, columns.active)
    rows = connection.execute(chosen.where(directory.pushed_users(connection_key)).order_by(columns.id))
    return [KnownRecord(*row) for row in rows]


def stored_users(connection: Any, keys: Collection[int]) -> Iterator[StoredUser]:
    """The records with these keys, by key."""
    for batch in in_batches(keys):
        yield from directory.list_users(connection, directory_users.c.id.in_(batch))


_ACCOUNT = (users.c.id, users.c.email, users.c.email_ci, users.c.name, users.c.closed_at.is_not(None))


def _accounts(of: Connection) -> Select[Any]:
    member = and_(memberships.c.user_id == users.c.id, memberships.c.workspace_id == of.workspace_key)
    record = and_(directory_users.c.membership_id == memberships.c.id, directory_users.c.connection_id == of.key)
    return (
        select(*_ACCOUNT, memberships.c.id, memberships.c.status, directory_users.c.id.is_not(None))
        .select_from(users)
        .outerjoin(memberships, member)
        .outerjoin(directory_users, record)
    )


def accounts_by_email(connection: Any, of: Connection, emails: Collection[str]) -> dict[str, KnownAccount]:
    """The accounts with these addresses, by folded address."""
    found: dict[str, KnownAccount] = {}
    folded = sorted({fold_letters(email) for email in emails})
    for start in range(0, len(folded), _BATCH):
        chosen = _accounts(of).where(users.c.email_ci.in_(folded[start : start + _BATCH]))
        found |= {row[2]: KnownAccount(*row) for row in connection.execute(chosen)}
    return found


def accounts_by_membership(connection: Any, of: Connection, keys: Collection[int]) -> dict[int, KnownAccount]:
    """The accounts behind these memberships, by membership."""
    found: dict[int, KnownAccount] = {}
    for batch in in_batches(keys):
        found |= {
            row[5]: KnownAccount(*row) for row in connection.execute(_accounts(of).where(memberships.c.id.in_(batch)))
        }
    return found


def linked_subjects(connection: Any, connection_key: int, subjects: Collection[str]) -> dict[str, int]:
    """Of these subjects, those that somebody signed in with by the connection: the account's key of each."""
    found: dict[str, int] = {}
    listed = sorted(set(subjects))
    for start in range(0, len(listed), _BATCH):
        chosen = select(identities.c.subject, identities.c.user_id).where(
            identities.c.connection_id == connection_key, identities.c.subject.in_(listed[start : start + _BATCH])
        )
        found |= {row.subject: row.user_id for row in connection.execute(chosen)}
    return found


def owners_by_hand(connection: Any, workspace_key: int) -> set[int]:
    """The memberships on which ownership itself hangs."""
    chosen = select(grants.c.principal_id).join(memberships, memberships.c.id == grants.c.principal_id)
    here = chosen.where(memberships.c.workspace_id == workspace_key, grants.c.role == OWNER.id)
    return set(connection.execute(here).scalars())


def proved_domains(connection: Any, workspace_key: int) -> set[str]:
    """The domains that the workspace has proved, now."""
    chosen = select(domains.c.name).where(domains.c.workspace_id == workspace_key, domains.c.proved_at.is_not(None))
    return set(connection.execute(chosen).scalars())


# -- Writing -----------------------------------------------------------------------------------------


def insert_people(change: Change, connection: Connection, people: Sequence[NewPerson]) -> list[WrittenPerson]:
    """Write these people down, with the accounts, memberships and Minimal Workspace Access that they lack."""
    accounts = _insert_accounts(change, [one for one in people if one.email and one.account_key is None])
    account_keys = {id(one): key for one, (key, _) in accounts}
    joining = [one for one in people if one.email and one.membership_key is None]
    made = _insert_memberships(change, connection, joining, account_keys)
    keys = {id(one): key for one, (key, _) in made}
    records = _insert_records(
        change, connection.key, [(one.pushed, one.membership_key or keys.get(id(one))) for one in people]
    )
    account_ids = {id(one): uid for one, (_, uid) in accounts}
    membership_ids = {id(one): uid for one, (_, uid) in made}
    directory.count_in_directory(change, connection.key, users=len(people))
    return [
        WrittenPerson(uid, account_ids.get(id(one)), membership_ids.get(id(one)))
        for one, uid in zip(people, records, strict=True)
    ]


_Made = list[tuple[NewPerson, tuple[int, str]]]


def _insert_accounts(change: Change, people: Sequence[NewPerson]) -> _Made:
    made = list(zip(people, _new_names(change, users, len(people)), strict=True))
    rows = [
        {
            "id": key,
            "uid": uid,
            "email": one.email,
            "email_ci": fold_letters(one.email or ""),
            "email_proved_at": change.now if one.proved else None,
            "name": one.pushed.name,
            "created_at": change.now,
        }
        for one, (key, uid) in made
    ]
    insert_rows(change, users, rows)
    return made


def _insert_memberships(
    change: Change, connection: Connection, people: Sequence[NewPerson], account_keys: Mapping[int, int]
) -> _Made:
    made = list(zip(people, _new_names(change, principals, len(people)), strict=True))
    workspace = connection.workspace_key
    insert_rows(
        change, principals, [{"id": key, "workspace_id": workspace, "kind": "membership"} for _, (key, _) in made]
    )
    rows = [
        {
            "id": key,
            "uid": uid,
            "workspace_id": workspace,
            "user_id": one.account_key or account_keys[id(one)],
            "status": "active",
            # An account that was there reaches the workspace by its SSO only, until the person accepts.
            "accepted_at": change.now if one.proved or one.account_key is None else None,
            "created_at": change.now,
        }
        for one, (key, uid) in made
    ]
    begin_facts(change, memberships, rows)
    _give_minimal_access(change, [key for _, (key, _) in made])
    return made


def _give_minimal_access(change: Change, principal_keys: Sequence[int]) -> None:
    given = {"role": MINIMAL.id, "scope": "all", "given_by": change.actor}
    names = zip(principal_keys, _new_names(change, grants, len(principal_keys)), strict=True)
    begin_facts(change, grants, [{"id": key, "uid": uid, "principal_id": to, **given} for to, (key, uid) in names])


def _insert_records(change: Change, connection_key: int, people: Sequence[tuple[PushedUser, int | None]]) -> list[str]:
    names = _new_names(change, directory_users, len(people))
    fixed = {"connection_id": connection_key, "created_at": change.now, "modified_at": change.now}
    rows, addresses = [], []
    for (pushed, membership_key), (key, uid) in zip(people, names, strict=True):
        said = directory.record_columns(pushed) | {"holds_out": not pushed.active, "membership_id": membership_key}
        rows.append({"id": key, "uid": uid, **fixed, **said})
        addresses += directory.email_rows(key, pushed)
    begin_facts(change, directory_users, rows)
    insert_rows(change, directory_emails, addresses)
    return [uid for _, uid in names]


def _new_names(change: Change, table: Any, count: int) -> list[tuple[int, str]]:
    """So many new (key, outside id)."""
    keys = reserve_keys(change, table, count) if count else []
    return [(key, str(uuid4())) for key in keys]


def rewrite_records(change: Change, rewritten: Sequence[tuple[StoredUser, PushedUser, bool]]) -> None:
    """These records say something else from now on, and hold their people out or not."""
    changed = {
        stored.key: directory.record_columns(wanted)
        | {"holds_out": holds_out, "version": stored.user.version + 1, "modified_at": change.now}
        for stored, wanted, holds_out in rewritten
    }
    alter_each(change, directory_users, changed)
    for batch in in_batches(changed):
        change.connection.execute(delete(directory_emails).where(directory_emails.c.directory_user_id.in_(batch)))
    addresses = [row for stored, wanted, _ in rewritten for row in directory.email_rows(stored.key, wanted)]
    insert_rows(change, directory_emails, addresses)


def insert_members(change: Change, group_key: int, user_keys: Sequence[int]) -> None:
    """Add these people, none of whom is in the group."""
    begin_facts(change, group_members, [{"group_id": group_key, "directory_user_id": key} for key in user_keys])
