"""`/w/<slug>/users/<membership>/remove`, `restore`, `lift`: ending a membership, and letting somebody in again."""

from functools import partial
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.access import Permission
from bridge.domain.members import Member, PersonDetails
from bridge.domain.previews import RemoveMember, Seen
from bridge.domain.sentences import count_reaching, counted, listed, without_minimal
from bridge.flows.members import lift_hold, remove_member, restore_member
from bridge.web.pages.forms import error_note, load_inventory
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.paths import givers_of, grants_by_hand, permission_lines
from bridge.web.pages.person_parts import change, crumbs_to, href
from bridge.web.pages.preview_parts import do_as_seen, try_preview
from bridge.web.pages.standing import held_by, pushed_by
from bridge.web.pages.views import ConfirmPage, Consequence, Note, RemovePersonPage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("person_leaving", __name__, url_prefix="/w/<slug>/users/<uuid:member>")


@blueprint.get("/remove")
def ask_to_remove(slug: str, member: UUID) -> Response:
    """Everything that is lost, before it is."""
    visit, details = change(slug, member)
    return _ask_to_remove(visit, details)


@blueprint.post("/remove")
def remove(slug: str, member: UUID) -> Response:
    """End the membership."""
    visit, details = change(slug, member)

    def act(seen: Seen) -> str:
        remove_member(visit.context, visit.actor, visit.slug, details.member.id, visit.now, seen=seen)
        return "/w" if visit.is_self(details.member.id) else href(visit, details.member)

    return do_as_seen(act, partial(_ask_to_remove, visit, details))


def _ask_to_remove(visit: Visit, details: PersonDetails, note: Note | None = None, status: int = 200) -> Response:
    member = details.member
    found, error = try_preview(visit, RemoveMember(member.id))
    if error is not None:
        note, status = error_note(error), status_of(error) if note else status
    lasting = without_minimal(member.permissions)
    lost = counted(count_reaching(lasting)[0], "permission")
    page = RemovePersonPage(
        name=member.name,
        email=member.email,
        crumbs=crumbs_to(visit, member),
        person_href=href(visit, member),
        action=href(visit, member, "person_leaving.remove"),
        button=f"Remove {member.name}: loses {lost}" if lasting else f"Remove {member.name}",
        consequences=_removal(details, lasting),
        loses=permission_lines(visit, lasting, load_inventory(visit), givers_of(details)),
        tokens=tuple(f"{name}: its next call is refused" for name in details.tokens),
        note=note or _still_pushed(member),
        keep=f"Keep {member.name}",
        hidden=(("seen", found.seen.render()),) if found else (),
    )
    return show(visit, "person_remove.html", page, status=status)


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
    visit, details = change(slug, member)
    name = details.member.name
    consequences = (
        Consequence("gain", f"{name} is a member again, with what IdP groups and rules give"),
        Consequence("lose", "Roles and User Groups by hand stay gone; give them anew"),
    )
    return _confirm_return(visit, details.member, f"Let {name} in again?", "restore", consequences)


@blueprint.post("/restore")
def restore(slug: str, member: UUID) -> Response:
    """Make them a member again."""
    visit, details = change(slug, member)
    restore_member(visit.context, visit.actor, visit.slug, details.member.id, visit.now)
    return go(href(visit, details.member))


@blueprint.get("/lift")
def ask_to_lift(slug: str, member: UUID) -> Response:
    """What letting somebody in means whom an IdP holds out."""
    visit, details = change(slug, member)
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
    visit, details = change(slug, member)
    lift_hold(visit.context, visit.actor, visit.slug, details.member.id, visit.now)
    return go(href(visit, details.member))


def _confirm_return(
    visit: Visit, member: Member, title: str, page: str, consequences: tuple[Consequence, ...]
) -> Response:
    confirm = ConfirmPage(
        title=title,
        crumbs=crumbs_to(visit, member),
        action=href(visit, member, f"person_leaving.{page}"),
        button=f"Let {member.name} in",
        consequences=consequences,
        cancel_href=href(visit, member),
        keep="Leave it so",
    )
    return show(visit, "confirm.html", confirm)
