"""`/w/<slug>/user-groups/new` and below one: User Groups made, renamed, deleted, and members taken out by hand."""

from functools import partial
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError
from bridge.domain.members import PersonDetails, UserGroup
from bridge.domain.previews import DeleteUserGroup, Seen, Side, TakeOut
from bridge.domain.sentences import counted, listed, shorten
from bridge.flows import user_groups
from bridge.flows.members import get_person
from bridge.web.pages.forms import error_at, typed, typed_lines
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.preview_parts import confirm, do_as_seen
from bridge.web.pages.user_group_parts import MOST_ROLES_NAMED, crumbs_to, enter_group, href
from bridge.web.pages.views import ConfirmPage, Consequence, Field, Note, UserGroupFormPage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("user_group_changes", __name__, url_prefix="/w/<slug>/user-groups")


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
    return go(href(visit, made))


def _form(visit: Visit, error: DomainError | None = None) -> Response:
    about_members = getattr(error, "field", None) == "members"
    page = UserGroupFormPage(
        title="Create a User Group",
        text="Everyone in it gets the roles that you give it on the next page.",
        crumbs=crumbs_to(visit),
        action=visit.url("user_group_changes.create"),
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
    visit, found = enter_group(slug, group)
    return _rename_form(visit, found, found.name)


@blueprint.post("/<uuid:group>/rename")
def rename(slug: str, group: UUID) -> Response:
    """Give it another name."""
    visit, found = enter_group(slug, group)
    try:
        user_groups.rename_user_group(visit.context, visit.actor, visit.slug, found.id, typed("name"), visit.now)
    except DomainError as error:
        return _rename_form(visit, found, typed("name"), error)
    return go(href(visit, found))


def _rename_form(visit: Visit, group: UserGroup, name: str, error: DomainError | None = None) -> Response:
    page = UserGroupFormPage(
        title=f"Rename {group.name}",
        text="Nobody’s access changes.",
        crumbs=crumbs_to(visit, group),
        action=href(visit, group, "user_group_changes.rename"),
        cancel_href=href(visit, group),
        name=Field("name", "Name", name, error=error.text if error else None),
        button="Rename",
    )
    return show(visit, "user_group_new.html", page, status=status_of(error) if error else 200)


@blueprint.get("/<uuid:group>/delete")
def ask_to_delete(slug: str, group: UUID) -> Response:
    """What goes with it."""
    return _ask_to_delete(*enter_group(slug, group))


@blueprint.post("/<uuid:group>/delete")
def delete(slug: str, group: UUID) -> Response:
    """Delete it, if that still takes what was shown."""
    visit, found = enter_group(slug, group)

    def act(seen: Seen) -> str:
        user_groups.delete_user_group(visit.context, visit.actor, visit.slug, found.id, visit.now, seen=seen)
        return visit.url("user_groups.index")

    return do_as_seen(act, partial(_ask_to_delete, visit, found))


def _ask_to_delete(visit: Visit, found: UserGroup, note: Note | None = None, status: int = 200) -> Response:
    loss = user_groups.preview_delete(visit.context, visit.slug, found.id, visit.now)
    here = href(visit, found, "user_group_changes.ask_to_delete")

    def way(side: Side, after: str) -> str:
        return visit.url("user_group_changes.ask_to_delete", group=found.id, side=side, after=after)

    page = ConfirmPage(
        title=f"Delete {found.name}?",
        crumbs=crumbs_to(visit, found),
        action=href(visit, found, "user_group_changes.delete"),
        button="Delete it",
        consequences=_loss(loss),
        cancel_href=href(visit, found),
    )
    return confirm(visit, page, DeleteUserGroup(found.id), way, here, note, status)


def _loss(loss: user_groups.Loss) -> tuple[Consequence, ...]:
    found = []
    if loss.grants:
        roles = shorten([one.given for one in loss.grants], most=MOST_ROLES_NAMED)
        people = counted(loss.members, "person loses", "people lose")
        found.append(Consequence("lose", f"{people} at once, where no other path gives it: {roles}"))
    if loss.rules:
        gone = counted(loss.rules, "rule that gave nothing else goes", "rules that gave nothing else go")
        found.append(Consequence("lose", f"{gone} with it"))
    found.append(Consequence("keep", "Nobody leaves the workspace"))
    return tuple(found)


# -- Members taken out -------------------------------------------------------------------------------


@blueprint.get("/<uuid:group>/members/<uuid:member>/remove")
def ask_to_remove(slug: str, group: UUID, member: UUID) -> Response:
    """What taking somebody out does."""
    visit, found = enter_group(slug, group)
    return _ask_to_remove(visit, found, str(member))


@blueprint.post("/<uuid:group>/members/<uuid:member>/remove")
def remove(slug: str, group: UUID, member: UUID) -> Response:
    """Take out somebody who was put in by hand, if that still takes what was shown."""
    visit, found = enter_group(slug, group)
    email = get_person(visit.context, visit.slug, str(member), visit.now).member.email

    def act(seen: Seen) -> str:
        its = (visit.context, visit.actor, visit.slug, found.id)
        user_groups.remove_members(*its, [email], visit.now, seen=seen)
        return href(visit, found, "user_groups.members")

    return do_as_seen(act, partial(_ask_to_remove, visit, found, str(member)))


def _ask_to_remove(
    visit: Visit, group: UserGroup, member_id: str, note: Note | None = None, status: int = 200
) -> Response:
    details = get_person(visit.context, visit.slug, member_id, visit.now)
    here = visit.url("user_group_changes.ask_to_remove", group=group.id, member=member_id)

    def way(side: Side, after: str) -> str:
        return visit.url("user_group_changes.ask_to_remove", group=group.id, member=member_id, side=side, after=after)

    page = ConfirmPage(
        title=f"Take {details.member.name} out of {group.name}?",
        crumbs=crumbs_to(visit, group),
        action=visit.url("user_group_changes.remove", group=group.id, member=member_id),
        button=f"Take {details.member.name} out",
        consequences=_leaving(details, group),
        cancel_href=href(visit, group, "user_groups.members"),
        keep=f"Keep {details.member.name} in",
    )
    return confirm(visit, page, TakeOut(group.id, (details.member.email,)), way, here, note, status)


def _leaving(details: PersonDetails, group: UserGroup) -> tuple[Consequence, ...]:
    name = details.member.name
    by_rule = next((one.idp_groups for one in details.user_groups if one.id == group.id), ())
    if by_rule:
        what = Consequence("keep", f"{name} stays in by the IdP group {listed(by_rule)}, and loses nothing")
    else:
        roles = listed([one.given.role.name for one in group.grants]) or "nothing"
        what = Consequence("lose", f"{name} loses what this User Group gives, where no other path does: {roles}")
    return what, Consequence("remember", "You can put them in again at any time")
