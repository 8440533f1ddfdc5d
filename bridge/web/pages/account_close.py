"""`/account/close`: the end of one's own account."""

from flask import Blueprint, Response, url_for

from bridge.domain.errors import LastOwner
from bridge.flows.close_account import Leaving, close_account, look_before_closing
from bridge.web.cookies import drop_session
from bridge.web.pages.account_frame import enter_account, install, show_account
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import AccountConfirmPage, Consequence, Link, RefusedPage
from bridge.web.statuses import status_of

blueprint = Blueprint("account_close", __name__, url_prefix="/account/close")
install(blueprint)


@blueprint.get("")
def ask() -> Response:
    """What goes with it."""
    visit = enter_account()
    visit.require_fresh()
    left = look_before_closing(visit.context, visit.session)
    stuck = tuple(one.name for one in left if one.last_owner)
    if stuck:
        return _last_owner(stuck[0], 409)
    page = AccountConfirmPage(
        title=f"Close the account {visit.session.user.email}?",
        action=url_for("account_close.close"),
        button="Close it for good",
        hidden=(),
        consequences=_consequences(left),
        cancel_href=url_for("account.index"),
    )
    return show_account(visit, "account_confirm.html", page)


def _consequences(left: tuple[Leaving, ...]) -> tuple[Consequence, ...]:
    return (
        *(Consequence("lose", f"You leave {one.name}, with every role and token that you have there") for one in left),
        Consequence("lose", "You are signed out everywhere, and nothing opens the account any more"),
        Consequence("remember", "It can’t be brought back: your company’s sign-in lets you in no more, either"),
        Consequence("remember", "An owner who invites you anew invites you to a new account"),
    )


@blueprint.post("")
def close() -> Response:
    """Close it."""
    visit = enter_account()
    try:
        close_account(visit.context, visit.session, visit.now)
    except LastOwner as error:
        return _last_owner(None, status_of(error))
    page = RefusedPage(
        title="Your account is closed",
        text="A mail to its address says so, too. Nothing here opens it any more.",
        actions=(Link("Go to the sign-in page", url_for("password.login")),),
        kicker="Closed",
    )
    response = render_bare("refused.html", page)
    drop_session(response)
    return response


def _last_owner(workspace: str | None, status: int) -> Response:
    page = RefusedPage(
        title="A workspace would be without an owner",
        text=f"You are the last owner of {workspace or 'a workspace'} who can sign in without its identity provider. "
        "Make somebody else an owner there first, by hand.",
        actions=(Link("Back to your account", url_for("account.index"), primary=True),),
        kicker="Not closed",
    )
    return render_bare("refused.html", page, status)
