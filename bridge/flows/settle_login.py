"""A verified identity meets the rows: whose it is, and what a login changes (product.md 2.6, 5.1).

Both run inside the transaction of the flow that signs somebody in.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Invalid
from bridge.domain.identity import AssertedIdentity
from bridge.domain.people import clean_name, find_email, fold_letters
from bridge.domain.roles import MINIMAL
from bridge.domain.sign_in import Found, Step, keepable_groups
from bridge.domain.sign_in_refusals import AccountClosed, HeldOut, SharedEmail, UnusableIdentity
from bridge.domain.workspace import Membership, User
from bridge.flows.account_settings import forget_under_way
from bridge.flows.sso_door import Door
from bridge.storage import asserted_groups, people, sign_in
from bridge.storage.asserted_groups import LoginRecord
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.grants import insert_grant
from bridge.storage.invites import find_pending_by_email
from bridge.storage.mappings import refresh_group_matches
from bridge.storage.own_account import was_closed_here
from bridge.storage.sign_in import Linked, PushedRecord
from bridge.storage.workspaces import check_last_owner

_LONGEST_SUBJECT = 512


def check_identity(identity: AssertedIdentity) -> AssertedIdentity:
    """The identity with a name that can be shown. Raises UnusableIdentity for a subject or email nobody could keep."""
    if not 0 < len(identity.subject) <= _LONGEST_SUBJECT or not identity.subject.isprintable():
        raise UnusableIdentity("The identity provider’s name for you is longer than 512 characters, or unprintable.")
    email = find_email(identity.email)
    if email is None:
        raise UnusableIdentity("The identity provider gave no email address that could receive mail.")
    return replace(identity, email=email, name=_shown_name(identity.name, email))


def _shown_name(name: str, email: str) -> str:
    try:
        return clean_name(name)
    except Invalid:
        return email.partition("@")[0]


# -- Whose it is -------------------------------------------------------------------------------------


def find_person(change: Change, door: Door, identity: AssertedIdentity) -> Found | None:
    """The account that product.md 2.6 names for this identity, looked for in its order. None: nobody has the email.

    Raises AccountClosed, HeldOut, SharedEmail.
    """
    rows, ours = change.connection, door.connection
    linked = sign_in.find_linked(rows, ours, identity.subject)
    if linked is not None:
        records = _pushed_records(change, door, identity)
        _check_not_held(door, records)
        return _returning(linked, identity, records)
    pushed = _find_pushed(change, door, identity)
    if pushed is not None:
        user, by_name = pushed
        found = sign_in.describe_found(rows, ours, "push", user, change.now)
        return replace(found, vouched=by_name or identity.email_vouched)
    holder = people.find_user_by_email(rows, identity.email)
    held = sign_in.describe_found(rows, ours, "email", holder, change.now) if holder else None
    # Also where they have a new account meanwhile, by Twilio or another workspace: it isn't in here by itself.
    if (held is None or held.membership is None) and was_closed_here(rows, door.workspace.key, identity.email):
        raise AccountClosed
    return replace(held, vouched=identity.email_vouched) if held else None


def _returning(linked: Linked, identity: AssertedIdentity, records: Sequence[PushedRecord]) -> Found:
    """Of whom a login has opened before, no more is looked at than whether they are still in, and still may be they.

    Who came first under an address that nobody vouches for isn't the person that was pushed with it later, until they
    prove it.
    """
    user = _open(linked.user)
    named = any(one.by_subject and one.membership_key is not None for one in records)
    return Found(
        "identity",
        user,
        linked.membership,
        pushed_here=linked.pushed_here,
        pushed_elsewhere=linked.pushed_elsewhere,
        vouched=identity.email_vouched or user.email_proved or named or not linked.pushed_here,
    )


def _open(user: User | None) -> User:
    if user is None:
        raise AccountClosed
    return user


def _pushed_records(change: Change, door: Door, identity: AssertedIdentity) -> list[PushedRecord]:
    return sign_in.find_pushed_records(change.connection, door.connection.key, identity.pushed_as, identity.email)


def _check_not_held(door: Door, records: Sequence[PushedRecord]) -> None:
    """A record without an account may be about somebody who has one: inactive, it keeps them out all the same."""
    if any(one.by_subject and one.holds_out and one.membership_key is None for one in records):
        raise HeldOut(door.workspace.name)


def _find_pushed(change: Change, door: Door, identity: AssertedIdentity) -> tuple[User, bool] | None:
    """Whom this connection pushes, and whether by their name there, not by the address alone."""
    records = _pushed_records(change, door, identity)
    if not records:
        return None
    if len({one.membership_key for one in records if one.by_subject and one.membership_key is not None}) > 1:
        raise UnusableIdentity("The identity provider’s name for you stands for two people that it pushes.")
    best = records[0]
    if best.membership_key is not None:
        return _open(people.find_user_of(change.connection, best.membership_key)), best.by_subject
    if best.holds_out:
        raise HeldOut(door.workspace.name)
    if any(record.membership_key is not None for record in records):
        # Their own record has no account since somebody else's came first with the same address: that one's account
        # is not theirs.
        raise SharedEmail(door.connection.name)
    return None


def may_join(change: Change, door: Door, identity: AssertedIdentity, found: Found | None) -> bool:
    """Whether who isn't a member may become one: just in time; or, where that is off, whom an owner has invited.

    Of an address for which the provider doesn't stand, an invitation says nothing.
    """
    if door.jit or (found is not None and found.membership is not None):
        return door.jit
    return _is_invited(change, door, identity)


def note_invited_back(change: Change, door: Door, identity: AssertedIdentity, found: Found | None) -> Found | None:
    """The same, marked where a removed member is invited under the address that the account has. An invitation brings
    people back, as just in time never does (product.md 2.6, 4.4).
    """
    member = found.membership if found is not None else None
    if found is None or member is None or member.status == "active" or member.held_out:
        return found
    theirs = fold_letters(identity.email) == fold_letters(found.user.email)
    return replace(found, invited_back=theirs and _is_invited(change, door, identity))


def _is_invited(change: Change, door: Door, identity: AssertedIdentity) -> bool:
    pending = find_pending_by_email(change.connection, door.workspace.key, identity.email)
    return identity.email_vouched and pending is not None and pending.expires_at > change.now


# -- In the words of the sign-in log -----------------------------------------------------------------


def tell_found(found: Found | None, step: Step, connection: str) -> str:
    """Whose account a login opens, and by which of product.md 2.6's ways it was found."""
    if found is None:
        return "Nobody had this email: the account is made (just in time)."
    how = f"{found.user.email}, {_found_by(found, connection)}"
    more = {
        "enter": "",
        "link": " This sign-in links it.",
        "adopt": " Its address was never confirmed: what was left in it is cleared, then it is linked.",
        "prove": " They have to prove that it is theirs"
        + ("." if found.vouched else f": {connection} doesn’t say that it verified the address."),
        "create": "",
    }
    return f"{how}.{more[step]}"


def _found_by(found: Found, connection: str) -> str:
    if found.by == "identity":
        return "whom this identity opened before"
    if found.by == "push":
        return f"whom {connection} pushes"
    if found.membership is not None:
        return "a member of this workspace with this email"
    return "an account with this email, whose domain " + (
        "this workspace has proved" if found.domain_proved else "this workspace has not proved"
    )


def tell_groups(groups: Sequence[str], days: int) -> str:
    """Which groups a login named, and for how long they count."""
    if not groups:
        return "The answer named no groups."
    named = ", ".join(groups[:10]) + (f" and {len(groups) - 10} more" if len(groups) > 10 else "")
    return f"{len(groups)}, for {days} days unless the next sign-in says otherwise: {named}."


# -- What a login changes ----------------------------------------------------------------------------


def settle(change: Change, door: Door, identity: AssertedIdentity, found: Found | None, step: Step) -> User:
    """Make the account, link, membership and asserted groups what this login says. Returns the account."""
    user = found.user if found else _create(change, door, identity)
    if step == "adopt":
        adopt(change, [door.workspace.key], user)
    if step != "enter":
        _link(change, door, identity, user)
    _follow_email(change, door, identity, user)
    membership = (found.membership if found else None) or _join(change, door, user)
    if found is not None and found.invited_back:
        _come_back(change, door, user, membership)
    _keep_groups(change, door, identity, membership)
    return user


def _create(change: Change, door: Door, identity: AssertedIdentity) -> User:
    proved = identity.email_vouched and people.proves_domain(change.connection, door.workspace.key, identity.email)
    user = people.insert_user(change, identity.email, identity.name, email_proved_at=change.now if proved else None)
    change.record(door.workspace.key, "user.created", user.id, after={"email": user.email, "name": user.name})
    return user


def adopt(change: Change, workspace_keys: Sequence[int], user: User) -> None:
    """The address is proved for the first time: whatever was left in the account until now, by whomever, goes. It is
    told in these workspaces.

    Raises LastOwner where that would take a last owner's own way in.
    """
    owned = sign_in.workspaces_owned_by_hand(change.connection, user.key)
    for workspace_key in owned:
        lock_workspace(change, workspace_key)
    sign_in.clear_account(change, user.key)
    people.set_user(change, user.key, email_proved_at=change.now)
    for workspace_key in owned:
        check_last_owner(change, workspace_key)
    for key in workspace_keys:
        change.record(key, "user.adopted", user.id, after={"email": user.email})


def _link(change: Change, door: Door, identity: AssertedIdentity, user: User) -> None:
    if sign_in.find_identity(change.connection, door.connection.key, identity.subject) == user.key:
        return
    sign_in.link_identity(change, door.connection.key, identity.subject, user.key)
    after = {"connection": door.connection.id, "subject": identity.subject}
    change.record(door.workspace.key, "identity.linked", user.id, after=after)


def _follow_email(change: Change, door: Door, identity: AssertedIdentity, user: User) -> None:
    """An IdP changes an account's address only where its workspace proved both domains and the new one is free."""
    old, new, workspace = user.email, identity.email, door.workspace.key
    if not identity.email_vouched:
        return
    if fold_letters(old) == fold_letters(new) or people.find_user_by_email(change.connection, new) is not None:
        return
    if all(people.proves_domain(change.connection, workspace, email) for email in (old, new)):
        people.set_user(change, user.key, email=new, email_ci=fold_letters(new), email_proved_at=change.now)
        forget_under_way(change, user.key)
        change.record(workspace, "user.email_changed", user.id, before={"email": old}, after={"email": new})


def _join(change: Change, door: Door, user: User) -> Membership:
    membership = people.insert_membership(change, door.workspace.key, user.key, accepted=True)
    insert_grant(change, door.workspace.key, membership.key, RoleInScope(MINIMAL, EVERYWHERE), change.actor)
    change.record(
        door.workspace.key, "membership.created", membership.id, after={"email": user.email, "role": MINIMAL.name}
    )
    return membership


def _come_back(change: Change, door: Door, user: User, membership: Membership) -> None:
    """What the invitation gives comes when it is accepted."""
    people.hold_members(change, [membership.key], alone=True)
    people.revive_membership(change, membership.key, accepted=True)
    after = {"email": user.email, "why": "invited"}
    change.record(door.workspace.key, "member.restored", membership.id, after=after)


def _keep_groups(change: Change, door: Door, identity: AssertedIdentity, membership: Membership) -> None:
    ours, workspace = door.connection, door.workspace.key
    says = LoginRecord(identity.subject, identity.email, identity.name)
    asserted_groups.link_pushed_record(change, ours.key, membership.key, identity.pushed_as)
    record = asserted_groups.record_of_login(change, ours.key, membership.key, says)
    until = change.now + timedelta(days=door.asserted_days)
    told = asserted_groups.replace_asserted(change, ours.key, record, keepable_groups(identity.groups), until)
    if told.made:
        refresh_group_matches(change, ours.key, [key for key, _, _ in told.made])
    for _, uid, name in told.made:
        change.record(workspace, "idp_group.asserted", uid, after={"name": name, "connection": ours.id})
    if told.came or told.left:
        change.record(workspace, "idp_groups.named_at_login", membership.id, after=_moved(told.came, told.left))


def _moved(came: tuple[str, ...], left: tuple[str, ...]) -> dict[str, Any]:
    return {"came_into": list(came), "left": list(left)}
