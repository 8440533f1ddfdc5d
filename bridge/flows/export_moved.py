"""Who would gain and who would lose by a change, as CSV, streamed in pages (product.md 5.3)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bridge.domain.access import RoleInScope
from bridge.domain.previews import PersonMoved, Proposal, Side
from bridge.flows.context import Context
from bridge.flows.export_users import render_rows
from bridge.flows.named import get_workspace
from bridge.flows.preview import page_of

COLUMNS = ("change", "email", "name", "roles", "signed_in", "revision")
SIDES: tuple[Side, ...] = ("gains", "loses")
#: People of one piece: each reads anew what groups give, and people are weighed by as many as this at once.
_PAGE = 4_000


def export_moved(context: Context, workspace_slug: str, proposal: Proposal, now: datetime) -> Iterator[str]:
    """CSV text: a row for each who gains, then for each who loses, in order of address, in flat memory.

    Each piece is read in a moment of its own, so that a slow reader holds no connection: `revision` says in which, and
    rows of another revision than the first are of a workspace that changed meanwhile. Raises what the change itself
    raises, at once, before the first piece.
    """
    first = [_piece(context, workspace_slug, proposal, side, now, "", 1) for side in SIDES]
    sides = [side for side, (rows, _) in zip(SIDES, first, strict=True) if rows]
    return _pieces(context, workspace_slug, proposal, sides, now)


def _pieces(
    context: Context, workspace_slug: str, proposal: Proposal, sides: Iterable[Side], now: datetime
) -> Iterator[str]:
    yield render_rows([COLUMNS])
    for side in sides:
        after: str | None = ""
        while after is not None:
            rows, after = _piece(context, workspace_slug, proposal, side, now, after, _PAGE)
            yield render_rows(rows)


def _piece(
    context: Context, workspace_slug: str, proposal: Proposal, side: Side, now: datetime, after: str, most: int
) -> tuple[list[Sequence[str]], str | None]:
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = page_of(rows, workspace, proposal, side, now, after=after, most=most)
    return [_row(side, one, workspace.rev) for one in found.people], found.more


def _row(side: Side, one: PersonMoved, revision: int) -> Sequence[str]:
    here = "yes" if one.signed_in else "no"
    return (side, one.email, one.name, "; ".join(map(_role, one.roles)), here, str(revision))


def _role(given: RoleInScope) -> str:
    where = given.scope.render()
    if where == ["all"] and not given.role.scopable:
        return given.role.name
    return f"{given.role.name} on {', '.join(where)}"
