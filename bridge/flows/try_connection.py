""" "Test this connection" (product.md 2.10): the very same flow, which signs nobody in and changes nothing.

- `allow_test`   an owner, or the operator, gets a ticket that begins one test, also of a disabled connection
- `use_ticket`   the request to the IdP goes out; it is marked here as a test, so that nothing an answer says can
- `TestOver`     the answer went all the way: raised inside the transaction that a login would end with, so that
  whatever it made, linked or noted is undone; what it found out is kept in the sign-in log, and shown to the browser
  that began

What the IdP began by itself answers no request, so it is never a test.
"""

from datetime import datetime, timedelta
from typing import Any

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.identity import AssertedIdentity
from bridge.domain.sentences import Inventory, describe_permission, without_minimal
from bridge.domain.sign_in import Client, keepable_groups
from bridge.domain.sign_in_log import SignInAttempt, WouldHappen
from bridge.domain.sign_in_refusals import OtherBrowser, TestResultGone, TestTicketUsed
from bridge.domain.workspace import Membership, User
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.explain import permissions_of
from bridge.flows.login_requests import Keepsake, LoginRequest, is_kept_by
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.flows.read_sign_in_log import attempt_of
from bridge.flows.sign_in_log import Ended, Trail, log_test
from bridge.flows.sso_door import Door
from bridge.storage import pending, people, resources
from bridge.storage.changes import Change
from bridge.storage.connections import find_by_uid, set_connection
from bridge.storage.mappings import refresh_connection_matches
from bridge.storage.pending import Pending
from bridge.storage.sign_in_attempts import find_attempt_anywhere

#: How long a ticket waits for its browser: the operator may send it to somebody.
TICKET_LASTS = timedelta(minutes=30)
_MOST_LINES = 50


class TestOver(Exception):
    """Ends the transaction of a test by undoing it. Carries what it found out."""

    __test__ = False

    def __init__(self, door: Door, would: WouldHappen, request: LoginRequest) -> None:
        super().__init__("a test signs nobody in")
        self.door, self.would, self.request = door, would, request


# -- Beginning ---------------------------------------------------------------------------------------


def allow_test(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> str:
    """The address at which a browser begins one test of a connection, enabled or not, within half an hour.

    Raises NotFound, Forbidden (not an owner), NotInPlan.
    """
    ticket = new_secret()
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        found = get_connection(change.connection, workspace, connection_id)
        waiting = Pending("test", found.key, None, None, "/", None, now + TICKET_LASTS)
        pending.put_pending(change, digest(ticket), waiting)
    return f"/{found.kind}/{found.id}/login?test={ticket}"


def use_ticket(change: Change, ticket: str, connection_id: str) -> None:
    """Use a ticket up. Raises TestTicketUsed: it was used, ran out, or is another connection's."""
    taken = pending.take_pending(change, digest(ticket), "test")
    ours = find_by_uid(change.connection, connection_id)
    if taken is None or ours is None or taken.connection_key != ours.key:
        raise TestTicketUsed


# -- What a login would do, undone afterwards --------------------------------------------------------


def pretend_enabled(change: Change, door: Door) -> None:
    """Until this transaction is undone, the connection is on, and its groups give what they would."""
    if not door.connection.enabled:
        set_connection(change, door.connection.key, enabled=True)
        refresh_connection_matches(change, door.connection.key)


def would_happen(
    change: Change, door: Door, identity: AssertedIdentity, user: User | None, trail: Trail
) -> WouldHappen:
    """What the transaction has made of this identity; `user` None where an account has to be proved first."""
    member = people.find_member(change.connection, door.workspace.key, user.key) if user else None
    found: tuple[Permission, ...] = ()
    if member is not None:
        by_member = permissions_of(change.connection, [member.key], door.workspace.plan, change.now)
        found = by_member.get(member.key, ())
    return WouldHappen(
        subject=identity.subject,
        email=identity.email,
        name=identity.name,
        groups=keepable_groups(identity.groups)[:_MOST_LINES],
        account=next((step.detail for step in reversed(trail.steps) if step.name == "person"), ""),
        membership=_told_membership(door, member, change.now),
        rules=tuple(dict.fromkeys(_told_rule(one) for each in found for one in each.because if one.mapping))[
            :_MOST_LINES
        ],
        access=_told_access(change, door, found),
    )


def _told_membership(door: Door, member: Membership | None, now: datetime) -> str:
    if member is None:
        return f"None in {door.workspace.name} before the account is proved."
    return f"{'A new member' if member.created_at == now else 'A member already'} of {door.workspace.name}."


def _told_rule(because: Because) -> str:
    # A rule that names one group says no more than the group's name; its id would tell a reader nothing.
    by = "" if because.mapping in (because.idp_group, because.idp_group_id) else f", which fits {because.mapping}"
    into = f": puts them into the User Group {because.user_group}" if because.user_group else ": gives a role itself"
    return f"IdP group {because.idp_group}{by}{into}"


def _told_access(change: Change, door: Door, found: tuple[Permission, ...]) -> tuple[str, ...]:
    inventory = Inventory(tuple(resources.list_resources(change.connection, door.workspace.key)))
    reaching = without_minimal(found)[:_MOST_LINES]
    told = [(one.role.name, describe_permission(RoleInScope(one.role, one.scope), inventory)) for one in reaching]
    return tuple(f"{role}: {text}" for role, text in told) or _told_minimal(found)


def _told_minimal(found: tuple[Permission, ...]) -> tuple[str, ...]:
    return tuple(f"{one.role.name}: sees the workspace, and no resource" for one in found)


# -- What it found out -------------------------------------------------------------------------------


def keep_test_passed(change: Change, over: TestOver, client: Client, trail: Trail) -> str:
    """Keep a test that went all the way. Returns the handle of its result."""
    trail.note("test_over")
    connection = over.door.connection
    text = "The test went all the way. Nobody was signed in, and nothing was changed."
    ended = Ended(connection.kind, "test_passed", "test_passed", text, over.would.email, test=True, would=over.would)
    return log_test(change, ended, client, connection, trail, over.request.browser_hash)


def is_test_result(rows: Any, handle: str, keepsake: Keepsake | None, now: datetime) -> bool:
    """Whether the handle is that of a test's result. Raises OtherBrowser where another one began it."""
    return _find(rows, handle, keepsake, now) is not None


def find_test_result(
    context: Context, handle: str, keepsake: Keepsake | None, now: datetime
) -> tuple[str, SignInAttempt]:
    """A test's workspace, by its slug, and the attempt. Raises TestResultGone, OtherBrowser."""
    with context.database.reading() as rows:
        waiting = _find(rows, handle, keepsake, now)
        row = find_attempt_anywhere(rows, waiting.result["ref"]) if waiting else None
        if row is None:
            raise TestResultGone
        return row.slug, attempt_of(rows, row)


def _find(rows: Any, handle: str, keepsake: Keepsake | None, now: datetime) -> Pending | None:
    waiting = pending.find_pending(rows, digest(handle), "tested", now)
    if waiting is not None and not is_kept_by(keepsake, waiting.browser_hash):
        raise OtherBrowser
    return waiting
