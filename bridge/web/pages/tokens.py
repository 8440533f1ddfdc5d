"""`/w/<slug>/tokens`: keys for programs. Public API tokens act with a role, SCIM tokens and OAuth clients let one IdP
push. Another secret for a client is in `scim_clients`, one taken
over from somebody else in `token_takeover`.

A new one is shown in the answer to the form that made it, and never again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError, Invalid, NotFound
from bridge.domain.people import fold
from bridge.domain.roles import get_role
from bridge.domain.sentences import listed, shorten
from bridge.domain.tokens import NewScimClient, NewToken, TokenFacts, TokenKind
from bridge.flows.own_connections import list_connections
from bridge.flows.scim_clients import create_scim_client, token_url
from bridge.flows.take_over_token import why_not_taken
from bridge.flows.tokens import create_api_token, create_scim_token, list_tokens, revoke_token
from bridge.web.pages import views
from bridge.web.pages.filters import SOON, day, until
from bridge.web.pages.forms import (
    Picked,
    asked,
    error_at,
    error_note,
    load_stock,
    picked,
    role_select,
    scope_picker,
    typed,
    typed_page,
)
from bridge.web.pages.frame import Visit, access_tabs, crumbs, enter_as_owner, pager, show
from bridge.web.pages.paths import Givers
from bridge.web.pages.views import (
    Choice,
    ConfirmPage,
    Consequence,
    Fact,
    Field,
    Link,
    NothingFound,
    Option,
    Tab,
    TokenFormPage,
    TokenRow,
    TokensPage,
    TokenSummary,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("tokens", __name__, url_prefix="/w/<slug>/tokens")

PAGE = 50
_KINDS: dict[str, TokenKind] = {"scim": "scim", "scim_client": "scim_client"}
_LIFETIMES = {"30": "after 30 days", "90": "after 90 days", "365": "after a year", "": "never"}
_USUAL_LIFETIME = "365"
_FIELDS = ("description", "role", "scope", "expires", "connection")


# -- The list ----------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """Tokens of both kinds, and the summary of the one that is selected."""
    visit = enter_as_owner(slug)
    return show(visit, "tokens.html", _page(visit))


def _page(visit: Visit) -> TokensPage:
    every = list_tokens(visit.context, visit.slug, visit.now)
    search, kind, number = asked("q"), asked("kind"), typed_page()
    found = [one for one in every if fold(search) in fold(one.description) and kind in ("", one.kind)]
    shown = found[(number - 1) * PAGE : number * PAGE]
    where = {"q": search, "kind": kind}
    return TokensPage(
        tabs=access_tabs(visit, "Tokens"),
        action=visit.url("tokens.index"),
        query=search,
        filters=(_kinds(every, kind),),
        rows=tuple(_row(visit, one) for one in shown),
        pager=pager(visit, "tokens.index", where, number, len(shown), len(found)),
        summary=next((_summary(visit, one, every) for one in every if one.id == asked("selected")), None),
        create_href=visit.url("tokens.new"),
        none_yet=not every,
        nothing_found=None if shown else NothingFound("No such token", visit.url("tokens.index"), bool(kind)),
    )


def _kinds(every: tuple[TokenFacts, ...], chosen: str) -> Choice:
    texts = {"": "All kinds"} | {
        kind: f"{text} ({sum(one.kind == kind for one in every):,})"
        for kind, text in (("api", "Public API"), ("scim", "SCIM"), ("scim_client", "SCIM, by OAuth"))
    }
    return Choice("kind", "Kind", tuple(Option(kind, text, selected=kind == chosen) for kind, text in texts.items()))


def _row(visit: Visit, token: TokenFacts) -> TokenRow:
    return TokenRow(
        name=token.description,
        note=_why_stopped(visit, token),
        kind=token.kind,
        may=_may(token),
        last_used=token.last_used_at,
        expires=token.expires_at,
        href=visit.url("tokens.index", selected=token.id),
        selected=token.id == asked("selected"),
    )


def _may(token: TokenFacts) -> str:
    return f"{token.connection} pushes people and groups" if token.pushes else shorten(token.roles, most=3)


def _expired(visit: Visit, token: TokenFacts) -> bool:
    return token.expires_at is not None and token.expires_at <= visit.now


def _why_stopped(visit: Visit, token: TokenFacts) -> str | None:
    """Why a token doesn't work that hasn't run out: it works as long as its maker is in."""
    if token.works or _expired(visit, token):
        return None
    return f"stopped: {maker_of(token)} is no active member"


def maker_of(token: TokenFacts) -> str:
    """Who made it, in words."""
    return token.made_by_name or Givers().name(token.made_by)


# -- One, beside it ----------------------------------------------------------------------------------


def _summary(visit: Visit, token: TokenFacts, every: Iterable[TokenFacts]) -> TokenSummary:
    used = Fact("Last used", at=token.last_used_at) if token.last_used_at else Fact("Last used", "never")
    second = visit.url("tokens.new", kind=token.kind, connection=token.connection_id) if token.pushes else None
    return TokenSummary(
        name=token.description,
        text=_what_for(token),
        facts=(Fact("Created", f"by {maker_of(token)}", token.created_at), used, *_client_facts(visit, token)),
        stops=_stops(token, _others(token, every)),
        note=_warning(visit, token),
        second_href=second,
        revoke_href=visit.url("tokens.ask_to_revoke", token=token.id),
        take_over=_take_over(visit, token),
        new_secret=_ways_to_new_secret(visit, token),
    )


def _take_over(visit: Visit, token: TokenFacts) -> Link | None:
    if why_not_taken(token, visit.actor, visit.now):
        return None
    return Link("Take it over…", visit.url("token_takeover.ask", token=token.id))


def _ways_to_new_secret(visit: Visit, token: TokenFacts) -> tuple[Link, ...]:
    if token.kind != "scim_client":
        return ()
    return (
        Link("Make a new one…", visit.url("scim_clients.ask_to_rotate", token=token.id)),
        Link("It leaked: end it now…", visit.url("scim_clients.ask_to_rotate", token=token.id, at_once="1")),
    )


def _client_facts(visit: Visit, token: TokenFacts) -> tuple[Fact, ...]:
    if token.kind != "scim_client":
        return ()
    known = (Fact("Client id", token.id), Fact("Token endpoint", token_url(visit.context)))
    if token.former_until is None or token.former_until <= visit.now:
        return known
    return (*known, Fact("Former secret ends", at=token.former_until))


def _what_for(token: TokenFacts) -> str:
    if token.kind == "scim_client":
        return f"OAuth client of the connection {token.connection}, which pushes by SCIM"
    if token.kind == "scim":
        return f"SCIM token of the connection {token.connection}"
    return f"Public API token: {_may(token)}"


def _others(token: TokenFacts, every: Iterable[TokenFacts]) -> list[str]:
    """The names of the other tokens by which the same connection can go on pushing."""
    return [
        f"“{one.description}”"
        for one in every
        if one.connection_id == token.connection_id is not None and one.works and one.id != token.id
    ]


def _stops(token: TokenFacts, others: list[str]) -> str:
    if others:
        return f"The next call with it is refused. {token.connection} can go on with {listed(others, last='or')}."
    if token.pushes:
        return f"{token.connection}’s next call is refused. People keep the access they have now."
    return "The next call with it is refused. Nobody’s own access changes."


def _warning(visit: Visit, token: TokenFacts) -> views.Note | None:
    stopped = _why_stopped(visit, token)
    if stopped:
        return views.Note(
            "warn", "Doesn’t work any more", f"It {stopped}. Take it over, or make a new one in its place."
        )
    if token.expires_at is None or token.expires_at - visit.now >= SOON:
        return None
    if _expired(visit, token):
        return views.Note("bad", f"Expired {day(token.expires_at, visit.now)}", "Make a new one, then revoke this one.")
    advice = "Make a second token, put it in the place of this one, then revoke this one. Both work meanwhile."
    if token.pushes:
        advice = f"After that {token.connection} can’t push: nobody new arrives, nobody who leaves is removed. {advice}"
    return views.Note("warn", f"Expires {until(token.expires_at, visit.now)}", advice)


# -- Making one --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the form asks for."""

    kind: TokenKind
    left_at: Picked
    expires: str


@blueprint.get("/new")
def new(slug: str) -> Response:
    """What the token is for, and how long it lasts."""
    return _form(enter_as_owner(slug), _Wanted(_kind(), Picked(), _USUAL_LIFETIME))


@blueprint.post("/new")
def create(slug: str) -> Response:
    """Make it, and show its secret this once."""
    visit, wanted = enter_as_owner(slug), _Wanted(_kind(), picked(), typed("expires"))
    try:
        made = _create(visit, wanted)
    except DomainError as error:
        return _form(visit, wanted, error)
    return show_once(visit, shown_once(visit, wanted.kind, typed("name"), made))


def show_once(visit: Visit, new: views.NewToken) -> Response:
    """The list, with a secret that no browser is to keep."""
    response = show(visit, "tokens.html", replace(_page(visit), new=new))
    response.headers["Cache-Control"] = "no-store"
    return response


def _kind() -> TokenKind:
    return _KINDS.get(typed("kind"), "api")


def _create(visit: Visit, wanted: _Wanted) -> NewToken | NewScimClient:
    name, days = typed("name"), _days(wanted.expires)
    if not name:
        raise Invalid("Give it a name: who or what uses it.", field="description")
    if wanted.kind != "api":
        create = create_scim_token if wanted.kind == "scim" else create_scim_client
        return create(visit.context, visit.actor, visit.slug, typed("connection"), days, name, visit.now)
    if not typed("role"):
        raise Invalid("Choose what it may do.", field="role")
    role = get_role(typed("role"))
    given = RoleInScope(role, wanted.left_at.scope(visit, role))
    return create_api_token(visit.context, visit.actor, visit.slug, [given], days, name, visit.now)


def _days(text: str) -> int | None:
    if text not in _LIFETIMES:
        raise Invalid("Choose one of these.", field="expires")
    return int(text) if text else None


def shown_once(visit: Visit, kind: TokenKind, name: str, made: NewToken | NewScimClient) -> views.NewToken:
    """A new secret with what else is needed to use it."""
    if isinstance(made, NewScimClient):
        return client_shown_once(visit, name, made)
    where = (
        "Both go into the IdP’s provisioning settings; this is the address:"
        if kind == "scim"
        else "The address that it opens:"
    )
    done = visit.url("tokens.index", selected=made.id)
    return views.NewToken(name, made.token, done, made.base_url, where)


def client_shown_once(visit: Visit, name: str, made: NewScimClient) -> views.NewToken:
    """An OAuth client's new secret with what else its IdP asks for."""
    done = visit.url("tokens.index", selected=made.client_id)
    where = "All four go into the IdP’s provisioning settings; this is the address of SCIM:"
    return views.NewToken(name, made.client_secret, done, made.base_url, where, made.client_id, made.token_url)


def _form(visit: Visit, wanted: _Wanted, error: DomainError | None = None) -> Response:
    page = TokenFormPage(
        tabs=tuple(
            Tab(text, visit.url("tokens.new", kind=kind), current=kind == wanted.kind)
            for kind, text in (("api", "Public API token"), ("scim", "SCIM token"), ("scim_client", "SCIM by OAuth"))
        ),
        crumbs=crumbs(visit, Link("Tokens", visit.url("tokens.index"))),
        kind=wanted.kind,
        action=visit.url("tokens.create"),
        cancel_href=visit.url("tokens.index"),
        name=_name_field(error),
        expires=_lifetimes(wanted.expires, error),
    )
    page = _for_api(visit, page, wanted, error) if wanted.kind == "api" else _for_scim(visit, page)
    note = error_note(error, *_FIELDS)
    notices = (note,) if note else ()
    return show(visit, "token_new.html", page, status=status_of(error) if error else 200, notices=notices)


def _name_field(error: DomainError | None) -> Field:
    text = "Who or what uses it, so that others know what stops when it is revoked."
    return Field("name", "Name", typed("name"), help=text, error=error_at(error, "description"))


def _lifetimes(chosen: str, error: DomainError | None) -> Choice:
    options = tuple(Option(value, text, selected=value == chosen) for value, text in _LIFETIMES.items())
    return Choice("expires", "Ends", options, error=error_at(error, "expires"))


def _for_api(visit: Visit, page: TokenFormPage, wanted: _Wanted, error: DomainError | None) -> TokenFormPage:
    role = role_select(visit, typed("role"), none="Choose a role", error=error_at(error, "role"))
    scope = scope_picker(load_stock(visit), left_at=wanted.left_at, error=error_at(error, "scope"))
    return replace(page, role=role, scope=scope)


def _for_scim(visit: Visit, page: TokenFormPage) -> TokenFormPage:
    chosen = typed("connection")
    options = tuple(
        Option(one.id, one.name, selected=one.id == chosen) for one in list_connections(visit.context, visit.slug)
    )
    choice = Choice("connection", "Connection", options) if options else None
    return replace(page, connection=choice, connections_href=visit.url("connection_new.choose"))


# -- Revoking one ------------------------------------------------------------------------------------


@blueprint.get("/<uuid:token>/revoke")
def ask_to_revoke(slug: str, token: UUID) -> Response:
    """Who can't work any more once it is revoked."""
    visit = enter_as_owner(slug)
    every = list_tokens(visit.context, visit.slug, visit.now)
    found = get_token(every, token)
    others = _others(found, every)
    page = ConfirmPage(
        title=f"Revoke “{found.description}”?",
        text=f"{_what_for(found)}.",
        crumbs=crumbs(visit, Link("Tokens", visit.url("tokens.index"))),
        action=visit.url("tokens.revoke", token=found.id),
        button=f"Revoke: {_in_short(found, others)}",
        consequences=(
            *_revoking(found, others),
            Consequence("remember", "It can’t be undone; another token can be made at any time"),
        ),
        cancel_href=visit.url("tokens.index", selected=found.id),
    )
    return show(visit, "confirm.html", page)


def _in_short(token: TokenFacts, others: list[str]) -> str:
    if not token.works:
        return "it doesn’t work any more"
    if others:
        return "the other token goes on" if len(others) == 1 else "the other tokens go on"
    return f"{token.connection} stops pushing" if token.pushes else "its next call is refused"


def _revoking(token: TokenFacts, others: list[str]) -> tuple[Consequence, ...]:
    if not token.works:
        return (Consequence("keep", "Nothing stops: its calls are refused already"),)
    if others:
        lost = "Whatever still uses this token is refused at its next call"
        kept = f"{token.connection} can go on pushing with {listed(others, last='or')}"
        return Consequence("lose", lost), Consequence("keep", kept)
    if token.pushes:
        lost = f"{token.connection}’s next call is refused: nobody new arrives, nobody who leaves is removed"
        return Consequence("lose", lost), Consequence("keep", "People keep the access they have now")
    return (Consequence("lose", f"Whatever works with it stops at its next call: {_may(token)}"),)


@blueprint.post("/<uuid:token>/revoke")
def revoke(slug: str, token: UUID) -> Response:
    """End it."""
    visit = enter_as_owner(slug)
    revoke_token(visit.context, visit.actor, visit.slug, str(token), visit.now)
    return go(visit.url("tokens.index"))


def get_token(every: Iterable[TokenFacts], token: UUID) -> TokenFacts:
    """The one with this id. Raises NotFound."""
    found = next((one for one in every if one.id == str(token)), None)
    if found is None:
        raise NotFound("There is no such token; perhaps somebody revoked it a moment ago.")
    return found
