"""`/scim/oauth2/token`: access tokens for OAuth clients that push by SCIM (RFC 6749 4.4).

POST, with the client's id and secret by HTTP Basic or in the body: 200 `{"access_token", "token_type": "Bearer",
"expires_in", "scope": "scim"}`. A refusal is RFC 6749 5.2's JSON; 429 with Retry-After where secrets were guessed.
"""

import logging
from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from bridge.domain.errors import TooManyTries
from bridge.flows.log_requests import count_unknown_token
from bridge.flows.scim_clients import exchange_secret
from bridge.web.current import current_client, current_context, current_time
from oidc.token_endpoint import TokenRefused, parse_token_request

blueprint = Blueprint("scim_oauth", __name__, url_prefix="/scim/oauth2")
log = logging.getLogger(__name__)

SCOPE = "scim"
_LARGEST = 16_384
_ASK_BASIC = {"WWW-Authenticate": 'Basic realm="SCIM"'}


@blueprint.route("/token", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def token() -> Response:
    """A new access token, for a POST alone (RFC 6749 3.2)."""
    if request.method != "POST":
        raise MethodNotAllowed(["POST"])
    request.max_content_length = request.max_form_memory_size = _LARGEST
    asked = parse_token_request(
        request.headers.get("Authorization"), request.mimetype, request.args, request.form.items(multi=True), SCOPE
    )
    given = exchange_secret(current_context(), asked.client_id, asked.secret, current_client(), current_time())
    if given is None:
        count_unknown_token(current_context())
        raise TokenRefused("invalid_client", "No client that works now has this id and this secret.")
    said = {"access_token": given.token, "token_type": "Bearer", "expires_in": given.expires_in, "scope": SCOPE}
    return _answer(200, said)


@blueprint.errorhandler(TokenRefused)
def refuse(error: TokenRefused) -> Response:
    """RFC 6749 5.2: with 401, by which scheme to come."""
    headers = _ASK_BASIC if error.status == 401 else {}
    return _answer(error.status, {"error": error.error, "error_description": error.text}, headers)


@blueprint.errorhandler(TooManyTries)
def slow_down(error: TooManyTries) -> Response:
    """RFC 6585 4: one wrong secret more than there may be."""
    said = {"error": "invalid_client", "error_description": error.text}
    return _answer(429, said, {"Retry-After": str(error.retry_after)})


@blueprint.errorhandler(HTTPException)
def refuse_http(error: HTTPException) -> Response:
    """Too large, or not a POST."""
    allowed = {"Allow": "POST"} if error.code == 405 else {}
    return _answer(error.code or 400, {"error": "invalid_request", "error_description": error.name}, allowed)


@blueprint.errorhandler(Exception)
def fail(error: Exception) -> Response:
    """A fault of ours: logged in full, told in general."""
    log.error("a token request failed", exc_info=error)
    return _answer(500, {"error": "server_error", "error_description": "The server failed. Try again."})


def _answer(status: int, said: Mapping[str, object], headers: Mapping[str, str] = {}) -> Response:
    """Nothing of it may be kept (RFC 6749 5.1)."""
    response = jsonify(said)
    response.status_code = status
    response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache", **headers})
    return response
