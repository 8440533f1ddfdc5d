"""What a change would do, as pages show it before they make it: who gains, who loses, who keeps what they have.

What was shown goes along in the form that then makes the change, as the field `seen`; `read_seen` reads it back.
"""

from collections.abc import Callable
from dataclasses import replace

from flask import Response, abort

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.previews import Moved, MovedPeople, PersonMoved, Preview, Proposal, Seen, Side, parse_seen
from bridge.domain.sentences import Inventory, counted, describe_permission, shorten
from bridge.flows.export_moved import export_moved
from bridge.flows.preview import list_moved, preview
from bridge.web.pages.forms import asked, error_note, load_inventory, typed_text
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.views import ConfirmPage, MovedPage, MovedRow, MovedSide, Note, PreviewPanel
from bridge.web.return_path import go
from bridge.web.statuses import status_of

#: So many people of each side are named beside the counts.
FIRST = 5
_MOST_ROLES = 6
_LONGEST_SEEN = 20_000
SIDES: tuple[Side, ...] = ("gains", "loses")
_VERBS: dict[Side, tuple[str, str]] = {"gains": ("gains", "gain"), "loses": ("loses", "lose")}
#: Where all of one side are: an address, or what a form's button carries, from where in the list on.
Way = Callable[[Side, str], str]


def panel_of(
    visit: Visit, found: Preview, inventory: Inventory, *, title: str, href: Way | None = None, do: Way | None = None
) -> PreviewPanel:
    """The counts, and the first people of each side."""
    later, moves = "", found.gains.count + found.loses.count
    if found.later:
        later = "Groups that are made later and fit get this too; each is noted in the audit trail."
    return PreviewPanel(
        title=title,
        gains=_side(visit, "gains", found.gains, inventory, href, do),
        loses=_side(visit, "loses", found.loses, inventory, href, do),
        covered=found.covered,
        later=later,
        # An address that leads to all of one side carries a query already.
        csv_href=f"{href('gains', '')}&as=csv" if href and moves else None,
        csv_do="csv" if do and moves else None,
    )


def asked_panel(
    visit: Visit,
    proposal: Proposal,
    found: Preview,
    way: Way,
    back_href: str,
    *,
    title: str = "If you do this",
    keeps: tuple[str, ...] = (),
) -> PreviewPanel:
    """The panel of a page that asks before it does something; of all who gain, or lose, where its address says so.

    `keeps`: why those who keep what they have do, a line each, where that is no other path. Where the address asks for
    CSV, that is the answer, and the page under way isn't shown.
    """
    if asked("as") == "csv":
        abort(moved_csv(visit, proposal))
    side = next((one for one in SIDES if one == asked("side")), None)
    if side is None:
        panel = panel_of(visit, found, load_inventory(visit), title=title, href=way)
        return replace(panel, keeps=keeps)
    moved = list_moved(visit.context, visit.slug, proposal, side, visit.now, after=asked("after"))
    return PreviewPanel(title, page=page_of(visit, side, moved, href=way, back_href=back_href))


def moved_csv(visit: Visit, proposal: Proposal) -> Response:
    """All who gain and lose, as a file, in pieces however many they are. Raises what the change itself raises."""
    rows = export_moved(visit.context, visit.slug, proposal, visit.now)
    headers = {"Content-Disposition": f'attachment; filename="{visit.slug}-preview.csv"'}
    return Response(rows, mimetype="text/csv", headers=headers)


def _side(
    visit: Visit, side: Side, moved: MovedPeople, inventory: Inventory, href: Way | None, do: Way | None
) -> MovedSide:
    verb = _VERBS[side][0 if moved.count == 1 else 1]
    by_role = [
        f"{counted(count, 'person', 'people')} {_VERBS[side][0 if count == 1 else 1]} "
        f"{_what(given)}: {_lower(describe_permission(given, inventory))}"
        for given, count in moved.roles[:_MOST_ROLES]
    ]
    more = len(moved.roles) - _MOST_ROLES
    by_role += [f"and {counted(more, 'more role')}"] if more > 0 else []
    long = moved.count > FIRST
    return MovedSide(
        title=f"{moved.count:,} {verb}",
        count=moved.count,
        by_role=tuple(by_role),
        signed_in=f"{moved.signed_in:,} of them signed in now" if moved.signed_in else "",
        rows=tuple(_row(visit, one) for one in moved.people[:FIRST]),
        all_href=href(side, "") if href and long else None,
        all_do=do(side, "") if do and long else None,
    )


def _what(given: RoleInScope) -> str:
    """A role; or, of a change of one resource, what a role of the whole workspace gives there: itself stays."""
    there = given.scope.resources and not given.role.scopable
    return f"what {given.role.name} gives there" if there else given.role.name


def page_of(
    visit: Visit,
    side: Side,
    moved: MovedPeople,
    *,
    href: Way | None = None,
    do: Way | None = None,
    back_href: str | None = None,
    back_do: str | None = None,
) -> MovedPage:
    """A page of all who gain, or lose; `back_…` leads to the counts."""
    return MovedPage(
        title=f"All who {_VERBS[side][1]}",
        rows=tuple(_row(visit, one) for one in moved.people),
        back_href=back_href,
        back_do=back_do,
        next_href=href(side, moved.more) if href and moved.more else None,
        next_do=do(side, moved.more) if do and moved.more else None,
    )


def _row(visit: Visit, one: PersonMoved) -> MovedRow:
    href = visit.url("person.access", member=one.id)
    return MovedRow(one.name, one.email, href, shorten(one.roles) if one.roles else "", one.signed_in)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def numbers(found: Preview) -> str:
    """`23 gain, 4 lose`, `1 loses`, `nobody gains or loses`: for the button that does it."""
    sides: tuple[tuple[Side, int], ...] = (("gains", found.gains.count), ("loses", found.loses.count))
    told = [f"{count:,} {_VERBS[side][0 if count == 1 else 1]}" for side, count in sides if count]
    return ", ".join(told) or "nobody gains or loses"


def confirm(
    visit: Visit, page: ConfirmPage, proposal: Proposal, way: Way, back_href: str, note: Note | None, status: int = 200
) -> Response:
    """A page that asks before it does something, with what that would do: or with why it can't be done."""
    found, error = try_preview(visit, proposal)
    if found is not None:
        page = replace(
            page,
            button=f"{page.button}: {numbers(found)}",
            hidden=(*page.hidden, ("seen", found.seen.render())),
            panel=asked_panel(visit, proposal, found, way, back_href),
        )
    if error is not None:
        note, status = error_note(error), status_of(error) if note else status
    return show(visit, "confirm.html", page, status=status, notices=(note,) if note else ())


def try_preview(visit: Visit, proposal: Proposal) -> tuple[Preview | None, DomainError | None]:
    """What it would do; or why it can't be done."""
    try:
        return preview(visit.context, visit.slug, proposal, visit.now), None
    except DomainError as error:
        return None, error


def do_as_seen(act: Callable[[Seen], str], ask: Callable[[Note | None, int], Response]) -> Response:
    """Do what the form was shown to do, and go where `act` says; else ask again, with why."""
    seen = read_seen()
    if seen is None:
        return ask(unseen_note(), 200)
    try:
        return go(act(seen))
    except Moved as moved:
        return ask(moved_note(moved), 200)
    except DomainError as error:
        return ask(error_note(error), status_of(error))


def read_seen() -> Seen | None:
    """What the form says was shown; None where it says nothing readable, which is never enough to go on."""
    text = typed_text("seen", _LONGEST_SEEN)
    try:
        return parse_seen(text) if text else None
    except Invalid:
        return None


def unseen_note() -> Note:
    """That nothing was done, since what it does was never shown."""
    return Note("warn", "Not done yet", "Look first at what it does.", urgent=True)


def moved_note(moved: Moved) -> Note:
    """That nothing was saved, since it would do something else by now."""
    first, _, rest = moved.text.partition(". ")
    return Note("warn", f"{first}. Not saved yet.", rest.removeprefix("This is not saved yet. "), urgent=True)
