"""`/w/<slug>/user-groups`: User Groups, who decides who is in each, their members and their roles. What
makes, renames and deletes them, and takes members out, is in `user_group_changes`.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError
from bridge.domain.members import Decider, GivenGrant, UserGroup, UserGroupMember
from bridge.domain.roles import OWNER, in_plan
from bridge.domain.sentences import counted, listed, reach_lines, shorten
from bridge.flows import user_groups
from bridge.flows.give_roles import give_to_user_group
from bridge.web.pages.forms import load_inventory, typed, typed_lines, typed_page
from bridge.web.pages.frame import Visit, access_tabs, counts, enter_as_owner, pager, show
from bridge.web.pages.given_roles import Holder, add_views, grant_rows
from bridge.web.pages.paths import Givers, decider_path
from bridge.web.pages.user_group_parts import MOST_ROLES_NAMED, crumbs_to, enter_group, href
from bridge.web.pages.views import (
    Chip,
    Consequence,
    Deciders,
    Field,
    MemberRow,
    NothingFound,
    Reach,
    Status,
    Tab,
    UserGroupPage,
    UserGroupRow,
    UserGroupsPage,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("user_groups", __name__, url_prefix="/w/<slug>/user-groups")

_FIRST_MEMBERS = 5
TabName = Literal["roles", "members"]


# -- All of them -------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """A page of User Groups with what each gives and who decides its members."""
    visit, search, number = enter_as_owner(slug), typed("q"), typed_page()
    found = user_groups.list_user_groups(visit.context, visit.slug, visit.now, search=search, page=number)
    page = UserGroupsPage(
        tabs=access_tabs(visit, "User Groups"),
        action=visit.url("user_groups.index"),
        query=search,
        filters=(),
        rows=tuple(_row(visit, one) for one in found.groups),
        pager=pager(visit, "user_groups.index", {"q": search}, number, len(found.groups), found.total),
        new_href=visit.url("user_group_changes.new"),
        none_yet=counts(visit).user_groups == 0,
        nothing_found=None if found.groups else _nothing(visit, search),
    )
    return show(visit, "user_groups.html", page)


def _row(visit: Visit, group: UserGroup) -> UserGroupRow:
    gives = [one.given for one in group.grants]
    idp_groups = dict.fromkeys(one.idp_group for one in group.deciders if one.enabled and one.idp_group)
    return UserGroupRow(
        name=group.name,
        href=href(visit, group),
        members=group.member_count,
        gives=shorten(gives, most=MOST_ROLES_NAMED) if gives else "nothing yet",
        decided_by=tuple(Chip("idp", name) for name in idp_groups),
        by_hand=bool(group.by_hand) or not group.deciders,
        status=Status("warn", "Its IdP group is gone") if group.orphan_of else None,
    )


def _nothing(visit: Visit, search: str) -> NothingFound:
    return NothingFound(f"No User Group called “{search}”", visit.url("user_groups.index"))


# -- One: its roles, its members ---------------------------------------------------------------------


@blueprint.get("/<uuid:group>")
def show_roles(slug: str, group: UUID) -> Response:
    """What membership gives."""
    visit, found = enter_group(slug, group)
    inventory = load_inventory(visit)
    gives = [one.given for one in found.grants if in_plan(one.given.role, visit.workspace.plan)]
    edit, read = reach_lines(gives, inventory)
    whole = (Reach("Everything", "in this workspace"),) if any(one.role is OWNER for one in gives) else ()
    first = user_groups.list_members(visit.context, visit.slug, found.id, visit.now).members[:_FIRST_MEMBERS]
    page = replace(
        _page(visit, found, "roles"),
        may_edit=(*whole, *(Reach(line.what, line.which) for line in edit)),
        may_read=tuple(Reach(line.what, line.which) for line in read),
        grants=grant_rows(visit, _holder(visit, found), inventory),
        first_members=tuple(_member_row(visit, found, one) for one in first),
        members_href=href(visit, found, "user_groups.members"),
    )
    return show(visit, "user_group.html", page)


@blueprint.get("/<uuid:group>/members")
def members(slug: str, group: UUID) -> Response:
    """A page of its members, each with how they came in."""
    return _show_members(*enter_group(slug, group))


@blueprint.post("/<uuid:group>/members")
def add(slug: str, group: UUID) -> Response:
    """Put a member in by hand."""
    visit, found = enter_group(slug, group)
    try:
        user_groups.add_members(visit.context, visit.actor, visit.slug, found.id, typed_lines("email"), visit.now)
    except DomainError as error:
        return _show_members(visit, found, error)
    return go(href(visit, found, "user_groups.members"))


def _show_members(visit: Visit, group: UserGroup, error: DomainError | None = None) -> Response:
    search, number = "" if error else typed("q"), typed_page()
    found = user_groups.list_members(visit.context, visit.slug, group.id, visit.now, search=search, page=number)
    rows = tuple(_member_row(visit, group, one) for one in found.members)
    where = {"group": group.id, "q": search}
    email = Field("email", "Add a member by email", typed("email"), kind="email", error=error.text if error else None)
    page = replace(
        _page(visit, group, "members"),
        action=href(visit, group, "user_groups.members"),
        query=search,
        rows=rows,
        pager=pager(visit, "user_groups.members", where, number, len(rows), found.total),
        nothing_found=None
        if rows
        else NothingFound(f"No member called “{search}”", href(visit, group, "user_groups.members")),
        add=None if group.mirror else email,
        add_action=href(visit, group, "user_groups.add"),
    )
    return show(visit, "user_group.html", page, status=status_of(error) if error else 200)


def _page(visit: Visit, group: UserGroup, tab: TabName) -> UserGroupPage:
    return UserGroupPage(
        name=group.name,
        members=group.member_count,
        summary=_summary(group),
        crumbs=crumbs_to(visit),
        tabs=(
            Tab("Roles", href(visit, group), len(group.grants), current=tab == "roles"),
            Tab("Members", href(visit, group, "user_groups.members"), group.member_count, current=tab == "members"),
        ),
        tab=tab,
        deciders=_deciders(visit, group),
        give_href=href(visit, group, "user_groups.new_role"),
        rename_href=None if group.mirror else href(visit, group, "user_group_changes.ask_to_rename"),
        delete_href=None if group.mirror else href(visit, group, "user_group_changes.ask_to_delete"),
        delete_locked=f"{_idps(group)} pushes this group: delete it there." if group.mirror else None,
    )


# -- Who decides who is in ---------------------------------------------------------------------------


def _standing_deciders(group: UserGroup) -> list[Decider]:
    return [one for one in group.deciders if one.enabled]


def _idps(group: UserGroup) -> str:
    return listed(_names_of_idps(group.deciders)) or "Its IdP"


def _names_of_idps(deciders: Iterable[Decider]) -> list[str]:
    return list(dict.fromkeys(one.connection for one in deciders))


def _their_groups(deciders: Iterable[Decider]) -> str:
    """`the Okta group eng-mobile`, `the Okta groups eng-mobile and eng-web`, `the IdP groups ...` of several IdPs."""
    idps, names = _names_of_idps(deciders), list(dict.fromkeys(one.idp_group or one.value for one in deciders))
    return f"the {idps[0] if len(idps) == 1 else 'IdP'} {'group' if len(names) == 1 else 'groups'} {listed(names)}"


def _summary(group: UserGroup) -> str:
    if group.orphan_of:
        return "It stays because roles were given to it by hand."
    if group.mirror:
        return f"Roles are set here; who is a member is set in {_idps(group)}."
    return (
        "Roles and members are set here." if not group.deciders else "Roles are set here; members by rules and by hand."
    )


def _deciders(visit: Visit, group: UserGroup) -> Deciders:
    deciders = _standing_deciders(group)
    paths = tuple(decider_path(visit, one, group.name) for one in deciders)
    if group.orphan_of:
        text = f"{group.orphan_of} was deleted in the IdP, and its people left with it."
        advice = "Give the User Group other members, or delete it."
        return Deciders("warn", "Its IdP group is gone", f"{text} {advice}", paths)
    if not deciders:
        text = "No IdP changes it: people stay until somebody removes them here."
        return Deciders("plain", "You decide who is in this User Group", text)
    idps, theirs = _names_of_idps(deciders), _their_groups(deciders)
    if group.mirror:
        text = f"Its members are the people of {theirs}. To add or remove somebody, change it in {listed(idps)}."
        return Deciders("idp", f"{listed(idps)} decides who is in this User Group", text, paths)
    if not group.by_hand:
        text = f"The people of {theirs} come in by a rule. You can put in others by hand."
        bring = "brings" if len(idps) == 1 else "bring"
        return Deciders("info", f"{listed(idps)} {bring} people into this User Group", text, paths)
    by_hand = counted(group.by_hand, "member was", "members were")
    text = f"The people of {theirs} come in by a rule; {by_hand} put in by hand."
    return Deciders("info", f"{listed([*idps, 'you'])} decide who is in this User Group", text, paths)


def _member_row(visit: Visit, group: UserGroup, member: UserGroupMember) -> MemberRow:
    connections = {one.idp_group: one.connection for one in group.deciders}
    idp = listed(list(dict.fromkeys(connections.get(name, "the IdP") for name in member.idp_groups)))
    names = listed(member.idp_groups)
    by_hand = member.by_hand_since is not None
    by_both = f"{names}, and by hand" if by_hand else names
    return MemberRow(
        name=member.name,
        email=member.email,
        href=visit.url("person.access", member=member.id),
        by=Chip("idp", by_both) if member.idp_groups else Chip("hand", "by hand"),
        since=member.by_hand_since,
        remove_href=visit.url("user_group_changes.ask_to_remove", group=group.id, member=member.id)
        if by_hand
        else None,
        locked=None if by_hand else f"set in {idp}",
    )


# -- Its roles ---------------------------------------------------------------------------------------


@blueprint.get("/<uuid:group>/roles")
def grants(slug: str, group: UUID) -> Response:
    """Its roles are on its first page."""
    visit, found = enter_group(slug, group)
    return go(href(visit, found))


def _find_holder(slug: str, group: UUID) -> tuple[Visit, Holder]:
    visit, found = enter_group(slug, group)
    return visit, _holder(visit, found)


add_views(blueprint, "/<uuid:group>/roles", _find_holder)


def _holder(visit: Visit, group: UserGroup) -> Holder:
    def give(given: RoleInScope) -> object:
        return give_to_user_group(visit.context, visit.actor, visit.slug, group.id, given, visit.now)

    def loses(_: GivenGrant, sentence: str) -> tuple[Consequence, ...]:
        people = counted(group.member_count, "member loses", "members lose")
        return (Consequence("lose", f"{people} this, where no other path gives it: {sentence}"),)

    names = {f"connection:{one.connection_id}": one.connection for one in group.deciders}
    return Holder(
        name=group.name,
        pages="user_groups",
        ids={"group": group.id},
        crumbs=crumbs_to(visit, group),
        grants=group.grants,
        givers=Givers(names),
        give=give,
        loses=loses,
    )
