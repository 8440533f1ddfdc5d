"""Signing up: name, email and password; a mailed link; a second factor. The account begins when all are there.

GET, POST /sign-up                    name, email, password
GET, POST /sign-up/confirm/<secret>   the mailed link; a click, since mail scanners open links too
GET /second-factor/set-up             the choice: app (with its QR code) or phone
POST /second-factor/set-up/app        the app's first code
POST /second-factor/set-up/phone      the number, which gets an SMS; GET, POST /second-factor/set-up/code that code
"""

import hmac

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulated.openid_provider.clients import hash_of
from simulated.twilio import changes
from simulated.twilio.accounts import Account, Factor
from simulated.twilio.errors import Expired, Invalid
from simulated.twilio.going_on import amend_step, begin_session, begin_step, find_waiting, get_step, take_step
from simulated.twilio.passwords import RULE
from simulated.twilio.second_factor import (
    CODE_SECONDS,
    digits,
    find_step,
    new_code,
    new_secret,
    parse_phone,
    picture_for_app,
)
from simulated.twilio.sessions import Step
from simulated.twilio.site import Site, this_site

blueprint = Blueprint("sign_up", __name__)


@blueprint.get("/sign-up")
def sign_up_page() -> str:
    """Name, email and password; a client's hint fills in the address."""
    waiting = find_waiting(this_site())
    typed = {"email": waiting.login_hint} if waiting else {}
    return render_template("sign_up.html", rule=RULE, waiting=waiting, typed=typed)


@blueprint.post("/sign-up")
def sign_up() -> AnyResponse:
    """Mails a link; the page is the same whether the address has an account or not."""
    site, typed = this_site(), request.form
    names = (typed.get("given_name", ""), typed.get("family_name", ""))
    waiting_id = typed.get("continue", "")
    try:
        email = changes.ask_sign_up(site, *names, typed.get("email", ""), typed.get("password", ""), waiting_id)
    except Invalid as error:
        waiting = find_waiting(site)
        page = render_template("sign_up.html", rule=RULE, waiting=waiting, typed=typed, problem=str(error))
        return make_response(page, 422)
    return make_response(render_template("mail_sent.html", email=email, what="a link to go on with"))


@blueprint.get("/sign-up/confirm/<secret>")
def confirm_page(secret: str) -> str:
    """One click more."""
    link = this_site().messages.find_link(secret, "sign-up")
    if link is None:
        raise Expired("This link was used, or is too old. Sign up again.")
    return render_template("confirm_sign_up.html", email=link.document["email"])


@blueprint.post("/sign-up/confirm/<secret>")
def confirm(secret: str) -> AnyResponse:
    """The address is proved; on to the second factor."""
    site = this_site()
    with site.file.transaction():
        link = site.messages.find_link(secret, "sign-up")
        if link is None:
            raise Expired("This link was used, or is too old. Sign up again.")
        site.messages.spend_link(secret)
    step = Step("set-up", None, {**link.document, "amr": ["pwd"]})
    return begin_step(site, step, "/second-factor/set-up")


@blueprint.get("/second-factor/set-up")
def set_up_page() -> str:
    """App or phone."""
    return _set_up_page(this_site())


@blueprint.get("/second-factor/set-up/picture.svg")
def picture() -> Response:
    """The QR code of the secret that this browser was given."""
    site = this_site()
    secret = str(get_step(site, "set-up").document.get("secret", ""))
    if not secret:
        raise Expired("There is no code to show yet.")
    return Response(picture_for_app(secret, _email_of(site)), mimetype="image/svg+xml")


@blueprint.post("/second-factor/set-up/app")
def set_up_app() -> AnyResponse:
    """The first code shows that the app has the secret."""
    site = this_site()
    step = get_step(site, "set-up")
    secret = str(step.document.get("secret", ""))
    time_step = find_step(secret, request.form.get("code", ""), site.clock()) if secret else None
    if time_step is None:
        return make_response(_set_up_page(site, problem="That isn’t the code that the app shows now."), 422)
    return _finish(site, step, "app", secret, time_step)


@blueprint.post("/second-factor/set-up/phone")
def set_up_phone() -> AnyResponse:
    """Sends a code to the number."""
    site = this_site()
    get_step(site, "set-up")
    try:
        phone = parse_phone(request.form.get("phone", ""))
    except Invalid as error:
        return make_response(_set_up_page(site, phone_problem=str(error)), 422)
    site.attempts.count("sms", phone)
    code = new_code()
    site.messages.sms(phone, f"{code} is your Twilio code. Nobody from Twilio will ask you for it.")
    amend_step(site, phone=phone, code=hash_of(code), code_ends_at=int(site.clock()) + CODE_SECONDS)
    return redirect("/second-factor/set-up/code", 303)


@blueprint.get("/second-factor/set-up/code")
def phone_code_page() -> str:
    """The code that was sent."""
    step = get_step(this_site(), "set-up")
    return render_template("set_up_code.html", phone=step.document.get("phone", ""))


@blueprint.post("/second-factor/set-up/code")
def phone_code() -> AnyResponse:
    """It shows that the phone is there."""
    site = this_site()
    step = get_step(site, "set-up")
    phone = str(step.document.get("phone", ""))
    site.attempts.count("code", phone)
    right = hmac.compare_digest(str(step.document.get("code", "")), hash_of(digits(request.form.get("code", ""))))
    if not right or float(step.document.get("code_ends_at", 0)) <= site.clock():
        return make_response(
            render_template("set_up_code.html", phone=phone, problem="That code is wrong, or too old."), 422
        )
    site.attempts.forget("code", phone)
    return _finish(site, step, "phone", phone)


def _set_up_page(site: Site, problem: str = "", phone_problem: str = "") -> str:
    secret = str(get_step(site, "set-up").document.get("secret", ""))
    if not secret:
        secret = new_secret()
        amend_step(site, secret=secret)
    spaced = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return render_template("set_up.html", secret=spaced, problem=problem, phone_problem=phone_problem)


def _finish(site: Site, step: Step, factor: Factor, value: str, time_step: int = 0) -> AnyResponse:
    """The second factor is there: a new account begins, or the one there is has it from now on."""
    with site.file.transaction():
        take_step(site)
        account = _account_of(site, step)
        changes.set_factor(site, account, factor, value, time_step)
    if step.document.get("to") == "console":
        return redirect("/console/security?saved=factor", 303)
    amr = (*step.document["amr"], "otp" if factor == "app" else "sms", "mfa")
    return begin_session(site, account, amr, str(step.document["continue"]))


def _account_of(site: Site, step: Step) -> Account:
    if step.account_id is None:
        wanted = {name: step.document[name] for name in ("email", "given_name", "family_name", "password_hash")}
        return site.accounts.create(**wanted, password_at=int(site.clock()))
    account = site.accounts.find(step.account_id)
    if account is None or not account.active:
        raise Expired("This account is closed or disabled.")
    return account


def _email_of(site: Site) -> str:
    step = get_step(site, "set-up")
    account = site.accounts.find(step.account_id) if step.account_id else None
    return account.email if account else str(step.document["email"])
