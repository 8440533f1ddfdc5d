"""`/saml/<connection>/slo`: single logout, by Redirect and by POST (SAML Profiles 4.4).

An IdP's request ends what it vouched for, and is answered; its answer to a request of ours leads on to the next IdP
of the session that ended, or to the page that says so. Both come from other sites, and no cookie decides anything: a
message counts because the IdP signed it. Whom the next IdP is told about is for the browser that signed out, though:
`GET slo/next`, a request of its own, brings its cookie.
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from bridge.domain.errors import DomainError
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.saml_connection import SamlConnection, load_saml
from bridge.flows.saml_logout import Farewell, Left, Outcome, end_by_request, keep_request, take_answer, take_left
from bridge.web import refusals
from bridge.web.cookies import browser_secret, keep_browser
from bridge.web.current import current_context, current_time
from bridge.web.refusals import note_login, refused_page
from bridge.web.return_path import go
from bridge.web.saml_login import find_connection, send_form, status_of_saml
from saml import errors, logout
from saml.bindings import PostForm, RedirectTo
from saml.logout import LogoutRequest, LogoutResponse, SessionName

blueprint = Blueprint("saml_logout", __name__, url_prefix="/saml/<uuid:connection>")
refusals.install(blueprint)

_LARGEST_FORM = 600_000


@blueprint.errorhandler(errors.SamlError)
def refuse(error: errors.SamlError) -> Response:
    """A message that isn't accepted: nobody is signed out by it, and whoever sent it isn't answered."""
    title = "The logout message of your identity provider was refused"
    return refused_page(error.code, title, error.text, status_of_saml(error))


@blueprint.errorhandler(RequestEntityTooLarge)
def refuse_large(_: RequestEntityTooLarge) -> Response:
    """More than any IdP sends."""
    return refuse(errors.TooLarge("The message is larger than the bridge accepts."))


@blueprint.get("/slo")
def by_redirect(connection: UUID) -> Response:
    """A message in the query, signed over the very characters of it (SAML Bindings 3.4.4.1)."""
    ours = _load(connection)
    return _take(ours, logout.receive_query(request.query_string, ours.idp, ours.sp, current_time()))


@blueprint.post("/slo")
def by_post(connection: UUID) -> Response:
    """A message in a form, signed within its XML (SAML Bindings 3.5.5.2)."""
    request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
    ours = _load(connection)
    return _take(ours, logout.receive_form(_posted(), ours.idp, ours.sp, current_time()))


def _posted() -> dict[str, str]:
    """The form, url-encoded, and each message in it once: of two, something before us may have looked at the other."""
    fields = ("SAMLRequest", "SAMLResponse")
    if request.mimetype != "application/x-www-form-urlencoded":
        raise errors.MissingResponse("There must be one logout message: a SAMLRequest or a SAMLResponse.")
    if any(len(request.form.getlist(field)) > 1 or field in request.args for field in fields):
        raise errors.MalformedMessage("The message came more than once in one request.")
    return request.form.to_dict()


def _load(connection: UUID) -> SamlConnection:
    ours = find_connection(connection)
    note_login(again=url_for("session.ask"))
    return ours


def _take(ours: SamlConnection, message: LogoutRequest | LogoutResponse) -> Response:
    context, now, ours_id = current_context(), current_time(), ours.connection.id
    if isinstance(message, LogoutResponse):
        answered = take_answer(context, ours_id, message.in_response_to, message.status, now)
        if answered.handle is None:
            return _signed_out(answered.outcome)
        return go(url_for("saml_logout.tell_next", connection=ours_id, handle=answered.handle))
    end_by_request(context, ours_id, message, now)
    if ours.idp.slo_url is None:  # it has nowhere to take an answer
        return _signed_out("done")
    return _send(ours, logout.build_response(ours.idp, ours.sp, new_secret("_"), now, message))


@blueprint.get("/slo/next")
def tell_next(connection: UUID) -> Response:
    """The browser that signed out goes on to the next IdP, after that of the address has answered."""
    note_login(kind="saml", connection_id=str(connection), again=url_for("session.ask"))
    browser, handle = browser_secret() or "", request.args.get("handle", "")
    left = take_left(current_context(), str(connection), handle, browser, current_time())
    return say_goodbye(left.farewells, browser, left.outcome)


def say_goodbye(farewells: Sequence[Farewell], browser: str, outcome: Outcome = "done") -> Response:
    """Tell the first of these IdPs that can be told; the others follow when it has answered, by this browser."""
    for number, farewell in enumerate(farewells):
        ours = _reachable(farewell)
        if ours is not None:
            return _tell(ours, farewell.name, browser, Left(tuple(farewells[number + 1 :]), outcome))
        outcome = "partial"
    return _signed_out(outcome)


def _reachable(farewell: Farewell) -> SamlConnection | None:
    try:
        ours = load_saml(current_context(), farewell.connection_id)
    except DomainError:  # deleted, or without its keys
        return None
    return ours if ours.idp.slo_url is not None and ours.connection.enabled else None


def _tell(ours: SamlConnection, name: SessionName, browser: str, left: Left) -> Response:
    request_id, now = new_secret("_"), current_time()
    keep_request(current_context(), ours.connection.id, request_id, browser, left, now)
    response = _send(ours, logout.build_request(ours.idp, ours.sp, request_id, now, name))
    keep_browser(response, browser)
    return response


def _send(ours: SamlConnection, sent: RedirectTo | PostForm) -> Response:
    if isinstance(sent, PostForm):
        return send_form(ours, sent, "Your company is told that you signed out.")
    return go(sent.url)


def _signed_out(outcome: Outcome) -> Response:
    return go(url_for("session.ask", sso=outcome))
