"""`/w/<slug>/tokens/<id>/take-over`: a token that somebody else made becomes one's own, with a new secret."""

from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import Conflict
from bridge.domain.tokens import TokenFacts
from bridge.flows.take_over_token import take_over_token, why_not_taken
from bridge.flows.tokens import list_tokens
from bridge.web.pages.frame import crumbs, enter_as_owner, show
from bridge.web.pages.tokens import get_token, maker_of, show_once, shown_once
from bridge.web.pages.views import ConfirmPage, Consequence, Link

blueprint = Blueprint("token_takeover", __name__, url_prefix="/w/<slug>/tokens")


@blueprint.get("/<uuid:token>/take-over")
def ask(slug: str, token: UUID) -> Response:
    """What it means, to whoever uses the token too."""
    visit = enter_as_owner(slug)
    found = get_token(list_tokens(visit.context, visit.slug, visit.now), token)
    why_not = why_not_taken(found, visit.actor, visit.now)
    if why_not:
        raise Conflict(why_not)
    page = ConfirmPage(
        title=f"Take over “{found.description}”?",
        text=f"{maker_of(found)} made it.",
        crumbs=crumbs(visit, Link("Tokens", visit.url("tokens.index"))),
        action=visit.url("token_takeover.take", token=found.id),
        button="Take it over, with a new secret",
        consequences=_consequences(found),
        cancel_href=visit.url("tokens.index", selected=found.id),
    )
    return show(visit, "confirm.html", page)


def _consequences(found: TokenFacts) -> tuple[Consequence, ...]:
    stops = "The present secret is refused at its next call: put the new one into what uses it"
    works_again = "It works again, with the new secret that the next page shows once"
    return (
        Consequence("lose", stops) if found.works else Consequence("gain", works_again),
        Consequence("keep", "What it may do, its name and its end"),
        Consequence("remember", "From then on it stops when you leave the workspace, or are suspended"),
    )


@blueprint.post("/<uuid:token>/take-over")
def take(slug: str, token: UUID) -> Response:
    """Take it over, and show its secret this once."""
    visit = enter_as_owner(slug)
    found = get_token(list_tokens(visit.context, visit.slug, visit.now), token)
    made = take_over_token(visit.context, visit.actor, visit.slug, found.id, visit.now)
    return show_once(visit, shown_once(visit, found.kind, found.description, made))
