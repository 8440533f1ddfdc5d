"""A login at an OpenID provider, from the request to the verified answer that `sign_in.complete` takes.

- `start`       the browser is sent away; nonce and code verifier stay here, sealed, bound to state and browser
- `claim`       it came back: the request is its own, and from now on nobody else's
- `ask_for_identity`  the provider is asked, outside of any transaction, and what it says is proved
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol

import orjson

from bridge.domain.errors import OutsideFailed
from bridge.domain.identity import AssertedIdentity, Replay
from bridge.domain.sign_in import OtherBrowser, SignInRefused, UnknownRequest
from bridge.domain.sign_in_log import render_claims
from bridge.domain.web_calls import Ask, WebCall
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.connect_oidc import OidcConnection
from bridge.flows.context import Context
from bridge.flows.provider_keys import Keyed, prove_by_keys
from bridge.flows.sign_in import Answer, begin, request_hash
from bridge.flows.sign_in_log import Trail, note_names
from bridge.flows.sso_door import open_door
from bridge.flows.try_connection import is_test
from bridge.storage import pending, people
from bridge.storage.changes import Change
from oidc import authorization_request, claims, id_token, token_answer, token_request, transcript, userinfo
from oidc.claims import AssertedNames, ClaimMapping
from oidc.client import Client
from oidc.id_token import IdToken
from oidc.keys import Keys
from oidc.token_answer import TokenAnswer
from oidc.userinfo import Userinfo

#: How long the provider may take to answer us, once the browser is back.
_CLAIM_LASTS: Final = timedelta(minutes=2)
_REQUEST_PURPOSE = "pending_requests.result"
_HINT_PURPOSE = "authentications.logout_hint_enc"
#: A longer ID token fits into no address, and would only fill the table.
_LONGEST_HINT = 4_000

Clock = Callable[[], datetime]


class ProviderFailed(SignInRefused):
    """The provider was asked for the person's identity, and didn't answer, or not within limits."""

    code = "provider_failed"
    title = "Your company’s sign-in doesn’t answer"

    def __init__(self, connection: str, why: str) -> None:
        super().__init__(
            f"{connection} was asked who you are, and gave no answer that the bridge can use. Try again in a moment; "
            "if it stays so, its IT admin should look."
        )
        self.why = why


class OtherTenant(SignInRefused):
    """Google vouches for somebody of a domain that this workspace hasn't proved."""

    code = "wrong-hosted-domain"

    def __init__(self, hosted: str, workspace: str) -> None:
        shown = hosted if hosted.isprintable() and len(hosted) <= 253 else "another domain"
        super().__init__(
            f"This Google account belongs to {shown}, which is no proved domain of {workspace}. Choose the work "
            "account; a Workspace Owner can prove the company’s domain, or name it on the connection."
        )


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request whose answer came, to its own browser. `request_id` is its new name, known to this login alone.

    `fresh_since`: the person had to sign in anew from then on; None where any sign-in does.
    """

    request_id: str
    nonce: str
    code_verifier: str
    test: bool = False
    fresh_since: datetime | None = None


def start(
    context: Context,
    ours: OidcConnection,
    browser: str,
    return_to: str,
    now: datetime,
    *,
    login_hint: str | None = None,
    test: str | None = None,
    fresh: bool = False,
) -> str:
    """Keep that this browser asks, and give the address at the provider to send it to; with the ticket of a test, to
    test the connection. `fresh` (or the connection's `force_authn`): the person has to sign in anew there, and the
    answer has to say so (Core 3.1.2.1). Raises ConnectionOff, TestTicketUsed.
    """
    anew = fresh or ours.force_authn
    state, nonce, verifier = (new_secret() for _ in range(3))
    sealed = context.secrets.encrypt(orjson.dumps([nonce, verifier]), purpose=_REQUEST_PURPOSE)
    url = authorization_request.build(
        ours.provider,
        ours.client,
        state=state,
        nonce=nonce,
        code_verifier=verifier,
        login_hint=login_hint,
        max_age=0 if anew else None,
        # Google knows no prompt of that name, and shows an error for it.
        prompt="login" if anew and not ours.claims.hosted else None,
        scopes=ours.scopes,
    )
    kept = {"sealed": b64encode(sealed).decode()}
    begin(context, "oidc", ours.connection.id, state, browser, return_to, now, fresh=anew, kept=kept, test=test)
    return url


def claim(context: Context, ours: OidcConnection, state: str, browser: str, now: datetime) -> Claimed:
    """Take the request that `state` names out of everybody else's reach: of two answers, one gets it.

    Raises UnknownRequest; OtherBrowser, which leaves it to the browser that began; ConnectionOff.
    """
    return context.change(
        f"connection:{ours.connection.id}", now, lambda change: _claim(context, change, ours, state, browser)
    )


def _claim(context: Context, change: Change, ours: OidcConnection, state: str, browser: str) -> Claimed:
    asked = pending.take_pending(change, request_hash(ours.connection.id, state), "oidc")
    test = asked is not None and is_test(asked)
    door = open_door(change.connection, ours.connection.id, for_test=test)
    if asked is None or "sealed" not in asked.result:
        raise UnknownRequest
    if asked.browser_hash != digest(browser):
        raise OtherBrowser
    nonce, verifier = _opened(context, asked.result["sealed"])
    renamed, until = new_secret(), change.now + _CLAIM_LASTS
    rest = {name: value for name, value in asked.result.items() if name != "sealed"}
    pending.put_pending(
        change, request_hash(door.connection.id, renamed), replace(asked, result=rest, expires_at=until)
    )
    since = asked.result.get("fresh_since")
    return Claimed(renamed, nonce, verifier, test, datetime.fromisoformat(since) if since else None)


def _opened(context: Context, sealed: str) -> tuple[str, str]:
    nonce, verifier = orjson.loads(context.secrets.decrypt(b64decode(sealed), purpose=_REQUEST_PURPOSE))
    return nonce, verifier


# -- Asking the provider -----------------------------------------------------------------------------


def ask_for_identity(
    context: Context, ours: OidcConnection, claimed: Claimed, code: str, ask: Ask, clock: Clock, trail: Trail
) -> Answer:
    """Change the code for tokens and prove what they say: whom the provider means. No transaction is open meanwhile.
    `trail` is told each step.

    Raises ProviderFailed, `oidc.errors.Refused` (one class a reason), OtherTenant.
    """
    proved, named = ask_provider(context, ours, claimed, code, ask, clock, trail)
    _check_tenant(context, ours, proved, test=claimed.test)
    identity = AssertedIdentity(
        connection_id=ours.connection.id,
        subject=named.subject,
        email=named.email,
        name=named.name,
        groups=named.groups,
        session_index=proved.session_id,
        logout_hint=_hint(context, ours, proved),
        email_vouched=named.email_vouched,
        directory_id=named.directory_id,
    )
    replay = Replay(proved.text, proved.expires_at + timedelta(seconds=ours.client.clock_skew))
    return Answer(identity, claimed.request_id, replay, proved.authenticated_at, trail)


class Party(Keyed, Protocol):
    """Both sides of a login at a provider: a connection's, or Twilio's."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def client(self) -> Client:
        """Us, as it knows us."""

    @property
    def claims(self) -> ClaimMapping:
        """What its claims mean."""


def ask_provider(
    context: Context, ours: Party, claimed: Claimed, code: str, ask: Ask, clock: Clock, trail: Trail
) -> tuple[IdToken, AssertedNames]:
    """Change the code for tokens and prove them: the ID token, and whom it names. No transaction is open meanwhile.

    Raises ProviderFailed, `oidc.errors.Refused` (one class a reason).
    """
    try:
        tokens = _fetch_tokens(ours, claimed, code, ask, clock())
        trail.note("code_exchanged")
        trail.show(render_claims(**transcript.read(tokens.id_token)))
        proved = _prove(context, ours, claimed, tokens, ask, clock)
        trail.note("id_token", f"Signed by {ours.provider.issuer} for our client, with our nonce, and in time.")
        known = _fetch_userinfo(context, ours, tokens, proved, ask, clock)
    except OutsideFailed as error:
        raise ProviderFailed(ours.name, error.text) from error
    if known is not None:
        trail.note("userinfo", "About the same subject.")
        trail.show(render_claims(**transcript.read(tokens.id_token), userinfo=known.claims))
    named = claims.read(proved, known, ours.claims)
    note_names(trail, ours.name, named)
    return proved, named


def _fetch_tokens(ours: Party, claimed: Claimed, code: str, ask: Ask, now: datetime) -> TokenAnswer:
    asked = token_request.build(ours.provider, ours.client, code, claimed.code_verifier, now, new_secret())
    reply = ask(WebCall(asked.url, asked.headers, asked.body))
    return token_answer.parse(reply.status, reply.content_type, reply.body)


def _prove(context: Context, ours: Party, claimed: Claimed, tokens: TokenAnswer, ask: Ask, clock: Clock) -> IdToken:
    def prove(keys: Keys) -> IdToken:
        now = clock()
        # As old as the request is: nobody is to be refused for the time that they took to come back.
        age = ceil((now - claimed.fresh_since).total_seconds()) if claimed.fresh_since else None
        return id_token.validate(tokens, ours.provider, keys, ours.client, nonce=claimed.nonce, now=now, max_age=age)

    return prove_by_keys(context, ours, ask, clock(), prove)


def _fetch_userinfo(
    context: Context, ours: Party, tokens: TokenAnswer, proved: IdToken, ask: Ask, clock: Clock
) -> Userinfo | None:
    """What the provider says beside the ID token, where that leaves out the email or the groups."""
    url = ours.provider.userinfo_endpoint
    if url is None or not claims.needs_userinfo(proved, ours.claims):
        return None
    headers = {"Authorization": f"Bearer {tokens.access_token}", "Accept": "application/json, application/jwt"}
    reply = ask(WebCall(url, headers))
    if reply.status != 200:
        raise OutsideFailed(f"The provider’s userinfo endpoint answers with status {reply.status}.")
    return prove_by_keys(
        context,
        ours,
        ask,
        clock(),
        lambda keys: userinfo.parse(
            reply.content_type, reply.body, proved, provider=ours.provider, keys=keys, client=ours.client
        ),
    )


def _check_tenant(context: Context, ours: OidcConnection, proved: IdToken, *, test: bool) -> None:
    """Whoever has a Google account can sign in at Google: theirs must be of a domain that is this workspace's.

    Where the connection names no domain, any that the workspace has proved will do.
    """
    if not ours.claims.hosted or ours.client.hosted_domain is not None:
        return
    hosted = str(proved.claims.get("hd", "")).lower()
    with context.database.reading() as rows:
        door = open_door(rows, ours.connection.id, for_test=test)
        is_theirs = people.proves_domain(rows, door.workspace.key, f"anybody@{hosted}")
    if not is_theirs:
        raise OtherTenant(hosted, door.workspace.name)


def _hint(context: Context, ours: OidcConnection, proved: IdToken) -> str | None:
    """The ID token, sealed, where the provider wants to see it when the person signs out."""
    if ours.provider.end_session_endpoint is None or len(proved.text) > _LONGEST_HINT:
        return None
    return b64encode(context.secrets.encrypt(proved.text.encode(), purpose=_HINT_PURPOSE)).decode()


def open_hint(context: Context, sealed: bytes) -> str:
    """The ID token that was kept with an authentication. Raises CannotDecrypt."""
    return context.secrets.decrypt(sealed, purpose=_HINT_PURPOSE).decode()
