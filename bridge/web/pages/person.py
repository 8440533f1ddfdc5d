"""`/w/<slug>/users/<membership>`: one person. What they may do, with every path; their roles by hand; their User
Groups; *why can't …?*; removing them, and letting them in again.

Owners see everybody, others themselves.
"""

from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Literal
from uuid import UUID

from flask import Blueprint, Response, render_template

from bridge.domain.access import Permission, RoleInScope
from bridge.domain.errors import DomainError, Forbidden
from bridge.domain.members import GivenGrant, InUserGroup, Member, PersonDetails
from bridge.domain.people import fold
from bridge.domain.resources import Resource
from bridge.domain.roles import RESOURCE_TYPES
from bridge.domain.sentences import Inventory, count_reaching, counted, describe_permission, listed, without_minimal
from bridge.flows.connect import list_connections
from bridge.flows.explain import Answer, Question, WayToGet, check, what_would_give
from bridge.flows.give_roles import give_to_member
from bridge.flows.members import get_person, lift_hold, remove_member, restore_member
from bridge.web.pages import views
from bridge.web.pages.forms import error_note, load_inventory, typed
from bridge.web.pages.frame import Visit, ask_owners, crumbs, enter, is_fragment, show
from bridge.web.pages.given_roles import Holder, add_views, grant_rows
from bridge.web.pages.paths import givers_of, grants_by_hand, permission_lines
from bridge.web.pages.standing import held_by, pushed_by, standing
from bridge.web.pages.views import (
    Chip,
    Choice,
    ConfirmPage,
    Consequence,
    Fact,
    Field,
    InGroupRow,
    Link,
    Note,
    Option,
    PersonPage,
    RemovePersonPage,
    Tab,
    WhyAnswer,
    WhyPanel,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("person", __name__, url_prefix="/w/<slug>/users/<uuid:member>")

_ACTIONS = ("read", "edit", "create")
_MOST_SUGGESTED = 200
TabName = Literal["access", "grants", "groups"]


# -- Who may look ------------------------------------------------------------------------------------


def _look(slug: str, member: UUID) -> tuple[Visit, PersonDetails]:
    """The visit and the person: anybody for an owner, oneself for others. Raises Forbidden, NotFound."""
    visit = enter(slug)
    if not visit.is_owner and not visit.is_self(str(member)):
        raise Forbidden(f"Only Workspace Owners see what others may do. {ask_owners(visit)}")
    return visit, get_person(visit.context, visit.slug, str(member), visit.now)


def _change(slug: str, member: UUID) -> tuple[Visit, PersonDetails]:
    """The same, to change something: owners only. Raises Forbidden, NotFound."""
    visit = enter(slug)
    if not visit.is_owner:
        raise Forbidden(f"Only Workspace Owners can change what people may do. {ask_owners(visit)}")
    return visit, get_person(visit.context, visit.slug, str(member), visit.now)


def _crumbs(visit: Visit, member: Member | None = None) -> tuple[Link, ...]:
    users = Link("Users", visit.url("users.index"))
    own = (Link(member.name, _href(visit, member)),) if member else ()
    return crumbs(visit, users, *own)


def _href(visit: Visit, member: Member, page: str = "access") -> str:
    return visit.url(f"person.{page}", member=member.id)


# -- What they may do, and why -----------------------------------------------------------------------


@blueprint.get("")
def access(slug: str, member: UUID) -> Response:
    """Each permission as a sentence, and every path that gives it."""
    visit, details = _look(slug, member)
    return _show_access(visit, details)


@blueprint.get("/why")
def why(slug: str, member: UUID) -> Response:
    """Whether they may read, edit or create something; by what, or what would give it."""
    visit, details = _look(slug, member)
    if not is_fragment():
        return _show_access(visit, details)
    panel = _why(visit, details.member, _visible(visit, details, load_inventory(visit)))
    return Response(render_template("why.html", page=panel, short_name=details.member.name, now=visit.now))


def _show_access(visit: Visit, details: PersonDetails) -> Response:
    inventory = load_inventory(visit)
    lines = permission_lines(visit, without_minimal(details.member.permissions), inventory, givers_of(details))
    permissions, paths = count_reaching(details.member.permissions)
    by = counted(paths, "path")
    may_ask = details.member.status == "active"
    page = replace(
        _page(visit, details, "access"),
        permissions=lines,
        nothing=_nothing(details.member),
        totals=f"{counted(permissions, 'permission')} by {by}.{' Each path alone is enough.' if paths > 1 else ''}",
        why=_why(visit, details.member, _visible(visit, details, inventory)) if may_ask else None,
    )
    return show(visit, "person.html", page)


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
        crumbs=_crumbs(visit),
        member_since=member.member_since,
        status=standing(member),
        tabs=_tabs(visit, details, tab),
        tab=tab,
        facts=_facts(details),
        notes=_notes(visit, details),
    )
    if not visit.is_owner or member.status == "removed":
        return page
    page = replace(page, give_href=_href(visit, member, "new_role"))
    if not details.is_last_owner:
        return replace(page, remove_href=_href(visit, member, "ask_to_remove"))
    locked = f"{member.name} is {_last_owner(visit)}. Make somebody else an owner by hand first."
    return replace(page, remove_locked=locked)


def _last_owner(visit: Visit) -> str:
    """What somebody is who can't go: owners by rule may be there, but come in only by their IdP."""
    idps = listed([one.name for one in list_connections(visit.context, visit.slug)], last="or")
    return "the last owner who can sign in" + (f" without {idps}" if idps else "")


def _tabs(visit: Visit, details: PersonDetails, current: TabName) -> tuple[Tab, ...]:
    counts = {"grants": len(grants_by_hand(details)), "groups": len(details.user_groups)}
    names: dict[TabName, str] = {"access": "Access", "grants": "Roles by hand", "groups": "User Groups"}
    return tuple(
        Tab(text, _href(visit, details.member, name), counts.get(name), current=name == current)
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
        way = Link("Let in again", _href(visit, member, "ask_to_restore")) if visit.is_owner else None
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
    way = Link("Let in now", _href(visit, member, "ask_to_lift")) if visit.is_owner else None
    return Note("warn", f"{idp} has deactivated {member.name}", text, way)


# -- Why can't they …? -------------------------------------------------------------------------------


def _why(visit: Visit, member: Member, inventory: Inventory) -> WhyPanel:
    """The question as asked in the address, and its answer."""
    action, text = typed("action"), typed("resource")
    action = action if action in _ACTIONS else "edit"
    resource = Field("resource", "On what", text, suggestions=_suggestions(inventory))
    options = tuple(Option(one, one, selected=one == action) for one in _ACTIONS)
    panel = WhyPanel(_href(visit, member, "why"), Choice("action", "Do what", options), resource)
    if not text:
        return panel
    question, name = _question(action, text, inventory)
    if question is None:
        return replace(panel, problem=name)
    return replace(panel, answer=_answer(visit, member, question, name, inventory))


def _visible(visit: Visit, details: PersonDetails, inventory: Inventory) -> Inventory:
    """The resources that one may ask about: all for owners, those that they reach for others."""
    if visit.is_owner:
        return inventory
    reached = (inventory.reached(RoleInScope(one.role, one.scope)) for one in details.member.permissions)
    return Inventory(tuple(dict.fromkeys(one for each in reached for one in each)))


def _suggestions(inventory: Inventory) -> tuple[str, ...]:
    kinds = tuple(plural for _, plural in RESOURCE_TYPES.values())
    names = tuple(dict.fromkeys(_shown(one, inventory) for one in inventory.resources))
    return names[:_MOST_SUGGESTED] + kinds


def _shown(resource: Resource, inventory: Inventory) -> str:
    """A resource's name, with its type where others have the same name."""
    twins = sum(fold(one.name) == fold(resource.name) for one in inventory.resources)
    return resource.name if twins == 1 else f"{resource.name} ({RESOURCE_TYPES[resource.ref.type][0]})"


def _question(action: str, text: str, inventory: Inventory) -> tuple[Question | None, str]:
    """What is asked, and the name of what it is about; None and the reason where that can't be known."""
    if action == "create":
        kinds = {fold(word): kind for kind, words in RESOURCE_TYPES.items() for word in (*words, kind)}
        kind = kinds.get(fold(text))
        if kind is None:
            return None, f"One creates {listed([plural for _, plural in RESOURCE_TYPES.values()], last='or')}."
        return Question("create", kind), RESOURCE_TYPES[kind][1]
    found = _find(text, inventory)
    if found is None:
        return None, _not_found(text, inventory)
    return Question("edit" if action == "edit" else "read", found.ref.type, found.ref), found.name


def _find(text: str, inventory: Inventory) -> Resource | None:
    named = {fold(_shown(one, inventory)): one for one in inventory.resources}
    by_ref = {str(one.ref): one for one in inventory.resources}
    return named.get(fold(text)) or by_ref.get(text)


def _not_found(text: str, inventory: Inventory) -> str:
    names = {fold(one.name): one.name for one in inventory.resources}
    near = get_close_matches(fold(text), names, n=1)
    return f"No resource is called “{text}”." + (f" {names[near[0]]} is nearest." if near else "")


def _answer(visit: Visit, member: Member, question: Question, name: str, inventory: Inventory) -> WhyAnswer:
    answer = check(visit.context, visit.slug, member.email, question, visit.now)
    if answer.allowed:
        return _allowed(visit, member, question, name, answer, inventory)
    ways = what_would_give(visit.context, visit.slug, question, visit.now)
    reads = question.action == "edit" and _reads(visit, member, question)
    title = (
        f"{member.name} can read {name}, not edit it." if reads else f"{member.name} can’t {question.action} {name}."
    )
    text = "Nothing that was given reaches that far." if ways else "No role or rule in this workspace gives it yet."
    return WhyAnswer(False, title, text, ways=tuple(_way(visit, member, way, inventory) for way in ways))


def _reads(visit: Visit, member: Member, question: Question) -> bool:
    return check(visit.context, visit.slug, member.email, replace(question, action="read"), visit.now).allowed


def _allowed(
    visit: Visit, member: Member, question: Question, name: str, answer: Answer, inventory: Inventory
) -> WhyAnswer:
    details = get_person(visit.context, visit.slug, member.id, visit.now)
    lines = permission_lines(visit, answer.because, inventory, givers_of(details))
    sentences = listed([line.sentence for line in lines])
    paths = tuple(path for line in lines for path in line.paths)
    return WhyAnswer(True, f"{member.name} can {question.action} {name}.", f"{sentences}.", paths)


def _way(visit: Visit, member: Member, way: WayToGet, inventory: Inventory) -> views.WayToGet:
    gives = describe_permission(RoleInScope(way.role, way.scope), inventory)
    open_group = None
    if way.user_group_id and visit.is_owner:
        open_group = Link("Open it", visit.url("user_groups.members", group=way.user_group_id))
    if way.kind == "user_group":
        return views.WayToGet(f"User Group {way.user_group}", f"By hand. It lets its members: {gives}.", open_group)
    if way.kind == "idp_group":
        by = f"A rule puts its people into {way.user_group}" if way.user_group else "A rule takes its people"
        return views.WayToGet(
            f"{way.connection} group {listed(way.idp_groups, last='or')}",
            f"{by}: {gives}. Changed in {way.connection}.",
        )
    text = f"{way.role.name}: {gives}."
    if not visit.is_owner:
        return views.WayToGet("A role by hand", f"{text} {ask_owners(visit)}")
    give = Link("Give it", visit.url("person.new_role", member=member.id, role=way.role.id))
    return views.WayToGet("A role by hand", text, give)


# -- Their User Groups -------------------------------------------------------------------------------


@blueprint.get("/groups")
def groups(slug: str, member: UUID) -> Response:
    """The User Groups they are in, and how they came in."""
    visit, details = _look(slug, member)
    rows = tuple(_group_row(visit, details.member, one) for one in details.user_groups)
    return show(visit, "person.html", replace(_page(visit, details, "groups"), groups=rows))


def _group_row(visit: Visit, member: Member, one: InUserGroup) -> InGroupRow:
    by_hand = (Chip("hand", "by hand"),) if one.by_hand else ()
    row = InGroupRow(one.name, None, (*(Chip("idp", name) for name in one.idp_groups), *by_hand))
    if not visit.is_owner:
        return row
    leave = visit.url("user_groups.ask_to_remove", group=one.id, member=member.id) if one.by_hand else None
    return replace(row, href=visit.url("user_groups.show_roles", group=one.id), leave_href=leave)


# -- Their roles by hand -----------------------------------------------------------------------------


@blueprint.get("/roles")
def grants(slug: str, member: UUID) -> Response:
    """The roles given to this very person."""
    visit, details = _look(slug, member)
    rows = grant_rows(visit, _holder(visit, details), load_inventory(visit))
    return show(visit, "person.html", replace(_page(visit, details, "grants"), grants=rows))


def _find_holder(slug: str, member: UUID) -> tuple[Visit, Holder]:
    visit, details = _change(slug, member)
    return visit, _holder(visit, details)


add_views(blueprint, "/roles", _find_holder)


def _holder(visit: Visit, details: PersonDetails) -> Holder:
    member = details.member
    return Holder(
        name=member.name,
        pages="person",
        ids={"member": member.id},
        crumbs=_crumbs(visit, member),
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


# -- Removed, and let in again -----------------------------------------------------------------------


@blueprint.get("/remove")
def ask_to_remove(slug: str, member: UUID) -> Response:
    """Everything that is lost, before it is."""
    visit, details = _change(slug, member)
    return _ask_to_remove(visit, details)


@blueprint.post("/remove")
def remove(slug: str, member: UUID) -> Response:
    """End the membership."""
    visit, details = _change(slug, member)
    try:
        remove_member(visit.context, visit.actor, visit.slug, details.member.id, visit.now)
    except DomainError as error:
        return _ask_to_remove(visit, details, error)
    return go("/w" if visit.is_self(details.member.id) else _href(visit, details.member))


def _ask_to_remove(visit: Visit, details: PersonDetails, error: DomainError | None = None) -> Response:
    member = details.member
    lasting = without_minimal(member.permissions)
    lost = counted(count_reaching(lasting)[0], "permission")
    page = RemovePersonPage(
        name=member.name,
        email=member.email,
        crumbs=_crumbs(visit, member),
        person_href=_href(visit, member),
        action=_href(visit, member, "remove"),
        button=f"Remove {member.name}: loses {lost}" if lasting else f"Remove {member.name}",
        consequences=_removal(details, lasting),
        loses=permission_lines(visit, lasting, load_inventory(visit), givers_of(details)),
        tokens=tuple(f"{name}: its next call is refused" for name in details.tokens),
        note=error_note(error) or _still_pushed(member),
        keep=f"Keep {member.name}",
    )
    return show(visit, "person_remove.html", page, status=status_of(error) if error else 200)


def _removal(details: PersonDetails, lasting: tuple[Permission, ...]) -> tuple[Consequence, ...]:
    member, (permissions, paths) = details.member, count_reaching(lasting)
    found = [
        Consequence(
            "lose",
            f"{counted(permissions, 'permission')} by {counted(paths, 'path')}, at once; what is "
            "open in this workspace closes with the next click",
        )
    ]
    by_hand = grants_by_hand(details)
    if by_hand:
        found.append(Consequence("lose", f"{counted(len(by_hand), 'role')} given by hand, for good"))
    found.append(Consequence("keep", f"The account stays, and so does what {member.name} may do in other workspaces"))
    idp = listed(pushed_by(member)) or "A sign-in"
    found.append(
        Consequence("remember", f"{idp} can’t bring {member.name} back; an owner can, here or by an invitation")
    )
    return tuple(found)


def _still_pushed(member: Member) -> Note | None:
    idp = listed(pushed_by(member))
    if not idp:
        return None
    return Note(
        "idp", f"{idp} still pushes {member.name}", f"Deactivate the account in {idp} too, or it stays listed there."
    )


@blueprint.get("/restore")
def ask_to_restore(slug: str, member: UUID) -> Response:
    """What letting a removed person in again means."""
    visit, details = _change(slug, member)
    name = details.member.name
    consequences = (
        Consequence("gain", f"{name} is a member again, with what IdP groups and rules give"),
        Consequence("lose", "Roles and User Groups by hand stay gone; give them anew"),
    )
    return _confirm_return(visit, details.member, f"Let {name} in again?", "restore", consequences)


@blueprint.post("/restore")
def restore(slug: str, member: UUID) -> Response:
    """Make them a member again."""
    visit, details = _change(slug, member)
    restore_member(visit.context, visit.actor, visit.slug, details.member.id, visit.now)
    return go(_href(visit, details.member))


@blueprint.get("/lift")
def ask_to_lift(slug: str, member: UUID) -> Response:
    """What letting somebody in means whom an IdP holds out."""
    visit, details = _change(slug, member)
    name, idp = details.member.name, listed(held_by(details.member)) or "the IdP"
    consequences = (
        Consequence("gain", f"{name} has again what roles by hand, User Groups and rules give"),
        Consequence(
            "remember", f"{idp} still says that the account is off; its next deactivation holds {name} out again"
        ),
    )
    return _confirm_return(visit, details.member, f"Let {name} in although {idp} says no?", "lift", consequences)


@blueprint.post("/lift")
def lift(slug: str, member: UUID) -> Response:
    """Lift the hold."""
    visit, details = _change(slug, member)
    lift_hold(visit.context, visit.actor, visit.slug, details.member.id, visit.now)
    return go(_href(visit, details.member))


def _confirm_return(
    visit: Visit, member: Member, title: str, page: str, consequences: tuple[Consequence, ...]
) -> Response:
    confirm = ConfirmPage(
        title=title,
        crumbs=_crumbs(visit, member),
        action=_href(visit, member, page),
        button=f"Let {member.name} in",
        consequences=consequences,
        cancel_href=_href(visit, member),
        keep="Leave it so",
    )
    return show(visit, "confirm.html", confirm)
