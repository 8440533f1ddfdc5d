"""“Test this connection”: begun by an owner, or with a ticket of the operator's; its result, in the browser that began.

GET  /w/<slug>/connections/<connection>/test  what it does, and the button
POST the same                                 to the IdP, with a ticket
GET  /connection-test/<handle>                what it found out, for half an hour
"""

from uuid import UUID

from flask import Blueprint, Response, url_for

from bridge.domain.errors import NotFound
from bridge.domain.workspace import Connection
from bridge.flows.own_connections import list_connections
from bridge.flows.try_connection import allow_test, find_test_result
from bridge.web.cookies import login_begun
from bridge.web.current import current_context, current_time
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.attempts import card_of
from bridge.web.pages.bare import render_bare
from bridge.web.pages.connection_parts import crumbs, href
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.views import Link, TestConnectionPage, TestResultPage
from bridge.web.return_path import go

blueprint = Blueprint("connection_test", __name__)


@blueprint.get("/w/<slug>/connections/<uuid:connection>/test")
def ask(slug: str, connection: UUID) -> Response:
    """What a test does, and the button that begins one."""
    visit = enter_as_owner(slug)
    found = _connection(visit, str(connection))
    let_forms_lead_elsewhere()
    page = TestConnectionPage(
        connection=found.name,
        enabled=found.enabled,
        action=visit.url("connection_test.start", connection=found.id),
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
    )
    return show(visit, "connection_test.html", page)


def _connection(visit: Visit, connection_id: str) -> Connection:
    for one in list_connections(visit.context, visit.slug):
        if one.id == connection_id:
            return one
    raise NotFound("There is no such connection.")


@blueprint.post("/w/<slug>/connections/<uuid:connection>/test")
def start(slug: str, connection: UUID) -> Response:
    """Go to the IdP, and back to the result."""
    visit = enter_as_owner(slug)
    return go(allow_test(visit.context, visit.actor, visit.slug, str(connection), visit.now))


@blueprint.get("/connection-test/<handle>")
def result(handle: str) -> Response:
    """What a test found out, in the browser that began it."""
    context, now = current_context(), current_time()
    slug, found = find_test_result(context, handle, login_begun(handle.partition(".")[0]), now)
    log = url_for("sign_in_log.attempt", slug=slug, ref=found.ref)
    back = url_for("connections.show_one", slug=slug, connection=found.connection_id)
    page = TestResultPage(card_of(context, found, None, now), found.connection, log, back)
    return render_bare("connection_test_result.html", page)
