"""`/oidc/<connection>/…`: signing out by OpenID Connect.

    POST backchannel-logout  a provider says that somebody signed out there
    GET  signed-out          who signed out here, and then there, comes back (RP-Initiated Logout 1.0 3)

At the first it is the provider's server that speaks, without any browser, so what it says is JSON or nothing (OpenID
Connect Back-Channel Logout 1.0 2.5, 2.8): 200 when the sessions are gone, 400 when the logout token isn't accepted.
"""

import logging
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import HTTPException

from bridge.domain.errors import DomainError, NotFound, OutsideFailed
from bridge.domain.web_calls import WebCall, WebReply
from bridge.flows.connect_oidc import OidcConnection, load_oidc
from bridge.flows.oidc_logout import end_by_token
from bridge.web.current import current_context, current_outside, current_time
from bridge.web.return_path import go
from oidc.errors import OidcError

blueprint = Blueprint("oidc_logout", __name__, url_prefix="/oidc/<uuid:connection>")
log = logging.getLogger(__name__)

_LARGEST_FORM = 400_000


@blueprint.post("/backchannel-logout")
def backchannel_logout(connection: UUID) -> Response:
    """End what the logout token names: this connection's authentications of that subject, or session."""
    request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
    ours, tokens = load_oidc(current_context(), str(connection)), request.form.getlist("logout_token")
    if len(tokens) != 1 or not tokens[0]:
        return _answer(400, "invalid_request", "A POST with one logout_token is expected.")
    end_by_token(current_context(), ours, tokens[0], partial(_ask, ours), current_time())
    return _answer(200)


def _ask(ours: OidcConnection, call: WebCall) -> WebReply:
    """A turn for this one call: whoever sends nonsense, or a token under a known key, takes none."""
    with current_outside().calls.turn(f"{ours.connection.workspace_key}", ours.connection.id) as ask:
        return ask(call)


@blueprint.get("/signed-out")
def signed_out(connection: UUID) -> Response:
    """To the page that says so. It changes nothing, whoever comes, and whatever `state` they bring."""
    return go(url_for("session.ask"))


@blueprint.errorhandler(OidcError)
def refuse(error: OidcError) -> Response:
    """A token that isn't accepted."""
    return _refused(400, error.code, error.text)


@blueprint.errorhandler(DomainError)
def refuse_here(error: DomainError) -> Response:
    """No such connection; a token that was used before; a provider whose keys can't be read."""
    status = 404 if isinstance(error, NotFound) else 429 if isinstance(error, OutsideFailed) else 400
    return _refused(status, error.code, error.text)


@blueprint.errorhandler(HTTPException)
def refuse_request(error: HTTPException) -> Response:
    """Not the POST of a form, or too large."""
    return _answer(error.code or 400, "invalid_request", error.name)


def _refused(status: int, code: str, text: str) -> Response:
    log.warning("a logout token for %s was refused: %s", request.path, code)
    return _answer(status, "invalid_request", text)


def _answer(status: int, error: str | None = None, text: str | None = None) -> Response:
    response = jsonify({"error": error, "error_description": text}) if error else Response()
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
