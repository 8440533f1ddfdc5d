"""`/w/<slug>/tokens/<id>/rotate`: another secret for an OAuth client that pushes by SCIM."""

from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import NotFound
from bridge.domain.tokens import TokenFacts
from bridge.flows.scim_clients import OVERLAP, rotate_scim_client
from bridge.flows.tokens import list_tokens
from bridge.web.pages.filters import day
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, crumbs, enter_as_owner, show
from bridge.web.pages.tokens import client_shown_once, get_token, show_once
from bridge.web.pages.views import ConfirmPage, Consequence, Link

blueprint = Blueprint("scim_clients", __name__, url_prefix="/w/<slug>/tokens")


@blueprint.get("/<uuid:token>/rotate")
def ask_to_rotate(slug: str, token: UUID) -> Response:
    """Until when the present secret works on: for a day, or (`at_once`) no longer."""
    visit = enter_as_owner(slug)
    found, at_once = _get_client(visit, token), bool(typed("at_once"))
    page = ConfirmPage(
        title=f"Make a new secret for “{found.description}”?",
        text=f"An OAuth client of the connection {found.connection}. Its id stays as it is.",
        crumbs=crumbs(visit, Link("Tokens", visit.url("tokens.index"))),
        action=visit.url("scim_clients.rotate", token=found.id),
        button="Make it, and end the present one now" if at_once else "Make it; the present one works on for a day",
        consequences=_consequences(visit, found, at_once),
        cancel_href=visit.url("tokens.index", selected=found.id),
        hidden=(("at_once", "1"),) if at_once else (),
    )
    return show(visit, "confirm.html", page)


def _consequences(visit: Visit, found: TokenFacts, at_once: bool) -> tuple[Consequence, ...]:
    if at_once:
        lost = f"{found.connection}’s next call is refused until it has the new secret"
        return Consequence("lose", lost), Consequence("keep", "People keep the access they have now")
    until = day(visit.now + OVERLAP, visit.now)
    overlap = f"The present secret works on until {until}: put the new one into {found.connection} by then"
    return (
        Consequence("keep", overlap),
        Consequence("remember", "Only the last two secrets work: one that was replaced before stops now"),
    )


@blueprint.post("/<uuid:token>/rotate")
def rotate(slug: str, token: UUID) -> Response:
    """Make it, and show it this once."""
    visit = enter_as_owner(slug)
    found = _get_client(visit, token)
    made = rotate_scim_client(
        visit.context, visit.actor, visit.slug, found.id, at_once=bool(typed("at_once")), now=visit.now
    )
    return show_once(visit, client_shown_once(visit, found.description, made))


def _get_client(visit: Visit, token: UUID) -> TokenFacts:
    found = get_token(list_tokens(visit.context, visit.slug, visit.now), token)
    if found.kind != "scim_client":
        raise NotFound("Only an OAuth client gets another secret. Make a second token in the place of this one.")
    return found
