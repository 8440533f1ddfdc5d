"""A login at an OpenID provider, from the request to the verified answer that `sign_in.complete` takes.

- `start`       the browser is sent away; it keeps nonce and code verifier, sealed, bound to state
- `claim`       it came back: the request is its own, and from now on nobody else's
- `ask_for_identity`  the provider is asked, outside of any transaction, and what it says is proved
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

from bridge.domain.errors import OutsideFailed
from bridge.domain.identity import AssertedIdentity, Replay
from bridge.domain.sign_in_log import render_claims
from bridge.domain.sign_in_refusals import OtherBrowser, SignInRefused, UnknownRequest
from bridge.domain.web_calls import Ask, WebCall
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.connect_oidc import OidcConnection
from bridge.flows.context import Context
from bridge.flows.login_requests import (
    CodeSecrets,
    Keepsake,
    LoginRequest,
    is_kept_by,
    open_keepsake,
    read_request,
    sealed_keepsake,
)
from bridge.flows.provider_keys import Keyed, prove_by_keys
from bridge.flows.sign_in import Answer, begin, take_request
from bridge.flows.sign_in_log import Trail, note_names
from bridge.flows.sso_door import open_door
from bridge.storage import people
from bridge.storage.changes import Change
from oidc import authorization_request, claims, id_token, token_answer, token_request, transcript, userinfo
from oidc.claims import AssertedNames, ClaimMapping
from oidc.client import Client
from oidc.id_token import IdToken
from oidc.keys import Keys
from oidc.token_answer import TokenAnswer
from oidc.userinfo import Userinfo

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
    """A request whose answer came, to its own browser, and that nobody else can answer any more; where it wanted to go,
    and what the answer is held against.
    """

    request: LoginRequest
    return_to: str
    secrets: CodeSecrets


def start(
    context: Context,
    ours: OidcConnection,
    return_to: str,
    now: datetime,
    *,
    login_hint: str | None = None,
    test: str | None = None,
    fresh: bool = False,
) -> tuple[str, Keepsake]:
    """The address at the provider to send the browser to, and what the browser keeps of it; with the ticket of a test,
    to test the connection. `fresh` (or the connection's `force_authn`): the person has to sign in anew there, and the
    answer has to say so (Core 3.1.2.1). Raises ConnectionOff, TestTicketUsed.
    """
    anew = fresh or ours.force_authn
    keepsake, secrets = sealed_keepsake(context, return_to)
    state = begin(context, "oidc", ours.connection.id, keepsake, now, fresh=anew, test=test)
    url = authorization_request.build(
        ours.provider,
        ours.client,
        state=state,
        nonce=secrets.nonce,
        code_verifier=secrets.code_verifier,
        login_hint=login_hint,
        max_age=0 if anew else None,
        # Google knows no prompt of that name, and shows an error for it.
        prompt="login" if anew and not ours.claims.hosted else None,
        scopes=ours.scopes,
    )
    return url, keepsake


def claim(context: Context, ours: OidcConnection, state: str, keepsake: Keepsake | None, now: datetime) -> Claimed:
    """Take the request that `state` names out of everybody else's reach: of two answers, one gets it.

    Raises UnknownRequest; OtherBrowser, which leaves it to the browser that began; ConnectionOff.
    """
    request = read_request(context, "oidc", ours.connection.id, state, now)

    def do(change: Change) -> Claimed:
        door = open_door(change.connection, ours.connection.id, for_test=request is not None and request.test)
        if request is None or not take_request(change, "oidc", door, state, request):
            raise UnknownRequest
        return check_claim(context, request, keepsake)

    return context.change(f"connection:{ours.connection.id}", now, do)


def check_claim(context: Context, request: LoginRequest, keepsake: Keepsake | None) -> Claimed:
    """The request with what its own browser kept of it. Raises OtherBrowser, in the transaction that takes the request,
    which undoes that; UnknownRequest where it was never one of this kind.
    """
    if keepsake is None or not is_kept_by(keepsake, request.browser_hash):
        raise OtherBrowser
    secrets = open_keepsake(context, keepsake)
    if secrets is None:
        raise UnknownRequest
    return Claimed(request, keepsake.return_to, secrets)


# -- Asking the provider -----------------------------------------------------------------------------


def ask_for_identity(
    context: Context, ours: OidcConnection, claimed: Claimed, code: str, ask: Ask, clock: Clock, trail: Trail
) -> Answer:
    """Change the code for tokens and prove what they say: whom the provider means. No transaction is open meanwhile.
    `trail` is told each step.

    Raises ProviderFailed, `oidc.errors.Refused` (one class a reason), OtherTenant.
    """
    proved, named = ask_provider(context, ours, claimed, code, ask, clock, trail)
    _check_tenant(context, ours, proved, test=claimed.request.test)
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
    return Answer(identity, claimed.request, replay, proved.authenticated_at, trail)


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
    asked = token_request.build(ours.provider, ours.client, code, claimed.secrets.code_verifier, now, new_secret())
    reply = ask(WebCall(asked.url, asked.headers, asked.body))
    return token_answer.parse(reply.status, reply.content_type, reply.body)


def _prove(context: Context, ours: Party, claimed: Claimed, tokens: TokenAnswer, ask: Ask, clock: Clock) -> IdToken:
    def prove(keys: Keys) -> IdToken:
        now = clock()
        since = claimed.request.fresh_since
        # As old as the request is: nobody is to be refused for the time that they took to come back.
        age = ceil((now - since).total_seconds()) if since else None
        return id_token.validate(
            tokens, ours.provider, keys, ours.client, nonce=claimed.secrets.nonce, now=now, max_age=age
        )

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
