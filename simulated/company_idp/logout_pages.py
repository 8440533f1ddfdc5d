"""Signing out, here and at the service provider (SAML Profiles 4.4).

POST /logout         ends the session here, and tells the service provider, if it was signed in to
GET  /slo            a logout message by Redirect; POST /slo by POST: the service provider's request, or its answer
GET  /signed-out     the page at the end
"""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulated.company_idp import logout
from simulated.company_idp.bindings import Incoming, open_post, open_redirect, redirect_url
from simulated.company_idp.company import Company, this_company
from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.sign_in_pages import COOKIE, new_id, registered

blueprint = Blueprint("logout", __name__)


@blueprint.post("/logout")
def leave() -> AnyResponse:
    """Ends the session here, then at the service provider where it takes part."""
    company = this_company()
    secret = request.cookies.get(COOKIE)
    named = company.sessions.names(secret)
    company.sessions.end(secret)
    answer = redirect(_logout_request(company, named) if named else "/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _logout_request(company: Company, named: list[logout.NamedSession]) -> str:
    sp = company.settings.read().service_provider
    if sp is None or sp.slo_url is None:
        return "/login"
    now, message_id = company.clock(), new_id()
    same = [one for one in named if one.name_id == named[-1].name_id]
    document = logout.render_request(same, company.identity_provider(), sp, now, message_id)
    company.sessions.ask_logout(message_id, now.timestamp())
    return redirect_url(sp.slo_url, "SAMLRequest", document, company.key)


@blueprint.get("/slo")
def slo_redirect() -> AnyResponse:
    """Bindings 3.4."""
    company = this_company()
    return _take(company, open_redirect(request.query_string.decode("ascii", "replace"), registered(company)))


@blueprint.post("/slo")
def slo_post() -> AnyResponse:
    """Bindings 3.5."""
    company = this_company()
    return _take(company, open_post(request.form, registered(company)))


def _take(company: Company, incoming: Incoming) -> AnyResponse:
    sp = registered(company)
    message = logout.read(incoming, sp, company.slo_url)
    if isinstance(message, logout.LogoutResponse):
        if not company.sessions.take_logout(message.in_response_to):
            raise SamlRequestRefused("That answers no logout that was begun here, or one that was answered already.")
        return redirect("/signed-out" if message.done else "/signed-out?partly=1", 303)
    company.sessions.end_named(message.name_id, message.session_indexes)
    if sp.slo_url is None:
        return redirect("/signed-out", 303)
    document = logout.render_response(message, company.identity_provider(), sp, company.clock(), new_id)
    return redirect(redirect_url(sp.slo_url, "SAMLResponse", document, company.key, message.relay_state), 303)


@blueprint.get("/signed-out")
def signed_out() -> str:
    """Where signing out everywhere ends."""
    partly = request.args.get("partly") == "1"
    return render_template("signed_out.html", company=this_company().settings.read().company, partly=partly)
