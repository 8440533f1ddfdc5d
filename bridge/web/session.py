"""`/session`: who is signed in, as JSON. `/logout`: the way out."""

from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from bridge.domain.sign_in import Authentication
from bridge.flows.oidc_logout import find_provider_logout
from bridge.flows.sessions import CurrentSession, ReachedWorkspace, end_session
from bridge.web.cookies import drop_session, session_secret
from bridge.web.current import current_context, current_session, current_time
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.bare import render_bare
from bridge.web.return_path import go

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
    at = one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"kind": one.kind, "connection": one.connection_id, "at": at, "groups": list(one.groups)}


@blueprint.get("/logout")
def ask() -> Response:
    """A button, since a link that signs out could be anybody's."""
    let_forms_lead_elsewhere()
    return render_bare("logout.html", current_session())


@blueprint.post("/logout")
def leave() -> Response:
    """End the session in the database, and forget its cookie; then the provider's, where it offers that."""
    secret = session_secret()
    elsewhere = None
    if secret:
        elsewhere = find_provider_logout(current_context(), secret, current_time())
        end_session(current_context(), secret, current_time())
    response = go(elsewhere or url_for("password.login"))
    drop_session(response)
    return response
