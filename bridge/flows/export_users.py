"""A workspace's people with their roles as CSV, streamed in pages (product.md 1.9)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.members import InUserGroup, RecordAtIdp
from bridge.domain.roles import OWNER, get_role, roles_in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.invite import list_invites
from bridge.flows.named import get_workspace
from bridge.storage import access, invites, members, user_groups
from bridge.storage.access import in_batches
from bridge.storage.members import StoredMember

COLUMNS = ("email", "name", "status", "roles", "user_groups", "idp", "member_since", "last_sign_in")
_PAGE = 500
#: With these a spreadsheet begins a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_users(context: Context, workspace_slug: str, now: datetime) -> Iterator[str]:
    """CSV text, a page of 500 people a piece, in the order they joined; then those who are invited and no members.

    A row for each member, suspended ones too, whatever their number in flat memory. Raises NotFound at once, before
    the first piece.
    """
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
    return _pieces(context, workspace, now)


def _pieces(context: Context, workspace: Workspace, now: datetime) -> Iterator[str]:
    yield render_rows([COLUMNS])
    last = 0
    while page := _page(context, workspace, last, now):
        last = page[-1][0]
        yield render_rows(row for _, row in page)
    yield render_rows(_invited(context, workspace, now))


def _page(context: Context, workspace: Workspace, last: int, now: datetime) -> list[tuple[int, Sequence[str]]]:
    # A connection a page, so that a slow reader holds none.
    with context.database.snapshot() as connection:
        found = members.page_after(connection, members.present_members(workspace.key), last, _PAGE)
        found = members.with_last_sign_in(connection, found, workspace.key)
        keys = [one.key for one in found]
        roles = _roles(connection, keys, workspace.plan, now)
        groups = user_groups.user_groups_of(connection, keys, now)
        records = members.records_of(connection, keys)
    return [
        (one.key, _row(one, roles.get(one.key, ()), groups.get(one.key, ()), records.get(one.key, ()))) for one in found
    ]


def _roles(connection: Any, keys: Sequence[int], plan: str, now: datetime) -> dict[int, tuple[str, ...]]:
    """The roles of these members in words, each once, owners' first; not by which paths, which are many more."""
    held = access.held_by_members(connection, keys, roles_in_plan(plan), now) if keys else []
    narrowed = {row.grant_id for row in held if row.scope != "all"}
    scopes = {key: one for batch in in_batches(narrowed) for key, one in access.scopes_of(connection, batch).items()}
    words: dict[tuple[str, int | None], tuple[bool, str, str]] = {}
    found: dict[int, set[tuple[bool, str, str]]] = {}
    for row in held:
        grant = row.grant_id if row.scope != "all" else None
        if (row.role, grant) not in words:
            words[row.role, grant] = _role(RoleInScope(get_role(row.role), scopes.get(row.grant_id, EVERYWHERE)))
        found.setdefault(row.membership_id, set()).add(words[row.role, grant])
    return {member: tuple(text for _, _, text in sorted(roles)) for member, roles in found.items()}


def _row(
    one: StoredMember,
    roles: Sequence[str],
    groups: Sequence[InUserGroup],
    records: Sequence[RecordAtIdp],
) -> Sequence[str]:
    member = one.member
    return (
        member.email,
        member.name,
        member.status,
        "; ".join(roles),
        "; ".join(group.name for group in groups),
        "; ".join(record.connection for record in records if record.pushed),
        member.member_since.isoformat(),
        member.last_sign_in.isoformat() if member.last_sign_in else "",
    )


def _role(given: RoleInScope) -> tuple[bool, str, str]:
    """How it is sorted, and as it reads."""
    name, where = given.role.name, ", ".join(given.scope.render())
    return given.role is not OWNER, name, f"{name} on {where}" if given.role.scopable else name


def _invited(context: Context, workspace: Workspace, now: datetime) -> Iterator[Sequence[str]]:
    # An owner who is yet to choose a password is a member and has a link: one person, one row.
    with context.database.reading() as connection:
        members_already = invites.pending_of_members(connection, workspace.key)
    for invite in list_invites(context, workspace.slug):
        if invite.id in members_already:
            continue
        status = "invitation expired" if invite.is_expired(now) else "invited"
        yield (invite.email, "", status, "; ".join(invite.gives), "", "", "", "")


def render_rows(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV (RFC 4180), no cell of which a spreadsheet takes for a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
