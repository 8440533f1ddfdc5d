"""`/login/passkey`: a passkey alone, without email or password (product.md 2.8)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.second_factors import WrongFactor
from bridge.flows.passkey_login import begin_passkey_login, sign_in_with_passkey
from bridge.flows.passkeys import LONGEST_ANSWER
from bridge.flows.sign_in_log import Refusal, log_refused
from bridge.web import refusals
from bridge.web.cookies import drop_login, keep_login, keep_session, login_begun, session_secret
from bridge.web.current import current_client, current_context, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import typed
from bridge.web.pages.views import Note, PasskeyLoginPage
from bridge.web.refusals import note_login, trail
from bridge.web.return_path import HOME, go, safe_path

blueprint = Blueprint("passkey", __name__)
refusals.install(blueprint)


def _return_to() -> str:
    return safe_path(request.values.get("return_to"))


@blueprint.get("/login/passkey")
def ask() -> Response:
    """Ask for one."""
    return _page()


@blueprint.post("/login/passkey")
def show() -> Response:
    """It answered: sign in."""
    context = current_context()
    note_login(kind="passkey")
    answer, name = typed("code", LONGEST_ANSWER), typed("login")
    client, now = current_client(), current_time()
    try:
        told = sign_in_with_passkey(context, answer, login_begun(name), client, now, old=session_secret())
    except WrongFactor as error:
        refusal = Refusal("passkey", error.code, error.text, trail=trail())
        log_refused(context, refusal, client, now)
        text = "Nobody here has this passkey, or it didn’t check who you are. Try again, or sign in another way."
        return _page(Note("bad", "That didn’t work", text, urgent=True), 403)
    response = go(safe_path(told.return_to))
    keep_session(response, told.cookie, context.session_lifetime)
    drop_login(response, name)
    return response


def _page(notice: Note | None = None, status: int = 200) -> Response:
    return_to = None if _return_to() == HOME else _return_to()
    options, keepsake = begin_passkey_login(current_context(), _return_to(), current_time())
    carried = (("login", keepsake.name), *((("return_to", return_to),) if return_to else ()))
    page = PasskeyLoginPage(
        options=options,
        action=url_for("passkey.show"),
        other_href=url_for("password.login", return_to=return_to),
        notice=notice,
        hidden=carried,
    )
    response = render_bare("login_passkey.html", page, status)
    keep_login(response, keepsake)
    return response
