"""Break-glass: a one-time code that, with an owner's own login, opens one workspace for an hour when its IdP is broken
(product.md 2.5; docs/decisions/0017).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.mail import Mail
from bridge.domain.people import parse_email
from bridge.domain.reach import ACCOUNT_KINDS
from bridge.domain.roles import OWNER
from bridge.domain.sentences import counted
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import LoginTooOld, WrongCode
from bridge.domain.workspace import Workspace
from bridge.flows import workspace_mails
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import OPERATOR, SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.sessions import CurrentSession
from bridge.flows.sign_in_log import Refusal, Trail, keep_refused, log_glass_broken
from bridge.flows.tries import Limit, by_address, count_tries, note_good_try
from bridge.storage import break_glass, people
from bridge.storage.access import holders_of_roles
from bridge.storage.changes import Change

NamedOwner = break_glass.NamedOwner

CODES_AT_A_TIME = 5
OPENS_FOR = timedelta(hours=1)
OPERATORS_CODE_LASTS = timedelta(hours=24)
#: How old the login may be that a code goes with.
LOGIN_LASTS = timedelta(minutes=15)
TRIES_BY_OWNER = 10
TRIES_BY_ADDRESS = 100
# Without letters and digits that are taken for one another.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH, _GROUP = 17, 4


@dataclass(frozen=True, slots=True)
class NewCodes:
    """Codes just made, shown this once, and whose they are."""

    owner: NamedOwner
    codes: tuple[str, ...]
    expires_at: datetime | None = None


# -- Making codes ------------------------------------------------------------------------------------


def list_named_owners(context: Context, workspace_slug: str, now: datetime) -> tuple[NamedOwner, ...]:
    """The owners named by hand, each with the number of their codes. Raises NotFound."""
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return tuple(break_glass.list_named_owners(connection, workspace.key, now))


def get_named_owner(context: Context, workspace_slug: str, membership_id: str, now: datetime) -> NamedOwner:
    """One of them. Raises NotFound (also: no hand-named owner)."""
    with context.database.reading() as connection:
        return _get_owner(connection, get_workspace(connection, workspace_slug), membership_id, now)


def make_codes(context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime) -> NewCodes:
    """Five new codes for an owner named by hand, in the place of those they haven't used. Every owner gets mail.

    Raises NotFound (also: no hand-named owner), Forbidden (not an owner).
    """
    codes = tuple(_new_code() for _ in range(CODES_AT_A_TIME))
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        owner = _get_owner(change.connection, workspace, membership_id, now)
        break_glass.delete_unused_codes(change, owner.membership_key)
        break_glass.insert_codes(change, owner.membership_key, [_hash(code) for code in codes])
        _tell_made(context, change, workspace, owner, len(codes))
    return NewCodes(owner, codes)


def make_code_at_once(context: Context, actor: str, workspace_slug: str, email: str, now: datetime) -> NewCodes:
    """One more code for an owner named by hand, good for 24 hours: the operator's help. Every owner gets mail.

    Raises NotFound (also: no hand-named owner), Forbidden (not the operator), Invalid.
    """
    if actor != OPERATOR:
        raise Forbidden("Only the operator of the bridge can do this, on its command line.")
    code, expires_at, address = _new_code(), now + OPERATORS_CODE_LASTS, parse_email(email)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        user = people.find_user_by_email(change.connection, address)
        member = people.find_member(change.connection, workspace.key, user.key) if user else None
        owner = _get_owner(change.connection, workspace, member.id if member else "", now)
        break_glass.insert_codes(change, owner.membership_key, [_hash(code)], expires_at)
        _tell_made(context, change, workspace, owner, 1)
    return NewCodes(owner, (code,), expires_at)


def revoke_codes(context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime) -> int:
    """Forget an owner's unused codes, and close what others opened. Returns how many codes. Raises as `make_codes`."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        owner = _get_owner(change.connection, workspace, membership_id, now)
        gone = break_glass.delete_unused_codes(change, owner.membership_key)
        closed = break_glass.end_openings(change, owner.membership_key)
        before = {"email": owner.email, "codes": gone, "sessions_closed": closed}
        change.record(workspace.key, "break_glass.codes_revoked", owner.membership_id, before=before)
        return gone


def _new_code() -> str:
    """As `k7m2-9xqp-…`: 84 random bits."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _hash(code: str) -> bytes:
    """Of a code as it was typed: case, spaces and dashes don't matter."""
    return digest("break-glass:" + "".join(letter for letter in code.lower() if letter.isalnum()))


def _get_owner(connection: Any, workspace: Workspace, membership_id: str, now: datetime) -> NamedOwner:
    owners = break_glass.list_named_owners(connection, workspace.key, now)
    found = next((owner for owner in owners if owner.membership_id == membership_id), None)
    if found is None:
        raise NotFound(f"That is no owner of {workspace.name} who was named by hand. Codes are for those only.")
    return found


def _tell_made(context: Context, change: Change, workspace: Workspace, owner: NamedOwner, count: int) -> None:
    after = {"email": owner.email, "codes": count}
    change.record(workspace.key, "break_glass.codes_made", owner.membership_id, after=after)
    _mail_owners(context, change, workspace, workspace_mails.break_glass_made("", workspace.name, owner.name, count))


def _mail_owners(context: Context, change: Change, workspace: Workspace, mail: Mail) -> int:
    """To every owner, by whichever path they own it. Returns how many."""
    owning = holders_of_roles(change.connection, workspace.key, {OWNER.id}, change.now)
    owners = people.people_of(change.connection, owning).values()
    for _, email, _ in owners:
        queue_mail(context, change, Mail(email, mail.subject, mail.text, mail.html))
    return len(owners)


# -- Using one ---------------------------------------------------------------------------------------


def may_use_code(context: Context, session: CurrentSession, workspace_slug: str, now: datetime) -> Workspace:
    """The workspace, for whom a code could open it: an owner named by hand who signed in by their own login.

    Raises NotFound for everybody else, as where there is no such workspace.
    """
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        member = people.find_member(connection, workspace.key, session.user.key)
        owners = break_glass.list_named_owners(connection, workspace.key, now) if member else []
    by_account = any(one.kind in ACCOUNT_KINDS for one in session.authentications)
    if member is None or not by_account or member.key not in [owner.membership_key for owner in owners]:
        raise NotFound("There is nothing here that your sign-in opens. You may have to sign in another way.")
    return workspace


def login_is_fresh(session: CurrentSession, now: datetime) -> bool:
    """Whether the person's own login is of the last 15 minutes."""
    return any(one.kind in ACCOUNT_KINDS and now - one.at <= LOGIN_LASTS for one in session.authentications)


def open_by_code(
    context: Context, session: CurrentSession, workspace_slug: str, code: str, client: Client, now: datetime
) -> datetime:
    """Use up a code: it opens this workspace to this session for an hour. Every owner gets mail. Returns until when.

    Raises WrongCode, LoginTooOld, TooManyTries, NotFound (nobody whom a code could open it for).
    """
    workspace = may_use_code(context, session, workspace_slug, now)
    attempt = _Attempt(workspace, session, client)
    try:
        if not login_is_fresh(session, now):
            raise LoginTooOld
        limits = _limits(workspace, session, client)
        count_tries(context, limits, "Too many codes were tried.", now)
        with context.changing(f"user:{session.user.id}", now) as change:
            until = _open(context, change, attempt, code)
            note_good_try(change.connection, limits)
    except (WrongCode, LoginTooOld) as error:
        _record_refused(context, attempt, error, now)
        raise
    return until


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Who tries to open which workspace, and from where."""

    workspace: Workspace
    session: CurrentSession
    client: Client

    def trail(self) -> Trail:
        """What had to be passed before a code counts: the account's own login."""
        trail = Trail()
        own = max((one for one in self.session.authentications if one.kind in ACCOUNT_KINDS), key=lambda one: one.at)
        trail.note("own_login", f"By {own.kind}, as {self.session.user.email}.", at=own.at)
        return trail


def _open(context: Context, change: Change, attempt: _Attempt, code: str) -> datetime:
    workspace, session = attempt.workspace, attempt.session
    member = people.find_member(change.connection, workspace.key, session.user.key)
    if member is None or not member.alive or not break_glass.use_code(change, member.key, _hash(code)):
        raise WrongCode
    until = change.now + OPENS_FOR
    break_glass.open_for_session(change, session.key, member.key, until)
    after = {"email": session.user.email, "address": attempt.client.address}
    change.record(workspace.key, "break_glass.used", member.id, after=after)
    mail = workspace_mails.break_glass_used("", workspace.name, session.user.name, session.user.email, until)
    told = _mail_owners(context, change, workspace, mail)
    _log_opened(change, attempt, break_glass.count_codes(change.connection, member.key, change.now), until, told)
    return until


def _log_opened(change: Change, attempt: _Attempt, left: int, until: datetime, told: int) -> None:
    """In the sign-in log, where owners look for who came in and from where."""
    trail = attempt.trail()
    trail.note("code", f"It was right, and is used up; {counted(left, 'code')} of theirs {_are(left)} left.")
    trail.note("glass_broken", f"{attempt.workspace.name} alone, in this session alone, until {until:%H:%M} UTC.")
    trail.note("owners_told", f"{counted(told, 'mail')}.")
    log_glass_broken(change, attempt.workspace, attempt.session.user.email, attempt.client, trail)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _limits(workspace: Workspace, session: CurrentSession, client: Client) -> tuple[Limit, ...]:
    by_owner = f"break-glass:{workspace.key}:{session.user.key}"
    return by_address("break-glass", client, TRIES_BY_ADDRESS), Limit(by_owner, TRIES_BY_OWNER, good="anew")


def _record_refused(context: Context, attempt: _Attempt, why: WrongCode | LoginTooOld, now: datetime) -> None:
    workspace, user, client = attempt.workspace, attempt.session.user, attempt.client
    refusal = Refusal("break_glass", why.code, why.text, user.email, trail=attempt.trail(), workspace_key=workspace.key)
    with context.changing(SYSTEM, now) as change:
        keep_refused(change, refusal, client)
        after = {"email": user.email, "address": client.address}
        change.record(workspace.key, "break_glass.refused", user.id, after=after)
