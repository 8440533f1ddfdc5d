"""`/w/<slug>/connections/<id>/directory`: what the IdP pushed that somebody has to look at.

Records without an account, with the reason and what to do; and groups, each with the User Group it is tied to, to be
linked to another one.
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError
from bridge.domain.previews import LinkGroup, Moved, Side, UnlinkGroup
from bridge.domain.sentences import counted
from bridge.domain.waiting_records import WaitingRecord
from bridge.domain.workspace import Connection
from bridge.flows import map_groups, tie_groups
from bridge.flows.tie_groups import TiedGroup, TiePreview
from bridge.flows.user_groups import list_open_user_groups
from bridge.flows.waiting_records import list_waiting_records
from bridge.web.pages.connection_parts import crumbs, enter_connection, head, href
from bridge.web.pages.forms import error_note, typed, typed_page
from bridge.web.pages.frame import Visit, pager, show
from bridge.web.pages.preview_parts import asked_panel, moved_note, numbers, read_seen, unseen_note
from bridge.web.pages.views import (
    Choice,
    Consequence,
    DirectoryGroupsPage,
    Link,
    Note,
    NothingFound,
    Option,
    Status,
    TiedGroupRow,
    TieGroupPage,
    UnlinkedPage,
    UnlinkedRow,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("directory", __name__, url_prefix="/w/<slug>/connections/<uuid:connection>/directory")


# -- Records without an account --------------------------------------------------------------------------------------


@blueprint.get("")
def waiting(slug: str, connection: UUID) -> Response:
    """Who was pushed and has no account: why, and what to do."""
    visit, seen = enter_connection(slug, connection)
    found, number = seen.connection, typed_page()
    page = list_waiting_records(visit.context, visit.slug, found.id, page=number)
    where = {"connection": found.id}
    return show(
        visit,
        "directory_waiting.html",
        UnlinkedPage(
            head=head(visit, found, "Without an account"),
            rows=tuple(_waiting_row(visit, found, one) for one in page.records),
            pager=pager(visit, "directory.waiting", where, number, len(page.records), page.total),
        ),
    )


def _waiting_row(visit: Visit, found: Connection, one: WaitingRecord) -> UnlinkedRow:
    person = visit.url("person.access", member=one.member_id) if one.member_id else None
    return UnlinkedRow(one.name, one.user_name, one.why, one.advice(found.name), one.since, person)


# -- Groups ----------------------------------------------------------------------------------------------------------


@blueprint.get("/groups")
def groups(slug: str, connection: UUID) -> Response:
    """Pushed groups, and the User Group of each."""
    visit, seen = enter_connection(slug, connection)
    found, number, search = seen.connection, typed_page(), typed("q")
    page = tie_groups.list_groups(visit.context, visit.slug, found.id, search=search, page=number)
    action = href(visit, found, "directory.groups")
    return show(
        visit,
        "directory_groups.html",
        DirectoryGroupsPage(
            head=head(visit, found, "Groups"),
            action=action,
            query=search,
            filters=(),
            rows=tuple(_group_row(visit, found, one) for one in page.groups),
            pager=pager(
                visit, "directory.groups", {"connection": found.id, "q": search}, number, len(page.groups), page.total
            ),
            none_yet=not page.groups and not search,
            nothing_found=None if page.groups else NothingFound(f"No group called “{search}”", action),
        ),
    )


def _group_row(visit: Visit, found: Connection, one: TiedGroup) -> TiedGroupRow:
    linked = one.tie is not None and one.tie.origin == "link"
    tie = Status("ok", "linked") if linked else Status("ok", "mirrored") if one.tie else Status("off", "tied to none")
    ids = {"connection": found.id, "group": one.id}
    return TiedGroupRow(
        name=one.name,
        members=one.members,
        tie=tie,
        link_href=visit.url("directory.ask_to_link", **ids),
        user_group=_user_group(visit, one),
        unlink_href=visit.url("directory.ask_to_unlink", **ids) if linked else None,
    )


def _user_group(visit: Visit, one: TiedGroup) -> Link | None:
    if one.user_group is None:
        return None
    uid, name = one.user_group
    return Link(name, visit.url("user_groups.show_roles", group=uid))


# -- Linking one -----------------------------------------------------------------------------------------------------


@blueprint.get("/groups/<uuid:group>/link")
def ask_to_link(slug: str, connection: UUID, group: UUID) -> Response:
    """Choose a User Group; then see what would follow."""
    visit, seen = enter_connection(slug, connection)
    return _link_page(visit, seen.connection, group)


@blueprint.post("/groups/<uuid:group>/link")
def link(slug: str, connection: UUID, group: UUID) -> Response:
    """Link it, if that still does what was shown."""
    visit, overview = enter_connection(slug, connection)
    found, name, seen = overview.connection, typed("user_group"), read_seen()
    its = (visit.context, visit.actor, visit.slug, found.id, str(group), name, visit.now)
    if seen is None:
        return _link_page(visit, found, group, note=unseen_note())
    try:
        map_groups.link_group(*its, seen=seen)
    except Moved as moved:
        return _link_page(visit, found, group, note=moved_note(moved))
    except DomainError as error:
        return _link_page(visit, found, group, error)
    return go(href(visit, found, "directory.groups"))


def _link_page(
    visit: Visit, found: Connection, group: UUID, error: DomainError | None = None, note: Note | None = None
) -> Response:
    chosen = "" if error else typed("user_group")
    names = list(list_open_user_groups(visit.context, visit.slug).values())
    here = {"connection": found.id, "group": str(group)}
    action = visit.url("directory.ask_to_link", **here)
    asked = (visit.context, visit.slug, found.id, str(group))
    tie = tie_groups.get_tie(*asked)
    seen = tie_groups.preview_link(*asked, chosen, visit.now) if chosen else None

    def way(side: Side, after: str) -> str:
        return visit.url("directory.ask_to_link", **here, user_group=chosen, side=side, after=after)

    back = visit.url("directory.ask_to_link", **here, user_group=chosen)
    proposal = LinkGroup(found.id, str(group), chosen)
    page = TieGroupPage(
        title=f"Link {tie.group} of {found.name} to a User Group",
        text="Its people then come into that User Group, beside those who are in it by hand.",
        crumbs=_crumbs(visit, found),
        action=action,
        cancel_href=href(visit, found, "directory.groups"),
        choice=_choice(names, chosen) if names else None,
        new_href=visit.url("user_group_changes.new"),
        confirm_action=action,
        button=f"Link it to {chosen}: {numbers(seen.preview)}" if seen else "",
        consequences=_linking(seen, chosen, found) if seen else None,
        hidden=(("user_group", chosen), ("seen", seen.preview.seen.render())) if seen else (),
        panel=asked_panel(visit, proposal, seen.preview, way, back) if seen else None,
    )
    return _show_tie(visit, page, note or error_note(error), status=status_of(error) if error else 200)


def _show_tie(visit: Visit, page: TieGroupPage, note: Note | None, *, status: int = 200) -> Response:
    return show(visit, "directory_link.html", page, status=status, notices=(note,) if note else ())


def _crumbs(visit: Visit, found: Connection) -> tuple[Link, ...]:
    own = Link(found.name, href(visit, found))
    return crumbs(visit, own, Link("Groups", href(visit, found, "directory.groups")))


def _choice(names: Sequence[str], chosen: str) -> Choice:
    options = tuple(Option(name, name, selected=name == chosen) for name in names)
    return Choice("user_group", "User Group", (Option("", "Choose a User Group", selected=not chosen), *options))


def _linking(seen: TiePreview, chosen: str, found: Connection) -> tuple[Consequence, ...]:
    people = counted(seen.now.members, "person comes", "people come")
    lines = [Consequence("gain", f"{people} into {chosen} by the group {seen.now.group}")]
    if seen.now.user_group is not None and seen.now.user_group != chosen:
        former = (
            f"The User Group {seen.now.user_group}, which {'mirrors it' if seen.now.mirrored else 'it is linked to'}"
        )
        goes = "goes, unless roles were given to it by hand" if seen.now.mirrored else "stays, without these people"
        lines.append(Consequence("lose", f"{former}, {goes}"))
    lines.append(Consequence("remember", f"From then on {found.name} decides who comes in by this group"))
    return tuple(lines)


@blueprint.get("/groups/<uuid:group>/unlink")
def ask_to_unlink(slug: str, connection: UUID, group: UUID) -> Response:
    """Who would lose what."""
    visit, overview = enter_connection(slug, connection)
    return _unlink_page(visit, overview.connection, group)


def _unlink_page(visit: Visit, found: Connection, group: UUID, note: Note | None = None) -> Response:
    seen = tie_groups.preview_unlink(visit.context, visit.slug, found.id, str(group), visit.now)
    here = {"connection": found.id, "group": str(group)}

    def way(side: Side, after: str) -> str:
        return visit.url("directory.ask_to_unlink", **here, side=side, after=after)

    proposal, back = UnlinkGroup(found.id, str(group)), visit.url("directory.ask_to_unlink", **here)
    page = TieGroupPage(
        title=f"Unlink {seen.now.group} from {seen.now.user_group}?",
        text=f"{found.name} goes on pushing the group; it then gives nothing but what rules give it.",
        crumbs=_crumbs(visit, found),
        action=href(visit, found, "directory.groups"),
        cancel_href=href(visit, found, "directory.groups"),
        confirm_action=visit.url("directory.unlink", **here),
        button=f"Unlink it: {numbers(seen.preview)}",
        consequences=(Consequence("keep", f"Who is in {seen.now.user_group} by hand stays"),),
        hidden=(("seen", seen.preview.seen.render()),),
        panel=asked_panel(visit, proposal, seen.preview, way, back),
    )
    return _show_tie(visit, page, note)


@blueprint.post("/groups/<uuid:group>/unlink")
def unlink(slug: str, connection: UUID, group: UUID) -> Response:
    """End it, if that still does what was shown."""
    visit, overview = enter_connection(slug, connection)
    found, seen = overview.connection, read_seen()
    if seen is None:
        return _unlink_page(visit, found, group, unseen_note())
    its = (visit.context, visit.actor, visit.slug, found.id, str(group), visit.now)
    try:
        tie_groups.unlink_group(*its, seen=seen)
    except Moved as moved:
        return _unlink_page(visit, found, group, moved_note(moved))
    return go(href(visit, found, "directory.groups"))
