"""`/healthz`: this process answers. `/readyz`: its database answers too, at the right schema."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify

from bridge.domain.errors import DomainError
from bridge.flows.health import check_ready
from bridge.flows.jobs import worker_state
from bridge.web.current import current_context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def live() -> Response:
    """200 as long as this process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 when requests can be served, 503 with the reason otherwise. Background work that is late stops no request:
    it is said, with when a worker last lived.
    """
    try:
        check_ready(current_context())
        state = worker_state(current_context(), datetime.now(UTC))
    except DomainError as error:
        return jsonify(status="not ready", reason=error.text), 503
    alive = state.last_alive and state.last_alive.isoformat().replace("+00:00", "Z")
    return jsonify(status="ok", worker={"last_alive": alive, "overdue": [name for name, _ in state.overdue]}), 200
