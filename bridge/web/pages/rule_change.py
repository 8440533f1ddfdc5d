"""`/w/<slug>/mapping/rules/<id>/delete` and `…/switch`: a rule goes, or goes on or off; first what that does."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from bridge.domain.errors import DomainError
from bridge.domain.previews import DeleteRule, Moved, Preview, Seen, Side, SwitchRule
from bridge.flows.map_groups import remove_mapping, set_enabled
from bridge.flows.preview import preview
from bridge.flows.rule_list import RuleShown, get_rule
from bridge.web.pages.forms import error_note, load_inventory
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.mapping_parts import sentence_of
from bridge.web.pages.preview_parts import asked_panel, moved_note, numbers, read_seen, unseen_note
from bridge.web.pages.views import Consequence, Link, Note, PreviewPanel, RuleChangePage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("rule_change", __name__, url_prefix="/w/<slug>/mapping/rules/<uuid:rule>")


@dataclass(frozen=True, slots=True)
class _Change:
    """What is asked about a rule: that it goes (`enabled` None), or goes on or off."""

    visit: Visit
    shown: RuleShown
    enabled: bool | None

    @property
    def rule_id(self) -> str:
        """The rule's."""
        return self.shown.seen.facts.id

    @property
    def here(self) -> str:
        """Where it is asked, and done."""
        endpoint = "rule_change.ask_to_delete" if self.enabled is None else "rule_change.ask_to_switch"
        return self.visit.url(endpoint, rule=self.rule_id)

    @property
    def proposal(self) -> DeleteRule | SwitchRule:
        """What is previewed."""
        return DeleteRule(self.rule_id) if self.enabled is None else SwitchRule(self.rule_id, self.enabled)


# -- Asked and done --------------------------------------------------------------------------------------------------


@blueprint.get("/delete")
def ask_to_delete(slug: str, rule: UUID) -> Response:
    """Who would lose what."""
    return _ask(_deletion(slug, rule))


@blueprint.post("/delete")
def delete(slug: str, rule: UUID) -> Response:
    """It goes, if it still does what was shown."""
    change = _deletion(slug, rule)
    visit = change.visit

    def end(seen: Seen) -> str:
        remove_mapping(visit.context, visit.actor, visit.slug, change.rule_id, visit.now, seen=seen)
        return visit.url("mapping.index")

    return _do(change, end)


@blueprint.get("/switch")
def ask_to_switch(slug: str, rule: UUID) -> Response:
    """Who would gain or lose what."""
    return _ask(_switching(slug, rule))


@blueprint.post("/switch")
def switch(slug: str, rule: UUID) -> Response:
    """It goes on, or off, as the page said, if it still does what was shown."""
    asked_for = _switching(slug, rule)
    change = _Change(asked_for.visit, asked_for.shown, request.form.get("on") == "1")
    visit = change.visit

    def turn(seen: Seen) -> str:
        on = bool(change.enabled)
        set_enabled(visit.context, visit.actor, visit.slug, change.rule_id, on, visit.now, seen=seen)
        return visit.url("mapping.show_one", rule=change.rule_id)

    return _do(change, turn)


def _deletion(slug: str, rule: UUID) -> _Change:
    visit = enter_as_owner(slug)
    return _Change(visit, get_rule(visit.context, visit.slug, str(rule), visit.now), None)


def _switching(slug: str, rule: UUID) -> _Change:
    visit = enter_as_owner(slug)
    shown = get_rule(visit.context, visit.slug, str(rule), visit.now)
    return _Change(visit, shown, not shown.seen.facts.enabled)


def _do(change: _Change, act: Callable[[Seen], str]) -> Response:
    seen = read_seen()
    if seen is None:
        return _ask(change, unseen_note())
    try:
        return go(act(seen))
    except Moved as moved:
        return _show(change, moved.preview, moved_note(moved))
    except DomainError as error:
        return _ask(change, error_note(error), status=status_of(error))


def _ask(change: _Change, note: Note | None = None, *, status: int = 200) -> Response:
    visit = change.visit
    found = preview(visit.context, visit.slug, change.proposal, visit.now)
    return _show(change, found, note, status=status)


# -- What is shown ---------------------------------------------------------------------------------------------------


def _show(change: _Change, found: Preview, note: Note | None, *, status: int = 200) -> Response:
    visit, facts = change.visit, change.shown.seen.facts
    inventory = load_inventory(visit)
    number = change.shown.seen.number
    verb = "Delete" if change.enabled is None else "Switch on" if change.enabled else "Switch off"
    page = RuleChangePage(
        title=f"{verb} rule {number}?",
        heading=f"{verb} this rule",
        crumbs=(
            Link("Group mapping", visit.url("mapping.index")),
            Link(f"Rule {number}", visit.url("mapping.show_one", rule=change.rule_id)),
        ),
        sentence=sentence_of(visit, facts, change.shown.seen.group_name, inventory),
        panel=_panel(change, found),
        action=change.here,
        button=f"{verb} rule: {numbers(found)}",
        keep="Keep it as it is" if change.enabled is not None else "Keep it",
        cancel_href=visit.url("mapping.show_one", rule=change.rule_id),
        consequences=_consequences(change),
        carried=(("seen", found.seen.render()), ("on", "1" if change.enabled else "")),
        danger=not change.enabled,
        note=note,
    )
    return show(visit, "mapping_change.html", page, status=status)


def _panel(change: _Change, found: Preview) -> PreviewPanel:
    endpoint = "rule_change.ask_to_delete" if change.enabled is None else "rule_change.ask_to_switch"

    def way(one: Side, after: str) -> str:
        return change.visit.url(endpoint, rule=change.rule_id, side=one, after=after)

    return asked_panel(change.visit, change.proposal, found, way, change.here)


def _consequences(change: _Change) -> tuple[Consequence, ...]:
    stay = Consequence("keep", "Nobody leaves the workspace; roles given by hand stay")
    if change.enabled is None:
        return (stay, Consequence("remember", "What it said stays in the audit trail"))
    if change.enabled:
        return (Consequence("remember", "It counts from the next request on"), stay)
    return (Consequence("remember", "It can be switched on again as it is"), stay)
