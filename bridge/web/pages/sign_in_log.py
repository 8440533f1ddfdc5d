"""`/w/<slug>/sign-in-log`: every attempt to sign in, step by step, and what to change; for owners.

`/sign-in-log/<reference>` is where the page of a refused sign-in leads: to the same attempt in its workspace, for an
owner who is signed in there.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, abort

from bridge.domain.errors import NotFound
from bridge.domain.sign_in_explanations import explain
from bridge.domain.sign_in_log import AttemptsQuery, OutcomeFilter, SignInAttempt
from bridge.flows.own_connections import list_connections
from bridge.flows.read_sign_in_log import count_alike, get_attempt, list_attempts
from bridge.web.current import current_context, current_session
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.attempts import card_of, row_of
from bridge.web.pages.forms import asked
from bridge.web.pages.frame import Visit, enter_as_owner, show, sign_in_href
from bridge.web.pages.views import AttemptPage, Choice, Link, NothingFound, Option, Post, SignInLogPage
from bridge.web.return_path import go

blueprint = Blueprint("sign_in_log", __name__)

PAGE = 50
_OUTCOMES: dict[OutcomeFilter, str] = {
    "": "Every attempt",
    "refused": "Refused",
    "signed_in": "Signed in",
    "break_glass": "Break-glass",
    "password_reset": "Password resets",
    "test": "Tests",
}
_SINCE: dict[str, tuple[str, timedelta | None]] = {
    "": ("At any time", None),
    "hour": ("In the last hour", timedelta(hours=1)),
    "day": ("In the last day", timedelta(days=1)),
    "week": ("In the last week", timedelta(days=7)),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for: the names are those of the query."""

    q: str
    outcome: OutcomeFilter
    connection: str
    since: str
    before: str

    @property
    def narrowed(self) -> int:
        """How many filters are set beside the search."""
        return sum(map(bool, (self.outcome, self.connection, self.since)))

    def url(self, visit: Visit, before: str = "") -> str:
        """The same question at another place of the list."""
        kept = {
            "q": self.q,
            "outcome": self.outcome,
            "connection": self.connection,
            "since": self.since,
            "before": before,
        }
        return visit.url("sign_in_log.index", **{name: value for name, value in kept.items() if value})

    def query(self, visit: Visit) -> AttemptsQuery:
        """As the flow is asked."""
        _, back = _SINCE[self.since]
        return AttemptsQuery(self.q, self.outcome, self.connection, visit.now - back if back else None, self.before)


def _asked() -> _Asked:
    chosen, since = asked("outcome"), asked("since")
    outcome: OutcomeFilter = next((one for one in _OUTCOMES if one == chosen), "")
    return _Asked(asked("q"), outcome, asked("connection"), since if since in _SINCE else "", asked("before"))


@blueprint.get("/w/<slug>/sign-in-log")
def index(slug: str) -> Response:
    """A page of attempts."""
    visit, question = enter_as_owner(slug), _asked()
    found = list_attempts(visit.context, visit.slug, question.query(visit), PAGE)
    narrowed = bool(question.q or question.narrowed or question.before)
    page = SignInLogPage(
        action=visit.url("sign_in_log.index"),
        query=question.q,
        filters=_filters(visit, question),
        rows=tuple(row_of(one, visit.url("sign_in_log.attempt", ref=one.ref)) for one in found.attempts),
        days=visit.context.sign_in_log_days,
        newest_href=question.url(visit) if question.before else None,
        older_href=question.url(visit, found.older) if found.older else None,
        none_yet=not found.attempts and not narrowed,
        nothing_found=_nothing(visit, question) if narrowed and not found.attempts else None,
    )
    return show(visit, "sign_in_log.html", page)


def _nothing(visit: Visit, question: _Asked) -> NothingFound:
    title = f"No attempt of “{question.q}”" if question.q else "No such attempt"
    return NothingFound(title, visit.url("sign_in_log.index"), question.narrowed)


def _filters(visit: Visit, question: _Asked) -> tuple[Choice, ...]:
    connections = {"": "Every way in"}
    connections |= {one.id: one.name for one in list_connections(visit.context, visit.slug)}
    outcomes = {str(value): text for value, text in _OUTCOMES.items()}
    since = {value: text for value, (text, _) in _SINCE.items()}
    return (
        _select("outcome", "Outcome", outcomes, question.outcome),
        _select("connection", "Connection", connections, question.connection),
        _select("since", "Time", since, question.since),
    )


def _select(name: str, label: str, options: dict[str, str], chosen: str) -> Choice:
    return Choice(name, label, tuple(Option(value, text, selected=value == chosen) for value, text in options.items()))


@blueprint.get("/w/<slug>/sign-in-log/<ref>")
def attempt(slug: str, ref: str) -> Response:
    """One attempt in full."""
    visit = enter_as_owner(slug)
    found = get_attempt(visit.context, visit.slug, ref)
    let_forms_lead_elsewhere()  # the test's button leads to the company's IdP
    page = AttemptPage(
        card=card_of(visit.context, found, count_alike(visit.context, found), visit.now),
        crumbs=(Link("Sign-in log", visit.url("sign_in_log.index")),),
        test=_test_of(visit, found),
        leads_to=_leads_to(visit, found),
    )
    return show(visit, "sign_in_attempt.html", page)


def _test_of(visit: Visit, found: SignInAttempt) -> Post | None:
    if found.connection_id is None:
        return None
    action = visit.url("connection_test.start", connection=found.connection_id)
    return Post("Test again" if found.test else "Test this connection", action)


def _leads_to(visit: Visit, found: SignInAttempt) -> Link | None:
    if found.kind == "break_glass":
        return Link("Open Security", visit.url("security.index"))
    if found.connection_id is None:
        return None
    why = explain(found.code, found.preset, found.connection, found.kind) if found.outcome == "refused" else None
    if why is not None and why.setting == "certificate" and found.kind == "saml":
        page = visit.url("connection_keys.index", connection=found.connection_id)
        return Link(f"Certificates of {found.connection}", page)
    return Link(f"Open {found.connection}", visit.url("connections.show_one", connection=found.connection_id))


@blueprint.get("/sign-in-log/<ref>")
def find(ref: str) -> Response:
    """From a refused sign-in's page to the attempt, in whichever workspace of theirs it is."""
    session = current_session()
    if session is None:
        abort(go(sign_in_href()))
    for reached in session.workspaces:
        if reached.owner and _has(reached.workspace.slug, ref):
            visit = enter_as_owner(reached.workspace.slug)
            return go(visit.url("sign_in_log.attempt", ref=ref.upper()))
    raise NotFound("There is no such attempt in the sign-in log of a workspace that you own and have open.")


def _has(slug: str, ref: str) -> bool:
    try:
        get_attempt(current_context(), slug, ref)
    except NotFound:
        return False
    return True
