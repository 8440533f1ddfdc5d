"""An IdP pushes people (product.md 4.4, 4.8): records read, made, changed and deleted.

A record belongs to its connection; the membership behind it is shared by all the workspace's connections,
and the account behind that by all workspaces. So a push changes its own record, adds or suspends a
membership of its own workspace, and touches an account only where that account is nobody else's: `pushed_person`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from bridge.domain.directory import DirectoryUser, PushedUser, ShownUser, usable_email
from bridge.domain.errors import Conflict, LastOwner, NotFound, Stale
from bridge.domain.people import fold_letters, fold_user_name
from bridge.domain.workspace import Connection, Membership
from bridge.flows.context import Context
from bridge.flows.pushed_person import end_strangers, find_person, follow_account, late_link, membership_for
from bridge.flows.warn_owners import warn_of_last_owner
from bridge.storage import directory, directory_pages, directory_people, people
from bridge.storage.changes import Change
from bridge.storage.directory_people import StoredUser
from bridge.storage.directory_search import find_name
from bridge.storage.mappings import hold_connections
from bridge.storage.newcomers import look_for
from bridge.storage.workspaces import check_last_owner, guarding_owners
from scim.filter_tree import Filter
from scim.sorting import Order

Edit = Callable[[DirectoryUser], PushedUser]
#: Whether a change may be made to this version of a record.
Fits = Callable[[int], bool]


def actor_of(connection: Connection) -> str:
    """The connection, as the audit trail names it."""
    return f"connection:{connection.id}"


def check_version(version: int, if_version: Fits | None) -> None:
    """Raise Stale where `if_version` refuses the version there is."""
    if if_version is not None and not if_version(version):
        raise Stale("The resource is not in a version that your request allows.")


def get_user(context: Context, connection: Connection, user_id: str) -> DirectoryUser:
    """One pushed person, with their pushed groups. Raises NotFound."""
    with context.database.reading() as rows:
        stored = directory_people.find_user(rows, connection.key, user_id)
        groups = {} if stored is None else directory_people.groups_of_users(rows, [stored.key])
    if stored is None:
        raise _unknown(user_id)
    return _with_groups(stored, groups)


def show_user(context: Context, connection: Connection, user_id: str) -> ShownUser:
    """The same as read to be shown."""
    with context.database.reading() as rows:
        found = directory_people.find_shown_user(rows, connection.key, "id", user_id)
    if found is None:
        raise _unknown(user_id)
    return found


def search_users(
    context: Context,
    connection: Connection,
    filter_: Filter | None,
    order: Order | None = None,
    *,
    offset: int,
    count: int,
) -> tuple[list[ShownUser], int]:
    """The pushed people that match, `count` of them after `offset`, and how many match in all.

    Without an order as they came. Raises TooMany for an order that can't be had of so many, and where the search's time
    is over.
    """
    named = None if filter_ is None or offset or not count else find_name(filter_)
    if named is not None:
        with context.database.reading() as rows:
            found = directory_people.find_shown_user(rows, connection.key, *named)
            return ([], 0) if found is None else ([found], 1)
    limit = context.limit_of_search()
    asked = filter_ is not None or order is not None
    with context.database.searching(limit) if asked else context.database.reading() as rows:
        search = directory_pages.search_users(rows, connection.key, filter_, context.scim_url, limit)
        found_rows, total = search.page(order, offset, count)
        groups = directory_people.groups_of_users(rows, [each.key for each in found_rows])
        return [each.with_groups(groups.get(each.key, ())) for each in found_rows], total


def create_user(context: Context, connection: Connection, pushed: PushedUser, now: datetime) -> DirectoryUser:
    """A person is new to this connection. Raises Conflict where it pushes that user name already.

    Someone known only by invitation, by logins, or by another connection is adopted (RFC 7644 3.3: 201).
    """
    with _telling_owners(context, connection, lambda: pushed, now):
        return context.change(actor_of(connection), now, lambda change: add_user(change, connection, pushed))


def create_circle(
    context: Context, connection: Connection, circle: Mapping[str, PushedUser], now: datetime
) -> list[DirectoryUser]:
    """People who are new and name each other, as managers do: all of them under the given ids, or none.

    Raises Conflict where one of their user names is pushed already, or twice among them.
    """

    begun: list[PushedUser] = []

    def create_one(change: Change, uid: str, pushed: PushedUser) -> DirectoryUser:
        begun.append(pushed)
        return add_user(change, connection, pushed, uid)

    def create_them(change: Change) -> list[DirectoryUser]:
        return [create_one(change, uid, pushed) for uid, pushed in circle.items()]

    with _telling_owners(context, connection, lambda: begun[-1], now):
        return context.change(actor_of(connection), now, create_them)


@contextmanager
def _telling_owners(
    context: Context, connection: Connection, person: Callable[[], PushedUser], now: datetime
) -> Iterator[None]:
    """Where the block would take the last owner, tell the owners about that person."""
    try:
        yield
    except LastOwner:
        warn_of_last_owner(context, connection, person(), now)
        raise


def add_user(change: Change, connection: Connection, pushed: PushedUser, uid: str | None = None) -> DirectoryUser:
    """A person new to the connection, inside a change: see `create_user`. Raises Conflict, LastOwner."""
    seen = look_for(change.connection, connection.key, connection.workspace_key, pushed)
    if seen.name_taken:
        raise _name_taken(pushed.user_name)
    user, member = find_person(change, connection, pushed) if seen.known else (None, None)
    membership = membership_for(change, connection, pushed, user, member, proved=seen.domain_proved)
    # First, since it locks the connection, to which the record will point: the order of locks again.
    directory.count_in_directory(change, connection.key, users=1)
    stored = _write_new(change, connection, pushed, membership, uid, is_new=member is None)
    if user is not None and membership is not None and not user.email_proved:
        end_strangers(change, connection, {user.key: pushed})
    workspace = connection.workspace_key
    if membership is not None and not pushed.active and guarding_owners(change, workspace, membership.key):
        check_last_owner(change, workspace)
    said = told(pushed, linked=membership is not None)
    change.record(connection.workspace_key, "directory_user.created", stored.user.id, after=said)
    return stored.user


def _write_new(
    change: Change,
    connection: Connection,
    pushed: PushedUser,
    membership: Membership | None,
    uid: str | None,
    *,
    is_new: bool,
) -> StoredUser:
    """`is_new`: the membership was made just now, so that there can't be a record of it."""
    if membership is None or is_new:
        return directory_people.insert_user(change, connection.key, pushed, membership.key if membership else None, uid)
    unpushed = directory_people.hold_unpushed(change, connection.key, membership.key)
    if unpushed is not None:
        return directory_people.adopt_user(change, unpushed, connection.key, pushed, membership.key, uid)
    return directory_people.insert_user(change, connection.key, pushed, membership.key, uid)


def change_user(
    context: Context, connection: Connection, user_id: str, edit: Edit, now: datetime, *, if_version: Fits | None = None
) -> DirectoryUser:
    """Replace what a record says by what `edit` makes of it; whatever `edit` raises changes nothing.

    Raises NotFound, Stale (`if_version` refuses it), Conflict (the user name is another's), LastOwner.
    """

    def change_it(change: Change) -> DirectoryUser:
        stored = _get_held(change, connection, user_id, "stay")
        check_version(stored.user.version, if_version)
        wanted = edit(stored.user)
        changed = stored if wanted == stored.user.pushed else rewrite_user(change, connection, stored, wanted)
        return _with_groups(changed, directory_people.groups_of_users(change.connection, [stored.key]))

    with _telling_owners(context, connection, lambda: get_user(context, connection, user_id).pushed, now):
        return context.change(actor_of(connection), now, change_it)


def rewrite_user(change: Change, connection: Connection, stored: StoredUser, wanted: PushedUser) -> StoredUser:
    """The record says `wanted` from now on, inside a change: see `change_user`. Raises Conflict, LastOwner."""
    before = stored.user.pushed
    if fold_user_name(before.user_name) != fold_user_name(wanted.user_name):
        _check_name_free(change, connection, stored, wanted)
    membership_key = stored.membership_key or late_link(change, connection, wanted)
    # Only the IdP's own change of mind holds out or lets in: a hold an owner lifted stays lifted until then.
    holds_out = stored.holds_out if before.active == wanted.active else not wanted.active
    guarded = bool(holds_out and membership_key and guarding_owners(change, connection.workspace_key, membership_key))
    after = directory_people.replace_user(change, stored, wanted, membership_key=membership_key, holds_out=holds_out)
    if membership_key is not None and stored.membership_key is None:
        user = people.find_user_of(change.connection, membership_key)
        end_strangers(change, connection, {user.key: wanted} if user else {})
    if guarded:
        check_last_owner(change, connection.workspace_key)
    follow_account(change, connection, stored, wanted)
    said = {
        "before": told(before, linked=stored.membership_key is not None),
        "after": told(wanted, linked=membership_key is not None),
    }
    change.record(connection.workspace_key, event_of(before, wanted), stored.user.id, **said)
    return after


def event_of(before: PushedUser, after: PushedUser) -> str:
    """What the audit trail calls the change of a record."""
    if before.active == after.active:
        return "directory_user.changed"
    return "directory_user.reactivated" if after.active else "directory_user.deactivated"


def delete_user(
    context: Context, connection: Connection, user_id: str, now: datetime, *, if_version: Fits | None = None
) -> None:
    """The IdP deletes a person: record gone, groups gone, membership ended, held out until pushed anew."""

    def delete_it(change: Change) -> None:
        hold_connections(change, [connection.key])
        stored = _get_held(change, connection, user_id, "alone")
        check_version(stored.user.version, if_version)
        _delete(change, connection, stored)

    with _telling_owners(context, connection, lambda: get_user(context, connection, user_id).pushed, now):
        context.change(actor_of(connection), now, delete_it)


def _delete(change: Change, connection: Connection, stored: StoredUser) -> None:
    second = _find_second(change, connection, stored)
    directory_people.delete_user(change, stored, leaves_hold=second is None)
    directory.count_in_directory(change, connection.key, users=-1)
    guarded = had_left = False
    if stored.membership_key is not None:
        # After the rows of people and groups: the order of locks (`bridge.storage.changes.lock_workspace`).
        guarded = guarding_owners(change, connection.workspace_key, stored.membership_key)
        had_left = second is not None and not people.hold_members(change, [stored.membership_key], alone=True)
        people.end_membership(change, stored.membership_key)
    if guarded:
        check_last_owner(change, connection.workspace_key)
    said = told(stored.user.pushed, linked=stored.membership_key is not None)
    change.record(connection.workspace_key, "directory_user.deleted", stored.user.id, before=said)
    if second is not None:
        _link_second(change, connection, second, stays_out=stored.membership_key if had_left else None)


def _find_second(change: Change, connection: Connection, stored: StoredUser) -> StoredUser | None:
    """The record that was pushed beside this one with the account's address, and waits without one (product.md 4.8)."""
    if stored.membership_key is None:
        return None
    user = people.find_user_of(change.connection, stored.membership_key)
    email_ci = fold_letters(user.email) if user else stored.email_ci  # the record may have another address by now
    if email_ci is None:
        return None
    uid = directory_people.find_second(change.connection, connection.key, email_ci)
    return directory_people.find_user(change.connection, connection.key, uid, hold="stay") if uid else None


def _link_second(change: Change, connection: Connection, second: StoredUser, *, stays_out: int | None) -> None:
    """The IdP deleted one of two records of a person: by the other it still pushes them, so they come as if anew.

    `stays_out` is the membership of who had left before, as when an owner removed them: nothing was pushed that brings
    them back (product.md 4.4), so the other record is theirs as the first was.
    """
    pushed = second.user.pushed
    user, member = find_person(change, connection, pushed)
    proved = people.proves_domain(change.connection, connection.workspace_key, usable_email(pushed) or "")
    if member is None or member.key != stays_out:
        member = membership_for(change, connection, pushed, user, member, proved=proved)
    if member is None:
        return
    directory_people.link_record(change, second, member.key)
    if user is not None and not user.email_proved:
        end_strangers(change, connection, {user.key: pushed})
    said = {"before": told(pushed, linked=False), "after": told(pushed)}
    change.record(connection.workspace_key, "directory_user.changed", second.user.id, **said)


# -- Shared by the above -----------------------------------------------------------------------------


def _get_held(change: Change, connection: Connection, user_id: str, hold: directory.Hold) -> StoredUser:
    stored = directory_people.find_user(change.connection, connection.key, user_id, hold=hold)
    if stored is None:
        raise _unknown(user_id)
    return stored


def _with_groups(stored: StoredUser, groups: dict[int, tuple[tuple[str, str], ...]]) -> DirectoryUser:
    return replace(stored.user, groups=groups.get(stored.key, ()))


def _check_name_free(change: Change, connection: Connection, stored: StoredUser, wanted: PushedUser) -> None:
    holder = directory_people.find_name_holder(change.connection, connection.key, wanted.user_name)
    if holder not in (None, stored.user.id):
        raise _name_taken(wanted.user_name)


def _name_taken(user_name: str) -> Conflict:
    return Conflict(f"A user with userName {user_name[:200]!r} exists already in this connection.")


def _unknown(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id[:100]!r} in this connection.")


def told(pushed: PushedUser, *, linked: bool = True, email: str | None = None) -> dict[str, object]:
    """What the audit trail keeps of a record: enough to see what changed, not the whole document.

    It says so where the record is `linked` to nobody. `email` is its usable address, where the caller has it already.
    """
    said: dict[str, object] = {
        "user_name": pushed.user_name,
        "name": pushed.name,
        "email": email or usable_email(pushed),
        "external_id": pushed.external_id,
        "active": pushed.active,
    }
    return said if linked else said | {"linked": False}
