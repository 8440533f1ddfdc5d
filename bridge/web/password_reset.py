"""`/login/forgotten`: a link by mail, for whoever asks alike. `/reset/<secret>`: where it leads (product.md 2.8)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError, Expired, TooManyTries
from bridge.domain.passwords import SHORTEST
from bridge.domain.people import find_email
from bridge.flows.password_reset import LINK_LASTS, Reset, ask_reset, open_reset, reset_password
from bridge.web.cookies import drop_session
from bridge.web.current import current_client, current_context, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import Field, Link, Note, RefusedPage, ResetPage
from bridge.web.statuses import status_of

blueprint = Blueprint("password_reset", __name__)

_LONGEST = 320


@blueprint.get("/login/forgotten")
def ask() -> Response:
    """For which account?"""
    return _asking(request.args.get("email", "")[:_LONGEST])


@blueprint.post("/login/forgotten")
def send() -> Response:
    """The same answer, whether there is such an account or not."""
    typed = request.form.get("email", "").strip()[:_LONGEST]
    email = find_email(typed)
    if email is None:
        return _asking(typed, error="Write it as name@company.example.", status=422)
    try:
        ask_reset(current_context(), email, current_client(), current_time())
    except TooManyTries as error:
        response = _asking(typed, notice=Note("warn", error.text, urgent=True), status=429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    page = ResetPage(stage="sent", email=email, link_minutes=int(LINK_LASTS.total_seconds() // 60))
    return render_bare("password_reset.html", page)


def _asking(typed: str, *, error: str | None = None, notice: Note | None = None, status: int = 200) -> Response:
    field = Field("email", "Email", typed, kind="email", error=error, autocomplete="username")
    page = ResetPage(stage="ask", action=url_for("password_reset.send"), field=field, notice=notice)
    return render_bare("password_reset.html", page, status)


@blueprint.get("/reset/<secret>")
def open_link(secret: str) -> Response:
    """Choose the new password."""
    try:
        return _choosing(secret, open_reset(current_context(), secret, current_time()))
    except Expired as error:
        return _ended(error)


@blueprint.post("/reset/<secret>")
def finish(secret: str) -> Response:
    """It is the password from now on; every session of the account has ended."""
    context, now = current_context(), current_time()
    try:
        whose = open_reset(context, secret, now)
        reset_password(context, secret, request.form.get("password", ""), now, current_client())
    except Expired as error:
        return _ended(error)
    except DomainError as error:
        return _choosing(secret, whose, error)
    response = render_bare("password_reset.html", ResetPage(stage="done", email=whose.email))
    drop_session(response)
    return response


def _choosing(secret: str, whose: Reset, error: DomainError | None = None) -> Response:
    about_field = error is not None and getattr(error, "field", None) == "password"
    field = Field(
        "password",
        "New password",
        kind="password",
        help=f"At least {SHORTEST} characters. A sentence is easier to remember than a riddle.",
        error=error.text if error and about_field else None,
        autocomplete="new-password",
    )
    notice = Note("bad", error.text, urgent=True) if error and not about_field else None
    action = url_for("password_reset.finish", secret=secret)
    page = ResetPage(stage="choose", email=whose.email, action=action, field=field, notice=notice)
    return render_bare("password_reset.html", page, status_of(error) if error else 200)


def _ended(error: Expired) -> Response:
    page = RefusedPage(
        title="This link works no longer",
        text=error.text,
        actions=(
            Link("Ask for a new link", url_for("password_reset.ask"), primary=True),
            Link("Sign in", url_for("password.login")),
        ),
        kicker="Link ended",
    )
    return render_bare("refused.html", page, status_of(error))
