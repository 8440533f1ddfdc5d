"""The Console: home, profile, security, linked products, and the Product Switcher. All of it wants a session.

GET  /console, /console/profile, /console/security, /console/products
POST /console/profile/name, /console/profile/email          GET, POST /confirm-email/<secret>
POST /console/security/password, …/factor, …/sessions/end, …/sessions/end-others
POST /console/close            closes the account
GET  /switch/<client>          Core 4: to the product's own address for logins that begin elsewhere
GET  /products/<name>          the products that are pages of this application
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from simulated.openid_provider.clients import Client
from simulated.twilio import changes
from simulated.twilio.accounts import Account
from simulated.twilio.errors import Expired, Invalid, TwilioError
from simulated.twilio.going_on import begin_step
from simulated.twilio.passwords import RULE, is_right
from simulated.twilio.sessions import Session, Step
from simulated.twilio.site import PRODUCTS, SESSION_COOKIE, Site, this_site

blueprint = Blueprint("console", __name__)

#: How old a login may be that stands in for the password of an account that has none.
FRESH_SECONDS = 10 * 60
SAVED = {
    "name": "Your name is changed. Products that you linked hear of it now.",
    "email": "We mailed a link to the new address. Until you open it, the old one stays.",
    "confirmed": "Your email address is changed. Products that you linked hear of it now.",
    "password": "Your password is changed, and your other sessions are ended.",
    "factor": "Your second factor is changed.",
    "sessions": "Ended, here and at every product.",
}

View = Callable[..., Any]


def logged_in(view: View) -> View:
    """Hands the account and its session to a view; a browser without one goes to the login."""

    @wraps(view)
    def check(*args: Any, **kwargs: Any) -> Any:
        person = this_site().find_person()
        return redirect("/login", 303) if person is None else view(*person, *args, **kwargs)

    return check


@blueprint.get("/console")
@logged_in
def home(account: Account, session: Session) -> str:
    """Where a person arrives."""
    return _page("home.html", account, "home")


@blueprint.get("/console/profile")
@logged_in
def profile(account: Account, session: Session) -> str:
    """Name and email."""
    return _page("profile.html", account, "profile")


@blueprint.post("/console/profile/name")
@logged_in
def change_name(account: Account, session: Session) -> Response:
    """A new name, at once."""
    names = (request.form.get("given_name", ""), request.form.get("family_name", ""))
    return _try(lambda: changes.rename(this_site(), account, *names), "profile", "name", account)


@blueprint.post("/console/profile/email")
@logged_in
def change_email(account: Account, session: Session) -> Response:
    """A new address, once the link mailed to it is used."""
    site = this_site()

    def ask() -> None:
        _prove(site, account, session)
        changes.ask_email_change(site, account, request.form.get("email", ""))

    return _try(ask, "profile", "email", account)


@blueprint.get("/confirm-email/<secret>")
def confirm_email_page(secret: str) -> str:
    """One click more."""
    link = this_site().messages.find_link(secret, "email")
    if link is None:
        raise Expired("This link was used, or is too old. Ask for another one in your profile.")
    return render_template("confirm_email.html", email=link.document["email"])


@blueprint.post("/confirm-email/<secret>")
def confirm_email(secret: str) -> Response:
    """The new address is the account's."""
    changes.confirm_email(this_site(), secret)
    return redirect("/console/profile?saved=confirmed", 303)


@blueprint.get("/console/security")
@logged_in
def security(account: Account, session: Session) -> str:
    """Password, second factor, sessions, closing."""
    return _security(account, session)


@blueprint.post("/console/security/password")
@logged_in
def change_password(account: Account, session: Session) -> Response:
    """Another password; the present one first."""
    site = this_site()

    def change() -> None:
        _prove(site, account, session)
        changes.change_password(site, account, session, request.form.get("new_password", ""))

    return _try(change, "security", "password", account, session)


@blueprint.post("/console/security/factor")
@logged_in
def change_factor(account: Account, session: Session) -> Response:
    """On to setting up another second factor."""
    site = this_site()
    try:
        _prove(site, account, session)
    except TwilioError as error:
        return make_response(_security(account, session, problem=str(error), problem_of="factor"), 403)
    return begin_step(site, Step("set-up", account.id, {"to": "console"}), "/second-factor/set-up")


@blueprint.post("/console/security/sessions/end")
@logged_in
def end_session(account: Account, session: Session) -> Response:
    """One of one's own sessions."""
    site = this_site()
    sids = [own.sid for own in site.sessions.of(account.id) if own.sid == request.form.get("sid")]
    return _try(lambda: changes.end_sessions(site, account, sids), "security", "sessions", account, session)


@blueprint.post("/console/security/sessions/end-others")
@logged_in
def end_other_sessions(account: Account, session: Session) -> Response:
    """All but this one."""
    site = this_site()
    sids = [own.sid for own in site.sessions.of(account.id) if own.sid != session.sid]
    return _try(lambda: changes.end_sessions(site, account, sids), "security", "sessions", account, session)


@blueprint.post("/console/close")
@logged_in
def close(account: Account, session: Session) -> Response:
    """For good."""
    site = this_site()
    try:
        _prove(site, account, session)
        if request.form.get("email", "").strip().casefold() != account.email.casefold():
            raise Invalid("Type the account’s email address, so that nothing is closed by mistake.")
    except TwilioError as error:
        return make_response(_security(account, session, problem=str(error), problem_of="close"), 403)
    changes.close(site, account)
    answer = make_response(render_template("closed.html"))
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@blueprint.get("/console/products")
@logged_in
def products(account: Account, session: Session) -> str:
    """Which products the person has used, and since when."""
    site = this_site()
    found = [(site.provider.clients.find(link.client_id), link) for link in site.provider.grants.linked(account.id)]
    return _page("products.html", account, "products", linked=[pair for pair in found if pair[0]])


@blueprint.get("/switch/<client_id>")
@logged_in
def switch(account: Account, session: Session, client_id: str) -> Response:
    """The Product Switcher: Core 4, with our name and where to, so that the product asks us for a login."""
    site = this_site()
    client = site.provider.clients.find(client_id)
    if client is None or not client.initiate_login_uri:
        abort(404)
    query = {"iss": site.provider.issuer, "target_link_uri": client.target_link_uri}
    named = urlencode({name: value for name, value in query.items() if value})
    return redirect(f"{client.initiate_login_uri}{'&' if '?' in client.initiate_login_uri else '?'}{named}", 303)


@blueprint.get("/products/<name>")
@logged_in
def product(account: Account, session: Session, name: str) -> str:
    """A product that is only a page."""
    if name not in PRODUCTS:
        abort(404)
    return _page("product.html", account, "", product=name, product_name=PRODUCTS[name][0])


def switchable(site: Site) -> list[Client]:
    """The products that the switcher leads to elsewhere."""
    return [client for client in site.provider.clients.all() if client.initiate_login_uri]


def _prove(site: Site, account: Account, session: Session) -> None:
    """What changes who can log in wants the password again, or a fresh login where there is none. Raises Invalid,
    TooManyTries."""
    if account.password_hash is None:
        if site.clock() - session.at > FRESH_SECONDS:
            raise Invalid("You logged in a while ago. Log out and in by Google again, then make this change.")
        return
    site.attempts.count("password", account.id)
    if not is_right(request.form.get("password", ""), account.password_hash):
        raise Invalid("That isn’t your password.")
    site.attempts.forget("password", account.id)


def _try(
    change: Callable[[], None], page: str, what: str, account: Account, session: Session | None = None
) -> Response:
    """Makes a change and says so on its page, or says there why not."""
    try:
        change()
    except TwilioError as error:
        if session:
            return make_response(_security(account, session, problem=str(error), problem_of=what), 422)
        return make_response(_page("profile.html", account, page, problem=str(error), problem_of=what), 422)
    return redirect(f"/console/{page}?saved={what}", 303)


def _security(account: Account, session: Session, **more: Any) -> str:
    sessions = this_site().sessions.of(account.id)
    return _page("security.html", account, "security", session=session, sessions=sessions, rule=RULE, **more)


def _page(template: str, account: Account, here: str, **more: Any) -> str:
    said = SAVED.get(request.args.get("saved", ""), "")
    return render_template(template, account=account, here=here, said=said, **more)
