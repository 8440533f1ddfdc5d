"""Signing in: the SAML endpoints, the login page, and the page of a person's apps.

GET  /metadata       this IdP's metadata
GET  /sso            a request by Redirect; POST /sso one by POST, which is kept and goes on as a GET, because the
                     browser leaves our cookie out of a POST from another site
GET  /sso/<pending>  answers at once who has a session, else shows the login
POST /login          email and password, or one click on a person of the demo
GET  /apps           the person's apps; POST /apps/bridge signs in there without a request (IdP-initiated)
POST /logout         ends the session here, and by single logout at the service provider (`logout_pages`)
"""

import hmac
import secrets
from base64 import b64encode
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulated.company_idp.authn_request import AuthnRequest, read_post, read_redirect
from simulated.company_idp.company import Company, this_company
from simulated.company_idp.directory import Person
from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.logout import NamedSession
from simulated.company_idp.saml_response import NAME_ID_FORMATS, Login, name_of, render_metadata, render_response
from simulated.company_idp.service_provider import ServiceProvider
from simulated.company_idp.sessions import SESSION_SECONDS, Pending
from simulated.guarding import content_policy

COOKIE = "company_idp_session"

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/metadata")
def metadata() -> Response:
    """SAML Metadata 4.1.1: the entity id is this document's own address."""
    company = this_company()
    document = render_metadata(company.identity_provider(), company.sso_url, company.slo_url)
    return Response(document, mimetype="application/samlmetadata+xml")


@blueprint.get("/sso")
def sso_redirect() -> AnyResponse:
    """Bindings 3.4."""
    company = this_company()
    query = request.query_string.decode("ascii", "replace")
    return _go_on(company, read_redirect(query, registered(company), company.sso_url))


@blueprint.post("/sso")
def sso_post() -> AnyResponse:
    """Bindings 3.5."""
    company = this_company()
    return _go_on(company, read_post(request.form, registered(company), company.sso_url))


@blueprint.get("/sso/<pending_id>")
def sso_continue(pending_id: str) -> Response:
    """The login page, unless the person has a session and the request doesn't ask for a new login."""
    company = this_company()
    pending = _get_pending(company, pending_id)
    person = _signed_in(company)
    if person is None or pending.force:
        return make_response(_login_page(company, pending.id))
    return _answer(company, person, pending, request.cookies[COOKIE])


@blueprint.get("/login")
def login_page() -> str:
    """The login page on its own; it leads to the person's apps."""
    return _login_page(this_company(), "")


@blueprint.post("/login")
def login() -> AnyResponse:
    """Starts a session and goes on to what was asked for; the page again, with the reason, if that failed."""
    company = this_company()
    pending_id = request.form.get("pending", "")
    person = _check_login(company)
    if isinstance(person, str):
        return make_response(_login_page(company, pending_id, problem=person), 403)
    secret = company.sessions.begin(person.id, company.clock().timestamp())
    answer = _after_login(company, person, pending_id, secret)
    answer.set_cookie(COOKIE, secret, max_age=SESSION_SECONDS, httponly=True, samesite="Lax")
    return answer


@blueprint.get("/apps")
def apps() -> AnyResponse:
    """What the signed-in person can open."""
    company = this_company()
    person = _signed_in(company)
    if person is None:
        return redirect("/login")
    settings = company.settings.read()
    sp = settings.service_provider
    page = make_response(render_template("apps.html", company=settings.company, person=person, sp=sp))
    if sp and sp.slo_url:  # signing out goes on there, and the browser holds a form to its page's policy all the way
        page.headers["Content-Security-Policy"] = content_policy(f"'self' {_origin(sp.slo_url)}")
    return page


@blueprint.post("/apps/bridge")
def open_bridge() -> AnyResponse:
    """Signs in at the service provider without a request of its (Profiles 4.1.5)."""
    company = this_company()
    person = _signed_in(company)
    return _answer(company, person, None, request.cookies[COOKIE]) if person else redirect("/login")


def _go_on(company: Company, asked: AuthnRequest) -> AnyResponse:
    now = company.clock().timestamp()
    pending = company.sessions.keep(asked.id, asked.relay_state, force=asked.force_authn, now=now)
    return redirect(f"/sso/{pending.id}", 303)


def _after_login(company: Company, person: Person, pending_id: str, secret: str) -> AnyResponse:
    if not pending_id:
        return redirect("/apps", 303)
    return _answer(company, person, _get_pending(company, pending_id), secret)


def _answer(company: Company, person: Person, pending: Pending | None, secret: str) -> Response:
    """The page that posts the Response: by a script of ours, or without one by its button."""
    sp, idp = registered(company), company.identity_provider()
    groups = [group.name for group in company.directory.groups_of(person.id)]
    sign_in = Login(person, groups, pending.request_id if pending else None, new_id())
    document = render_response(sign_in, idp, sp, company.clock(), new_id)
    kind = idp.sign_in.name_id
    named = NamedSession(name_of(person, kind), NAME_ID_FORMATS[kind], sign_in.session_index)
    company.sessions.name(secret, named)
    if pending:
        company.sessions.drop_pending(pending.id)
    page = render_template(
        "post_response.html",
        company=company.settings.read().company,
        acs_url=sp.acs_url,
        saml_response=b64encode(document).decode(),
        relay_state=pending.relay_state if pending else None,
    )
    answer = make_response(page)
    # The one page whose form goes elsewhere: to the registered address and no other.
    answer.headers["Content-Security-Policy"] = content_policy(_origin(sp.acs_url))
    return answer


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _check_login(company: Company) -> Person | str:
    """The person who logs in with the posted form, or why nobody does."""
    clicked = request.form.get("person")
    person = company.directory.find_person(clicked or request.form.get("email", "").strip())
    known = {one.id for one in company.directory.featured()}
    given = request.form.get("password", "").encode()
    if clicked not in known and not hmac.compare_digest(given, company.settings.read().password.encode()):
        person = None
    if person is None:
        return "That email and password don't belong together."
    if not person.active:
        return f"{person.name} is deactivated here, so {person.given_name} can't sign in."
    return person


def _login_page(company: Company, pending_id: str, problem: str | None = None) -> str:
    return render_template(
        "login.html",
        company=company.settings.read().company,
        password=company.settings.read().password,
        pending=pending_id,
        featured=company.directory.featured(),
        email=request.form.get("email", ""),
        problem=problem,
    )


def _signed_in(company: Company) -> Person | None:
    person_id = company.sessions.find(request.cookies.get(COOKIE), company.clock().timestamp())
    person = company.directory.find_person(person_id) if person_id else None
    return person if person and person.active else None


def registered(company: Company) -> ServiceProvider:
    """The service provider. Raises SamlRequestRefused while there is none."""
    sp = company.settings.read().service_provider
    if sp is None:
        raise SamlRequestRefused("No service provider is registered here yet. Register one under Settings.")
    return sp


def _get_pending(company: Company, pending_id: str) -> Pending:
    pending = company.sessions.find_pending(pending_id, company.clock().timestamp())
    if pending is None:
        raise SamlRequestRefused("This sign-in was answered already, or waited too long. Start it again.")
    return pending


def new_id() -> str:
    """An xs:ID of 160 random bits (SAML Core 1.3.4)."""
    return "_" + secrets.token_hex(20)
