"""`/w/<slug>/scim-log`: what IdPs asked by SCIM, what they were answered, and what that did; for owners.

Newest first, fifty a page. One goes on to older ones from the last line that is shown, so that what comes in meanwhile
moves nothing.
"""

from dataclasses import dataclass, replace

import orjson
from flask import Blueprint, Response

from bridge.domain.errors import Invalid, NotFound
from bridge.domain.request_log import ProvisioningRequest, RequestsFilter, RequestsQuery
from bridge.flows.own_connections import list_connections
from bridge.flows.request_log import RequestsPage, get_request, list_requests
from bridge.web.pages.forms import asked
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.views import (
    Choice,
    Fact,
    NothingFound,
    OpenedRequest,
    Option,
    RequestRow,
    ScimLogPage,
    Status,
)

blueprint = Blueprint("scim_log", __name__, url_prefix="/w/<slug>/scim-log")

PAGE = 50
_OUTCOMES: dict[RequestsFilter, str] = {
    "": "Every call",
    "every_change": "Changes and refusals",
    "changed": "Changes",
    "refused": "Refused",
    "unchanged": "Nothing to change",
    "read": "Only read",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for: the names are those of the query."""

    q: str
    connection: str
    outcome: RequestsFilter
    before: str
    open: str

    @property
    def where(self) -> dict[str, str]:
        """The question as the address says it, without the place in the list."""
        return {"q": self.q, "connection": self.connection, "outcome": self.outcome}

    @property
    def narrowed(self) -> int:
        """How many filters are set beside the search."""
        return sum(map(bool, (self.connection, self.outcome)))

    def url(self, visit: Visit, **more: str) -> str:
        """The same question at another place."""
        kept = {**self.where, **more}
        return visit.url("scim_log.index", **{name: value for name, value in kept.items() if value})


def _asked() -> _Asked:
    chosen = asked("outcome")
    outcome: RequestsFilter = next((one for one in _OUTCOMES if one == chosen), "")
    return _Asked(asked("q"), asked("connection"), outcome, asked("before"), asked("open"))


@blueprint.get("")
def index(slug: str) -> Response:
    """A page of calls, and the one that is opened."""
    visit, question = enter_as_owner(slug), _asked()
    found = _list(visit, question)
    opened = _opened(visit, question)
    narrowed = bool(question.q or question.narrowed or question.before)
    page = ScimLogPage(
        action=visit.url("scim_log.index"),
        query=question.q,
        filters=_filters(visit, question),
        rows=tuple(_row(visit, question, one, opened) for one in found.requests),
        days=visit.context.scim_log_days,
        newest_href=question.url(visit) if question.before else None,
        older_href=question.url(visit, before=found.older) if found.older else None,
        none_yet=not found.requests and not narrowed,
        nothing_found=_nothing(visit, question) if narrowed and not found.requests else None,
        token_href=visit.url("tokens.new", kind="scim"),
    )
    return show(visit, "scim_log.html", page)


def _list(visit: Visit, question: _Asked) -> RequestsPage:
    """The page; from the beginning, where the address names no place in the log."""
    query = RequestsQuery(question.connection, question.outcome, question.q, question.before)
    try:
        return list_requests(visit.context, visit.slug, query, PAGE)
    except Invalid:
        return list_requests(visit.context, visit.slug, replace(query, before=""), PAGE)


def _opened(visit: Visit, question: _Asked) -> ProvisioningRequest | None:
    try:
        return get_request(visit.context, visit.slug, question.open) if question.open else None
    except NotFound:
        return None


def _nothing(visit: Visit, question: _Asked) -> NothingFound:
    title = f"No call about “{question.q}”" if question.q else "No such call"
    return NothingFound(title, visit.url("scim_log.index"), question.narrowed)


def _filters(visit: Visit, question: _Asked) -> tuple[Choice, ...]:
    connections = {"": "Every connection"}
    connections |= {one.id: one.name for one in list_connections(visit.context, visit.slug)}
    return (
        _select("connection", "Connection", connections, question.connection),
        _select("outcome", "Outcome", dict(_OUTCOMES), question.outcome),
    )


def _select(name: str, label: str, options: dict[str, str] | dict[RequestsFilter, str], chosen: str) -> Choice:
    return Choice(name, label, tuple(Option(value, text, selected=value == chosen) for value, text in options.items()))


# -- A line of it ------------------------------------------------------------------------------------


def _row(visit: Visit, question: _Asked, one: ProvisioningRequest, opened: ProvisioningRequest | None) -> RequestRow:
    is_open = opened is not None and opened.id == one.id
    here = question.url(visit, before=question.before, open="" if is_open else one.id)
    return RequestRow(
        at=one.at,
        sentence=one.sentence,
        outcome=one.outcome,
        status=Status("bad", "Refused"),
        call=f"{one.method}, answered {one.status}",
        connection=one.connection,
        href=here if is_open else f"{here}#open",
        opened=_details(opened) if is_open and opened is not None else None,
    )


def _details(one: ProvisioningRequest) -> OpenedRequest:
    return OpenedRequest(
        facts=(
            Fact("Call", f"{one.method} {one.path}"),
            Fact("Answered", str(one.status), one.at),
            Fact("Connection", one.connection),
        ),
        request=_text(one.request),
        answer=_text(one.answer),
    )


def _text(body: object) -> str:
    """A body as it is shown: JSON over several lines; what only tells of a body, as it is."""
    if body is None:
        return ""
    return body if isinstance(body, str) else orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
