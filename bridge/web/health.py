"""`/healthz`: this process answers. `/readyz`: its database answers too, at the right schema."""

from flask import Blueprint, Response, jsonify

from bridge.domain.errors import DomainError
from bridge.flows.health import check_ready
from bridge.web.current import current_context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def live() -> Response:
    """200 as long as this process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 when requests can be served, 503 with the reason otherwise."""
    try:
        check_ready(current_context())
    except DomainError as error:
        return jsonify(status="not ready", reason=error.text), 503
    return jsonify(status="ok"), 200
