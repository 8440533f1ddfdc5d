"""`/account/twilio`: what Twilio manages of one's account, and the end of that (product.md 3.2, 3.4)."""

from flask import Blueprint, Response, url_for

from bridge.domain.errors import Conflict
from bridge.flows.twilio import find_links
from bridge.flows.twilio_account import find_elsewhere
from bridge.flows.twilio_link import unlink_own
from bridge.web.pages.account_frame import AccountVisit, enter_account, install, show_account
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import AccountConfirmPage, Consequence, Link, Note, RefusedPage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("account_twilio", __name__, url_prefix="/account/twilio")
install(blueprint)


def kept_at_twilio(visit: AccountVisit) -> Note:
    """Why name, email and password can't be changed here, where they can, and why the address is another there."""
    links, elsewhere = find_links(visit.context), find_elsewhere(visit.context, visit.session.user)
    text = "Your name, email, password and second factor are kept at Twilio."
    if elsewhere and elsewhere.why == "taken":
        text += f" There your email is {elsewhere.email}; here another account has that, so this one keeps its own."
    elif elsewhere:
        text += f" There your email is {elsewhere.email}. A company proved its domain, so we mailed a link to it: "
        text += "until you follow that, this one stays."
    profile = links.profile if links else None
    return Note("info", "Kept at Twilio", text, Link("Change them there", profile) if profile else None)


def factors_at_twilio(visit: AccountVisit, *, any_here: bool) -> Note:
    """Why second factors can't be changed here, and where they can."""
    links = find_links(visit.context)
    security = links.security if links else None
    text = "You log in with Twilio, so your second factor is set up and changed there."
    if any_here:
        text += " What you set up here before counts again when you unlink Twilio."
    return Note("info", "Kept at Twilio", text, Link("Open Twilio’s settings", security) if security else None)


@blueprint.get("")
def ask() -> Response:
    """What unlinking means."""
    visit = enter_account()
    visit.require_fresh()
    email = visit.session.user.email
    page = AccountConfirmPage(
        title="Unlink Twilio?",
        action=url_for("account_twilio.end"),
        button="Unlink it",
        hidden=(),
        consequences=(
            Consequence("lose", f"Twilio doesn’t sign you in as {email} any more"),
            Consequence("lose", "Where you came in by it, you are signed out"),
            Consequence("keep", "Your workspaces, your name and your email stay as they are"),
            Consequence("remember", "You can link it again at any time"),
        ),
        cancel_href=url_for("account.index"),
    )
    return show_account(visit, "account_confirm.html", page)


@blueprint.post("")
def end() -> Response:
    """It opens the account no more; nor does a session that it alone had opened."""
    visit = enter_account()
    left = any(one.kind != "twilio" for one in visit.session.authentications)
    try:
        unlink_own(visit.context, visit.session, visit.now)
    except Conflict as error:
        return _only_way(error)
    if left:
        return go(url_for("account.index", done="unlinked"))
    return go(url_for("password.login", done="unlinked", return_to=url_for("account.index")))


def _only_way(error: Conflict) -> Response:
    page = RefusedPage(
        title="Twilio stays linked",
        text=error.text,
        actions=(Link("Back to your account", url_for("account.index"), primary=True),),
        kicker="Your last way in",
    )
    return render_bare("refused.html", page, status_of(error))
