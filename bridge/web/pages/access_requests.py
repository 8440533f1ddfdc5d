"""`/w/<slug>/access-requests`: members ask for a role on a resource, owners give just that or refuse.

An application that shuts somebody out can lead here, with what is missing filled in:
`/w/<slug>/access-requests/new?role=source_admin&resource=source:website`.
"""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, NotFound
from bridge.domain.roles import in_plan
from bridge.flows.access_requests import (
    ASKABLE,
    LONGEST_MESSAGE,
    AccessRequest,
    RequestDraft,
    ask_for_access,
    find_request,
    grant_request,
    list_requests,
    my_requests,
    refuse_request,
    withdraw,
)
from bridge.web.pages.forms import error_at, error_note, typed, typed_text
from bridge.web.pages.frame import Visit, ask_owners, enter, enter_as_owner, show
from bridge.web.pages.views import (
    AskedRow,
    AskPage,
    Choice,
    Field,
    Link,
    Note,
    Option,
    Post,
    RefuseRequestPage,
    RequestsPage,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("access_requests", __name__, url_prefix="/w/<slug>/access-requests")

_RESOURCE = Field(
    "resource",
    "Which one",
    help="The name of the source, warehouse, space, function or tracking plan; not for roles without any.",
    depends=True,
    required=False,
)
_MESSAGE = Field("message", "What you need it for", kind="textarea", help="The owners read it.")
_REASON = Field("reason", "A word to them", kind="textarea", help="They read it in the mail.", required=False)
_FIELDS = ("role", "resource", "message")


# -- The list ----------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """What waits for an answer: all of it for owners, their own for others."""
    return _list(enter(slug))


def _list(visit: Visit, error: DomainError | None = None) -> Response:
    if visit.is_owner:
        rows = tuple(_to_answer(visit, one) for one in list_requests(visit.context, visit.slug))
        page = RequestsPage(rows, None, error_note(error))
    else:
        own = my_requests(visit.context, visit.slug, visit.reached.membership_id)
        rows = tuple(_own(visit, one) for one in own)
        page = RequestsPage(rows, visit.url("access_requests.new"), error_note(error))
    return show(visit, "access_requests.html", page, status=status_of(error) if error else 200)


def _row(one: AccessRequest) -> AskedRow:
    return AskedRow(one.name, one.email, one.asks, one.message, one.created_at)


def _to_answer(visit: Visit, one: AccessRequest) -> AskedRow:
    return replace(
        _row(one),
        href=visit.url("person.access", member=one.membership_id),
        grant=Post("Grant", visit.url("access_requests.grant", asked=one.id), f"{one.name}’s request to {one.asks}"),
        refuse_href=visit.url("access_requests.ask_to_refuse", asked=one.id),
    )


def _own(visit: Visit, one: AccessRequest) -> AskedRow:
    back = Post("Take back", visit.url("access_requests.take_back", asked=one.id), f"the request to {one.asks}")
    return replace(_row(one), withdraw=back)


# -- Members ask -------------------------------------------------------------------------------------


@blueprint.get("/new")
def new(slug: str) -> Response:
    """Which role, on what, and why."""
    return _form(enter(slug))


@blueprint.post("/new")
def ask(slug: str) -> Response:
    """Ask the owners."""
    visit = enter(slug)
    draft = RequestDraft(typed("role"), typed("resource"), _written("message"))
    try:
        ask_for_access(visit.context, visit.actor, visit.slug, draft, visit.now)
    except DomainError as error:
        return _form(visit, error)
    return go(visit.url("access_requests.index"))


def _written(name: str) -> str:
    """What was written; too long, it stays so, and is refused instead of cut."""
    return typed_text(name, LONGEST_MESSAGE + 1)


def _form(visit: Visit, error: DomainError | None = None) -> Response:
    page = AskPage(
        crumbs=(Link("Access requests", visit.url("access_requests.index")),),
        action=visit.url("access_requests.ask"),
        cancel_href=visit.url("access_requests.index"),
        role=Choice("role", "Role", _roles(visit), error=error_at(error, "role")),
        resource=replace(_RESOURCE, value=typed("resource"), error=error_at(error, "resource")),
        message=replace(_MESSAGE, value=_written("message"), error=error_at(error, "message")),
        whom=ask_owners(visit).removeprefix("Ask ").removesuffix("."),
        notice=error_note(error, *_FIELDS),
    )
    return show(visit, "access_request_new.html", page, status=status_of(error) if error else 200)


def _roles(visit: Visit) -> tuple[Option, ...]:
    offered = [role for role in ASKABLE if in_plan(role, visit.workspace.plan)]
    return tuple(Option(role.id, role.name, selected=role.id == typed("role"), help=role.text) for role in offered)


@blueprint.post("/<uuid:asked>/withdraw")
def take_back(slug: str, asked: UUID) -> Response:
    """Take one's own request back."""
    visit = enter(slug)
    withdraw(visit.context, visit.actor, visit.slug, str(asked), visit.now)
    return go(visit.url("access_requests.index"))


# -- Owners answer -----------------------------------------------------------------------------------


@blueprint.post("/<uuid:asked>/grant")
def grant(slug: str, asked: UUID) -> Response:
    """Give just that."""
    visit = enter_as_owner(slug)
    try:
        grant_request(visit.context, visit.actor, visit.slug, str(asked), visit.now)
    except NotFound as error:
        return _list(visit, error)
    return go(visit.url("access_requests.index"))


@blueprint.get("/<uuid:asked>/refuse")
def ask_to_refuse(slug: str, asked: UUID) -> Response:
    """With a word to who asked, or without."""
    return _refusal(enter_as_owner(slug), asked)


@blueprint.post("/<uuid:asked>/refuse")
def refuse(slug: str, asked: UUID) -> Response:
    """Refuse it."""
    visit = enter_as_owner(slug)
    try:
        refuse_request(visit.context, visit.actor, visit.slug, str(asked), _written("reason"), visit.now)
    except NotFound as error:
        return _list(visit, error)
    except DomainError as error:
        return _refusal(visit, asked, error)
    return go(visit.url("access_requests.index"))


def _refusal(visit: Visit, asked: UUID, error: DomainError | None = None) -> Response:
    one = find_request(visit.context, visit.slug, str(asked))
    page = RefuseRequestPage(
        name=one.name,
        asks=one.asks,
        message=one.message,
        crumbs=(Link("Access requests", visit.url("access_requests.index")),),
        action=visit.url("access_requests.refuse", asked=one.id),
        cancel_href=visit.url("access_requests.index"),
        reason=replace(_REASON, value=_written("reason"), error=error_at(error, "reason")),
        notice=_note(error),
    )
    return show(visit, "access_request_refuse.html", page, status=status_of(error) if error else 200)


def _note(error: DomainError | None) -> Note | None:
    return error_note(error, "reason")
