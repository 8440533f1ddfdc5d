"""`/login/passkey`: a passkey alone, without email or password (product.md 2.8)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.second_factors import WrongFactor
from bridge.flows.passkey_login import begin_passkey_login, sign_in_with_passkey
from bridge.flows.passkeys import LONGEST_ANSWER
from bridge.flows.sign_in_log import Refusal, log_refused
from bridge.web import refusals
from bridge.web.cookies import keep_session, session_secret
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
    answer = typed("code", LONGEST_ANSWER)
    try:
        told = sign_in_with_passkey(context, answer, current_client(), current_time(), old=session_secret())
    except WrongFactor as error:
        refusal = Refusal("passkey", error.code, error.text, trail=trail())
        log_refused(context, refusal, current_client(), current_time())
        text = "Nobody here has this passkey, or it didn’t check who you are. Try again, or sign in another way."
        return _page(Note("bad", "That didn’t work", text, urgent=True), 403)
    response = go(_return_to())
    keep_session(response, told.cookie, context.session_lifetime)
    return response


def _page(notice: Note | None = None, status: int = 200) -> Response:
    return_to = None if _return_to() == HOME else _return_to()
    page = PasskeyLoginPage(
        options=begin_passkey_login(current_context(), current_time()),
        action=url_for("passkey.show"),
        other_href=url_for("password.login", return_to=return_to),
        notice=notice,
        hidden=(("return_to", return_to),) if return_to else (),
    )
    return render_bare("login_passkey.html", page, status)
