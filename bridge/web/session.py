"""`/session`: who is signed in, as JSON. `/logout`: the way out."""

from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from bridge.domain.reach import Authentication
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.oidc_logout import find_provider_logout
from bridge.flows.own_sessions import end_other_sessions
from bridge.flows.saml_logout import find_names
from bridge.flows.sessions import CurrentSession, ReachedWorkspace, end_session
from bridge.flows.twilio import find_twilio_logout
from bridge.web.cookies import browser_secret, drop_session, has_left_twilio, keep_left_twilio, session_secret
from bridge.web.current import current_context, current_session, current_time
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import LeavingPage, LogoutPage
from bridge.web.return_path import go
from bridge.web.saml_logout import say_goodbye

blueprint = Blueprint("session", __name__)


@blueprint.get("/session")
def show() -> tuple[Response, int]:
    """The caller's session with only the workspaces it reaches; 401 when signed out."""
    current = current_session()
    if current is None:
        return jsonify(error={"code": "signed_out", "message": "Nobody is signed in here."}), 401
    return jsonify(_shown(current)), 200


def _shown(current: CurrentSession) -> dict[str, Any]:
    user = current.user
    return {
        "user": {"id": user.id, "email": user.email, "name": user.name},
        "workspaces": [_workspace(reached) for reached in current.workspaces],
        "authenticated_by": [_authentication(one) for one in current.authentications],
    }


def _workspace(reached: ReachedWorkspace) -> dict[str, Any]:
    return {"id": reached.workspace.id, "slug": reached.workspace.slug, "owner": reached.owner}


def _authentication(one: Authentication) -> dict[str, Any]:
    """Of the four kinds that are promised a passkey is `password`: the account's own. Then `method` says it was one."""
    at = one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = {"kind": one.kind, "connection": one.connection_id, "at": at, "groups": list(one.groups)}
    return shown | {"kind": "password", "method": "passkey"} if one.kind == "passkey" else shown


@blueprint.get("/logout")
def ask() -> Response:
    """A button, since a link that signs out could be anybody's; signed out already, how far that came."""
    let_forms_lead_elsewhere()
    current = current_session()
    partly = request.args.get("sso") == "partial"
    twilio = find_twilio_logout(current_context()) if current is None and has_left_twilio() else None
    return render_bare("logout.html", LogoutPage(current.user.email if current else None, partly, twilio))


@blueprint.post("/logout")
def leave() -> Response:
    """End the session in the database, and forget its cookie; only then tell its IdPs, those that want to know.

    `everywhere`: first all others of the person.
    """
    secret, current = session_secret(), current_session()
    if request.form.get("everywhere") and current is not None:
        end_other_sessions(current_context(), current, current_time())
    by_twilio = current is not None and any(one.kind == "twilio" for one in current.authentications)
    after = url_for("session.ask" if by_twilio else "password.login")
    response = _end(secret, after) if secret else go(after)
    if request.form.get("from") == "page" and not response.headers.get("Location", "/").startswith("/"):
        response = _onward(response)
    drop_session(response)
    if by_twilio:  # whose session there is for all its products, and doesn't end with ours
        keep_left_twilio(response)
    return response


def _onward(sent: Response) -> Response:
    """By a page in between: a page of ours lets its forms lead to ours only, wherever the answer redirects to."""
    url = sent.headers["Location"]
    response = render_bare("leaving.html", LeavingPage(url))
    response.headers["Refresh"] = f"0; url={url}"
    response.headers.extend([("Set-Cookie", cookie) for cookie in sent.headers.getlist("Set-Cookie")])
    return response


def _end(secret: str, after: str) -> Response:
    context, now = current_context(), current_time()
    names, elsewhere = find_names(context, secret, now), find_provider_logout(context, secret, now)
    end_session(context, secret, now)
    if elsewhere is not None and not names:
        return go(elsewhere)
    if not names:
        return go(after)
    return say_goodbye(names, browser_secret() or new_secret())
