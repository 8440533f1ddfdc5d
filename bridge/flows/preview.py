"""Who would gain and who would lose by a change, before it is made; and whether it still is so then (product.md 5.3).

Every kind of change (`bridge.domain.previews`) is previewed by the same two functions: `preview` counts and gives the
first people, `list_moved` the next page. They read one moment and write nothing. A flow that saves calls `check_seen`
first, with what was shown to who saves.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.domain.errors import Conflict
from bridge.domain.previews import (
    PAGE,
    Difference,
    Moved,
    MovedPeople,
    PersonMoved,
    Preview,
    Proposal,
    RequireSso,
    Seen,
    Side,
    mark_of,
    shown_until,
)
from bridge.domain.sentences import counted, listed
from bridge.domain.workspace import Workspace
from bridge.flows import preview_people
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_workspace
from bridge.flows.preview_kinds import asked_of, effect_of
from bridge.flows.preview_people import PeopleEffect
from bridge.storage import moves, required_sso
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.ends import next_end


def preview(context: Context, workspace_slug: str, proposal: Proposal, now: datetime, *, most: int = PAGE) -> Preview:
    """Who would gain and who would lose what, counted, with the first `most` of each.

    Raises what the change itself raises; writes nothing.
    """
    with context.database.snapshot() as rows:
        return foresee(rows, get_workspace(rows, workspace_slug), proposal, now, most=most)


def list_moved(
    context: Context,
    workspace_slug: str,
    proposal: Proposal,
    side: Side,
    now: datetime,
    *,
    after: str = "",
    most: int = PAGE,
) -> MovedPeople:
    """A page of who would gain, or lose, beginning where the one before said `more`. It counts nobody.

    Raises what the change itself raises.
    """
    with context.database.snapshot() as rows:
        return page_of(rows, get_workspace(rows, workspace_slug), proposal, side, now, after=after, most=most)


def page_of(
    rows: Any, workspace: Workspace, proposal: Proposal, side: Side, now: datetime, *, after: str, most: int
) -> MovedPeople:
    """The same inside a transaction."""
    if isinstance(proposal, RequireSso):
        return _kept_out(rows, workspace, now, after=after, most=most) if side == "loses" else MovedPeople()
    effect = effect_of(rows, workspace, proposal)
    if isinstance(effect, PeopleEffect):
        return preview_people.page_of(rows, workspace, effect, side, now, after=after, most=most)
    asked = asked_of(rows, workspace, effect, now)
    ready = moves.prepare(rows, workspace.key, asked, now)
    return moves.page_of_moves(rows, ready, side, after=after, most=most)


def foresee(rows: Any, workspace: Workspace, proposal: Proposal, now: datetime, *, most: int = PAGE) -> Preview:
    """The same inside a transaction."""
    if isinstance(proposal, RequireSso):
        found = _foresee_sso(rows, workspace, now, most=most)
    else:
        found = _foresee_access(rows, workspace, proposal, now, most=most)
    until = shown_until(now, next_end(rows, workspace.key, now))
    return replace(found, of=mark_of(proposal), until=until)


def _foresee_access(rows: Any, workspace: Workspace, proposal: Proposal, now: datetime, *, most: int) -> Preview:
    effect = effect_of(rows, workspace, proposal)
    if isinstance(effect, PeopleEffect):
        return preview_people.foresee(rows, workspace, effect, now, most=most)
    ready = moves.prepare(rows, workspace.key, asked_of(rows, workspace, effect, now), now)
    found = moves.count_moves(rows, ready)
    gains, loses = found.gains, found.loses
    if gains.count:
        gains = gains.listing(moves.page_of_moves(rows, ready, "gains", most=most))
    if loses.count:
        loses = loses.listing(moves.page_of_moves(rows, ready, "loses", most=most))
    covered = found.touched - found.movers
    return Preview(gains, loses, covered, workspace.rev, found.digest, effect.groups, effect.later)


def _foresee_sso(rows: Any, workspace: Workspace, now: datetime, *, most: int) -> Preview:
    check_sso_in_plan(workspace)
    if workspace.require_sso:
        raise Conflict(f"{workspace.name} opens by single sign-on alone already.")
    by_way, here, digest = required_sso.count_kept_out(rows, workspace.key, now)
    page = _kept_out(rows, workspace, now, after="", most=most)
    kept_out = MovedPeople(by_way.neither, here).listing(page)
    return Preview(MovedPeople(), kept_out, by_way.let_in, workspace.rev, digest)


def _kept_out(rows: Any, workspace: Workspace, now: datetime, *, after: str, most: int) -> MovedPeople:
    found = required_sso.page_kept_out(rows, workspace.key, now, after=after, most=most + 1)
    people = tuple(PersonMoved(uid, email, name, (), bool(here)) for _, uid, email, name, here in found[:most])
    return MovedPeople(people=people, more=found[most - 1][0] if len(found) > most else None)


# -- Saving what was previewed -----------------------------------------------------------------------


def check_seen(change: Change, workspace: Workspace, proposal: Proposal, seen: Seen | None) -> None:
    """Refuse a change that would do something else by now than was shown to who makes it; None: nothing was shown.

    From here to the commit nobody else changes the workspace, so whoever calls this holds what else it will change
    already (the order of locks: `bridge.storage.changes.lock_workspace`). Where nothing has changed in the workspace
    since, by somebody or by time alone, nothing is counted anew, if it was this that was shown. Raises Moved.
    """
    if seen is None:
        return
    lock_workspace(change, workspace.key)
    locked = get_workspace(change.connection, workspace.slug)
    same = locked.rev - 1 == seen.revision and seen.of == mark_of(proposal)  # the lock itself has raised it by one
    if same and change.now.timestamp() < seen.until:
        return
    found = foresee(change.connection, locked, proposal, change.now)
    if found.digest != seen.digest:
        raise Moved(_text(found, seen), found, *_differences(found, seen))


def hold_seen(change: Change, workspace: Workspace, proposal: Proposal, seen: Seen | None) -> None:
    """The same, of what has to hold the workspace before it changes more, also where nothing was shown."""
    if seen is None:
        lock_workspace(change, workspace.key)
    check_seen(change, workspace, proposal, seen)


def _differences(found: Preview, seen: Seen) -> tuple[Difference, Difference]:
    now = found.seen
    return (
        _difference(found.gains, seen.gains, seen.gaining, now.gaining),
        _difference(found.loses, seen.loses, seen.losing, now.losing),
    )


def _difference(moved: MovedPeople, count: int, before: Sequence[str] | None, now: Sequence[str] | None) -> Difference:
    if before is None or now is None:
        return Difference(count, moved.count, None, None)
    new = tuple(one.name for one in moved.people if one.id not in before)
    return Difference(count, moved.count, new, len(set(before) - set(now)))


def _text(found: Preview, seen: Seen) -> str:
    """`Something changed while you were looking. This is not saved yet. Now 25 gain and 4 lose: ...`"""
    gains, loses = _differences(found, seen)
    told = f"Now {found.gains.count:,} gain and {found.loses.count:,} lose"
    if (gains.now, loses.now) != (gains.before, loses.before):
        told += f", {gains.before:,} and {loses.before:,} when you looked"
    parts = [*_names(gains, "gain"), *_names(loses, "lose")]
    if not parts and (gains.now, loses.now) == (gains.before, loses.before):
        parts = ["it is other people, or something else that they gain or lose"]
    names = f": {'; '.join(parts)}" if parts else ""
    return f"Something changed while you were looking. This is not saved yet. {told}{names}."


def _names(difference: Difference, verb: str) -> list[str]:
    parts = []
    if difference.new:
        few = list(difference.new[:3])
        more = len(difference.new) - len(few)
        every = listed([*few, *([counted(more, "other", "others")] if more else [])])
        parts.append(f"{every} {verb}{'s' if len(difference.new) == 1 else ''} by now")
    if difference.gone:
        parts.append(f"{counted(difference.gone, 'person', 'people')} no longer {verb}")
    return parts
