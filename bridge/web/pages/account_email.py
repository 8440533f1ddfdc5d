"""`/account/email`: another address, `/account/confirm/<secret>`: where its mailed link leads (product.md 2.7)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError, Expired
from bridge.flows.account_email import Confirmation, ask_to_change, ask_to_confirm, confirm, find_confirmation
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.web.pages.account_frame import AccountVisit, ask_for_proof, enter_account, install, show_account
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import error_at, error_note
from bridge.web.pages.views import AccountConfirmPage, AccountFormPage, Consequence, Field, Link, RefusedPage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("account_email", __name__, url_prefix="/account")
install(blueprint)


@blueprint.post("/email/confirm")
def send_confirmation() -> Response:
    """A link to the stored address."""
    visit = enter_account()
    ask_to_confirm(visit.context, visit.session, visit.now)
    return go(url_for("account.index", done="mailed"))


@blueprint.get("/email")
def ask() -> Response:
    """Which address instead?"""
    visit = enter_account()
    visit.require_fresh()
    return _form(visit)


@blueprint.post("/email")
def send() -> Response:
    """A link to the new address, a notice to the stored one."""
    visit = enter_account()
    try:
        ask_to_change(visit.context, visit.session, request.form.get("email", ""), visit.now)
    except FreshProofNeeded as error:
        return ask_for_proof(error)
    except DomainError as error:
        return _form(visit, error)
    return go(url_for("account.index", done="mailed"))


def _form(visit: AccountVisit, error: DomainError | None = None) -> Response:
    typed = request.form.get("email", "")[:320]
    page = AccountFormPage(
        title="Change your email",
        text="We mail a link to the new address. Until you confirm it there, your present one stays, and is told.",
        action=url_for("account_email.send"),
        field=Field("email", "New email", typed, "email", error=error_at(error, "email"), autocomplete="email"),
        button="Mail me the link",
        cancel_href=url_for("account.index"),
        notice=error_note(error, "email"),
    )
    return show_account(visit, "account_form.html", page, status=status_of(error) if error else 200)


@blueprint.get("/confirm/<secret>")
def look(secret: str) -> Response:
    """What following the link does."""
    visit = enter_account()
    try:
        return _confirmation(visit, secret, find_confirmation(visit.context, visit.session, secret, visit.now))
    except Expired as error:
        return _ended(error)


@blueprint.post("/confirm/<secret>")
def finish(secret: str) -> Response:
    """It is the account's address, confirmed."""
    visit = enter_account()
    try:
        confirm(visit.context, visit.session, secret, visit.now)
    except Expired as error:
        return _ended(error)
    return go(url_for("account.index", done="email"))


def _confirmation(visit: AccountVisit, secret: str, found: Confirmation) -> Response:
    changes = found.kind == "change_email"
    title = f"Change your email to {found.email}?" if changes else f"Is {found.email} yours?"
    gain = f"You sign in with {found.email}, and all mail goes there"
    page = AccountConfirmPage(
        title=title,
        action=url_for("account_email.finish", secret=secret),
        button="Change the email" if changes else "Yes, it is mine",
        hidden=(),
        consequences=(
            (Consequence("gain", gain), Consequence("lose", f"{found.former} doesn’t sign you in any more"))
            if changes
            else (Consequence("gain", f"{found.email} is confirmed as the address of this account"),)
        ),
        cancel_href=url_for("account.index"),
        plain=True,
    )
    return show_account(visit, "account_confirm.html", page)


def _ended(error: Expired) -> Response:
    page = RefusedPage(
        title="This link works no longer",
        text=error.text,
        actions=(Link("Go to your account", url_for("account.index"), primary=True),),
        kicker="Link ended",
    )
    return render_bare("refused.html", page, status_of(error))
