"""`/scim/v2`: SCIM 2.0 for IdPs (RFC 7644). Parse, call one flow, render.

The bearer token is looked at before anything else, unknown addresses included: it says which connection's
directory there is; all others don't exist (properties.md 7).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from wsgiref.types import WSGIEnvironment

import orjson
from flask import Blueprint, Response, g, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Rule

from bridge.domain import errors as refused
from bridge.flows import cursors
from bridge.flows.health import AWAY_FOR, is_away
from bridge.flows.log_requests import count_unknown_token
from bridge.flows.tokens import find_scim_caller
from bridge.web import scim_log
from bridge.web import scim_operations as operations
from bridge.web.current import current_context, current_time
from bridge.web.scim_addresses import PREFIX, SUFFIX, methods_of
from bridge.web.scim_bulk import answer_bulk
from bridge.web.scim_operations import Caller, Outcome
from bridge.web.scim_resources import Answered
from bridge.web.scim_search import search
from scim import discovery, errors
from scim.bulk import MAX_OPERATIONS, MAX_PAYLOAD, check_payload, parse_bulk
from scim.messages import (
    DEFAULT_COUNT,
    MAX_COUNT,
    MEDIA_TYPE,
    ListResponse,
    check_media_type,
    parse_body,
    parse_query,
    parse_search,
    parse_selection,
)
from scim.openapi import render_openapi
from scim.schemas import GROUP, USER
from scim.versions import names_number, names_version

log = logging.getLogger(__name__)

CAPABILITIES = discovery.Capabilities(
    max_results=MAX_COUNT,
    sort=True,
    etag=True,
    bulk=discovery.BulkLimits(MAX_OPERATIONS, MAX_PAYLOAD),
    pagination=discovery.Pagination(DEFAULT_COUNT, MAX_COUNT, int(cursors.LIFETIME.total_seconds())),
    authentication_schemes=(discovery.BEARER_TOKEN, discovery.CLIENT_CREDENTIALS),
)

blueprint = Blueprint("scim", __name__, url_prefix=PREFIX)


# -- Who calls ---------------------------------------------------------------------------------------


@blueprint.before_request
def authenticate() -> None:
    """Take the caller from the bearer token, or refuse (RFC 7644 2; RFC 6750 3.1)."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer" and secret:
        caller = find_scim_caller(current_context(), secret.strip(), current_time())
    if caller is None:
        count_unknown_token(current_context())
        g.token_refused = scheme.lower() == "bearer" and bool(secret)
        raise errors.Unauthorized("Send a valid SCIM token as `Authorization: Bearer …`.")
    scim_log.begin(caller)
    if caller.closed is not None:
        raise caller.closed
    g.connection = caller.connection


blueprint.after_request(scim_log.finish)


@blueprint.url_value_preprocessor
def take_off_suffix(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """`/Users/ID.scim` is `/Users/ID` (RFC 7644 3.8)."""
    for name, value in (values or {}).items():
        if name in ("resource_id", "name", "urn"):
            values[name] = value.removesuffix(SUFFIX)  # type: ignore[index]


@blueprint.before_request
def tell_methods() -> Response | None:
    """OPTIONS: what may be done here (RFC 9110 9.3.7)."""
    allowed = methods_of(request.path.removeprefix(PREFIX)) if request.method == "OPTIONS" else None
    return Response(status=204, headers={"Allow": allowed}) if allowed else None


@blueprint.before_request
def check_id() -> Response | None:
    """Refuse an id that can't be one of ours."""
    resource_id = (request.view_args or {}).get("resource_id")
    if resource_id == ".search":
        return _not_allowed("POST")
    if resource_id is not None:
        operations.check_id(resource_id)
    return None


def _caller() -> Caller:
    return Caller(current_context(), g.connection, current_time())


# -- Users -------------------------------------------------------------------------------------------


@blueprint.get("/Users", strict_slashes=False)
def list_users() -> Response:
    """Look for people (RFC 7644 3.4.2)."""
    return _answer(search(_caller(), parse_query(request.args.items(multi=True)), (USER,)))


@blueprint.post("/Users/.search", strict_slashes=False)
def search_users() -> Response:
    """Look for people, the query in the body (RFC 7644 3.4.3)."""
    return _answer(search(_caller(), parse_search(_body()), (USER,)))


@blueprint.post("/Users", strict_slashes=False)
def create_user() -> Response:
    """Create a person (RFC 7644 3.3)."""
    return _written(operations.create_user(_caller(), _body(), _selection()))


@blueprint.get("/Users/<resource_id>", strict_slashes=False)
def get_user(resource_id: str) -> Response:
    """One person (RFC 7644 3.4.1)."""
    return _read(operations.get_user(_caller(), resource_id, _selection()))


@blueprint.put("/Users/<resource_id>", strict_slashes=False)
def put_user(resource_id: str) -> Response:
    """Replace a person (RFC 7644 3.5.1)."""
    return _written(operations.put_user(_caller(), resource_id, _body(), _selection(), _precondition()))


@blueprint.patch("/Users/<resource_id>", strict_slashes=False)
def patch_user(resource_id: str) -> Response:
    """Change parts of a person, all or none (RFC 7644 3.5.2)."""
    return _written(operations.patch_user(_caller(), resource_id, _body(), _selection(), _precondition()))


@blueprint.delete("/Users/<resource_id>", strict_slashes=False)
def delete_user(resource_id: str) -> Response:
    """Delete a person (RFC 7644 3.6)."""
    return _written(operations.delete_user(_caller(), resource_id, _precondition()))


# -- Groups ------------------------------------------------------------------------------------------


@blueprint.get("/Groups", strict_slashes=False)
def list_groups() -> Response:
    """Look for groups (RFC 7644 3.4.2)."""
    return _answer(search(_caller(), parse_query(request.args.items(multi=True)), (GROUP,)))


@blueprint.post("/Groups/.search", strict_slashes=False)
def search_groups() -> Response:
    """Look for groups, the query in the body (RFC 7644 3.4.3)."""
    return _answer(search(_caller(), parse_search(_body()), (GROUP,)))


@blueprint.post("/Groups", strict_slashes=False)
def create_group() -> Response:
    """Create a group (RFC 7644 3.3)."""
    return _written(operations.create_group(_caller(), _body(), _selection()))


@blueprint.get("/Groups/<resource_id>", strict_slashes=False)
def get_group(resource_id: str) -> Response:
    """One group (RFC 7644 3.4.1)."""
    return _read(operations.get_group(_caller(), resource_id, _selection()))


@blueprint.put("/Groups/<resource_id>", strict_slashes=False)
def put_group(resource_id: str) -> Response:
    """Replace a group, members and all (RFC 7644 3.5.1)."""
    return _written(operations.put_group(_caller(), resource_id, _body(), _selection(), _precondition()))


@blueprint.patch("/Groups/<resource_id>", strict_slashes=False)
def patch_group(resource_id: str) -> Response:
    """Change parts of a group (RFC 7644 3.5.2)."""
    return _written(operations.patch_group(_caller(), resource_id, _body(), _selection(), _precondition()))


@blueprint.delete("/Groups/<resource_id>", strict_slashes=False)
def delete_group(resource_id: str) -> Response:
    """Delete a group (RFC 7644 3.6)."""
    return _written(operations.delete_group(_caller(), resource_id, _precondition()))


# -- Both ------------------------------------------------------------------------------------------------------------


@blueprint.post("/.search", strict_slashes=False)
def search_all() -> Response:
    """Look for people and groups at once (RFC 7644 3.4.2.1, 3.4.3): people first, where no order is asked for."""
    return _answer(search(_caller(), parse_search(_body()), (USER, GROUP)))


@blueprint.get("")
@blueprint.get("/")
def list_all() -> Response:
    """The same, the query in the address (RFC 7644 3.4.2)."""
    return _answer(search(_caller(), parse_query(request.args.items(multi=True)), (USER, GROUP)))


# -- Discovery (RFC 7644 4) --------------------------------------------------------------------------


@blueprint.get("/ServiceProviderConfig", strict_slashes=False)
def service_provider_config() -> Response:
    """What this server supports."""
    _refuse_filter()
    return _answer(discovery.render_service_provider_config(CAPABILITIES, _caller().base_url))


@blueprint.get("/ResourceTypes", strict_slashes=False)
def resource_types() -> Response:
    """Which resources there are."""
    return _all(discovery.render_resource_types(_caller().base_url))


@blueprint.get("/ResourceTypes/<name>", strict_slashes=False)
def resource_type(name: str) -> Response:
    """One of them."""
    _refuse_filter()
    return _answer(discovery.render_resource_type(name, _caller().base_url))


@blueprint.get("/Schemas", strict_slashes=False)
def schemas() -> Response:
    """What the resources hold."""
    return _all(discovery.render_schemas(_caller().base_url))


@blueprint.get("/Schemas/<urn>", strict_slashes=False)
def schema(urn: str) -> Response:
    """One schema."""
    _refuse_filter()
    return _answer(discovery.render_schema(urn, _caller().base_url))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """All of this as an OpenAPI 3.1 document."""
    said = orjson.dumps(render_openapi(CAPABILITIES, _caller().base_url))
    return Response(said, content_type="application/json")


def _all(rendered: list[dict[str, Any]]) -> Response:
    _refuse_filter()
    return _answer(ListResponse(rendered, len(rendered)).render())


def _refuse_filter() -> None:
    """Or a client would take the whole answer for the filtered one (RFC 7644 4)."""
    if any(name.lower() == "filter" for name in request.args):
        raise errors.Forbidden("Discovery can't be filtered.")


@blueprint.route("/Me", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], strict_slashes=False)
def me() -> NoReturn:
    """A SCIM token is a machine's: nobody is "me" until the OpenID Provider exists (RFC 7644 3.11)."""
    raise errors.NotSupported("This server does not support /Me.")


@blueprint.post("/Bulk", strict_slashes=False)
def bulk() -> Response:
    """Many operations in one request (RFC 7644 3.7)."""
    check_payload(request.content_length or len(request.get_data()))
    return _answer(answer_bulk(_caller(), parse_bulk(_body())))


def unknown(path: str = "") -> Response:
    """Whatever else is asked for under this address, by whatever method, told only to those with a token."""
    if allowed := methods_of(path):
        return _not_allowed(allowed)
    raise errors.NotFound(f"There is nothing at /{path[:200]}.")


def _not_allowed(allowed: str) -> Response:
    form = {"schemas": [errors.ERROR_SCHEMA], "status": "405", "detail": f"Here one may {allowed}."}
    return _answer(form, status=405, headers={"Allow": allowed})


@blueprint.record
def _take_the_rest(state: BlueprintSetupState) -> None:
    """Route there what no route above takes. Flask's own `route` wants its methods named, and these are all."""
    endpoint = f"{blueprint.name}.{unknown.__name__}"
    for rule in ("/", "/<path:path>"):
        state.app.url_map.add(Rule(f"{PREFIX}{rule}", endpoint=endpoint, strict_slashes=False))
    state.app.view_functions[endpoint] = unknown


# -- In and out --------------------------------------------------------------------------------------


def _body() -> dict[str, Any]:
    check_media_type(request.content_type)
    if request.content_encoding not in (None, "", "identity"):
        raise errors.UnsupportedMediaType(f"Send the body as it is, not as {request.content_encoding[:100]}.")
    return parse_body(request.get_data())


def _selection() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wanted of the answer: read, and refused, before anything is changed (properties.md 14)."""
    return parse_selection(request.args.items(multi=True)) if request.query_string else operations.WHOLE


def _precondition() -> Callable[[int], bool] | None:
    """Which version of a thing the caller is willing to change; None for whichever there is (RFC 7644 3.14)."""
    if not {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"} & request.environ.keys():
        return None
    wanted, unwanted = request.headers.get("If-Match", "*"), request.headers.get("If-None-Match", "")
    return lambda number: names_number(wanted, number) and not names_number(unwanted, number)


def _read(outcome: Outcome) -> Response:
    version = outcome.etag or ""
    if not names_version(request.headers.get("If-Match", "*"), version):
        raise errors.PreconditionFailed("The resource is not in a version that your request allows.")
    if names_version(request.headers.get("If-None-Match", ""), version):
        return Response(status=304, headers=_versioned(outcome))
    return _written(outcome)


def _written(outcome: Outcome) -> Response:
    if outcome.shown is None:
        return _Answer(status=outcome.status, headers=_versioned(outcome))
    where = {"Location": outcome.location, "Content-Location": outcome.location}
    return _answer(outcome.shown, status=outcome.status, headers=where | _versioned(outcome))


def _versioned(outcome: Outcome) -> dict[str, str]:
    return {"ETag": outcome.etag} if outcome.etag else {}


class _Answer(Response):
    """An answer whose headers stand as they are: a fifth of Werkzeug's work on a read is to make URIs of our own."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers if self.headers.get("Location", "").isascii() else super().get_wsgi_headers(environ)


def _answer(said: Answered, *, status: int = 200, headers: Mapping[str, str] = {}) -> Response:
    body = orjson.dumps(said)
    whole = {"Content-Length": str(len(body)), **headers}
    return _Answer(body, status=status, headers=whole, content_type=MEDIA_TYPE)


# -- Refusals (RFC 7644 3.12) ------------------------------------------------------------------------


@blueprint.errorhandler(errors.ScimError)
def refuse(error: errors.ScimError) -> Response:
    """A refusal in SCIM's own form."""
    headers = {"WWW-Authenticate": _challenge()} if error.status == 401 else {}
    return _answer(error.render(), status=error.status, headers=headers)


def _challenge() -> str:
    """With `invalid_token` a client knows to ask for a new access token (RFC 6750 3.1)."""
    return 'Bearer realm="SCIM"' + (', error="invalid_token"' if g.get("token_refused") else "")


@blueprint.errorhandler(refused.DomainError)
def refuse_in_scim(error: refused.DomainError) -> Response:
    """A refusal of the product, in SCIM's form."""
    return refuse(operations.said_in_scim(error))


@blueprint.errorhandler(HTTPException)
def refuse_http(error: HTTPException) -> Response:
    """What Flask itself refuses: a body too large, a method that isn't there."""
    if isinstance(error, RequestEntityTooLarge):
        return refuse(errors.PayloadTooLarge("The body is too large."))
    status = error.code or 500
    form = {"schemas": [errors.ERROR_SCHEMA], "status": str(status), "detail": error.description or ""}
    return _answer(form, status=status)


@blueprint.errorhandler(Exception)
def fail(error: Exception) -> Response:
    """A fault of ours: logged in full, told in general. A database that is away for a moment is none: come again."""
    if is_away(error):
        log.error("the database is away: %s %s: %s", request.method, request.path, error)
        text = "The database doesn’t answer at this moment. Try again in a few seconds."
        away = {"schemas": [errors.ERROR_SCHEMA], "status": "503", "detail": text}
        return _answer(away, status=503, headers={"Retry-After": str(AWAY_FOR)})
    log.error("SCIM request failed: %s %s", request.method, request.path, exc_info=error)
    form = {"schemas": [errors.ERROR_SCHEMA], "status": "500", "detail": "The server failed. Try again."}
    return _answer(form, status=500)
