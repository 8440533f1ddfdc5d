"""What belongs to the request under way: the house it is in, the time it counts by, who asks, and from where."""

from datetime import UTC, datetime

from flask import current_app, g, request

from bridge.domain.sign_in import Client
from bridge.flows.context import Context
from bridge.flows.outside import Outside
from bridge.flows.sessions import CurrentSession, find_session
from bridge.web.cookies import session_secret

#: Where the application keeps its ways out.
OUTSIDE = "bridge.outside"
_LONGEST_USER_AGENT = 300


def current_context() -> Context:
    """The context that `create_app` was made with, or the request's own, where it was given one."""
    context: Context = g.get("context") or current_app.extensions["bridge"]
    return context


def current_outside() -> Outside:
    """The ways out of the house; never taken inside a transaction."""
    outside: Outside = current_app.extensions[OUTSIDE]
    return outside


def current_time() -> datetime:
    """One moment for the whole request, so that nothing in it disagrees about now."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    now: datetime = g.now
    return now


def current_session() -> CurrentSession | None:
    """Who is signed in and what they reach at this moment, asked once a request. None: nobody."""
    if "signed_in" not in g:
        g.signed_in = find_session(current_context(), session_secret(), current_time())
    found: CurrentSession | None = g.signed_in
    return found


def current_client() -> Client:
    """Where the request comes from."""
    agent = "".join(character for character in request.headers.get("User-Agent", "") if character.isprintable())
    return Client(request.remote_addr or "", agent[:_LONGEST_USER_AGENT])
