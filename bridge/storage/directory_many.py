"""A connection's people and groups by the thousand: what `directory` and `people` do one at a time, set-based.

For an import only, which holds the whole directory first (`hold_directory`): nothing here looks again at what it read.
Keys are given out beforehand, so that every table takes its rows in one statement.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, exists, func, or_, select, update

from bridge.domain.directory import PushedUser
from bridge.domain.people import fold_letters
from bridge.domain.roles import MINIMAL, OWNER
from bridge.domain.workspace import Connection
from bridge.storage import directory, directory_people
from bridge.storage.access import in_batches
from bridge.storage.accounts import WAY_IN
from bridge.storage.changes import Change, alter_each, begin_facts, insert_rows, lock_workspace, reserve_keys
from bridge.storage.columns import Instant
from bridge.storage.directory_people import StoredUser
from bridge.storage.mappings import hold_connections
from bridge.storage.tables import (
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
    """An account, its membership of the workspace, and the connection's record that is linked to that.

    `record_key` is None without a record; one that isn't `pushed` is of somebody known by logins, or deleted.
    """

    key: int
    id: str
    email: str
    email_ci: str
    name: str
    closed: bool
    membership_key: int | None
    membership_id: str | None
    status: str | None
    accepted: bool
    record_key: int | None
    pushed: bool | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody new to the connection: with an account or to get one, with a membership, or to get one, or it back.

    Without an `account` and an `email` the record stays without a person. `proved`: their domain is the workspace's,
    proved. The record gets the outside id `uid` where one is given.
    """

    pushed: PushedUser
    email: str | None
    account: KnownAccount | None = None
    proved: bool = False
    uid: str | None = None

    @property
    def linked(self) -> bool:
        """Whether the record is somebody's."""
        return bool(self.account or self.email)

    @property
    def joins(self) -> bool:
        """Whether they get a membership."""
        return self.linked and not (self.account and self.account.membership_key)

    @property
    def returns(self) -> bool:
        """Whether they get the membership back that an owner, or a deletion, had ended."""
        return self.account is not None and self.account.status == "removed"


@dataclass(frozen=True, slots=True)
class WrittenPerson:
    """The outside ids of what was made for one of them, or revived; None for what stood, or isn't needed."""

    record_id: str
    account_id: str | None
    membership_id: str | None


def hold_directory(change: Change, connection: Connection) -> None:
    """Keep everybody else off this directory, and off the workspace, until the change ends.

    In the order of locks (`bridge.storage.changes.lock_workspace`), so that nobody waits for us who holds what we need.
    Nobody waits either who only refers to the connection or to its people: logins do.
    """
    records = directory_users.c.connection_id == connection.key
    linked = select(directory_users.c.membership_id).where(records)
    hold_connections(change, [connection.key])
    _hold(change, directory_users, records, still_referred_to=True)
    # Alone: a plain change of members, which only refers to its group, must be over, or wait.
    _hold(change, directory_groups, directory_groups.c.connection_id == connection.key)
    _hold(change, memberships, memberships.c.id.in_(linked))
    lock_workspace(change, connection.workspace_key)


def _hold(change: Change, table: Any, where: ColumnElement[bool], *, still_referred_to: bool = False) -> None:
    if change.connection.dialect.name != "sqlite":  # which has one writer
        chosen = select(table.c.id).where(where).order_by(table.c.id)
        held = chosen.with_for_update(key_share=still_referred_to).subquery()
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
        yield from directory_people.list_users(connection, directory_users.c.id.in_(batch))


def _accounts(of: Connection) -> Select[Any]:
    member = and_(memberships.c.user_id == users.c.id, memberships.c.workspace_id == of.workspace_key)
    record = and_(directory_users.c.membership_id == memberships.c.id, directory_users.c.connection_id == of.key)
    account = (users.c.id, users.c.uid, users.c.email, users.c.email_ci, users.c.name, users.c.closed_at.is_not(None))
    membership = (memberships.c.id, memberships.c.uid, memberships.c.status, memberships.c.accepted_at.is_not(None))
    chosen = select(*account, *membership, directory_users.c.id, directory_users.c.pushed).select_from(users)
    return chosen.outerjoin(memberships, member).outerjoin(directory_users, record)


def _list_accounts(connection: Any, of: Connection, column: Any, values: Iterable[Any]) -> Iterator[KnownAccount]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _BATCH):
        chosen = _accounts(of).where(column.in_(wanted[start : start + _BATCH]))
        yield from (KnownAccount(*row) for row in connection.execute(chosen).all())


def accounts_by_email(connection: Any, of: Connection, emails: Iterable[str]) -> dict[str, KnownAccount]:
    """The open accounts with these addresses, by folded address."""
    found = _list_accounts(connection, of, users.c.email_ci, map(fold_letters, emails))
    return {account.email_ci: account for account in found if not account.closed}


def accounts_by_key(connection: Any, of: Connection, keys: Iterable[int]) -> dict[int, KnownAccount]:
    """The accounts with these keys, by key."""
    return {account.key: account for account in _list_accounts(connection, of, users.c.id, keys)}


def accounts_by_membership(connection: Any, of: Connection, keys: Iterable[int]) -> dict[int, KnownAccount]:
    """The accounts behind these memberships of the workspace, by membership."""
    found = _list_accounts(connection, of, memberships.c.id, keys)
    return {account.membership_key: account for account in found if account.membership_key}


def with_other_lives(connection: Any, of: Connection, account_keys: Iterable[int]) -> set[int]:
    """Of these accounts, those that are more than this workspace's: as `people.has_other_life` has it."""
    found: set[int] = set()
    elsewhere = exists().where(memberships.c.user_id == users.c.id, memberships.c.workspace_id != of.workspace_key)
    for batch in in_batches(sorted(set(account_keys))):
        chosen = select(users.c.id).where(users.c.id.in_(batch), or_(WAY_IN, elsewhere))
        found |= set(connection.execute(chosen).scalars())
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


def member_keys(connection: Any, group_keys: Collection[int]) -> dict[int, set[int]]:
    """The keys of everybody in each of these groups."""
    found: dict[int, set[int]] = {key: set() for key in group_keys}
    columns = group_members.c
    for batch in in_batches(group_keys):
        chosen = select(columns.group_id, columns.directory_user_id).where(columns.group_id.in_(batch))
        for group, key in connection.execute(chosen):
            found[group].add(key)
    return found


def names_by_key(connection: Any, keys: Collection[int]) -> dict[int, dict[str, str]]:
    """People as the audit trail names them, by key."""
    columns = directory_users.c
    found: dict[int, dict[str, str]] = {}
    for batch in in_batches(sorted(keys)):
        chosen = select(columns.id, columns.uid, columns.display_name).where(columns.id.in_(batch))
        found |= {key: {"id": uid, "name": name} for key, uid, name in connection.execute(chosen)}
    return found


def proved_domains(connection: Any, workspace_key: int) -> set[str]:
    """The domains that the workspace has proved, now."""
    chosen = select(domains.c.name).where(domains.c.workspace_id == workspace_key, domains.c.proved_at.is_not(None))
    return set(connection.execute(chosen).scalars())


# -- Writing -----------------------------------------------------------------------------------------


def insert_people(change: Change, connection: Connection, people: Sequence[NewPerson]) -> list[WrittenPerson]:
    """Write these people down, with the accounts, memberships and Minimal Workspace Access that they lack."""
    accounts = _insert_accounts(change, people)
    made = _insert_memberships(change, connection, people, accounts)
    _revive_memberships(change, people)
    welcome = {n: key for n, (key, _) in made.items()}
    welcome |= {n: one.account.membership_key or 0 for n, one in enumerate(people) if one.returns and one.account}
    _give_minimal_access(change, [welcome[n] for n in sorted(welcome)])
    records = _write_records(change, connection.key, people, {n: key for n, (key, _) in made.items()})
    directory.count_in_directory(change, connection.key, users=len(people))
    ids = {n: uid for n, (_, uid) in made.items()}
    ids |= {n: one.account.membership_id or "" for n, one in enumerate(people) if one.returns and one.account}
    return [
        WrittenPerson(records[n], accounts[n][1] if n in accounts else None, ids.get(n)) for n in range(len(people))
    ]


#: What was made for some of the people: (key, outside id), by their place among them.
_Made = dict[int, tuple[int, str]]


def _insert_accounts(change: Change, people: Sequence[NewPerson]) -> _Made:
    lacking = [n for n, one in enumerate(people) if one.email and one.account is None]
    made = dict(zip(lacking, _new_names(change, users, len(lacking)), strict=True))
    rows = [
        {
            "id": key,
            "uid": uid,
            "email": people[n].email,
            "email_ci": fold_letters(people[n].email or ""),
            "email_proved_at": change.now if people[n].proved else None,
            "name": people[n].pushed.name,
            "created_at": change.now,
        }
        for n, (key, uid) in made.items()
    ]
    insert_rows(change, users, rows)
    return made


def _insert_memberships(change: Change, connection: Connection, people: Sequence[NewPerson], accounts: _Made) -> _Made:
    joining = [n for n, one in enumerate(people) if one.joins]
    made = dict(zip(joining, _new_names(change, principals, len(joining)), strict=True))
    workspace = connection.workspace_key
    insert_rows(
        change, principals, [{"id": key, "workspace_id": workspace, "kind": "membership"} for key, _ in made.values()]
    )
    owners = {n: account.key if (account := people[n].account) else accounts[n][0] for n in joining}
    rows = [
        {
            "id": key,
            "uid": uid,
            "workspace_id": workspace,
            "user_id": owners[n],
            "status": "active",
            # An account that was there reaches the workspace by its SSO only, until the person accepts.
            "accepted_at": change.now if people[n].proved or people[n].account is None else None,
            "created_at": change.now,
        }
        for n, (key, uid) in made.items()
    ]
    begin_facts(change, memberships, rows)
    return made


def _revive_memberships(change: Change, people: Sequence[NewPerson]) -> None:
    """As `people.revive_membership` does it."""
    revived = {
        one.account.membership_key: {
            "status": "active",
            "accepted_at": change.now if one.proved or one.account.accepted else None,
            "sso_exempt": False,
        }
        for one in people
        if one.returns and one.account and one.account.membership_key
    }
    alter_each(change, memberships, revived)


def _give_minimal_access(change: Change, principal_keys: Sequence[int]) -> None:
    given = {"role": MINIMAL.id, "scope": "all", "given_by": change.actor}
    names = zip(principal_keys, _new_names(change, grants, len(principal_keys)), strict=True)
    begin_facts(change, grants, [{"id": key, "uid": uid, "principal_id": to, **given} for to, (key, uid) in names])


def _write_records(
    change: Change, connection_key: int, people: Sequence[NewPerson], made: Mapping[int, int]
) -> list[str]:
    """A record each: a new one, or, as `directory.adopt_user` does it, the one that their IdP didn't push until now."""
    uids = [one.uid or str(uuid4()) for one in people]
    adopted = {n: one.account.record_key for n, one in enumerate(people) if one.account and one.account.record_key}
    new = [n for n in range(len(people)) if n not in adopted]
    keys = adopted | dict(zip(new, reserve_keys(change, directory_users, len(new)) if new else [], strict=True))
    times = {"created_at": change.now, "modified_at": change.now}
    said = [
        directory_people.record_columns(one.pushed, one.email)
        | {"uid": uid, "holds_out": not one.pushed.active}
        | times
        for one, uid in zip(people, uids, strict=True)
    ]
    linked = [made.get(n) or (one.account.membership_key if one.account else None) for n, one in enumerate(people)]
    fixed = {"connection_id": connection_key}
    begin_facts(change, directory_users, [{"id": keys[n], **fixed, "membership_id": linked[n], **said[n]} for n in new])
    alter_each(change, directory_users, {key: said[n] | {"version": 0} for n, key in adopted.items()})
    _write_addresses(change, [(keys[n], one.pushed) for n, one in enumerate(people)], known=list(adopted.values()))
    return uids


def _write_addresses(change: Change, people: Sequence[tuple[int, PushedUser]], known: Sequence[int]) -> None:
    """The addresses of these records; of the `known` ones, in place of those that they had."""
    for batch in in_batches(known):
        change.connection.execute(delete(directory_emails).where(directory_emails.c.directory_user_id.in_(batch)))
    insert_rows(
        change, directory_emails, [row for key, pushed in people for row in directory_people.email_rows(key, pushed)]
    )


def _new_names(change: Change, table: Any, count: int) -> list[tuple[int, str]]:
    """So many new (key, outside id)."""
    keys = reserve_keys(change, table, count) if count else []
    return [(key, str(uuid4())) for key in keys]


def rewrite_records(change: Change, rewritten: Sequence[tuple[StoredUser, PushedUser, bool]]) -> None:
    """These records say something else from now on, and hold their people out or not."""
    changed = {
        stored.key: directory_people.record_columns(wanted)
        | {"holds_out": holds_out, "version": stored.user.version + 1, "modified_at": change.now}
        for stored, wanted, holds_out in rewritten
    }
    alter_each(change, directory_users, changed)
    _write_addresses(change, [(stored.key, wanted) for stored, wanted, _ in rewritten], known=list(changed))


def rename_accounts(change: Change, names: Mapping[int, str]) -> None:
    """Give these accounts other names."""
    _set_each(change, {key: {"name": name} for key, name in names.items()})


def move_accounts(change: Change, emails: Mapping[int, str]) -> None:
    """Give these accounts other addresses, all of them free, and in domains that the workspace has proved."""
    proved = {"email_proved_at": change.now}
    _set_each(change, {key: {"email": one, "email_ci": fold_letters(one), **proved} for key, one in emails.items()})


def _set_each(change: Change, accounts: Mapping[int, Mapping[str, Any]]) -> None:
    if accounts:
        names = next(iter(accounts.values()))
        values = {name: bindparam(f"_{name}", type_=users.c[name].type) for name in names}
        said = [{"_key": key} | {f"_{name}": one[name] for name in names} for key, one in accounts.items()]
        change.connection.execute(update(users).where(users.c.id == bindparam("_key")).values(values), said)


def insert_members(change: Change, coming: Mapping[int, Collection[int]]) -> None:
    """Add people to groups: to each, by its key, some who aren't in it."""
    rows = [{"group_id": group, "directory_user_id": key} for group, keys in coming.items() for key in sorted(keys)]
    begin_facts(change, group_members, rows)


def touch_groups(change: Change, moved: Mapping[int, int]) -> None:
    """One more version of each of these groups, with so many members more (or fewer) in it."""
    if moved:
        said = [{"key": key, "more": more, "moment": change.now} for key, more in moved.items()]
        change.connection.execute(_TOUCH_GROUPS, said)


_TOUCH_GROUPS = (
    update(directory_groups)
    .where(directory_groups.c.id == bindparam("key"))
    .values(
        n_members=directory_groups.c.n_members + bindparam("more"),
        version=directory_groups.c.version + 1,
        modified_at=bindparam("moment", type_=Instant),
    )
)
