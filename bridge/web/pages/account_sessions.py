"""`/account/sessions`: where one is signed in, and ending one session or the others (product.md 2.9).

All of them, with this one, are ended by signing out `everywhere` (`bridge.web.session`).
"""

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from bridge.domain.identity import Factor
from bridge.domain.sentences import counted
from bridge.flows.account_settings import get_account
from bridge.flows.own_sessions import OwnSession, WayIn, end_other_sessions, end_own_session, list_own_sessions
from bridge.web.pages.account_frame import enter_account, show_account
from bridge.web.pages.agents import browser_named
from bridge.web.pages.views import Note, OwnSessionRow, OwnSessionsPage, Post
from bridge.web.return_path import go

blueprint = Blueprint("account_sessions", __name__, url_prefix="/account/sessions")

_KINDS = {"password": "Password", "passkey": "Passkey", "twilio": "Twilio"}
_WITH: dict[Factor, str] = {
    "totp": "with a code of an app",
    "recovery_code": "with a recovery code",
    "mailed_code": "with a code by mail",
    "passkey": "with a passkey",
    "provider": "with a second factor there",
}


@blueprint.get("")
def index() -> Response:
    """Every session of the person, this one first."""
    visit = enter_account()
    found = list_own_sessions(visit.context, visit.session, visit.now)
    page = OwnSessionsPage(
        rows=tuple(map(_row, found)),
        others=sum(not one.current for one in found),
        end_others_action=url_for("account_sessions.end_others"),
        end_all_action=url_for("session.leave"),
        password_at_twilio=get_account(visit.context, visit.session).twilio,
    )
    return show_account(visit, "account_sessions.html", page, notices=_done())


def _row(one: OwnSession) -> OwnSessionRow:
    device = browser_named(one.client.user_agent) or "A program that doesn’t say which"
    action = url_for("account_sessions.end", session=one.id)
    return OwnSessionRow(
        device=device,
        address=one.client.address or "unknown",
        ways=tuple(map(_way, one.ways)),
        opened=one.opened_at,
        used=one.used_at,
        ends=one.ends_at,
        current=one.current,
        end=None if one.current else Post("End it", action, f"the session of {device}"),
    )


def _way(way: WayIn) -> str:
    name = way.connection or _KINDS.get(way.kind, "Single sign-on")
    return f"{name} {_WITH[way.factor]}" if way.factor and way.kind != "passkey" else name


def _done() -> tuple[Note, ...]:
    ended = request.args.get("ended", "")
    if not (ended.isascii() and ended.isdigit() and len(ended) < 7):
        return ()
    text = f"{counted(int(ended), 'session')} ended" if int(ended) else "There was no other session"
    return (Note("ok", text),)


@blueprint.post("/<uuid:session>/end")
def end(session: UUID) -> Response:
    """End one; it is signed out at its next request."""
    visit = enter_account()
    end_own_session(visit.context, visit.session, str(session), visit.now)
    return go(url_for("account_sessions.index", ended=1))


@blueprint.post("/end-others")
def end_others() -> Response:
    """End all but this one."""
    visit = enter_account()
    ended = end_other_sessions(visit.context, visit.session, visit.now)
    return go(url_for("account_sessions.index", ended=ended))
