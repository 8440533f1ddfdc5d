"""What commands share that say first who would gain and who would lose."""

import functools
from collections.abc import Callable
from typing import Any

import click

from bridge.cli.shown import wire_moved, wire_scope
from bridge.cli.terminal import House, Told, current_terminal
from bridge.domain.previews import MovedPeople, PersonMoved, Preview, Proposal, Seen, parse_seen
from bridge.domain.sentences import counted
from bridge.flows.preview import preview

#: Of how many people of a side a command tells the names; it counts all of them.
MOST = 1_000

_SEEN = click.option(
    "--seen", metavar="SEEN", help="Do it only if it still does what a preview said, given its `seen`."
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say who would gain and lose what. Changes nothing.")
_YES = click.option("--yes", is_flag=True, help="Don't ask.")


class NoPreview(click.UsageError):
    """What takes nothing from anybody has no preview."""


def foreseeing(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command's body that tells its preview, too: is handed `dry_run`, and `seen`, as given back."""

    @functools.wraps(command)
    def run(house: House, /, *args: Any, seen: str | None, **options: Any) -> Any:
        return command(house, *args, seen=read_seen(seen), **options)

    return _DRY_RUN(_SEEN(run))


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and a person at a terminal is shown the preview first, and asked, where anybody would lose by it."""

    @functools.wraps(command)
    def run(house: House, /, *args: Any, dry_run: bool, seen: Seen | None, yes: bool, **options: Any) -> Any:
        if dry_run or seen or yes or not current_terminal().has_person:
            return command(house, *args, dry_run=dry_run, seen=seen, **options)
        agreed = _agreed(functools.partial(command, house, *args, dry_run=True, seen=None, **options))
        return command(house.later(), *args, dry_run=False, seen=agreed, **options)

    return _YES(foreseeing(run))


def _agreed(foretelling: Callable[[], Told]) -> Seen | None:
    """What was shown and agreed to; None where nobody loses, and nobody is asked. Raises ClickException on a no."""
    try:
        foretold = foretelling()
    except NoPreview:
        return None
    if not foretold.wire["loses"]["count"]:
        return None
    click.echo(foretold.text, err=True)
    if not click.confirm("Go on?", err=True):
        raise click.ClickException("Nothing was changed.")
    return read_seen(foretold.wire["seen"])


def read_seen(text: str | None) -> Seen | None:
    """The `seen` of a preview. Raises Invalid."""
    return None if text is None else parse_seen(text)


def foretell(house: House, workspace: str, proposal: Proposal, *, keep: str = "what they have by another path") -> Told:
    """Who would gain and lose by a change, and what others `keep`. Changes nothing."""
    seen = preview(house.context, workspace, proposal, house.now, most=MOST)
    return Told(wire_preview(seen), preview_text(seen, keep))


def wire_preview(seen: Preview) -> dict[str, Any]:
    """Who would gain and lose what, who keeps what they have by another path, and what to hand back as `--seen`."""
    sides = {"gains": seen.gains, "loses": seen.loses}
    wire: dict[str, Any] = {side: wire_moved(moved) for side, moved in sides.items()}
    wire["signed_in"] = {side: moved.signed_in for side, moved in sides.items()}
    wire["permissions"] = {side: _permissions(moved) for side, moved in sides.items()}
    wire |= {"covered": seen.covered, "revision": seen.revision, "seen": seen.seen.render()}
    rule = {"matched_groups": seen.groups, "takes_later_groups": seen.later}
    return wire if seen.groups is None else wire | rule


def preview_text(seen: Preview, keep: str = "what they have by another path") -> str:
    """The same for people, with what others `keep`."""
    return "\n".join(_lines(seen, keep))


def _permissions(moved: MovedPeople) -> list[dict[str, Any]]:
    return [{**wire_scope(given), "count": count} for given, count in moved.roles]


def _lines(seen: Preview, keep: str) -> list[str]:
    lines = [f"{seen.gains.count:,} gain, {seen.loses.count:,} lose."]
    here = [
        f"of who {verb} {counted(side.signed_in, 'person is', 'people are')} signed in now"
        for verb, side in (("gains", seen.gains), ("loses", seen.loses))
        if side.signed_in
    ]
    lines += [f"{'; '.join(here).capitalize()}."] if here else []
    if seen.covered:
        lines.append(f"{counted(seen.covered, 'person keeps', 'people keep')} {keep}.")
    if seen.groups is not None:
        later = ", and those that are made or renamed later" if seen.later else ""
        lines.append(f"It takes {counted(seen.groups, 'IdP group')} now{later}.")
    for sign, side in (("+", seen.gains), ("−", seen.loses)):
        lines += [f"  {sign} {_person(one)}" for one in side.people]
        more = side.count - len(side.people)
        lines += [f"  {sign} and {counted(more, 'other', 'others')}"] if more > 0 else []
    return lines


def _person(one: PersonMoved) -> str:
    what = "; ".join(f"{given.role.name} on {', '.join(given.scope.render())}" for given in one.roles)
    return f"{one.email}: {what}" if what else one.email
