"""Logging in: email and password, then the second factor; or by Google. Forgotten passwords. Logging out.

GET, POST /login                     email and password
GET, POST /second-factor             the code of the app or the phone; POST /second-factor/again sends another SMS
POST /google, GET /google/callback   by Google; makes the account at the first time
GET, POST /forgotten-password        mails a link; GET, POST /reset-password/<secret> sets a new one
POST /logout                         ends the session here and at every product
"""

import hmac

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from simulated.openid_provider.clients import hash_of
from simulated.openid_provider.grants import Waiting
from simulated.twilio import changes
from simulated.twilio.accounts import Account
from simulated.twilio.errors import Expired, GoogleRefused, Invalid, TooManyTries
from simulated.twilio.going_on import (
    amend_step,
    begin_session,
    begin_step,
    find_waiting,
    get_step,
    remember_step,
    take_step,
)
from simulated.twilio.google import Google
from simulated.twilio.passwords import RULE, is_right
from simulated.twilio.second_factor import CODE_SECONDS, digits, find_step, new_code
from simulated.twilio.sessions import Step
from simulated.twilio.site import Site, this_site

blueprint = Blueprint("login", __name__)


@blueprint.get("/")
def start() -> Response:
    """The Console, or the login before it."""
    return redirect("/console" if this_site().find_person() else "/login", 303)


@blueprint.get("/login")
def login_page() -> str:
    """Email and password; a client's hint fills in the address."""
    waiting = find_waiting(this_site())
    return _login_page(email=waiting.login_hint if waiting else "")


@blueprint.post("/login")
def login() -> Response:
    """On to the second factor. What was wrong isn't said, and takes as long."""
    site = this_site()
    email = request.form.get("email", "").strip()
    try:
        account = _check_password(site, email, request.form.get("password", ""))
    except (Invalid, TooManyTries) as error:
        status = 429 if isinstance(error, TooManyTries) else 403
        return make_response(_login_page(email=email, problem=str(error)), status)
    waiting_id = request.form.get("continue", "")
    if account.factor is None:
        step = Step("set-up", account.id, {"continue": waiting_id, "amr": ["pwd"]})
        return begin_step(site, step, "/second-factor/set-up")
    step = Step("factor", account.id, {"continue": waiting_id, **_send_code(site, account)})
    return begin_step(site, step, "/second-factor")


@blueprint.get("/second-factor")
def factor_page() -> str:
    """The code that is due."""
    return _factor_page(_account_of_step(this_site()))


@blueprint.post("/second-factor")
def factor() -> Response:
    """Checks it, and logs in."""
    site = this_site()
    account, step = _account_of_step(site), get_step(site, "factor")
    try:
        site.attempts.count("code", account.id)
        _check_code(site, account, step, request.form.get("code", ""))
    except (Invalid, TooManyTries) as error:
        status = 429 if isinstance(error, TooManyTries) else 403
        return make_response(_factor_page(account, str(error)), status)
    take_step(site)
    site.attempts.forget("code", account.id)
    amr = ("pwd", "otp", "mfa") if account.factor == "app" else ("pwd", "sms", "mfa")
    return begin_session(site, account, amr, str(step.document["continue"]))


@blueprint.post("/second-factor/again")
def factor_again() -> Response:
    """Another SMS, in place of the last."""
    site = this_site()
    account = _account_of_step(site)
    amend_step(site, **_send_code(site, account))
    return redirect("/second-factor", 303)


@blueprint.post("/google")
def google() -> Response:
    """To Google, whose answer only this browser can bring."""
    site = this_site()
    address, asked = _get_google(site).begin(_callback(site))
    step = Step("google", None, {**asked, "continue": request.form.get("continue", "")})
    return remember_step(site, step, redirect(address, 303))


@blueprint.get("/google/callback")
def google_callback() -> Response:
    """Logs in whom Google names."""
    site = this_site()
    step = get_step(site, "google")
    take_step(site)
    asked = {name: str(value) for name, value in step.document.items()}
    identity = _get_google(site).finish(request.args, asked, _callback(site))
    account = changes.sign_up_by_google(site, identity)
    if not account.active:
        raise GoogleRefused("This Twilio account is disabled.")
    return begin_session(site, account, ("fed",), asked["continue"])


@blueprint.get("/forgotten-password")
def forgotten_page() -> str:
    """Whose password."""
    return render_template("forgotten.html", waiting=find_waiting(this_site()))


@blueprint.post("/forgotten-password")
def forgotten() -> Response:
    """Mails a link; the page is the same whether there is such an account or not."""
    site = this_site()
    email = request.form.get("email", "")
    try:
        changes.ask_reset(site, email, request.form.get("continue", ""))
    except Invalid as error:
        page = render_template("forgotten.html", email=email, waiting=find_waiting(site), problem=str(error))
        return make_response(page, 422)
    return make_response(render_template("mail_sent.html", email=email.strip(), what="a link to set a new password"))


@blueprint.get("/reset-password/<secret>")
def reset_page(secret: str) -> str:
    """The new password."""
    if this_site().messages.find_link(secret, "reset") is None:
        raise Expired("This link was used, or is too old. Ask for another one.")
    return render_template("reset.html", rule=RULE)


@blueprint.post("/reset-password/<secret>")
def reset(secret: str) -> Response:
    """Sets it. The person then logs in, with the second factor: the mailbox alone opens nothing."""
    try:
        waiting_id = changes.reset_password(this_site(), secret, request.form.get("password", ""))
    except Invalid as error:
        return make_response(render_template("reset.html", rule=RULE, problem=str(error)), 422)
    waiting = this_site().provider.grants.find_waiting(waiting_id)
    return make_response(_login_page(said="Your password is changed. Log in with it.", waiting=waiting))


@blueprint.post("/logout")
def logout() -> Response:
    """Everywhere at once."""
    site = this_site()
    session = site.find_session()
    if session:
        site.end_sessions([session.sid])
    return make_response(render_template("logged_out.html"))


def _check_password(site: Site, email: str, password: str) -> Account:
    """Whose password that is. Raises Invalid, TooManyTries."""
    site.attempts.count("address", request.remote_addr or "")
    account = site.accounts.find_by_email(email)
    site.attempts.count("password", account.id if account else email.casefold()[:254])
    if not is_right(password, account.password_hash if account else None) or account is None:
        raise Invalid("That email and password don’t belong together.")
    if not account.active:
        raise Invalid("This Twilio account is disabled.")
    site.attempts.forget("password", account.id)
    return account


def _send_code(site: Site, account: Account) -> dict[str, object]:
    """Sends an SMS where that is the second factor; answers what the step has to remember of it."""
    if account.factor != "phone":
        return {}
    assert account.phone is not None
    site.attempts.count("sms", account.id)
    code = new_code()
    site.messages.sms(account.phone, f"{code} is your Twilio code. Nobody from Twilio will ask you for it.")
    return {"code": hash_of(code), "code_ends_at": int(site.clock()) + CODE_SECONDS}


def _check_code(site: Site, account: Account, step: Step, typed: str) -> None:
    """Raises Invalid unless that is the code that is due, for the first time."""
    if account.factor == "app":
        assert account.totp_secret is not None
        time_step = find_step(account.totp_secret, typed, site.clock())
        if time_step is None or not site.accounts.spend_step(account.id, time_step):
            raise Invalid("That code is wrong, or was used. Type the one that the app shows now.")
        return
    right = hmac.compare_digest(str(step.document.get("code", "")), hash_of(digits(typed)))
    if not right or float(step.document["code_ends_at"]) <= site.clock():
        raise Invalid("That code is wrong, or too old.")


def _account_of_step(site: Site) -> Account:
    step = get_step(site, "factor")
    account = site.accounts.find(step.account_id or "")
    if account is None or not account.active or account.factor is None:
        raise Expired("This login can’t go on. Start again.")
    return account


def _get_google(site: Site) -> Google:
    if site.google is None:
        raise GoogleRefused("Logging in by Google isn’t set up here.")
    return site.google


def _callback(site: Site) -> str:
    return f"{site.public_url}/google/callback"


def _login_page(email: str = "", problem: str = "", said: str = "", waiting: Waiting | None = None) -> str:
    waiting = waiting or find_waiting(this_site())
    return render_template("login.html", email=email, problem=problem, said=said, waiting=waiting)


def _factor_page(account: Account, problem: str = "") -> str:
    site = this_site()
    waiting = site.provider.grants.find_waiting(str(get_step(site, "factor").document["continue"]))
    return render_template("factor.html", account=account, waiting=waiting, problem=problem)
