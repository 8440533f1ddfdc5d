"""`/oidc/<connection>/…`: the bridge as an OpenID Connect relying party, one for each connection.

    GET  login               to the provider, with state, nonce and PKCE (OpenID Connect Core 3.1.2.1)
    GET  callback            its answer, brought by the browser that asked; here the session is made
    GET  jwks                our public key, for a provider that we authenticate to by private_key_jwt

The way back is a GET from the provider's page, so it brings our cookie: state is good only in the browser that it was
made for, once, and before that is known nothing is fetched.
"""

import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import BadRequest

from bridge.domain.errors import Crowded, DomainError, NotFound, OutsideFailed
from bridge.domain.sign_in import SignInRefused
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.connect_oidc import OidcConnection, load_oidc, public_keys
from bridge.flows.oidc_login import Clock, ProviderFailed, ask_for_identity, claim, start
from bridge.flows.sign_in import complete, resume
from bridge.web import refusals
from bridge.web.arrival import arrive
from bridge.web.cookies import browser_secret, keep_browser, keep_login, login_begun, session_secret
from bridge.web.current import current_client, current_context, current_outside, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import WaitingPage
from bridge.web.refusals import login_name, note_answer, note_login, refused_page, trail
from bridge.web.return_path import HOME, go, safe_path
from oidc import authorization_answer, errors

blueprint = Blueprint("oidc", __name__, url_prefix="/oidc/<uuid:connection>")
refusals.install(blueprint)

_TITLE = "The answer of your identity provider was refused"
_NOT_READ = (errors.MalformedAnswer, errors.MissingState, errors.MissingCode)
_LONGEST_HINT = 320
_MOMENTS = (1, 2, 3)  # seconds, one of them: those who came together don't come again together
_INITIATING = ("iss", "login_hint", "target_link_uri")


class NotFromHere(SignInRefused):
    """A login that begins at the provider, which the connection doesn't allow, or that leads elsewhere."""

    code = "not_from_here"
    title = "Please start at the bridge"


@blueprint.errorhandler(errors.OidcError)
def refuse(error: errors.OidcError) -> Response:
    """An answer that isn't accepted, with the reason an admin can act on."""
    status = 400 if isinstance(error, _NOT_READ) else 403
    said = error.description if isinstance(error, errors.ProviderSaidNo) else None
    logged = f"{error.text} It said: {said}" if said else None
    return refused_page(error.code, _TITLE, error.text, status, logged=logged, check=getattr(error, "check", ""))


@blueprint.errorhandler(ProviderFailed)
def refuse_silence(error: ProviderFailed) -> Response:
    """A provider that is dead, slow, or talks nonsense: what exactly, is for its admin."""
    return refused_page(error.code, error.title, error.text, 403, logged=f"{error.text} {error.why}")


@blueprint.errorhandler(OutsideFailed)
def refuse_crowd(error: OutsideFailed) -> Response:
    """No turn to ask the provider."""
    response = refused_page(error.code, "Please try again in a moment", error.text, 429)
    response.headers["Retry-After"] = "5"
    return response


@blueprint.errorhandler(Crowded)
def come_again(_error: Crowded) -> Response:
    """Nothing was begun yet: the browser comes with the same answer once more, and no thread waits meanwhile."""
    response = render_bare("waiting.html", WaitingPage(request.full_path.rstrip("?")), 429)
    response.headers["Refresh"] = response.headers["Retry-After"] = str(secrets.choice(_MOMENTS))
    return response


# -- The way there -----------------------------------------------------------------------------------


@blueprint.get("/login")
def login(connection: UUID) -> Response:
    """Send the browser to the provider, remembering that it was this one, and where it wanted to go.

    `fresh=1` demands that the person signs in there anew. With `iss` it is the provider, or somebody else, who sends it
    here (Core 4): where the connection allows that.
    """
    ours = _load(connection)
    return_to = _asked_by_provider(ours) if _is_initiated() else safe_path(request.args.get("return_to"))
    hint = request.args.get("login_hint", "")
    hint = hint if len(hint) <= _LONGEST_HINT and hint.isprintable() else ""
    url, keepsake = start(
        current_context(),
        ours,
        return_to,
        current_time(),
        login_hint=hint or None,
        test=request.args.get("test"),
        fresh=request.args.get("fresh") == "1",
    )
    response = go(url, 302)
    keep_login(response, keepsake)
    keep_browser(response, browser_secret() or new_secret())
    return response


@blueprint.post("/login")
def login_by_post(connection: UUID) -> Response:
    """The same for a provider that begins by POST (Core 4): by a GET of ours, which brings our cookie."""
    asked = {name: request.form[name] for name in _INITIATING if name in request.form}
    if "iss" not in asked:
        raise BadRequest
    return go(f"{url_for('oidc.login', connection=connection)}?{urlencode(asked)}")


def _is_initiated() -> bool:
    return "iss" in request.args or "target_link_uri" in request.args


def _asked_by_provider(ours: OidcConnection) -> str:
    """Where a login leads that somebody else began. Raises NotFromHere."""
    name = ours.connection.name
    if not ours.allow_idp_initiated:
        raise NotFromHere(f"A sign-in through {name} begins at the bridge’s own sign-in page.")
    if request.args.get("iss") != ours.provider.issuer:
        raise NotFromHere(f"This sign-in was begun by another provider than {name}.")
    target = request.args.get("target_link_uri")
    return HOME if not target else path_here(target)


def path_here(target: str) -> str:
    """The path of an address of this site; no other is gone to (Core 4: no open redirector)."""
    own = current_context().public_url
    try:
        parts = urlsplit(target)
    except ValueError:
        raise NotFromHere("The address that this sign-in should lead to is none.") from None
    if f"{parts.scheme}://{parts.netloc}" != own or "\\" in target:
        raise NotFromHere("This sign-in should lead to another site, which isn’t gone to.")
    return safe_path(target[len(own) :])


# -- The way back ------------------------------------------------------------------------------------


@blueprint.get("/callback")
def callback(connection: UUID) -> Response:
    """Take the provider's answer (Core 3.1.2.5), ask the provider itself, and sign the browser in."""
    ours, context, now = _load(connection), current_context(), current_time()
    browser, pairs = browser_secret() or new_secret(), list(request.args.items(multi=True))
    note_answer(request.args.get("state"), "By the browser, with a code or a refusal.")
    name = login_name()
    try:
        code, state = authorization_answer.parse(pairs, ours.provider)
    except errors.ProviderSaidNo as error:
        claim(context, ours, error.state or "", login_begun(name), now)  # a stranger's link would say anything
        raise
    if login_begun(name) is None:
        claim(context, ours, state, None, now)  # refuses: a stranger is to wait in nobody's way
    with current_outside().calls.turn(f"{ours.connection.workspace_key}", ours.connection.id) as ask:
        claimed = claim(context, ours, state, login_begun(name), now)
        answer = ask_for_identity(context, ours, claimed, code, ask, ticking(now), trail())
    note_login(email=answer.identity.email)
    handle = complete(context, "oidc", answer, now, current_client())
    told = resume(
        context,
        handle,
        login_begun(name),
        browser,
        current_client(),
        now,
        through=ours.connection.id,
        old=session_secret(),
    )
    return arrive(told, browser, name)


def ticking(now: datetime) -> Clock:
    """What the time is while the provider answers, by the request's own clock."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


@blueprint.get("/jwks")
def jwks(connection: UUID) -> Response:
    """Our public keys, for the provider (RFC 7517 5)."""
    return jsonify(public_keys(_load(connection)))


def _load(connection: UUID) -> OidcConnection:
    uid = str(connection)
    note_login(kind="oidc", connection_id=uid)
    try:
        return load_oidc(current_context(), uid)
    except NotFound:
        raise
    except DomainError as error:
        raise NotFound(error.text) from error
