"""`/w/<slug>/users/<membership>`: one person. What they may do, with every path; their roles by hand; their User
Groups; when it changed (`person_history`); *why can't …?* (`person_why`). Removing them, and letting them in again, is
in `person_leaving`.

Owners see everybody, others themselves.
"""

from dataclasses import replace
from functools import partial
from typing import Literal
from uuid import UUID

from flask import Blueprint, Response, render_template

from bridge.domain.members import GivenGrant, InUserGroup, Member, PersonDetails
from bridge.domain.sentences import Inventory, count_reaching, counted, listed, without_minimal
from bridge.flows.explain import left_out_by_plan
from bridge.flows.give_roles import give_to_member
from bridge.flows.own_connections import list_connections
from bridge.web.pages.forms import load_inventory
from bridge.web.pages.frame import Visit, is_fragment, show
from bridge.web.pages.given_roles import Holder, add_views, grant_rows
from bridge.web.pages.paths import givers_of, grants_by_hand, permission_lines
from bridge.web.pages.person_history import history as changes_of
from bridge.web.pages.person_parts import change, crumbs_to, href, look
from bridge.web.pages.person_why import visible, why_panel
from bridge.web.pages.standing import held_by, standing
from bridge.web.pages.views import (
    Chip,
    Consequence,
    Fact,
    InGroupRow,
    Link,
    Note,
    PermissionLine,
    PersonPage,
    Tab,
)

blueprint = Blueprint("person", __name__, url_prefix="/w/<slug>/users/<uuid:member>")

TabName = Literal["access", "grants", "groups", "history"]


# -- What they may do, and why -----------------------------------------------------------------------


@blueprint.get("")
def access(slug: str, member: UUID) -> Response:
    """Each permission as a sentence, and every path that gives it."""
    visit, details = look(slug, member)
    return _show_access(visit, details)


@blueprint.get("/why")
def why(slug: str, member: UUID) -> Response:
    """Whether they may read, edit or create something; by what, or what would give it."""
    visit, details = look(slug, member)
    if not is_fragment():
        return _show_access(visit, details)
    panel = why_panel(visit, details.member, visible(visit, details, load_inventory(visit)))
    return Response(render_template("why.html", page=panel, short_name=details.member.name, now=visit.now))


def _show_access(visit: Visit, details: PersonDetails) -> Response:
    inventory = load_inventory(visit)
    lines = permission_lines(visit, without_minimal(details.member.permissions), inventory, givers_of(details))
    permissions, paths = count_reaching(details.member.permissions)
    by = counted(paths, "path")
    page = replace(
        _page(visit, details, "access"),
        permissions=lines,
        nothing=_nothing(details.member),
        totals=f"{counted(permissions, 'permission')} by {by}.{' Each path alone is enough.' if paths > 1 else ''}",
        not_in_plan=_not_in_plan(visit, details, inventory),
        why=why_panel(visit, details.member, visible(visit, details, inventory)),
    )
    return show(visit, "person.html", page)


def _not_in_plan(visit: Visit, details: PersonDetails, inventory: Inventory) -> tuple[PermissionLine, ...]:
    if details.member.status != "active":
        return ()
    found = left_out_by_plan(visit.context, visit.slug, details.member.email, visit.now)
    return permission_lines(visit, without_minimal(found), inventory, givers_of(details))


def _nothing(member: Member) -> tuple[str, str] | None:
    if member.status == "active":
        return None
    if member.status == "removed":
        return "May do nothing here", f"{member.name} was removed from this workspace."
    return "May do nothing at the moment", f"{listed(held_by(member))} holds {member.name} out."


def _page(visit: Visit, details: PersonDetails, tab: TabName) -> PersonPage:
    member = details.member
    page = PersonPage(
        name=member.name,
        short_name=member.name,
        email=member.email,
        crumbs=crumbs_to(visit),
        member_since=member.member_since,
        status=standing(member),
        tabs=_tabs(visit, details, tab),
        tab=tab,
        facts=_facts(details),
        notes=_notes(visit, details),
    )
    if not visit.is_owner:
        return replace(page, ask_href=visit.url("access_requests.new") if visit.is_self(member.id) else None)
    if member.status == "removed":
        return page
    page = replace(page, give_href=href(visit, member, "person.new_role"))
    if not details.is_last_owner:
        return replace(page, remove_href=href(visit, member, "person_leaving.ask_to_remove"))
    locked = f"{member.name} is {_last_owner(visit)}. Make somebody else an owner by hand first."
    return replace(page, remove_locked=locked)


def _last_owner(visit: Visit) -> str:
    """What somebody is who can't go: owners by rule may be there, but come in only by their IdP."""
    idps = listed([one.name for one in list_connections(visit.context, visit.slug)], last="or")
    return "the last owner who can sign in" + (f" without {idps}" if idps else "")


def _tabs(visit: Visit, details: PersonDetails, current: TabName) -> tuple[Tab, ...]:
    counts = {"grants": len(grants_by_hand(details)), "groups": len(details.user_groups)}
    names: dict[TabName, str] = {"access": "Access", "grants": "Roles by hand", "groups": "User Groups"}
    names |= {"history": "History"}
    return tuple(
        Tab(text, href(visit, details.member, f"person.{name}"), counts.get(name), current=name == current)
        for name, text in names.items()
    )


def _facts(details: PersonDetails) -> tuple[Fact, ...]:
    member = details.member
    known = [
        Fact("Known to", f"{one.connection}, {'pushed' if one.pushed else 'by a sign-in'}") for one in member.records
    ]
    last = Fact("Last sign-in", at=member.last_sign_in) if member.last_sign_in else Fact("Last sign-in", "never")
    made = [Fact("Made the tokens", listed(details.tokens))] if details.tokens else []
    return (last, *known, *made)


def _notes(visit: Visit, details: PersonDetails) -> tuple[Note, ...]:
    member, notes = details.member, []
    if visit.is_owner and visit.is_self(member.id):
        notes.append(Note("info", "This is you", "What you take from yourself here, only another owner can give back."))
    if member.status == "suspended":
        notes.append(_held_out(visit, member))
    if member.status == "removed":
        way = Link("Let in again", href(visit, member, "person_leaving.ask_to_restore")) if visit.is_owner else None
        notes.append(
            Note("warn", f"{member.name} was removed here", "No IdP brings anybody back whom an owner removed.", way)
        )
    if member.status == "active" and not member.accepted:
        text = "It isn’t known yet that the account behind this address is theirs. An invitation settles it."
        notes.append(Note("info", f"{member.name} comes in only by single sign-on", text))
    return tuple(notes)


def _held_out(visit: Visit, member: Member) -> Note:
    idp = listed(held_by(member)) or "An IdP"
    text = f"Nothing works until {idp} activates the account again; roles given by hand then come back."
    way = Link("Let in now", href(visit, member, "person_leaving.ask_to_lift")) if visit.is_owner else None
    return Note("warn", f"{idp} has deactivated {member.name}", text, way)


# -- Their User Groups -------------------------------------------------------------------------------


@blueprint.get("/groups")
def groups(slug: str, member: UUID) -> Response:
    """The User Groups they are in, and how they came in."""
    visit, details = look(slug, member)
    rows = tuple(_group_row(visit, details.member, one) for one in details.user_groups)
    return show(visit, "person.html", replace(_page(visit, details, "groups"), groups=rows))


def _group_row(visit: Visit, member: Member, one: InUserGroup) -> InGroupRow:
    by_hand = (Chip("hand", "by hand"),) if one.by_hand else ()
    row = InGroupRow(one.name, None, (*(Chip("idp", name) for name in one.idp_groups), *by_hand))
    if not visit.is_owner:
        return row
    leave = visit.url("user_group_changes.ask_to_remove", group=one.id, member=member.id) if one.by_hand else None
    return replace(row, href=visit.url("user_groups.show_roles", group=one.id), leave_href=leave)


# -- Their history -----------------------------------------------------------------------------------


@blueprint.get("/history")
def history(slug: str, member: UUID) -> Response:
    """When what they may do has changed, what they gained and lost, and by whom."""
    visit, details = look(slug, member)
    inventory = visible(visit, details, load_inventory(visit))
    page = replace(_page(visit, details, "history"), history=changes_of(visit, details.member, inventory))
    return show(visit, "person.html", page)


# -- Their roles by hand -----------------------------------------------------------------------------


@blueprint.get("/roles")
def grants(slug: str, member: UUID) -> Response:
    """The roles given to this very person."""
    visit, details = look(slug, member)
    rows = grant_rows(visit, _holder(visit, details), load_inventory(visit))
    return show(visit, "person.html", replace(_page(visit, details, "grants"), grants=rows))


def _find_holder(slug: str, member: UUID) -> tuple[Visit, Holder]:
    visit, details = change(slug, member)
    return visit, _holder(visit, details)


add_views(blueprint, "/roles", _find_holder)


def _holder(visit: Visit, details: PersonDetails) -> Holder:
    member = details.member
    return Holder(
        name=member.name,
        pages="person",
        ids={"member": member.id},
        crumbs=crumbs_to(visit, member),
        grants=grants_by_hand(details),
        givers=givers_of(details),
        give=lambda given: give_to_member(visit.context, visit.actor, visit.slug, member.id, given, visit.now),
        loses=partial(_losing, details),
        owner_locked=_last_owner(visit) if details.is_last_owner else None,
    )


def _losing(details: PersonDetails, one: GivenGrant, sentence: str) -> tuple[Consequence, ...]:
    """What taking one grant does: the same role in the same scope may come by other paths as well."""
    name = details.member.name
    others = [
        path
        for held in details.member.permissions
        if (held.role, held.scope) == (one.given.role, one.given.scope)
        for path in held.because
        if path.grant_id != one.id
    ]
    if others:
        still = f"{name} keeps it by {counted(len(others), 'other path')}: {sentence}"
        return (Consequence("keep", still),)
    lost = f"{name} can’t do this any more, where no other role reaches: {sentence}"
    return (Consequence("lose", lost), Consequence("remember", "The audit trail keeps who gave and who took it"))
