"""What belongs to the request under way: the house it is in, and the time it counts by."""

from datetime import UTC, datetime

from flask import current_app, g

from bridge.flows.context import Context


def current_context() -> Context:
    """The context that `create_app` was made with."""
    context: Context = current_app.extensions["bridge"]
    return context


def current_time() -> datetime:
    """One moment for the whole request, so that nothing in it disagrees about now."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    now: datetime = g.now
    return now
