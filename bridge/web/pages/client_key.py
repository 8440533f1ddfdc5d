"""`/w/<slug>/connections/<id>/client-key/<step>`: our key of a connection by private_key_jwt, replaced in steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from bridge.domain.workspace import Connection
from bridge.flows.rotate_client_key import (
    ClientKeys,
    begin_rotation,
    cancel_rotation,
    find_keys,
    finish_rotation,
    has_own_key,
)
from bridge.web.pages.connection_parts import crumbs, enter_connection, href
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.views import ConfirmPage, Consequence, Link
from bridge.web.return_path import go

blueprint = Blueprint("client_key", __name__, url_prefix="/w/<slug>/connections/<uuid:connection>/client-key")


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: where it stands on the connection's page, what its own page asks, and what it does."""

    link: str
    title: Callable[[str], str]
    button: str
    consequences: Callable[[str], tuple[Consequence, ...]]


_STEPS: Mapping[str, _Step] = {
    "begin": _Step(
        "Replace our key…",
        lambda name: f"Make the next key for {name}?",
        "Make the next key",
        lambda name: (
            Consequence("remember", f"Both keys are published, for {name} to read; nothing else changes yet"),
            Consequence("keep", "Tokens are asked for with the present key until you say otherwise"),
        ),
    ),
    "finish": _Step(
        "Use the next key…",
        lambda name: f"Use the next key for {name}?",
        "Use the next key",
        lambda name: (
            Consequence("lose", f"If {name} knows only the old key, it refuses us: nobody can sign in"),
            Consequence("keep", "Who is signed in stays signed in"),
            Consequence("remember", "The old key is forgotten for good"),
        ),
    ),
    "cancel": _Step(
        "Forget the next key…",
        lambda name: f"Forget the next key of {name}?",
        "Forget the next key",
        lambda _: (
            Consequence("keep", "The present key stays, and with it everything that works now"),
            Consequence("remember", "The next key is forgotten; another can be made at any time"),
        ),
    ),
}


def client_key_links(visit: Visit, found: Connection) -> tuple[Link, ...]:
    """The steps that can be taken, from the connection's page."""
    if not has_own_key(found):
        return ()
    keys = find_keys(visit.context, visit.slug, found.id)
    return tuple(Link(_STEPS[step].link, _href(visit, found, step)) for step in _open_steps(keys))


def _open_steps(keys: ClientKeys) -> tuple[str, ...]:
    return ("finish", "cancel") if keys.next else ("begin",)


def _href(visit: Visit, found: Connection, step: str) -> str:
    return visit.url("client_key.ask", connection=found.id, step=step)


@blueprint.get("/<step>")
def ask(slug: str, connection: UUID, step: str) -> Response:
    """What the step changes."""
    visit, seen = enter_connection(slug, connection)
    found = seen.connection
    keys = find_keys(visit.context, visit.slug, found.id)
    asked = _STEPS.get(step)
    if asked is None:
        raise NotFound
    if step not in _open_steps(keys):
        return go(href(visit, found))
    page = ConfirmPage(
        title=asked.title(found.name),
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
        action=_href(visit, found, step),
        button=asked.button,
        consequences=asked.consequences(found.name),
        cancel_href=href(visit, found),
        keep="Leave it as it is",
        hidden=(("next", keys.next or ""),),
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/<step>")
def take(slug: str, connection: UUID, step: str) -> Response:
    """It is taken, where the next key is still the one that was shown."""
    visit, seen = enter_connection(slug, connection)
    its = (visit.context, visit.actor, visit.slug, seen.connection.id, visit.now)
    if step not in _STEPS:
        raise NotFound
    if step == "begin":
        begin_rotation(*its)
    else:
        (finish_rotation if step == "finish" else cancel_rotation)(*its, shown=typed("next"))
    return go(href(visit, seen.connection))
