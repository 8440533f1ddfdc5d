"""Roles given by hand to a person or a User Group: listed, given, moved to another scope, taken; what moving or taking
one does is shown first.

Both kinds of holder have the same pages, which `add_views` puts under theirs; `person` and `user_groups` say who the
holder is and what giving means.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError, NotFound
from bridge.domain.members import GivenGrant
from bridge.domain.previews import EndGrant, Moved, MoveGrant, Preview, Seen, Side
from bridge.domain.roles import OWNER, Role, get_role, in_plan
from bridge.domain.sentences import Inventory, describe_permission, describe_reach
from bridge.flows.give_roles import change_scope, end_grant
from bridge.flows.preview import list_moved, preview
from bridge.web.pages.forms import (
    Picked,
    Stock,
    error_at,
    error_note,
    load_inventory,
    load_stock,
    picked,
    picked_of,
    role_groups,
    scope_picker,
    typed,
)
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.paths import Givers
from bridge.web.pages.preview_parts import (
    SIDES,
    confirm,
    do_as_seen,
    moved_csv,
    moved_note,
    numbers,
    page_of,
    panel_of,
    read_seen,
    unseen_note,
)
from bridge.web.pages.views import (
    Chip,
    ConfirmPage,
    Consequence,
    GrantPage,
    GrantRow,
    Link,
    Note,
    Option,
    PreviewPanel,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom roles are given to. `pages` is the blueprint of its pages, `ids` what they take beside the slug."""

    name: str
    pages: str
    ids: dict[str, Any]
    crumbs: tuple[Link, ...]
    grants: tuple[GivenGrant, ...]
    givers: Givers
    give: Callable[[RoleInScope], object]
    loses: Callable[[GivenGrant, str], tuple[Consequence, ...]]
    """What taking a grant does, given what it lets one do as a sentence."""
    owner_locked: str | None = None
    """Why the grant Workspace Owner can't be taken."""

    def url(self, visit: Visit, page: str, **ids: str) -> str:
        """The path of one of its pages."""
        return visit.url(f"{self.pages}.{page}", **self.ids, **ids)

    def grant(self, grant_id: object) -> GivenGrant:
        """One of its grants. Raises NotFound."""
        found = next((one for one in self.grants if one.id == str(grant_id)), None)
        if found is None:
            raise NotFound(f"{self.name} has no such role by hand; perhaps somebody took it a moment ago.")
        return found


def add_views(blueprint: Blueprint, under: str, find: Callable[..., tuple[Visit, Holder]]) -> None:
    """The pages of a holder's roles, `under` the path of the holder. `find` takes what that path names, and raises
    Forbidden or NotFound where this visitor can't change the holder.
    """

    @blueprint.get(f"{under}/new")
    def new_role(**holder: Any) -> Response:
        return ask_for_role(*find(**holder))

    @blueprint.post(f"{under}/new", endpoint="give_role")
    def give(**holder: Any) -> Response:
        return give_role(*find(**holder))

    @blueprint.get(f"{under}/<uuid:grant>")
    def change_role(grant: UUID, **holder: Any) -> Response:
        return ask_for_scope(*find(**holder), grant)

    @blueprint.post(f"{under}/<uuid:grant>", endpoint="move_role")
    def move(grant: UUID, **holder: Any) -> Response:
        return move_role(*find(**holder), grant)

    @blueprint.get(f"{under}/<uuid:grant>/end", endpoint="take_role")
    def take(grant: UUID, **holder: Any) -> Response:
        return ask_to_take(*find(**holder), grant)

    @blueprint.post(f"{under}/<uuid:grant>/end")
    def end_role(grant: UUID, **holder: Any) -> Response:
        return take_role(*find(**holder), grant)


# -- Listed ------------------------------------------------------------------------------------------


def grant_rows(visit: Visit, holder: Holder, inventory: Inventory) -> tuple[GrantRow, ...]:
    """The holder's grants, with what an owner can do about each."""
    return tuple(_row(visit, holder, one, inventory) for one in holder.grants)


def _row(visit: Visit, holder: Holder, one: GivenGrant, inventory: Inventory) -> GrantRow:
    role = one.given.role
    locked = holder.owner_locked if role is OWNER else None
    row = GrantRow(
        role=role.name,
        text=role.text,
        scope=scope_chips(visit, one.given, inventory),
        reach=describe_reach(one.given, inventory),
        given_by=one.given_by_name or holder.givers.name(one.given_by),
        at=one.since,
        locked=locked if visit.is_owner else None,
        plan_note=plan_note(visit, role),
    )
    if not visit.is_owner:
        return row
    return replace(
        row,
        change_href=holder.url(visit, "change_role", grant=one.id) if role.scopable else None,
        take_href=None if locked else holder.url(visit, "take_role", grant=one.id),
    )


def plan_note(visit: Visit, role: Role) -> str | None:
    """That a role gives nothing on the workspace's plan, where that is so."""
    plan = visit.workspace.plan
    return None if in_plan(role, plan) else f"Gives nothing on the {plan} plan"


def scope_chips(visit: Visit, given: RoleInScope, inventory: Inventory) -> tuple[Chip, ...]:
    """The resources or labels of a scope; none for a scope of all."""
    if given.scope.kind == "labels":
        return tuple(Chip("resource", f"with {label}") for label in sorted(given.scope.labels))
    if given.scope.kind == "list":
        # Only owners see who else can, but whoever has a role here reaches what it is on.
        return tuple(
            Chip("resource", one.name, visit.url("resources.show_one", of=str(one.ref)))
            for one in inventory.reached(given)
        )
    return ()


# -- Given -------------------------------------------------------------------------------------------


def ask_for_role(visit: Visit, holder: Holder) -> Response:
    """First the role; then, if it is known, where it applies."""
    if typed("role"):
        return _ask_where(visit, holder, get_role(typed("role")), Picked())
    page = GrantPage(
        title=f"Give {holder.name} a role",
        crumbs=holder.crumbs,
        cancel_href=holder.url(visit, "grants"),
        action=holder.url(visit, "new_role"),
        roles=role_groups(visit),
    )
    return show(visit, "grant_new.html", page)


def give_role(visit: Visit, holder: Holder) -> Response:
    """Give the role in the scope that was picked."""
    role, left_at = get_role(typed("role")), picked()
    try:
        holder.give(RoleInScope(role, left_at.scope(visit, role)))
    except DomainError as error:
        return _ask_where(visit, holder, role, left_at, error)
    return go(holder.url(visit, "grants"))


def _ask_where(visit: Visit, holder: Holder, role: Role, left_at: Picked, error: DomainError | None = None) -> Response:
    page = GrantPage(
        title=f"Give {holder.name} a role",
        crumbs=holder.crumbs,
        cancel_href=holder.url(visit, "grants"),
        action=holder.url(visit, "give_role"),
        role=Option(role.id, role.name, help=role.text),
        other_role_href=holder.url(visit, "new_role"),
        button="Give the role" if in_plan(role, visit.workspace.plan) else "Try to give the role",
    )
    return _show_where(visit, page, role, left_at, error)


def _show_where(
    visit: Visit, page: GrantPage, role: Role, left_at: Picked, error: DomainError | None, note: Note | None = None
) -> Response:
    stock = load_stock(visit) if role.scopable else Stock()
    scope = scope_picker(stock, role, left_at, error_at(error, "scope")) if role.scopable else None
    page = replace(page, scope=scope, note=note or error_note(error, "scope"))
    return show(visit, "grant_new.html", page, status=status_of(error) if error else 200)


# -- Moved to another scope --------------------------------------------------------------------------


def ask_for_scope(visit: Visit, holder: Holder, grant_id: object) -> Response:
    """Where the role applies now, to be changed."""
    one = holder.grant(grant_id)
    panel = PreviewPanel(_TITLE, waiting="Say where it shall apply, and you see here who gains and who loses.")
    return _ask_elsewhere(visit, holder, one, picked_of(one.given.scope), panel)


def move_role(visit: Visit, holder: Holder, grant_id: object) -> Response:
    """One of the form's buttons; `save` ends the grant and gives the same role in the scope that was picked."""
    one, left_at, do = holder.grant(grant_id), picked(), typed("do")
    try:
        scope = left_at.scope(visit, one.given.role)
        seen = read_seen() if do == "save" else None
        if seen is not None:
            change_scope(visit.context, visit.actor, visit.slug, one.id, scope, visit.now, seen=seen)
            return go(holder.url(visit, "grants"))
        return _show_moving(visit, holder, one, left_at, MoveGrant(one.id, scope), do)
    except Moved as moved:
        panel = panel_of(visit, moved.preview, load_inventory(visit), title=_TITLE, do=_button)
        return _ask_elsewhere(visit, holder, one, left_at, panel, found=moved.preview, note=moved_note(moved))
    except DomainError as error:
        panel = PreviewPanel(_TITLE, waiting=error.text)
        return _ask_elsewhere(visit, holder, one, left_at, panel, error=error)


_TITLE = "If you save this"


def _button(side: Side, after: str) -> str:
    return f"{side}:{after}"


def _show_moving(
    visit: Visit, holder: Holder, one: GivenGrant, left_at: Picked, proposal: MoveGrant, do: str
) -> Response:
    """What it would do; or all who gain and lose by it, a page of one side or as CSV."""
    if do == "csv":
        return moved_csv(visit, proposal)
    side, colon, after = do.partition(":")
    if colon and side in SIDES:
        moved = list_moved(visit.context, visit.slug, proposal, side, visit.now, after=after)
        page = page_of(visit, side, moved, do=_button, back_do="preview")
        return _ask_elsewhere(visit, holder, one, left_at, PreviewPanel(_TITLE, page=page))
    found = preview(visit.context, visit.slug, proposal, visit.now)
    panel = panel_of(visit, found, load_inventory(visit), title=_TITLE, do=_button)
    note = unseen_note() if do == "save" else None
    return _ask_elsewhere(visit, holder, one, left_at, panel, found=found, note=note)


def _ask_elsewhere(
    visit: Visit,
    holder: Holder,
    one: GivenGrant,
    left_at: Picked,
    panel: PreviewPanel,
    *,
    found: Preview | None = None,
    error: DomainError | None = None,
    note: Note | None = None,
) -> Response:
    role = one.given.role
    page = GrantPage(
        title=f"Change where {role.name} applies",
        crumbs=holder.crumbs,
        cancel_href=holder.url(visit, "grants"),
        action=holder.url(visit, "change_role", grant=one.id),
        role=Option(role.id, role.name, help=role.text),
        button=f"Save: {numbers(found)}" if found else "",
        hidden=(("seen", found.seen.render()),) if found else (),
        panel=panel,
    )
    return _show_where(visit, page, role, left_at, error, note)


# -- Taken -------------------------------------------------------------------------------------------


def ask_to_take(visit: Visit, holder: Holder, grant_id: object) -> Response:
    """What taking the role does, before it is done."""
    return _ask_to_take(visit, holder, holder.grant(grant_id))


def take_role(visit: Visit, holder: Holder, grant_id: object) -> Response:
    """End the grant, if that still takes what was shown."""
    one = holder.grant(grant_id)

    def act(seen: Seen) -> str:
        end_grant(visit.context, visit.actor, visit.slug, one.id, visit.now, seen=seen)
        return holder.url(visit, "grants")

    return do_as_seen(act, partial(_ask_to_take, visit, holder, one))


def _ask_to_take(
    visit: Visit, holder: Holder, one: GivenGrant, note: Note | None = None, status: int = 200
) -> Response:
    role = one.given.role.name
    here = holder.url(visit, "take_role", grant=one.id)

    def way(side: Side, after: str) -> str:
        return holder.url(visit, "take_role", grant=one.id, side=side, after=after)

    page = ConfirmPage(
        title=f"Take {role} from {holder.name}?",
        crumbs=holder.crumbs,
        action=here,
        button=f"Take {role} away",
        consequences=holder.loses(one, describe_permission(one.given, load_inventory(visit))),
        cancel_href=holder.url(visit, "grants"),
    )
    return confirm(visit, page, EndGrant(one.id), way, here, note, status)
