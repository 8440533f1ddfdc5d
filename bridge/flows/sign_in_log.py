"""The sign-in log: each attempt under a reference that the person sees when it was refused (product.md 2.10).

A `Trail` collects what a login goes through, from the request to the session. Who signs in or refuses hands it over:
a good attempt is kept in the transaction that makes the session, a refused one in a second, short one. Strangers can
have attempts refused as often as they like, so past a limit those like the last are counted, not kept.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bridge.domain.identity import LoginKind
from bridge.domain.people import email_domain, find_email, fold
from bridge.domain.sentences import counted
from bridge.domain.sign_in import Client, keepable_groups, network_of
from bridge.domain.sign_in_log import (
    LONGEST_EMAIL,
    LONGEST_TEXT,
    AttemptKind,
    Outcome,
    Step,
    WouldHappen,
    clean,
    cut,
)
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import name_of
from bridge.storage import pending, people
from bridge.storage.changes import Change
from bridge.storage.connections import find_by_uid
from bridge.storage.counters import count_try
from bridge.storage.pending import Pending
from bridge.storage.sign_in_attempts import (
    Attempt,
    Like,
    count_one_more,
    delete_old_attempts,
    find_workspace_proving,
    insert_attempt,
)
from saml import transcript
from saml.markup import Element

# Without letters and digits that are taken for one another, read aloud or written down.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LONGEST_DETAIL = 500
_MOST_STEPS = 60

#: Refused attempts that are kept one by one: in an hour from one address, and through one connection; there in a day.
KEPT_BY_ADDRESS, KEPT_BY_CONNECTION, KEPT_IN_A_DAY = 30, 300, 1_000
_WINDOW, _DAY = timedelta(hours=1), timedelta(days=1)
#: How many old attempts go in one transaction: writers shouldn't wait for long.
SWEPT_AT_ONCE = 5_000
_RESULT_LASTS = timedelta(minutes=30)


class Trail:
    """What one login went through until now. `clock` gives the moment of a step; without one, it is the attempt's.

    It listens to `saml.response.validate` as its witness; other steps are noted by those who take them.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock
        self.steps: list[Step] = []
        self.message = ""

    def note(self, step: str, detail: str = "", *, at: datetime | None = None, warning: bool = False) -> None:
        """The login has passed this step; `detail` holds nothing secret."""
        if len(self.steps) < _MOST_STEPS:
            moment = at or (self._clock() if self._clock else None)
            self.steps.append(Step(step, clean(detail)[:_LONGEST_DETAIL], moment, warning))

    def see(self, message: Element) -> None:
        """The SAML response, as it is understood by now."""
        self.message = transcript.render(message)

    def show(self, message: str) -> None:
        """The answer as text, without secrets (`bridge.domain.sign_in_log.render_claims`)."""
        self.message = cut(clean(message))

    def forget_since(self, length: int) -> None:
        """The steps after the first `length` didn't happen: their transaction was undone."""
        del self.steps[length:]

    def pack(self) -> dict[str, Any]:
        """As JSON, until the browser comes back."""
        return {"steps": [pack_step(step) for step in self.steps], "message": self.message}

    def continue_from(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where another request stopped, before what was noted since."""
        if packed:
            self.steps[:0] = [unpack_step(step) for step in packed["steps"]]
            self.message = self.message or packed["message"]


class Named(Protocol):
    """What either protocol's answer says of a person."""

    @property
    def subject(self) -> str:
        """Stable within the connection."""

    @property
    def email(self) -> str:
        """Well-formed."""

    @property
    def groups(self) -> tuple[str, ...]:
        """As the IdP sends them."""

    @property
    def groups_left_out(self) -> bool:
        """Whether there were too many to send."""


def note_names(trail: Trail, connection: str, named: Named) -> None:
    """What was read out of an answer, and what should be looked at though it isn't refused."""
    trail.note("attributes", f"Subject “{named.subject}”, {named.email}, {counted(len(named.groups), 'group')}.")
    if named.groups_left_out:
        text = f"{connection} left the groups out, since there were more than it puts into an answer."
        trail.note("groups_left_out", text, warning=True)
    dropped = len(named.groups) - len(keepable_groups(named.groups))
    if dropped:
        text = f"{dropped} of the groups have a name that is too long, or can’t be printed; they don’t count."
        trail.note("groups_left_out", text, warning=True)


def pack_step(step: Step) -> dict[str, Any]:
    """A step as JSON."""
    # Written out: `asdict` copies moments by way of their pickle, which took a fifth of a login.
    at = step.at.isoformat() if step.at else None
    return {"name": step.name, "detail": step.detail, "at": at, "warning": step.warning}


def unpack_step(packed: Mapping[str, Any]) -> Step:
    """What `pack_step` was given."""
    at = datetime.fromisoformat(packed["at"]) if packed["at"] else None
    return Step(packed["name"], packed["detail"], at, packed["warning"])


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that an answer says it is for: sent when, as a test of the connection or not, by which browser."""

    at: datetime
    test: bool
    browser_hash: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one login was refused: a code for programs, a text for the admin. Neither holds a secret.

    `asked`: the request that it answers, where that is known. `workspace_key`: whose door it was, where no connection
    says so.
    """

    kind: AttemptKind
    code: str
    text: str
    email: str | None = None
    connection_id: str | None = None
    check: str = ""
    trail: Trail = field(default_factory=Trail)
    asked: Asked | None = None
    workspace_key: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Under which reference an attempt was kept. `result`: the handle of a test's result, for its browser."""

    ref: str
    result: str | None = None


# -- Keeping -----------------------------------------------------------------------------------------


def log_refused(context: Context, refusal: Refusal, client: Client, now: datetime) -> Kept:
    """Keep a refused attempt, in a transaction of its own; past the limit, count it with the last one like it."""
    with context.changing(SYSTEM, now) as change:
        return keep_refused(change, refusal, client)


def keep_refused(change: Change, refusal: Refusal, client: Client) -> Kept:
    """The same, in a transaction that writes more about the refusal."""
    through = find_by_uid(change.connection, refusal.connection_id) if refusal.connection_id else None
    attempt = _attempt(change, _refused(refusal), client, refusal.trail, through)
    if refusal.asked is None or not refusal.asked.test or not _may_keep_test(change, attempt):
        return Kept(_keep_or_count(change, replace(attempt, test=False)))
    return Kept(attempt.ref, _keep_test(change, attempt, refusal.asked.browser_hash))


def log_signed_in(
    change: Change, kind: LoginKind, email: str, client: Client, through: Connection | None, trail: Trail
) -> None:
    """Keep a good attempt, in the transaction that makes the session."""
    trail.note("session")
    ended = Ended(kind, "signed_in", "signed_in", "Signed in.", email)
    insert_attempt(change, _attempt(change, ended, client, trail, through))


def log_glass_broken(change: Change, workspace: Workspace, email: str, client: Client, trail: Trail) -> None:
    """Keep that a break-glass code opened a workspace, in the transaction in which it did."""
    text = f"A break-glass code opened {workspace.name}."
    ended = Ended("break_glass", "signed_in", "break_glass", text, email, workspace_key=workspace.key)
    insert_attempt(change, _attempt(change, ended, client, trail, None))


def log_reset(change: Change, email: str, client: Client) -> None:
    """Keep that a forgotten password was set anew by a mailed link, in the transaction in which it was."""
    trail = Trail()
    trail.note("link_followed")
    trail.note("password_set", "Every session of the account has ended. Nobody is signed in by it.")
    ended = Ended("reset", "password_reset", "password_reset", "A new password was chosen by a mailed link.", email)
    insert_attempt(change, _attempt(change, ended, client, trail, None))


def log_test(
    change: Change, ended: "Ended", client: Client, through: Connection, trail: Trail, browser_hash: bytes
) -> str:
    """Keep a test that went all the way. Returns the handle of its result."""
    return _keep_test(change, _attempt(change, ended, client, trail, through), browser_hash)


def _keep_test(change: Change, attempt: Attempt, browser_hash: bytes) -> str:
    """Keep a test, and put its result where the browser that began finds it."""
    insert_attempt(change, attempt)
    handle = f"{name_of(browser_hash)}.{new_secret()}"
    result, until = {"ref": attempt.ref}, change.now + _RESULT_LASTS
    waiting = Pending("tested", attempt.connection_key, None, browser_hash, "/", result, until)
    pending.put_pending(change, digest(handle), waiting)
    return handle


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. `workspace_key`: in whose log it is, where no connection says so."""

    kind: AttemptKind
    outcome: Outcome
    code: str
    text: str
    email: str | None = None
    check: str = ""
    test: bool = False
    would: WouldHappen | None = None
    workspace_key: int | None = None


def _refused(refusal: Refusal) -> Ended:
    test = refusal.asked is not None and refusal.asked.test
    ended = Ended(refusal.kind, "refused", refusal.code, refusal.text, refusal.email, refusal.check, test)
    return replace(ended, workspace_key=refusal.workspace_key)


def _attempt(change: Change, ended: Ended, client: Client, trail: Trail, through: Connection | None) -> Attempt:
    email = clean(ended.email or "")[:LONGEST_EMAIL]
    own = through.workspace_key if through else ended.workspace_key
    workspace_key, user_key = (own, None) if own else _whose(change, email)
    return Attempt(
        ref=new_reference(),
        kind=ended.kind,
        outcome=ended.outcome,
        code=ended.code,
        text=clean(ended.text)[:LONGEST_TEXT],
        check=ended.check,
        test=ended.test,
        address=client.address,
        agent=client.user_agent,
        email=email,
        email_ci=fold(email),
        workspace_key=workspace_key,
        connection_key=through.key if through else None,
        user_key=user_key,
        steps=[pack_step(step) for step in trail.steps],
        message=cut(clean(trail.message)) or None,
        would=asdict(ended.would) if ended.would else None,
    )


def _whose(change: Change, email: str) -> tuple[int | None, int | None]:
    """Whose log an attempt without a connection is in: the workspace that proved the domain; else those of which the
    account is a member."""
    found = find_email(email)
    if found is None:
        return None, None
    user = people.find_user_by_email(change.connection, found)
    return find_workspace_proving(change.connection, email_domain(found)), user.key if user else None


def _keep_or_count(change: Change, attempt: Attempt) -> str:
    like = _past_limit(change, attempt)
    ref = count_one_more(change, attempt, like) if like else None
    if ref is None:
        insert_attempt(change, attempt)
    return ref or attempt.ref


def _past_limit(change: Change, attempt: Attempt) -> Like | None:
    """Past a limit, which kept attempts may stand for this one; None while it has a line of its own."""
    place = f"sign-in-log:{_door(attempt)}"
    by_hour, _ = count_try(change.connection, place, change.now, _WINDOW)
    by_day, _ = count_try(change.connection, f"{place}:day", change.now, _DAY)
    if by_hour > KEPT_BY_CONNECTION or by_day > KEPT_IN_A_DAY:
        return Like(change.now - _DAY, anywhere=True)
    by_address, _ = count_try(change.connection, f"{place}:{network_of(attempt.address)}", change.now, _WINDOW)
    return Like(change.now - _WINDOW, anywhere=False) if by_address > KEPT_BY_ADDRESS else None


def _door(attempt: Attempt) -> str:
    """Whose log it fills: a connection's; where there is none a workspace's, an account's, or that of strangers."""
    if attempt.connection_key:
        return f"{attempt.connection_key}"
    whose = f"workspace {attempt.workspace_key}" if attempt.workspace_key else f"account {attempt.user_key}"
    return f"{attempt.kind}:{whose}"


def _may_keep_test(change: Change, attempt: Attempt) -> bool:
    """Whether one more refused test is kept as one: who began it could bring any number of answers to it."""
    tests, _ = count_try(change.connection, f"sign-in-log:tests:{attempt.connection_key}", change.now, _WINDOW)
    return tests <= KEPT_BY_ADDRESS


def new_reference() -> str:
    """Eight letters and digits, as `7F3K-92QX`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


# -- Forgetting --------------------------------------------------------------------------------------


def forget_old_attempts(context: Context, now: datetime) -> int:
    """Forget attempts that are older than the setting says, a part at a time. Returns how many."""
    before, gone = now - timedelta(days=context.sign_in_log_days), 0
    while True:
        with context.changing(SYSTEM, now) as change:
            part = delete_old_attempts(change, before, SWEPT_AT_ONCE)
        gone += part
        if part < SWEPT_AT_ONCE:
            return gone
