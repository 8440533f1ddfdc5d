"""`/w/<slug>/mapping`: the rules as sentences, with whom each reaches and what is wrong with it."""

from typing import Literal, cast
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.sentences import Inventory, counted
from bridge.flows.idp_directory import count_idle_groups
from bridge.flows.map_groups import MappingFacts
from bridge.flows.rule_list import (
    PAGE_SIZE,
    MappingCounts,
    MatchedGroup,
    RulePage,
    RuleSeen,
    RuleShown,
    RuleWish,
    count_mapping,
    get_rule,
    list_rules,
)
from bridge.web.pages.forms import asked, load_inventory, typed, typed_page
from bridge.web.pages.frame import Visit, enter_as_owner, pager, show
from bridge.web.pages.mapping_parts import NOTES, STATES, mapping_tabs, sentence_of
from bridge.web.pages.views import (
    Chip,
    Choice,
    Fact,
    Link,
    MatchedGroupRow,
    Note,
    NothingFound,
    Option,
    RuleRow,
    RulesPage,
)
from bridge.web.pages.views import RulePage as RulePageView

blueprint = Blueprint("mapping", __name__, url_prefix="/w/<slug>/mapping")

_STATE_WORDS = {"on": "On", "off": "Off", "troubled": "To look at"}


@blueprint.get("")
def index(slug: str) -> Response:
    """A page of rules."""
    visit = enter_as_owner(slug)
    wish = _wish()
    return show(visit, "mapping.html", _page(visit, wish, list_rules(visit.context, visit.slug, wish, visit.now)))


def _wish() -> RuleWish:
    state = asked("state")
    known = cast("Literal['', 'on', 'off', 'troubled']", state if state in _STATE_WORDS else "")
    return RuleWish(typed("q"), asked("connection"), known, typed_page())


def _page(visit: Visit, wish: RuleWish, found: RulePage) -> RulesPage:
    here, counts = visit.url("mapping.index"), count_mapping(visit.context, visit.slug)
    where = {"q": wish.search, "connection": wish.connection_id, "state": wish.state}
    filters = sum(1 for value in (wish.connection_id, wish.state) if value)
    inventory = load_inventory(visit)
    return RulesPage(
        tabs=mapping_tabs(visit, "Rules"),
        action=here,
        query=wish.search,
        filters=(_connection_choice(found, wish), _state_choice(wish)),
        rows=tuple(_row(visit, one, inventory) for one in found.rules),
        pager=pager(visit, "mapping.index", where, wish.page, len(found.rules), found.found, size=PAGE_SIZE),
        picture_href=visit.url("picture.index"),
        note=_idle_note(visit) if found.total else None,
        add=Link("Add a rule", visit.url("rule_form.new"), primary=True) if found.connections else None,
        empty=None if found.total else _empty(found, counts, visit),
        nothing_found=NothingFound(_nothing(wish), here, filters) if found.total and not found.rules else None,
    )


def _idle_note(visit: Visit) -> Note | None:
    idle = count_idle_groups(visit.context, visit.slug, visit.now)
    if not idle:
        return None
    text = (
        "They are kept, and each pushed one is mirrored as a User Group with Minimal Workspace Access. "
        "A group is never matched to one of yours by its name alone."
    )
    see = Link(f"See the {idle:,}" if idle > 1 else "See it", visit.url("idp_directory.groups", kind="idle"))
    return Note("info", f"{counted(idle, 'IdP group gives', 'IdP groups give')} nothing yet", text, see)


def _nothing(wish: RuleWish) -> str:
    return f"No rule with “{wish.search}”" if wish.search else "No rule like this"


def _empty(found: RulePage, counts: MappingCounts, visit: Visit) -> Note:
    if not found.connections:
        text = "A rule is about the groups of an IdP. Connect one first; it then brings its groups."
        return Note("plain", "No IdP is connected yet", text, Link("Connect an IdP", visit.url("connections.index")))
    first = Link("Add the first rule", visit.url("rule_form.new"))
    names = " and ".join(name for _, name in found.connections[:2])
    if not counts.groups:
        text = f"{names} has pushed no groups, and nobody has signed in with any. A rule may come before them."
        return Note("plain", "No rules yet, and no IdP groups", text, first)
    text = (
        f"{names} brought {counted(counts.groups, 'group')}. A rule says what the people of a group get here, and you "
        "see who gains what before you save."
    )
    return Note("plain", "No rules yet", text, first)


def _connection_choice(found: RulePage, wish: RuleWish) -> Choice:
    each = tuple(Option(uid, name, selected=uid == wish.connection_id) for uid, name in found.connections)
    return Choice("connection", "Connection", (Option("", "Every connection", selected=not wish.connection_id), *each))


def _state_choice(wish: RuleWish) -> Choice:
    each = tuple(Option(state, text, selected=state == wish.state) for state, text in _STATE_WORDS.items())
    return Choice("state", "State", (Option("", "On and off", selected=not wish.state), *each))


def _row(visit: Visit, seen: RuleSeen, inventory: Inventory) -> RuleRow:
    facts = seen.facts
    people = counted(seen.people, "person", "people")
    gives = seen.state in ("on", "in_part", "unmatched")
    return RuleRow(
        number=seen.number,
        sentence=sentence_of(visit, facts, seen.group_name, inventory),
        people=people if gives else f"would be {seen.people:,}",
        groups=counted(facts.matched_groups, "group"),
        status=STATES[seen.state],
        href=visit.url("mapping.show_one", rule=facts.id),
        quiet=seen.state == "off",
    )


# -- One rule --------------------------------------------------------------------------------------------------------


@blueprint.get("/rules/<uuid:rule>")
def show_one(slug: str, rule: UUID) -> Response:
    """What it says, what it matches now, and what can be done with it."""
    visit = enter_as_owner(slug)
    shown = get_rule(visit.context, visit.slug, str(rule), visit.now)
    return show(visit, "mapping_rule.html", _rule_page(visit, shown))


def _rule_page(visit: Visit, shown: RuleShown) -> RulePageView:
    seen, facts = shown.seen, shown.seen.facts
    people = counted(seen.people, "person", "people")
    drawn = seen.state in ("on", "in_part")
    return RulePageView(
        title=f"Rule {seen.number}",
        crumbs=(Link("Group mapping", visit.url("mapping.index")),),
        sentence=sentence_of(visit, facts, seen.group_name, load_inventory(visit)),
        status=STATES[seen.state],
        facts=(
            Fact("Reaches now", people if drawn else f"nobody; would be {people}"),
            Fact("Matches now", counted(facts.matched_groups, "IdP group")),
            Fact("Made by", shown.made_by or "the operator"),
        ),
        groups=tuple(_group_row(visit, one, facts.connection) for one in shown.groups),
        more_groups=max(facts.matched_groups - len(shown.groups), 0),
        later=_later(facts),
        note=NOTES.get(seen.state),
        picture_href=visit.url("picture.index", follow=f"rule:{facts.id}") if drawn else None,
        changes=_changes(visit, facts),
        delete_href=visit.url("rule_change.ask_to_delete", rule=facts.id),
    )


def _changes(visit: Visit, facts: MappingFacts) -> tuple[Link, ...]:
    asking = visit.url("rule_change.ask_to_switch", rule=facts.id)
    switch = Link("Switch off…" if facts.enabled else "Switch on…", asking)
    if facts.origin == "admin":
        return (switch, Link("Change", visit.url("rule_form.change", rule=facts.id), primary=True))
    ids = {"connection": facts.connection_id, "group": facts.match.value}
    return (switch, Link("Link to another…", visit.url("directory.ask_to_link", **ids)))


def _group_row(visit: Visit, one: MatchedGroup, connection: str) -> MatchedGroupRow:
    note = f"named at sign-ins by {connection}" if one.asserted else ""
    if one.shadowed:
        note += "; the pushed group of this name decides for whom it pushes"
    return MatchedGroupRow(Chip("idp", one.name, visit.url("idp_directory.show_group", group=one.id)), one.people, note)


def _later(facts: MappingFacts) -> str:
    if facts.match.kind == "glob":
        return f"It also takes groups that {facts.connection} makes later and whose name fits."
    if facts.match.kind == "name":
        return "It also takes a group that is made later under this name."
    return "It follows the group when it is renamed, and ends with it."
