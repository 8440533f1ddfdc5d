"""`/twilio/…` as Twilio's server calls it, without any browser; so what it is told is JSON or nothing.

POST backchannel-logout  somebody signed out there (OpenID Connect Back-Channel Logout 1.0): 200, or 400
POST events              something happened to an account there (RFC 8935): 202, or 400 with `err`
"""

import logging

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from bridge.domain.errors import DomainError, NotFound, OutsideFailed
from bridge.flows.twilio_events import end_by_token, take_event
from bridge.web.current import current_context, current_time
from bridge.web.twilio_login import ask_twilio, twilio_of_request
from oidc import errors

blueprint = Blueprint("twilio_events", __name__, url_prefix="/twilio")
log = logging.getLogger(__name__)

_LARGEST = 400_000
_SECEVENT = "application/secevent+jwt"
#: RFC 8935 2.4.
_CODES: tuple[tuple[type[errors.OidcError], str], ...] = (
    (errors.WrongIssuer, "invalid_issuer"),
    (errors.WrongAudience, "invalid_audience"),
    (errors.UnknownKey, "invalid_key"),
    (errors.BadSignature, "invalid_key"),
    (errors.InvalidKeys, "invalid_key"),
)


@blueprint.post("/backchannel-logout")
def backchannel_logout() -> Response:
    """End what the logout token names: logins with Twilio of that person, or in that session."""
    request.max_content_length = request.max_form_memory_size = _LARGEST
    ours, tokens = twilio_of_request(), request.form.getlist("logout_token")
    if len(tokens) != 1 or not tokens[0]:
        return _answer(400, "invalid_request", "A POST with one logout_token is expected.")
    end_by_token(current_context(), ours, tokens[0], ask_twilio, current_time())
    return _answer(200)


@blueprint.post("/events")
def events() -> Response:
    """Take one event (RFC 8935 2.2). 202 says that what it means is on disk."""
    request.max_content_length = _LARGEST
    ours = twilio_of_request()
    if request.mimetype != _SECEVENT:
        return _answer(400, "invalid_request", f"A body of the type {_SECEVENT} is expected.")
    try:
        token = request.get_data(cache=False).decode("ascii")
    except UnicodeDecodeError:
        return _answer(400, "invalid_request", "The body isn't a token.")
    take_event(current_context(), ours, token, ask_twilio, current_time())
    return _answer(202)


@blueprint.errorhandler(errors.OidcError)
def refuse(error: errors.OidcError) -> Response:
    """A token that isn't accepted."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "invalid_request")
    return _refused(400, code if request.endpoint == "twilio_events.events" else "invalid_request", error.text)


@blueprint.errorhandler(DomainError)
def refuse_here(error: DomainError) -> Response:
    """No Twilio here; a token that was used before; keys that can't be read now, which is no reason to give up."""
    status = 404 if isinstance(error, NotFound) else 429 if isinstance(error, OutsideFailed) else 400
    return _refused(status, "invalid_request", error.text)


@blueprint.errorhandler(HTTPException)
def refuse_request(error: HTTPException) -> Response:
    """Not a POST, or too large."""
    return _answer(error.code or 400, "invalid_request", error.name)


def _refused(status: int, code: str, text: str) -> Response:
    log.warning("what was brought to %s was refused: %s", request.path, text)
    return _answer(status, code, text)


def _answer(status: int, error: str | None = None, text: str | None = None) -> Response:
    """RFC 8935 2.3 says `err` and `description`, Back-Channel Logout 2.8 `error` and `error_description`."""
    names = ("err", "description") if request.path.endswith("/events") else ("error", "error_description")
    response = jsonify(dict(zip(names, (error, text), strict=True))) if error else Response()
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
