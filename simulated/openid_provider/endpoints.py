"""The endpoints. Bad input is answered in the protocol's own form, or on a page if no client can be trusted."""

import re
from typing import Any, cast
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, jsonify, redirect, request
from joserfc import jwt
from joserfc.errors import JoseError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from simulated.openid_provider.authorization import LOGOUT_CONFIRMED, make_server
from simulated.openid_provider.clients import SCOPES, Client
from simulated.openid_provider.grants import Authentication
from simulated.openid_provider.keys import ALGORITHM
from simulated.openid_provider.provider import EXTENSION, Provider, this_provider

blueprint = Blueprint("openid_provider", __name__)

#: What other programs and other sites' pages may send here; each proves itself by something else than a cookie.
OPEN_TO_OTHERS = frozenset({"/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo", "/oauth2/logout"})
_SERVER = "openid_provider_server"
#: Prompts that a login from before doesn't answer (Core 3.1.2.1; `create`: Initiating User Registration 1.0).
NEW_LOGIN = frozenset({"login", "select_account", "create"})
_LONGEST_REQUEST = 8000
_SECONDS = re.compile("[0-9]{1,9}")


def add_to(app: Flask, provider: Provider) -> None:
    """Gives an application the provider's routes."""
    seat(app, provider)
    app.register_blueprint(blueprint)


def seat(app: Flask, provider: Provider) -> None:
    """The provider that an application's routes answer for, from now on."""
    app.extensions[EXTENSION] = provider
    app.extensions[_SERVER] = make_server(app, provider)


@blueprint.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """Discovery 1.0 3."""
    issuer = this_provider().issuer
    endpoints = {
        "authorization_endpoint": "authorize",
        "token_endpoint": "token",
        "userinfo_endpoint": "userinfo",
        "jwks_uri": "jwks",
        "end_session_endpoint": "logout",
    }
    return jsonify(
        issuer=issuer,
        **{name: f"{issuer}/oauth2/{path}" for name, path in endpoints.items()},
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[ALGORITHM],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        code_challenge_methods_supported=["S256"],
        scopes_supported=SCOPES,
        claims_supported=[
            "sub",
            "sid",
            "auth_time",
            "amr",
            *["name", "given_name", "family_name", "email", "email_verified"],
        ],
        prompt_values_supported=["none", *sorted(NEW_LOGIN)],
        authorization_response_iss_parameter_supported=True,
        backchannel_logout_supported=True,
        backchannel_logout_session_supported=True,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        **this_provider().host.discovery_extras(),
    )


@blueprint.get("/oauth2/jwks")
def jwks() -> Response:
    """Core 10.1.1. Short-lived, so that a rotation is soon known."""
    answer = jsonify(this_provider().keys.published().as_dict(private=False))
    answer.headers["Cache-Control"] = "public, max-age=60"
    return answer


@blueprint.route("/oauth2/authorize", methods=["GET", "POST"])
def authorize() -> AnyResponse:
    """Core 3.1.2. A POST goes on as a GET: the browser leaves our cookie out of a POST from another site."""
    if request.method == "POST":
        return redirect(f"/oauth2/authorize?{_query(request.form)}", 303)
    provider, server = this_provider(), _server()
    refusal = _unreadable(request.args)
    if refusal:
        return _refuse(refusal)
    authentication = provider.host.find_authentication()
    try:
        grant = server.get_consent_grant(end_user=authentication)
        _check_extras(grant)
    except OAuth2Error as error:
        return _say_error(server, error)
    client: Client = grant.client
    if authentication is None or _wants_new_login(authentication):
        return _ask_to_log_in(server, grant, client)
    answer: AnyResponse = server.create_authorization_response(grant_user=authentication, grant=grant)
    return answer


@blueprint.post("/oauth2/token")
def token() -> AnyResponse:
    """Core 3.1.3. Nothing of it may be kept (RFC 6749 5.1)."""
    answer: AnyResponse = _server().create_token_response()
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.route("/oauth2/userinfo", methods=["GET", "POST"])
def userinfo() -> AnyResponse:
    """Core 5.3."""
    return cast(AnyResponse, _server().create_endpoint_response("userinfo"))


@blueprint.route("/oauth2/logout", methods=["GET", "POST"])
def logout() -> AnyResponse:
    """RP-Initiated Logout 1.0 2: at once for a client that shows an ID token of this very session, else the person is
    asked."""
    if request.method == "POST":
        return redirect(f"/oauth2/logout?{_query(request.form)}", 303)
    return _log_out(asked=False)


@blueprint.post(LOGOUT_CONFIRMED)
def logout_confirmed() -> AnyResponse:
    """The person said yes, on our own page."""
    return _log_out(asked=True)


def _log_out(*, asked: bool) -> AnyResponse:
    provider, server = this_provider(), _server()
    refusal = _unreadable(request.values)
    if refusal:
        return _refuse(refusal)
    try:
        wanted = server.validate_endpoint_request("end_session")
    except OAuth2Error as error:
        return _refuse(error.description or error.error)
    authentication = provider.host.find_authentication()
    hinted = (wanted.id_token_claims or {}).get("sid")
    if authentication and not asked and hinted != authentication.sid:
        state = {name: value for name, value in request.values.items() if name in _LOGOUT_STATE}
        return Response(provider.host.render_logout(wanted.client, state))
    if authentication:
        provider.host.end_session(authentication.sid)
    answer = server.create_endpoint_response("end_session", wanted)
    return answer if answer is not None else Response(provider.host.render_logged_out())


_LOGOUT_STATE = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


def _server() -> AuthorizationServer:
    return current_app.extensions[_SERVER]


def _query(values: MultiDict[str, str]) -> str:
    return urlencode(list(values.items(multi=True)))


def _unreadable(values: MultiDict[str, str]) -> str:
    """Why the parameters can't be looked at: Authlib puts them into errors and addresses, which are ASCII."""
    if len(_query(values)) > _LONGEST_REQUEST:
        return "The request is too long."
    hidden = [name for name, value in values.items(multi=True) if not value.isprintable() or not name.isprintable()]
    strange = [name for name in ("client_id", "redirect_uri", "response_type") if not values.get(name, "").isascii()]
    return "The request holds characters that it can't." if hidden or strange else ""


def _check_extras(grant: Any) -> None:
    """What isn't served is refused aloud (Core 3.1.2.1, 6.1)."""
    values = request.args
    wanted = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}
    error = next((fault for name, fault in wanted.items() if values.get(name)), "")
    if values.get("response_mode", "query") != "query" or not _SECONDS.fullmatch(values.get("max_age", "0")):
        error = "invalid_request"
    if error:
        raise OAuth2Error(error=error, redirect_uri=grant.redirect_uri, state=values.get("state"))


def _wants_new_login(authentication: Authentication) -> bool:
    """Whether the request asks for a login that is newer than the session's; one made for this request always is."""
    values, provider = request.args, this_provider()
    waiting = provider.grants.find_waiting(values.get("resumed", ""))
    if waiting and authentication.at >= waiting.asked_at and waiting.query == _query(_without_resumed(values)):
        return False
    if values.get("id_token_hint") and not _is_hinted(values["id_token_hint"], authentication):
        return True
    age = int(provider.clock()) - authentication.at
    too_old = "max_age" in values and age > int(values["max_age"])
    return too_old or bool(NEW_LOGIN & set(values.get("prompt", "").split()))


def _ask_to_log_in(server: AuthorizationServer, grant: Any, client: Client) -> AnyResponse:
    provider, values = this_provider(), request.args
    if "none" in values.get("prompt", "").split():
        state = values.get("state")
        error = OAuth2Error("A login is needed.", redirect_uri=grant.redirect_uri, state=state, error="login_required")
        return _say_error(server, error)
    query = _query(_without_resumed(values))
    waiting = provider.grants.wait(query, client.client_id, values.get("login_hint", "")[:254])
    return provider.host.ask_to_log_in(waiting, client)


def _without_resumed(values: MultiDict[str, str]) -> MultiDict[str, str]:
    """The request as the client sent it."""
    return MultiDict((name, value) for name, value in values.items(multi=True) if name != "resumed")


def _is_hinted(hint: str, authentication: Authentication) -> bool:
    """Whether an ID token of ours, maybe an old one, names who is logged in (Core 3.1.2.1)."""
    provider = this_provider()
    try:
        claims = jwt.decode(hint, provider.keys.published(), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError):
        return False
    return claims.get("iss") == provider.issuer and claims.get("sub") == authentication.subject


def _say_error(server: AuthorizationServer, error: OAuth2Error) -> AnyResponse:
    """To the client with our name (RFC 9207 2), or to the person when there is no client to be trusted."""
    if not error.redirect_uri:
        return _refuse(error.description or error.error)
    error.redirect_uri += f"{'&' if '?' in error.redirect_uri else '?'}{urlencode({'iss': this_provider().issuer})}"
    answer: AnyResponse = server.handle_error_response(None, error)
    return answer


def _refuse(reason: str) -> AnyResponse:
    return Response(this_provider().host.render_refusal(reason), 400)
