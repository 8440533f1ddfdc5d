"""`/w/<slug>/user-groups`: User Groups, who decides who is in each, their members and their roles."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError
from bridge.domain.members import Decider, GivenGrant, UserGroup, UserGroupMember
from bridge.domain.roles import OWNER
from bridge.domain.sentences import counted, listed, reach_lines, shorten
from bridge.flows import user_groups
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.members import get_person
from bridge.web.pages.forms import error_at, error_note, load_inventory, typed, typed_lines, typed_page
from bridge.web.pages.frame import Visit, access_tabs, counts, crumbs, enter_as_owner, pager, show
from bridge.web.pages.given_roles import Holder, add_views, grant_rows
from bridge.web.pages.paths import Givers, decider_path
from bridge.web.pages.views import (
    Chip,
    ConfirmPage,
    Consequence,
    Deciders,
    Field,
    Link,
    MemberRow,
    NothingFound,
    Reach,
    Status,
    Tab,
    UserGroupFormPage,
    UserGroupPage,
    UserGroupRow,
    UserGroupsPage,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("user_groups", __name__, url_prefix="/w/<slug>/user-groups")

_FIRST_MEMBERS = 5
_MOST_ROLES_NAMED = 4
TabName = Literal["roles", "members"]


def _visit(slug: str, group: UUID) -> tuple[Visit, UserGroup]:
    """The owner's visit and the User Group. Raises Forbidden, NotFound."""
    visit = enter_as_owner(slug)
    return visit, user_groups.get_user_group(visit.context, visit.slug, str(group), visit.now)


def _href(visit: Visit, group: UserGroup, page: str = "show_roles") -> str:
    return visit.url(f"user_groups.{page}", group=group.id)


def _crumbs(visit: Visit, group: UserGroup | None = None) -> tuple[Link, ...]:
    own = (Link(group.name, _href(visit, group)),) if group else ()
    return crumbs(visit, Link("User Groups", visit.url("user_groups.index")), *own)


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
        new_href=visit.url("user_groups.new"),
        none_yet=counts(visit).user_groups == 0,
        nothing_found=None if found.groups else _nothing(visit, search),
    )
    return show(visit, "user_groups.html", page)


def _row(visit: Visit, group: UserGroup) -> UserGroupRow:
    gives = [one.given for one in group.grants]
    idp_groups = dict.fromkeys(one.idp_group for one in group.deciders if one.enabled and one.idp_group)
    return UserGroupRow(
        name=group.name,
        href=_href(visit, group),
        members=group.member_count,
        gives=shorten(gives, most=_MOST_ROLES_NAMED) if gives else "nothing yet",
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
    visit, found = _visit(slug, group)
    inventory = load_inventory(visit)
    gives = [one.given for one in found.grants]
    edit, read = reach_lines(gives, inventory)
    whole = (Reach("Everything", "in this workspace"),) if any(one.role is OWNER for one in gives) else ()
    first = user_groups.list_members(visit.context, visit.slug, found.id, visit.now).members[:_FIRST_MEMBERS]
    page = replace(
        _page(visit, found, "roles"),
        may_edit=(*whole, *(Reach(line.what, line.which) for line in edit)),
        may_read=tuple(Reach(line.what, line.which) for line in read),
        grants=grant_rows(visit, _holder(visit, found), inventory),
        first_members=tuple(_member_row(visit, found, one) for one in first),
        members_href=_href(visit, found, "members"),
    )
    return show(visit, "user_group.html", page)


@blueprint.get("/<uuid:group>/members")
def members(slug: str, group: UUID) -> Response:
    """A page of its members, each with how they came in."""
    return _show_members(*_visit(slug, group))


@blueprint.post("/<uuid:group>/members")
def add(slug: str, group: UUID) -> Response:
    """Put a member in by hand."""
    visit, found = _visit(slug, group)
    try:
        user_groups.add_members(visit.context, visit.actor, visit.slug, found.id, typed_lines("email"), visit.now)
    except DomainError as error:
        return _show_members(visit, found, error)
    return go(_href(visit, found, "members"))


def _show_members(visit: Visit, group: UserGroup, error: DomainError | None = None) -> Response:
    search, number = "" if error else typed("q"), typed_page()
    found = user_groups.list_members(visit.context, visit.slug, group.id, visit.now, search=search, page=number)
    rows = tuple(_member_row(visit, group, one) for one in found.members)
    where = {"group": group.id, "q": search}
    email = Field("email", "Add a member by email", typed("email"), kind="email", error=error.text if error else None)
    page = replace(
        _page(visit, group, "members"),
        action=_href(visit, group, "members"),
        query=search,
        rows=rows,
        pager=pager(visit, "user_groups.members", where, number, len(rows), found.total),
        nothing_found=None if rows else NothingFound(f"No member called “{search}”", _href(visit, group, "members")),
        add=None if group.mirror else email,
        add_action=_href(visit, group, "add"),
    )
    return show(visit, "user_group.html", page, status=status_of(error) if error else 200)


def _page(visit: Visit, group: UserGroup, tab: TabName) -> UserGroupPage:
    return UserGroupPage(
        name=group.name,
        members=group.member_count,
        summary=_summary(group),
        crumbs=_crumbs(visit),
        tabs=(
            Tab("Roles", _href(visit, group), len(group.grants), current=tab == "roles"),
            Tab("Members", _href(visit, group, "members"), group.member_count, current=tab == "members"),
        ),
        tab=tab,
        deciders=_deciders(visit, group),
        give_href=_href(visit, group, "new_role"),
        rename_href=None if group.mirror else _href(visit, group, "ask_to_rename"),
        delete_href=None if group.mirror else _href(visit, group, "ask_to_delete"),
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
        remove_href=visit.url("user_groups.ask_to_remove", group=group.id, member=member.id) if by_hand else None,
        locked=None if by_hand else f"set in {idp}",
    )


# -- Members taken out -------------------------------------------------------------------------------


@blueprint.get("/<uuid:group>/members/<uuid:member>/remove")
def ask_to_remove(slug: str, group: UUID, member: UUID) -> Response:
    """What taking somebody out does."""
    visit, found = _visit(slug, group)
    return _ask_to_remove(visit, found, str(member))


@blueprint.post("/<uuid:group>/members/<uuid:member>/remove")
def remove(slug: str, group: UUID, member: UUID) -> Response:
    """Take out somebody who was put in by hand."""
    visit, found = _visit(slug, group)
    person = get_person(visit.context, visit.slug, str(member), visit.now).member
    try:
        user_groups.remove_members(visit.context, visit.actor, visit.slug, found.id, [person.email], visit.now)
    except DomainError as error:
        return _ask_to_remove(visit, found, str(member), error)
    return go(_href(visit, found, "members"))


def _ask_to_remove(visit: Visit, group: UserGroup, member_id: str, error: DomainError | None = None) -> Response:
    details = get_person(visit.context, visit.slug, member_id, visit.now)
    name = details.member.name
    by_rule = next((one.idp_groups for one in details.user_groups if one.id == group.id), ())
    if by_rule:
        what = Consequence("keep", f"{name} stays in by the IdP group {listed(by_rule)}, and loses nothing")
    else:
        roles = listed([one.given.role.name for one in group.grants]) or "nothing"
        what = Consequence("lose", f"{name} loses what this User Group gives, where no other path does: {roles}")
    page = ConfirmPage(
        title=f"Take {name} out of {group.name}?",
        crumbs=_crumbs(visit, group),
        action=visit.url("user_groups.remove", group=group.id, member=member_id),
        button=f"Take {name} out",
        consequences=(what, Consequence("remember", "You can put them in again at any time")),
        cancel_href=_href(visit, group, "members"),
        keep=f"Keep {name} in",
    )
    note = error_note(error)
    return show(visit, "confirm.html", page, status=status_of(error) if error else 200, notices=(note,) if note else ())


# -- Made, renamed, deleted --------------------------------------------------------------------------


@blueprint.get("/new")
def new(slug: str) -> Response:
    """Ask for a name, and perhaps first members."""
    return _form(enter_as_owner(slug))


@blueprint.post("/new")
def create(slug: str) -> Response:
    """Make it; then give it roles."""
    visit = enter_as_owner(slug)
    try:
        made = user_groups.create_user_group(
            visit.context, visit.actor, visit.slug, typed("name"), visit.now, emails=typed_lines("members")
        )
    except DomainError as error:
        return _form(visit, error)
    return go(_href(visit, made))


def _form(visit: Visit, error: DomainError | None = None) -> Response:
    about_members = getattr(error, "field", None) == "members"
    page = UserGroupFormPage(
        title="Create a User Group",
        text="Everyone in it gets the roles that you give it on the next page.",
        crumbs=_crumbs(visit),
        action=visit.url("user_groups.create"),
        cancel_href=visit.url("user_groups.index"),
        name=Field("name", "Name", typed("name"), error=error.text if error and not about_members else None),
        members=Field(
            "members",
            "First members",
            "\n".join(typed_lines("members")),
            kind="textarea",
            required=False,
            help="Emails of people in this workspace, one a line.",
            error=error_at(error, "members"),
        ),
    )
    return show(visit, "user_group_new.html", page, status=status_of(error) if error else 200)


@blueprint.get("/<uuid:group>/rename")
def ask_to_rename(slug: str, group: UUID) -> Response:
    """Ask for the new name."""
    visit, found = _visit(slug, group)
    return _rename_form(visit, found, found.name)


@blueprint.post("/<uuid:group>/rename")
def rename(slug: str, group: UUID) -> Response:
    """Give it another name."""
    visit, found = _visit(slug, group)
    try:
        user_groups.rename_user_group(visit.context, visit.actor, visit.slug, found.id, typed("name"), visit.now)
    except DomainError as error:
        return _rename_form(visit, found, typed("name"), error)
    return go(_href(visit, found))


def _rename_form(visit: Visit, group: UserGroup, name: str, error: DomainError | None = None) -> Response:
    page = UserGroupFormPage(
        title=f"Rename {group.name}",
        text="Nobody’s access changes.",
        crumbs=_crumbs(visit, group),
        action=_href(visit, group, "rename"),
        cancel_href=_href(visit, group),
        name=Field("name", "Name", name, error=error.text if error else None),
        button="Rename",
    )
    return show(visit, "user_group_new.html", page, status=status_of(error) if error else 200)


@blueprint.get("/<uuid:group>/delete")
def ask_to_delete(slug: str, group: UUID) -> Response:
    """What goes with it."""
    visit, found = _visit(slug, group)
    loss = user_groups.preview_delete(visit.context, visit.slug, found.id, visit.now)
    page = ConfirmPage(
        title=f"Delete {found.name}?",
        crumbs=_crumbs(visit, found),
        action=_href(visit, found, "delete"),
        button=f"Delete: {counted(loss.members, 'member loses', 'members lose')} what it gives",
        consequences=_loss(loss),
        cancel_href=_href(visit, found),
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/<uuid:group>/delete")
def delete(slug: str, group: UUID) -> Response:
    """Delete it."""
    visit, found = _visit(slug, group)
    user_groups.delete_user_group(visit.context, visit.actor, visit.slug, found.id, visit.now)
    return go(visit.url("user_groups.index"))


def _loss(loss: user_groups.Loss) -> tuple[Consequence, ...]:
    found = []
    if loss.grants:
        roles = shorten([one.given for one in loss.grants], most=_MOST_ROLES_NAMED)
        people = counted(loss.members, "person loses", "people lose")
        found.append(Consequence("lose", f"{people} at once, where no other path gives it: {roles}"))
    if loss.rules:
        gone = counted(loss.rules, "rule that gave nothing else goes", "rules that gave nothing else go")
        found.append(Consequence("lose", f"{gone} with it"))
    found.append(Consequence("keep", "Nobody leaves the workspace"))
    return tuple(found)


# -- Its roles ---------------------------------------------------------------------------------------


@blueprint.get("/<uuid:group>/roles")
def grants(slug: str, group: UUID) -> Response:
    """Its roles are on its first page."""
    visit, found = _visit(slug, group)
    return go(_href(visit, found))


def _find_holder(slug: str, group: UUID) -> tuple[Visit, Holder]:
    visit, found = _visit(slug, group)
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
        crumbs=_crumbs(visit, group),
        grants=group.grants,
        givers=Givers(names),
        give=give,
        loses=loses,
    )
