"""Whom a pushed record is about (product.md 2.6, 4.4): their account, found or made, and their membership."""

from collections.abc import Mapping

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import PushedUser, usable_email
from bridge.domain.people import email_domain, fold_letters
from bridge.domain.roles import MINIMAL
from bridge.domain.workspace import Connection, Membership, User
from bridge.flows.account_settings import forget_under_way
from bridge.flows.everywhere import record_everywhere
from bridge.storage import directory_people, people, sessions
from bridge.storage.changes import Change
from bridge.storage.directory_people import StoredUser
from bridge.storage.grants import insert_grant
from bridge.storage.mappings import hold_connections
from bridge.storage.sign_in import find_identity


def end_strangers(change: Change, connection: Connection, pushed: Mapping[int, PushedUser]) -> None:
    """Who came just in time, under an address that nobody vouches for, isn't the person who is pushed with it now until
    they prove it: what they signed in to ends (docs/decisions/0023). `pushed` holds records by the keys of accounts.
    """
    if not pushed:
        return
    names = {key: {name for name in (each.external_id, each.user_name) if name} for key, each in pushed.items()}
    for uid in sessions.end_strangers(change, connection, names):
        after = {"by": "push", "connection": connection.id}
        change.record(connection.workspace_key, "session.ended", uid, after=after)


def membership_for(
    change: Change,
    connection: Connection,
    pushed: PushedUser,
    user: User | None,
    membership: Membership | None,
    *,
    proved: bool,
) -> Membership | None:
    """The membership a new push is about, given whom it is about, and whether the workspace proved its address's
    domain: as it is, revived or made.

    None without a usable address. None too for a second record of one connection with the same address, which is
    kept, not linked (product.md 4.8): it says nothing of that person, so it doesn't undo an owner's removal.
    """
    if user is None:
        email = usable_email(pushed)
        return None if email is None else _make_member(change, connection, email, pushed.name, proved=proved)
    proved = people.proves_domain(change.connection, connection.workspace_key, user.email)
    if membership is None:
        return _join(change, connection, user.key, accepted=proved)
    if directory_people.find_pushed(change.connection, connection.key, membership.key) is not None:
        return None
    if membership.status == "removed":
        _revive(change, connection, membership, accepted=proved or membership.accepted)
    return membership


def _revive(change: Change, connection: Connection, membership: Membership, *, accepted: bool) -> None:
    """Bring a removed member back, unless another connection did so a moment ago."""
    # The order of locks (`bridge.storage.changes.lock_workspace`): the connection, the record, then the membership.
    hold_connections(change, [connection.key])
    directory_people.hold_unpushed(change, connection.key, membership.key)
    if not people.hold_members(change, [membership.key], alone=True):
        people.revive_membership(change, membership.key, accepted=accepted)
        _welcome(change, connection, membership, "membership.revived")


def find_person(change: Change, connection: Connection, pushed: PushedUser) -> tuple[User | None, Membership | None]:
    """The account that a record is about, and its membership here; None for what there isn't yet."""
    user = _find_account(change, connection, pushed)
    member = people.find_member(change.connection, connection.workspace_key, user.key) if user else None
    return user, member


def _find_account(change: Change, connection: Connection, pushed: PushedUser) -> User | None:
    """Whom this connection signs in under the record's own names, else who has its address (product.md 2.6)."""
    subjects = [name for name in (pushed.external_id, pushed.user_name) if name]
    signed_in = {find_identity(change.connection, connection.key, subject) for subject in subjects} - {None}
    if len(signed_in) == 1:
        return people.find_user_by_key(change.connection, signed_in.pop() or 0)
    email = usable_email(pushed)
    return None if email is None else people.find_user_by_email(change.connection, email)


def _make_member(change: Change, connection: Connection, email: str, name: str, *, proved: bool) -> Membership:
    user = people.insert_user(change, email, name, email_proved_at=change.now if proved else None)
    made = {"email": user.email, "name": user.name}
    change.record(connection.workspace_key, "user.created", user.id, after=made)
    return _join(change, connection, user.key, accepted=True)


def _join(change: Change, connection: Connection, user_key: int, *, accepted: bool) -> Membership:
    membership = people.insert_membership(change, connection.workspace_key, user_key, accepted=accepted)
    _welcome(change, connection, membership, "membership.created")
    return membership


def _welcome(change: Change, connection: Connection, membership: Membership, event: str) -> None:
    given = RoleInScope(MINIMAL, EVERYWHERE)
    insert_grant(change, connection.workspace_key, membership.key, given, change.actor)
    change.record(connection.workspace_key, event, membership.id, after={"role": MINIMAL.name})


def late_link(change: Change, connection: Connection, wanted: PushedUser) -> int | None:
    """A record that had no usable address, or was second with it, may have one of its own now, or be alone with it."""
    email = usable_email(wanted)
    if email is None:
        return None
    user, member = find_person(change, connection, wanted)
    if member is not None and (member.status == "removed" or _has_record(change, connection, member)):
        return None  # only a new push, an invitation or an owner brings back whom an owner removed (product.md 4.4)
    proved = people.proves_domain(change.connection, connection.workspace_key, email)
    membership = membership_for(change, connection, wanted, user, member, proved=proved)
    return membership.key if membership else None


def _has_record(change: Change, connection: Connection, member: Membership) -> bool:
    return directory_people.has_record(change.connection, connection.key, member.key)


def follow_account(change: Change, connection: Connection, stored: StoredUser, wanted: PushedUser) -> None:
    """Let an account follow its IdP: the name where the account is nobody else's, the address where proved."""
    if stored.membership_key is None:
        return
    workspace = connection.workspace_key
    user = people.find_user_of(change.connection, stored.membership_key)
    if user is None:
        return
    if user.name != wanted.name and not people.has_other_life(change.connection, user.key, workspace):
        people.set_user(change, user.key, name=wanted.name)
    email = usable_email(wanted)
    if (
        email
        and fold_letters(email) != fold_letters(user.email)
        and _may_change_email(change, workspace, user.email, email)
    ):
        people.set_user(change, user.key, email=email, email_ci=fold_letters(email), email_proved_at=change.now)
        forget_under_way(change, user.key)
        said = {"before": {"email": user.email}, "after": {"email": email}}
        record_everywhere(change, user, "user.email_changed", here=workspace, **said)


def _may_change_email(change: Change, workspace_key: int, old: str, new: str) -> bool:
    """Product.md 2.6: this workspace proved both domains, and the new address is free."""
    proved = all(people.proves_domain(change.connection, workspace_key, email) for email in (old, new))
    return proved and email_domain(new) != "" and people.find_user_by_email(change.connection, new) is None
