"""`/w/<slug>/directory`: groups and people of every connection, as each IdP says them. Nothing is changed here."""

import json
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.idp_records import GroupMemberSeen, GroupSource, IdpGroupSeen, RecordSeen, RecordState
from bridge.domain.sentences import counted
from bridge.flows.idp_directory import (
    PAGE_SIZE,
    DirectoryWish,
    GroupInFull,
    get_idp_group,
    get_record,
    list_idp_groups,
    list_idp_people,
)
from bridge.flows.map_groups import MappingFacts
from bridge.flows.rule_list import count_mapping
from bridge.web.pages.forms import asked, load_inventory, typed, typed_page
from bridge.web.pages.frame import Visit, enter_as_owner, pager, show
from bridge.web.pages.mapping_parts import sentence_of
from bridge.web.pages.views import (
    Chip,
    Choice,
    Fact,
    IdpGroupPage,
    IdpGroupRow,
    IdpGroupsPage,
    IdpPeoplePage,
    IdpPersonPage,
    IdpPersonRow,
    InIdpGroupRow,
    Link,
    Note,
    NothingFound,
    Option,
    Pager,
    Status,
    Tab,
    TakingRule,
)

blueprint = Blueprint("idp_directory", __name__, url_prefix="/w/<slug>/directory")

_SAID: dict[GroupSource, str] = {"pushed": "pushed", "asserted": "named at sign-ins"}
_GROUP_KINDS = {"pushed": "Pushed by SCIM", "asserted": "Named at sign-ins", "idle": "That give nothing yet"}
_STATES: dict[RecordState, Status] = {
    "active": Status("ok", "Active"),
    "suspended": Status("off", "Suspended by the IdP"),
    "no_account": Status("warn", "Without an account"),
    "signs_in": Status("ok", "Known by signing in"),
}


# -- Lists -----------------------------------------------------------------------------------------------------------


@blueprint.get("")
def groups(slug: str) -> Response:
    """A page of IdP groups."""
    visit = enter_as_owner(slug)
    wish, here = _wish(), visit.url("idp_directory.groups")
    found = list_idp_groups(visit.context, visit.slug, wish, visit.now)
    page = IdpGroupsPage(
        tabs=_tabs(visit, "IdP groups"),
        action=here,
        query=wish.search,
        filters=(_connections(found.connections, wish), _kinds("Groups", "All groups", _GROUP_KINDS, wish.kind)),
        rows=tuple(_group_row(visit, one) for one in found.groups),
        pager=_pager(visit, "idp_directory.groups", wish, len(found.groups), found.total),
        empty=_empty(visit, found.connections, "groups") if not found.total and not _is_narrow(wish) else None,
        nothing_found=_nothing(wish, here, "group") if not found.total and _is_narrow(wish) else None,
    )
    return show(visit, "idp_groups.html", page)


@blueprint.get("/people")
def people(slug: str) -> Response:
    """A page of records of people."""
    visit = enter_as_owner(slug)
    wish, here = _wish(), visit.url("idp_directory.people")
    found = list_idp_people(visit.context, visit.slug, wish)
    states: dict[str, str] = {state: status.text for state, status in _STATES.items()}
    page = IdpPeoplePage(
        tabs=_tabs(visit, "People"),
        action=here,
        query=wish.search,
        filters=(_connections(found.connections, wish), _kinds("State", "Everybody", states, wish.kind)),
        rows=tuple(_person_row(visit, one) for one in found.people),
        pager=_pager(visit, "idp_directory.people", wish, len(found.people), found.total),
        empty=_empty(visit, found.connections, "people") if not found.total and not _is_narrow(wish) else None,
        nothing_found=_nothing(wish, here, "person") if not found.total and _is_narrow(wish) else None,
    )
    return show(visit, "idp_people.html", page)


def _wish() -> DirectoryWish:
    return DirectoryWish(typed("q"), asked("connection"), asked("kind"), typed_page())


def _is_narrow(wish: DirectoryWish) -> bool:
    return bool(wish.search or wish.connection_id or wish.kind)


def _tabs(visit: Visit, current: str) -> tuple[Tab, ...]:
    each = count_mapping(visit.context, visit.slug)
    tabs = (("IdP groups", "idp_directory.groups", each.groups), ("People", "idp_directory.people", each.records))
    return tuple(Tab(text, visit.url(endpoint), count, current=text == current) for text, endpoint, count in tabs)


def _connections(every: tuple[tuple[str, str], ...], wish: DirectoryWish) -> Choice:
    return _kinds("Connection", "Every connection", dict(every), wish.connection_id, name="connection")


def _kinds(label: str, none: str, kinds: dict[str, str], chosen: str, *, name: str = "kind") -> Choice:
    each = tuple(Option(value, text, selected=value == chosen) for value, text in kinds.items())
    return Choice(name, label, (Option("", none, selected=chosen not in kinds), *each))


def _pager(visit: Visit, endpoint: str, wish: DirectoryWish, shown: int, total: int, **ids: str) -> Pager:
    where = {"q": wish.search, "connection": wish.connection_id, "kind": wish.kind, **ids}
    return pager(visit, endpoint, where, wish.page, shown, total, size=PAGE_SIZE)


def _nothing(wish: DirectoryWish, here: str, what: str) -> NothingFound:
    title = f"No {what} called “{wish.search}”" if wish.search else f"No {what} like this"
    return NothingFound(title, here, sum(1 for value in (wish.connection_id, wish.kind) if value))


def _empty(visit: Visit, connections: tuple[tuple[str, str], ...], what: str) -> Note:
    if not connections:
        text = "Connect an IdP first. It then pushes people and groups by SCIM, or names groups when somebody signs in."
        return Note("plain", "No IdP is connected yet", text, Link("Connect an IdP", visit.url("connections.index")))
    name = connections[0][1] if len(connections) == 1 else "An IdP"
    verb = "pushes them by SCIM, or names them when somebody signs in"
    return Note("plain", f"No {what} yet", f"They appear here once {name} {verb}.")


def _group_row(visit: Visit, one: IdpGroupSeen) -> IdpGroupRow:
    chip = Chip("idp", one.name, visit.url("idp_directory.show_group", group=one.id))
    return IdpGroupRow(chip, one.connection, _SAID[one.source], one.members, _gives(one))


def _gives(one: IdpGroupSeen) -> Status:
    if not one.rules:
        return Status("off", "in no rule")
    if one.idle:
        return Status("off", "only sees the workspace" if one.source == "pushed" else "gives nothing")
    return Status("ok", counted(one.rules, "rule"))


def _person_row(visit: Visit, one: RecordSeen) -> IdpPersonRow:
    href = visit.url("idp_directory.show_person", record=one.id)
    return IdpPersonRow(one.name, one.user_name, href, one.connection, _STATES[one.state], one.created_at)


# -- One group -------------------------------------------------------------------------------------------------------


@blueprint.get("/groups/<uuid:group>")
def show_group(slug: str, group: UUID) -> Response:
    """Who is in it, which rules take it."""
    visit, wish = enter_as_owner(slug), _wish()
    shown = get_idp_group(visit.context, visit.slug, str(group), wish, visit.now)
    found, here = shown.group, visit.url("idp_directory.show_group", group=str(group))
    page = IdpGroupPage(
        name=found.name,
        says=_group_says(found),
        crumbs=_crumbs(visit),
        links=_group_links(visit, found),
        facts=_group_facts(shown),
        rules=_rules(visit, shown),
        action=here,
        query=wish.search,
        filters=(),
        rows=tuple(_member_row(visit, one, found.connection) for one in shown.members),
        pager=_pager(visit, "idp_directory.show_group", wish, len(shown.members), shown.total, group=found.id),
        asserted=found.source == "asserted",
        note=_group_note(found),
        nothing_found=NothingFound(f"Nobody called “{wish.search}”", here) if wish.search and not shown.total else None,
    )
    return show(visit, "idp_group.html", page)


def _crumbs(visit: Visit, *more: Link) -> tuple[Link, ...]:
    return (Link("Directory", visit.url("idp_directory.groups")), *more)


def _group_says(found: IdpGroupSeen) -> str:
    if found.source == "pushed":
        return f"{found.connection} pushes this group by SCIM and decides who is in it."
    return f"{found.connection} names this group when somebody signs in: it is known of those who did."


def _group_links(visit: Visit, found: IdpGroupSeen) -> tuple[Link, ...]:
    picture = () if found.idle else (Link("In the picture", visit.url("picture.index", follow=f"idp:{found.id}")),)
    picture = (Link("What it gives", visit.url("gives.by_idp_group", group=found.id)), *picture)
    ids = {"connection": found.connection_id, "group": found.id}
    add = Link("Add a rule for it", visit.url("rule_form.new", **ids))
    if found.source == "asserted":
        return (*picture, add)
    return (*picture, add, Link("Link to a User Group…", visit.url("directory.ask_to_link", **ids)))


def _group_facts(shown: GroupInFull) -> tuple[Fact, ...]:
    found = shown.group
    external = (Fact(f"Id in {found.connection}", found.external_id),) if found.external_id else ()
    return (
        Fact("In it", counted(found.members, "person", "people")),
        Fact("Of these count here", counted(shown.counting, "person", "people")),
        *external,
        Fact("First seen", at=found.created_at),
        Fact("Last changed", at=found.changed_at),
    )


def _group_note(found: IdpGroupSeen) -> Note | None:
    if found.source == "pushed":
        return None
    text = (
        "Each sign-in replaces what the last one said, and counts for some days: whoever doesn’t sign in again by then "
        "is out. For people whom the IdP also pushes, a pushed group of the same name decides alone."
    )
    return Note("info", "Named at sign-ins, not pushed", text)


def _rules(visit: Visit, shown: GroupInFull) -> tuple[TakingRule, ...]:
    inventory = load_inventory(visit)
    return tuple(
        TakingRule(sentence_of(visit, one, shown.group.name, inventory), _rule_href(visit, one)) for one in shown.rules
    )


def _rule_href(visit: Visit, rule: MappingFacts) -> str | None:
    return None if rule.origin == "mirror" else visit.url("mapping.show_one", rule=rule.id)


def _member_row(visit: Visit, one: GroupMemberSeen, connection: str) -> IdpPersonRow:
    href = visit.url("idp_directory.show_person", record=one.record_id)
    return IdpPersonRow(one.name, one.user_name, href, connection, _STATES[one.state], one.since, one.until)


# -- One person ------------------------------------------------------------------------------------------------------


@blueprint.get("/people/<uuid:record>")
def show_person(slug: str, record: UUID) -> Response:
    """What the IdP says of somebody, word for word, and the groups they are in."""
    visit = enter_as_owner(slug)
    shown = get_record(visit.context, visit.slug, str(record))
    found = shown.record
    groups = tuple(
        InIdpGroupRow(
            Chip("idp", one.name, visit.url("idp_directory.show_group", group=one.id)), _SAID[one.source], one.since
        )
        for one in shown.groups
    )
    page = IdpPersonPage(
        name=found.name,
        says=f"The record that {found.connection} keeps of this person here. Only {found.connection} changes it.",
        crumbs=_crumbs(visit, Link("People", visit.url("idp_directory.people"))),
        state=_STATES[found.state],
        facts=_person_facts(found),
        groups=groups,
        document=json.dumps(shown.document, indent=2, ensure_ascii=False) if shown.document else "",
        person_href=visit.url("person.access", member=found.member_id) if found.member_id else None,
        note=_person_note(visit, found),
    )
    return show(visit, "idp_person.html", page)


def _person_facts(found: RecordSeen) -> tuple[Fact, ...]:
    external = (Fact(f"Id in {found.connection}", found.external_id),) if found.external_id else ()
    until = (Fact("Groups named at sign-ins count until", at=found.asserted_until),) if found.asserted_until else ()
    return (
        Fact("User name", found.user_name),
        Fact("Email", found.email or "none"),
        *external,
        Fact("First seen", at=found.created_at),
        Fact("Last changed", at=found.changed_at),
        *until,
    )


def _person_note(visit: Visit, found: RecordSeen) -> Note | None:
    if found.state == "no_account":
        waiting = Link("Why, and what to do", visit.url("directory.waiting", connection=found.connection_id))
        return Note("warn", "This record has no account", "Nobody signs in by it, and it gives nothing.", waiting)
    if found.state == "suspended":
        text = f"The person is out of the workspace until {found.connection} says that they are active."
        return Note("warn", f"{found.connection} has suspended them", text)
    return None
