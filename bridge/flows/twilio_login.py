"""A login with Twilio, from the request to the session (product.md 3). By the same rules as at any OpenID provider:
what is asked and proved is `oidc_login`'s.

- `start`   the browser is sent away; it keeps nonce and code verifier, sealed, bound to state
- `claim`   it came back: the request is its own, and from now on nobody else's
- `ask_who` Twilio is asked, outside of any transaction, and what it says is proved
- `arrive`  who is linked is signed in; who isn't is welcomed (see `twilio_link`)
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bridge.domain.identity import Factor
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import AccountClosed, SignInRefused, UnknownRequest
from bridge.domain.web_calls import Ask
from bridge.domain.workspace import User
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import Keepsake, name_request, read_request, sealed_keepsake, spend_request
from bridge.flows.oidc_login import Claimed, Clock, ask_provider, check_claim
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.flows.twilio import Twilio
from bridge.flows.twilio_account import Said, follow
from bridge.storage import pending, twilio
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.sessions import NewAuthentication
from oidc import authorization_request

#: How long somebody may take here, once they are back from there.
ARRIVAL_LASTS: Final = timedelta(minutes=30)
#: How long after the end of a session there an answer of before it may still arrive.
_ON_THE_WAY: Final = timedelta(hours=2)


class EndedAtTwilio(SignInRefused):
    """That session at Twilio, or the account, ended since Twilio gave this answer."""

    code = "ended_at_twilio"
    title = "You signed out meanwhile"

    def __init__(self) -> None:
        super().__init__("Twilio ended this session after it gave the answer. Please log in again.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whom Twilio named, verified. `email` is verified there; `session_id` is its session's; `factor`: "provider" where
    a second factor was shown there. `anew`: it was told to ask the person again, and did.
    """

    subject: str
    email: str
    name: str
    said_at: datetime
    session_id: str | None = None
    factor: Factor | None = None
    anew: bool = False

    def pack(self) -> dict[str, Any]:
        """As JSON, until the person has chosen."""
        own = {"subject": self.subject, "email": self.email, "name": self.name, "factor": self.factor}
        return {**own, "session_id": self.session_id, "said_at": self.said_at.isoformat()}


def unpack_arrival(packed: dict[str, Any]) -> Arrival:
    """What `Arrival.pack` was given."""
    named = {name: packed[name] for name in ("subject", "email", "name", "session_id", "factor")}
    return Arrival(said_at=datetime.fromisoformat(packed["said_at"]), **named)


@dataclass(frozen=True, slots=True)
class Welcome:
    """Nobody here is linked to whom Twilio named: `token` names that arrival, in this browser."""

    token: str


# -- There and back ----------------------------------------------------------------------------------


def start(
    context: Context,
    ours: Twilio,
    return_to: str,
    now: datetime,
    *,
    login_hint: str | None = None,
    sign_up: bool = False,
    fresh: bool = False,
) -> tuple[str, Keepsake]:
    """The address at Twilio to send the browser to, and what the browser keeps of it; with `sign_up`, to make an
    account, where it says that it can be asked for that: a `prompt` that a provider doesn't know it refuses. `fresh`:
    the person has to log in anew there, and the answer has to say so (OpenID Connect Core 3.1.2.1).
    """
    keepsake, secrets = sealed_keepsake(context, return_to)
    url = authorization_request.build(
        ours.provider,
        ours.client,
        state=name_request(context, "twilio", "", keepsake, now, fresh=fresh, test=False),
        nonce=secrets.nonce,
        code_verifier=secrets.code_verifier,
        login_hint=login_hint,
        max_age=0 if fresh else None,
        prompt=_prompt(ours, sign_up=sign_up, fresh=fresh),
    )
    return url, keepsake


def _prompt(ours: Twilio, *, sign_up: bool, fresh: bool) -> str | None:
    if sign_up and ours.links.signs_up:
        return "create"
    return "login" if fresh else None


def claim(context: Context, state: str, keepsake: Keepsake | None, now: datetime) -> Claimed:
    """Take the request that `state` names out of everybody else's reach. Raises UnknownRequest; OtherBrowser, which
    leaves it to the browser that began.
    """
    request = read_request(context, "twilio", "", state, now)
    if request is None:
        raise UnknownRequest
    with context.changing(SYSTEM, now) as change:
        if not spend_request(change, "twilio", "", state, request):
            raise UnknownRequest
        return check_claim(context, request, keepsake)


def ask_who(
    context: Context, ours: Twilio, claimed: Claimed, code: str, ask: Ask, clock: Clock, trail: Trail
) -> Arrival:
    """Ask Twilio whom it means, and prove what it says. Raises ProviderFailed, `oidc.errors.Refused`."""
    proved, named = ask_provider(context, ours, claimed, code, ask, clock, trail)
    methods = proved.claims.get("amr")
    shown = isinstance(methods, list) and "mfa" in methods  # RFC 8176 2
    issued = proved.claims.get("iat")
    said_at = datetime.fromtimestamp(float(issued), clock().tzinfo) if isinstance(issued, int | float) else clock()
    return Arrival(
        named.subject,
        named.email,
        named.name,
        said_at,
        session_id=proved.session_id,
        factor="provider" if shown else None,
        anew=claimed.request.fresh,
    )


# -- Arriving ----------------------------------------------------------------------------------------


def arrive(
    context: Context,
    arrival: Arrival,
    return_to: str,
    browser: str,
    client: Client,
    trail: Trail,
    now: datetime,
    *,
    old: str | None = None,
) -> SignedIn | Welcome:
    """Sign in who is linked; keep for the next page who isn't. Raises AccountClosed, EndedAtTwilio."""

    passed = len(trail.steps)

    def do(change: Change) -> SignedIn | Welcome:
        trail.forget_since(passed)
        check_not_ended(change, arrival)
        link = twilio.hold_by_subject(change, arrival.subject)
        if link is None:
            return _welcome(change, arrival, return_to, browser)
        if link.closed:
            raise AccountClosed
        acting = replace(change, actor=f"user:{link.user.id}")
        user = follow(context, acting, link, Said(arrival.said_at, arrival.name, arrival.email))
        return SignedIn(sign_in(context, acting, user, arrival, client, trail, old), return_to)

    return context.change(SYSTEM, now, do)


def _welcome(change: Change, arrival: Arrival, return_to: str, browser: str) -> Welcome:
    token, until = new_secret(), change.now + ARRIVAL_LASTS
    waiting = Pending("twilio_arrival", None, None, digest(browser), return_to, arrival.pack(), until)
    pending.put_pending(change, digest(token), waiting)
    return Welcome(token)


def sign_in(
    context: Context, change: Change, user: User, arrival: Arrival, client: Client, trail: Trail, old: str | None
) -> str:
    """Open a session by this arrival, or add it to the person's own. Returns the secret for the cookie."""
    proof = NewAuthentication(
        "twilio",
        arrival.subject,
        change.now + context.session_lifetime,
        session_index=arrival.session_id,
        factor=arrival.factor,
        anew=arrival.anew,
    )
    cookie = open_session(context, change, user, (proof,), client, old)
    log_signed_in(change, "twilio", user.email, client, None, trail)
    return cookie


# -- What ended there --------------------------------------------------------------------------------


def note_ended(change: Change, *, sid: str | None = None, subject: str | None = None) -> None:
    """That session, or that account, is over: an answer from before it signs nobody in."""
    for what in filter(None, (sid and f"sid:{sid}", subject and f"sub:{subject}")):
        pending.hold_proof(change, _ended(what), alone=True)
        pending.remember(change, _ended(what), change.now + _ON_THE_WAY)


def note_ended_before(change: Change, subject: str, at: datetime) -> None:
    """Every session of theirs ended then: an answer from before signs nobody in, one of afterwards does."""
    pending.hold_proof(change, _ended(f"sub:{subject}"), alone=True)
    pending.remember_longest(change, _ended(f"before:{subject}"), at + _ON_THE_WAY)


def check_not_ended(change: Change, arrival: Arrival) -> None:
    """And isn't until the change ends: Twilio's word of it waits, or has been heard. Raises EndedAtTwilio."""
    for what in (*([f"sid:{arrival.session_id}"] if arrival.session_id else []), f"sub:{arrival.subject}"):
        pending.hold_proof(change, _ended(what))
        if pending.was_remembered(change.connection, _ended(what)):
            raise EndedAtTwilio
    until = pending.remembered_until(change.connection, _ended(f"before:{arrival.subject}"))
    if until is not None and arrival.said_at <= until - _ON_THE_WAY:
        raise EndedAtTwilio


def _ended(what: str) -> bytes:
    return digest(f"twilio-ended:{what}")
