"""`/access`: applications ask who may do what, by an API token (product.md 6.2). Parse, call one flow, render.

- `POST /access/check`      one check, or up to 1,000 as `checks`
- `POST /access/explain`    one check, with the paths that give it or what would
- `GET /access/openapi.json`   all of this, for machines; without a token

A check changes nothing, so it may be asked by QUERY, too, which is POST that says so. Its answer carries an ETag and
how long it may be kept; with `If-None-Match` it is 304 while it stands (docs/decisions/0033-access-api.md).
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from bridge.domain.access_checks import Check, Checked, keep_for
from bridge.domain.errors import DomainError, Invalid, TooManyTries
from bridge.flows.access_checks import AccessCaller, answer_checks, ask_one, explain_asked, find_access_caller
from bridge.flows.health import AWAY_FOR, is_away
from bridge.web.access_json import parse_checks, parse_one, render_checked, render_explained, render_refusal
from bridge.web.access_openapi import render_openapi
from bridge.web.access_tags import Tag, fingerprint, parse_tags
from bridge.web.current import current_context, current_time
from bridge.web.statuses import status_of

blueprint = Blueprint("access", __name__, url_prefix="/access")
log = logging.getLogger(__name__)

_LARGEST_BODY = 2**20
#: In bytes, as any program would write it.
_LONGEST_CHECK = 2**12
_ASKING = ["POST", "QUERY"]
_OTHERS = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_OPENAPI = "/openapi.json"
#: Views that ask for the caller themselves, or need none.
_BY_THEMSELVES = (f"{blueprint.name}.openapi", f"{blueprint.name}.check")


@blueprint.before_request
def authenticate() -> None:
    """Take the caller from the bearer token, or refuse (RFC 6750 3); who checks is looked at with the answer."""
    request.max_content_length = _LARGEST_BODY
    if request.endpoint not in _BY_THEMSELVES:
        g.access_caller = _find_caller()


def _find_caller() -> AccessCaller:
    given = _secret()
    caller = find_access_caller(current_context(), given, current_time()) if given else None
    if caller is None:
        raise _Unauthorized(given)
    return caller


def _secret() -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class _Unauthorized(DomainError):
    """No API token that works now."""

    code = "unauthorized"

    def __init__(self, given: str) -> None:
        super().__init__("Send an API token that works as `Authorization: Bearer …`.")
        self.challenge = 'Bearer realm="access"' + (', error="invalid_token"' if given else "")


# -- Asking --------------------------------------------------------------------------------------------------------


@blueprint.route("/check", methods=_ASKING, provide_automatic_options=False)
def check() -> Response:
    """May they? One check, or many."""
    now, tags, one = current_time(), request.headers.get("If-None-Match", ""), _one_check()
    if one is not None and not tags:
        return _answer_one(one, now)
    caller, body = _find_caller(), _body()
    standing = _find_standing(caller, _about(caller, body), tags, now)
    if standing is not None:
        return Response(status=304, headers=_kept(standing, now))
    if one is not None:
        return _answer_one(one, now)
    checks, is_batch = parse_checks(body)
    return _answer_checked(caller, answer_checks(current_context(), caller, checks, now), is_batch=is_batch)


def _one_check() -> Check | None:
    """The one check that a short body holds. All else is read, or refused, once the caller is known."""
    if (request.content_length or _LONGEST_CHECK) >= _LONGEST_CHECK:
        return None
    try:
        checks, is_batch = parse_checks(_body())
    except DomainError:
        return None
    return None if is_batch else checks[0]


def _answer_one(one: Check, now: datetime) -> Response:
    secret = _secret()
    asked = ask_one(current_context(), secret, one, now)
    if asked is None:
        raise _Unauthorized(secret)
    return _answer_checked(*asked, is_batch=False)


def _answer_checked(caller: AccessCaller, checked: Checked, *, is_batch: bool) -> Response:
    tag = Tag(checked.revision, checked.until, _about(caller, request.get_data()))
    return _answer(render_checked(checked, is_batch=is_batch), headers=_kept(tag, current_time()))


@blueprint.route("/explain", methods=_ASKING, provide_automatic_options=False)
def explain() -> Response:
    """Why, or why not: for people to read, and not to be kept."""
    return _answer(render_explained(explain_asked(current_context(), _caller(), parse_one(_body()), current_time())))


@blueprint.get(_OPENAPI)
def openapi() -> Response:
    """All of this as an OpenAPI 3.1 document, which holds nothing of anybody's."""
    return _answer(render_openapi(current_context().public_url))


@blueprint.route("/check", methods=_OTHERS)
@blueprint.route("/explain", methods=_OTHERS)
def not_so() -> Response:
    """By another method there is nothing."""
    said = render_refusal("method_not_allowed", "Ask by POST (or QUERY), with a JSON body.")
    return _answer(said, 405, {"Allow": ", ".join(_ASKING)})


@blueprint.route("/", defaults={"path": ""}, methods=[*_ASKING, *_OTHERS])
@blueprint.route("/<path:path>", methods=[*_ASKING, *_OTHERS])
def nothing(path: str) -> Response:
    """Whatever else is asked for under this address, told only to those with a token."""
    return _answer(render_refusal("not_found", f"There is nothing at /access/{path[:200]}."), 404)


def _caller() -> AccessCaller:
    caller: AccessCaller = g.access_caller
    return caller


def _body() -> bytes:
    if not _is_json(request.mimetype) or request.content_encoding not in (None, "", "identity"):
        raise _UnsupportedMediaType("Send the check as it is, with `Content-Type: application/json`.")
    return request.get_data()


class _UnsupportedMediaType(DomainError):
    """The body is no JSON by its own word."""

    code = "unsupported_media_type"


def _is_json(mimetype: str) -> bool:
    return mimetype == "application/json" or (mimetype.startswith("application/") and mimetype.endswith("+json"))


# -- How long an answer stands -------------------------------------------------------------------------------------


def _about(caller: AccessCaller, body: bytes) -> str:
    """What the answer is to, and for whom."""
    return fingerprint(request.path, caller.token_id, body)


def _find_standing(caller: AccessCaller, about: str, tags: str, now: datetime) -> Tag | None:
    """The version that the client has, where that is still the answer; nothing is asked for it."""
    for tag in parse_tags(tags):
        if tag.about == about and tag.revision == caller.workspace.rev and (tag.until is None or now < tag.until):
            return tag
    return None


def _kept(tag: Tag, now: datetime) -> dict[str, str]:
    return {"ETag": tag.render(), "Cache-Control": f"private, max-age={keep_for(now, tag.until)}"}


# -- In and out ----------------------------------------------------------------------------------------------------


def _answer(said: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] = {}) -> Response:
    return Response(orjson.dumps(said), status=status, headers=dict(headers), content_type="application/json")


@blueprint.errorhandler(_Unauthorized)
def refuse_stranger(error: _Unauthorized) -> Response:
    """RFC 6750 3: with `invalid_token` where there was one."""
    return _answer(render_refusal(error.code, error.text), 401, {"WWW-Authenticate": error.challenge})


@blueprint.errorhandler(_UnsupportedMediaType)
def refuse_media_type(error: _UnsupportedMediaType) -> Response:
    """RFC 9110 15.5.16."""
    return _answer(render_refusal(error.code, error.text), 415, {"Accept-Post": "application/json"})


@blueprint.errorhandler(DomainError)
def refuse(error: DomainError) -> Response:
    """What the product refuses; of a fault in the request, where it is."""
    status = 400 if isinstance(error, Invalid) else status_of(error)
    later = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyTries) else {}
    return _answer(render_refusal(error.code, error.text, getattr(error, "field", None)), status, later)


@blueprint.errorhandler(HTTPException)
def refuse_http(error: HTTPException) -> Response:
    """What Flask itself refuses: a body too large."""
    status = error.code or 500
    code = re.sub(r"\W+", "_", error.name.lower())
    return _answer(render_refusal(code, error.description or error.name), status)


@blueprint.errorhandler(Exception)
def fail(error: Exception) -> Response:
    """A fault of ours: logged in full, told in general. A database that is away for a moment is none: come again."""
    if is_away(error):
        log.error("the database is away: %s %s: %s", request.method, request.path, error)
        text = "The database doesn’t answer at this moment. Try again in a few seconds."
        return _answer(render_refusal("unavailable", text), 503, {"Retry-After": str(AWAY_FOR)})
    log.error("a question about access failed: %s %s", request.method, request.path, exc_info=error)
    return _answer(render_refusal("server_error", "The server failed. Try again."), 500)
