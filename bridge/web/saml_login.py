"""`/saml/<connection>/…`: the bridge as a SAML service provider, one for each connection.

    GET  login     to the IdP, by Redirect or POST (SAML Profiles 4.1.4.1)
    POST acs       the IdP's answer: proved, consumed, its result put under a one-time handle
    GET  continue  the browser fetches it and is signed in; POST, where somebody else was and it is to replace them
    GET  metadata  what the IdP needs to know of us

The POST comes from another site and brings no cookie of ours. So it signs nobody in: only the GET after it, which
carries the cookie of the browser that began, makes the session (else one could be signed in as somebody else).
"""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from bridge.domain.errors import DomainError, NotFound
from bridge.domain.identity import AssertedIdentity, Replay
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.login_requests import new_keepsake
from bridge.flows.resume_login import resume
from bridge.flows.saml_connection import SamlConnection, load_saml
from bridge.flows.saml_logout import seal_name
from bridge.flows.sign_in import Answer, begin, complete
from bridge.flows.sign_in_log import note_names
from bridge.web import refusals
from bridge.web.arrival import arrive
from bridge.web.cookies import browser_secret, keep_browser, keep_login, login_begun, session_secret
from bridge.web.current import current_client, current_context, current_time
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.bare import render_bare
from bridge.web.refusals import note_answer, note_login, refused_page, trail
from bridge.web.return_path import go, safe_path
from saml import attributes, authn_request, errors, transcript
from saml.assertion import Assertion
from saml.bindings import PostForm, RedirectTo
from saml.logout import SessionName, specific_format
from saml.response import validate
from saml.service_provider import render_metadata

blueprint = Blueprint("saml", __name__, url_prefix="/saml/<uuid:connection>")
refusals.install(blueprint)

#: The gate takes a million characters of base64; percent-encoded they are a little more.
_LARGEST_FORM = 2_000_000
#: Seconds; some times what the largest message needs.
_FAILED_DECRYPTION_TAKES = 0.1
_STATUSES: tuple[tuple[type[errors.SamlError], int], ...] = (
    (errors.TooLarge, 413),
    (errors.MissingResponse, 400),
    (errors.MalformedMessage, 400),
    (errors.InvalidRequest, 409),
    (errors.SamlError, 403),
)


@dataclass(frozen=True, slots=True)
class ContinuePage:
    """`continue.html`: one button that takes the browser, with `fields`, to the IdP at `action`; `text` says why."""

    name: str
    action: str
    fields: tuple[tuple[str, str], ...]
    text: str


def status_of_saml(error: errors.SamlError) -> int:
    """Which refusal of a message is answered with which status."""
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


@blueprint.errorhandler(errors.SamlError)
def refuse(error: errors.SamlError) -> Response:
    """A message that isn't accepted, with the reason an admin can act on."""
    title, check = "The answer of your identity provider was refused", getattr(error, "check", "")
    return refused_page(error.code, title, error.text, status_of_saml(error), logged=_for_admin(error), check=check)


def _for_admin(error: errors.SamlError) -> str:
    """With what the IdP itself says: nobody signed that, so only the log shows it."""
    said = error.idp_message if isinstance(error, errors.IdpSaidNo) else None
    return f"{error.text} It says: {errors.quoted(said)}." if said else error.text


@blueprint.errorhandler(RequestEntityTooLarge)
def refuse_large(_: RequestEntityTooLarge) -> Response:
    """More than any IdP sends."""
    return refuse(errors.TooLarge())


@blueprint.get("/login")
def login(connection: UUID) -> Response:
    """Send the browser to the IdP, remembering that it was this one, and where it wanted to go.

    `fresh=1` demands a sign-in now, whatever session the IdP has (ForceAuthn), and that the answer says so.
    """
    ours = find_connection(connection)
    fresh = ours.force_authn or request.args.get("fresh") == "1"
    keepsake, test = new_keepsake(safe_path(request.args.get("return_to"))), request.args.get("test")
    request_id = begin(current_context(), "saml", ours.connection.id, keepsake, current_time(), fresh=fresh, test=test)
    sent = _request(ours, request_id, fresh=fresh)
    response = send_form(ours, sent, "Your company signs you in.") if isinstance(sent, PostForm) else go(sent.url, 302)
    keep_login(response, keepsake)
    keep_browser(response, browser_secret() or new_secret())
    return response


def _request(ours: SamlConnection, request_id: str, *, fresh: bool) -> PostForm | RedirectTo:
    ask = authn_request.build_form if ours.asks_by_post else authn_request.build
    return ask(ours.idp, ours.sp, request_id, current_time(), relay_state=None, force_authn=fresh)


def send_form(ours: SamlConnection, form: PostForm, text: str) -> Response:
    """The page that posts a message to the IdP: by a script of ours, or without one by its button."""
    let_forms_lead_elsewhere()
    fields = tuple(form.fields.items())
    return render_bare("continue.html", ContinuePage(ours.connection.name, form.url, fields, text))


@blueprint.post("/acs")
def acs(connection: UUID) -> Response:
    """Take the IdP's answer (SAML Profiles 4.1.4.3). RelayState is looked at only where the IdP began: else we know
    where to go on.

    What nobody asked for is fetched by the browser that brings it: so the address of its result signs no other one in.
    """
    request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
    ours = find_connection(connection)
    answer = _validated(ours)
    note_login(email=answer.identity.email)
    handle = complete(current_context(), "saml", answer, current_time(), current_client())
    response = go(url_for("saml.resume_login", connection=connection, handle=handle))
    if answer.unasked is not None:
        keep_login(response, answer.unasked)
    return response


def _validated(ours: SamlConnection) -> Answer:
    form, now = _posted(), current_time()
    proved = _proved(ours, form, now)
    named = attributes.read(proved, ours.attributes)
    note_names(trail(), ours.connection.name, named)
    identity = AssertedIdentity(
        connection_id=ours.connection.id,
        subject=named.subject,
        email=named.email,
        name=named.name,
        groups=named.groups,
        session_index=proved.session_index,
        name_id=proved.name_id,
        session_ends_at=proved.session_not_on_or_after,
        logout_hint=_logout_hint(ours, proved),
        name_id_format=specific_format(proved.name_id_format),
        name_qualifier=proved.name_qualifier or None,
        asserted_at=proved.issued_at,
    )
    replay = Replay(proved.id, proved.not_on_or_after)
    asked = proved.in_response_to is not None
    unasked = None if asked else new_keepsake(_deep_link(form.get("RelayState", "")))
    return Answer(identity, proved.in_response_to, replay, proved.authn_instant, trail(), unasked)


def _deep_link(relay_state: str) -> str:
    """Where an IdP that begins wants to lead (SAML Profiles 4.1.5): a path, or an address of this site."""
    own = current_context().public_url
    return safe_path(relay_state.removeprefix(own) if relay_state.startswith(f"{own}/") else relay_state)


def _proved(ours: SamlConnection, form: dict[str, str], now: datetime) -> Assertion:
    """The assertion; or, where one can't be decrypted, the refusal after always the same time.

    With AES-CBC, whoever could tell by the clock how far each of their changed messages came would read one that they
    hold (Jager and Somorovsky, 2011). The text tells them nothing; what the steps take differs by half a millisecond.
    """
    encoded, began = form.get("SAMLResponse", ""), monotonic()
    note_answer(transcript.find_in_response_to(encoded), "By POST.")
    try:
        return validate(form, ours.idp, ours.sp, now, allow_unsolicited=ours.allow_idp_initiated, witness=trail())
    except errors.DecryptionFailed:
        sleep(max(0.0, began + _FAILED_DECRYPTION_TAKES - monotonic()))
        raise
    except errors.SamlError:
        if not trail().message:
            trail().show(transcript.read(encoded))
        raise


def _posted() -> dict[str, str]:
    """The form, as the POST binding has it (SAML Bindings 3.5.4): url-encoded, and one answer in it.

    Of two, something before us (a proxy, a firewall) may have looked at the other.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        raise errors.MissingResponse
    if len(request.form.getlist("SAMLResponse")) > 1 or "SAMLResponse" in request.args:
        raise errors.MalformedMessage("The answer came more than once in one request.")
    return request.form.to_dict()


def _logout_hint(ours: SamlConnection, proved: Assertion) -> str | None:
    """The NameID as the IdP gave it, where it will be told that the session ended (SAML Profiles 4.4.4.1)."""
    if ours.idp.slo_url is None:
        return None
    name = SessionName(
        proved.name_id,
        proved.name_id_format,
        proved.name_qualifier,
        proved.sp_name_qualifier,
        proved.session_index,
    )
    return seal_name(current_context(), name)


@blueprint.get("/continue")
def resume_login(connection: UUID) -> Response:
    """The same browser's own request: the one that carries its cookies."""
    return _resume(connection, request.args.get("handle", ""), agreed=False)


@blueprint.post("/continue")
def resume_agreed(connection: UUID) -> Response:
    """Whoever sits there was told whom it signs in, and that it signs somebody else out."""
    return _resume(connection, request.form.get("handle", ""), agreed=True)


def _resume(connection: UUID, handle: str, *, agreed: bool) -> Response:
    note_login(kind="saml", connection_id=str(connection))
    browser = browser_secret() or new_secret()
    name = handle.partition(".")[0]
    told = resume(
        current_context(),
        handle,
        login_begun(name),
        browser,
        current_client(),
        current_time(),
        through=str(connection),
        old=session_secret(),
        trail=trail(),
        agreed=agreed,
    )
    return arrive(told, browser, name)


@blueprint.get("/metadata")
def metadata(connection: UUID) -> Response:
    """Our side of the connection, for the IdP (SAML Metadata 2.4.4)."""
    return Response(render_metadata(find_connection(connection).sp), mimetype="application/samlmetadata+xml")


def find_connection(connection: UUID) -> SamlConnection:
    """The connection of the address, noted for the sign-in log. Raises NotFound, also for another kind."""
    uid = str(connection)
    note_login(kind="saml", connection_id=uid)
    try:
        return load_saml(current_context(), uid)
    except NotFound:
        raise
    except DomainError as error:
        raise NotFound(error.text) from error
