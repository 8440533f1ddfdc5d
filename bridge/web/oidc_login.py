"""`/oidc/<connection>/…`: the bridge as an OpenID Connect relying party, one for each connection.

    GET  login               to the provider, with state, nonce and PKCE (OpenID Connect Core 3.1.2.1)
    GET  callback            its answer, brought by the browser that asked; here the session is made
    GET  jwks                our public key, for a provider that we authenticate to by private_key_jwt

The way back is a GET from the provider's page, so it brings our cookie: state is good only in the browser that it was
made for, once, and before that is known nothing is fetched.
"""

from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for

from bridge.domain.errors import DomainError, NotFound
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.connect_oidc import OidcConnection, load_oidc, public_keys
from bridge.flows.oidc_login import ask_for_identity, claim, start
from bridge.flows.resume_login import resume
from bridge.flows.sign_in import complete
from bridge.web import provider_login
from bridge.web.arrival import arrive
from bridge.web.cookies import browser_secret, login_begun, session_secret
from bridge.web.current import current_client, current_context, current_outside, current_time
from bridge.web.provider_login import NotFromHere, asked_by, asked_hint, begin_by_get, is_initiated, send_away, ticking
from bridge.web.refusals import login_name, note_answer, note_login, trail
from bridge.web.return_path import safe_path
from oidc import authorization_answer, errors

blueprint = Blueprint("oidc", __name__, url_prefix="/oidc/<uuid:connection>")
provider_login.install(blueprint)

# -- The way there -----------------------------------------------------------------------------------


@blueprint.get("/login")
def login(connection: UUID) -> Response:
    """Send the browser to the provider, remembering that it was this one, and where it wanted to go.

    `fresh=1` demands that the person signs in there anew. With `iss` it is the provider, or somebody else, who sends it
    here (Core 4): where the connection allows that.
    """
    ours = _load(connection)
    return_to = _asked_by_provider(ours) if is_initiated() else safe_path(request.args.get("return_to"))
    url, keepsake = start(
        current_context(),
        ours,
        return_to,
        current_time(),
        login_hint=asked_hint(),
        test=request.args.get("test"),
        fresh=request.args.get("fresh") == "1",
    )
    return send_away(url, keepsake)


@blueprint.post("/login")
def login_by_post(connection: UUID) -> Response:
    """The same for a provider that begins by POST (Core 4): by a GET of ours, which brings our cookie."""
    return begin_by_get(url_for("oidc.login", connection=connection))


def _asked_by_provider(ours: OidcConnection) -> str:
    """Where a login leads that somebody else began. Raises NotFromHere."""
    if not ours.allow_idp_initiated:
        raise NotFromHere(f"A sign-in through {ours.name} begins at the bridge’s own sign-in page.")
    return asked_by(ours)


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
