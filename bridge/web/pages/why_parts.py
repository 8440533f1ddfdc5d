"""The question “may they …?” as an address asks it, and its answer: by which paths, made by whom; or why not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches

from bridge.domain.access import RoleInScope
from bridge.domain.obstacles import NearMiss, Obstacle
from bridge.domain.origins import Origin
from bridge.domain.people import fold
from bridge.domain.resources import Resource
from bridge.domain.roles import RESOURCE_TYPES
from bridge.domain.sentences import Inventory, counted, describe_permission, listed
from bridge.flows.explain import Question, WayToGet, check
from bridge.flows.explain_links import Explained, explain_check
from bridge.flows.explain_not import WhyNot, why_not
from bridge.flows.explain_not_past import why_not_at
from bridge.flows.explain_past import Traces, check_at
from bridge.web.pages import views
from bridge.web.pages.filters import day
from bridge.web.pages.frame import Visit, ask_owners
from bridge.web.pages.paths import Givers, path_of, role_chip, rule_chip
from bridge.web.pages.views import Chip, Choice, Field, Link, Option, Path, WhyAnswer

ACTIONS = ("read", "edit", "create")
_MOST_SUGGESTED = 200
#: Of what would give it, on a page.
MOST_WAYS = 20


@dataclass(frozen=True, slots=True)
class Whom:
    """The person whom a question is about; `id` is the membership's, None for who is no member."""

    name: str
    email: str
    id: str | None


# -- The question ------------------------------------------------------------------------------------


def action_choice(chosen: str) -> Choice:
    """What is asked: read, edit or create."""
    return Choice("action", "Do what", tuple(Option(one, one, selected=one == chosen) for one in ACTIONS))


def resource_field(text: str, inventory: Inventory) -> Field:
    """On what; a kind, to create one."""
    return Field("resource", "On what", text, suggestions=_suggestions(inventory))


def _suggestions(inventory: Inventory) -> tuple[str, ...]:
    kinds = tuple(plural for _, plural in RESOURCE_TYPES.values())
    names = tuple(dict.fromkeys(shown_name(one, inventory) for one in inventory.resources[:_MOST_SUGGESTED]))
    return names + kinds


def shown_name(resource: Resource, inventory: Inventory) -> str:
    """A resource's name, with its type where others have the same name."""
    twins = sum(fold(one.name) == fold(resource.name) for one in inventory.resources)
    return resource.name if twins == 1 else f"{resource.name} ({RESOURCE_TYPES[resource.ref.type][0]})"


def question_of(action: str, text: str, inventory: Inventory) -> tuple[Question | None, str]:
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
    by_ref = {str(one.ref): one for one in inventory.resources}
    named = (one for one in inventory.resources if fold(one.name) == fold(text))
    exact = list(named) or [one for one in inventory.resources if fold(shown_name(one, inventory)) == fold(text)]
    return exact[0] if len(exact) == 1 else by_ref.get(text)


def _not_found(text: str, inventory: Inventory) -> str:
    names = {fold(one.name): one.name for one in inventory.resources}
    near = get_close_matches(fold(text), names, n=1)
    return f"No resource is called “{text}”." + (f" {names[near[0]]} is nearest." if near else "")


# -- The answer --------------------------------------------------------------------------------------


def answer_now(
    visit: Visit, whom: Whom, question: Question, name: str, inventory: Inventory, *, number: int = 1, most: int
) -> WhyAnswer:
    """Page `number` of the paths that give it, with `most` on each; or why not, and so of what would give it."""
    first = (number - 1) * most
    given = explain_check(visit.context, visit.slug, whom.email, question, visit.now, first=first, most=most)
    if given:
        return _allowed(visit, whom, question, name, given, inventory)
    reasons = why_not(visit.context, visit.slug, whom.email, question, visit.now)
    return _refused(visit, whom, question, name, reasons, inventory, number)


def _allowed(
    visit: Visit, whom: Whom, question: Question, name: str, given: tuple[Explained, ...], inventory: Inventory
) -> WhyAnswer:
    total = sum(one.total for one in given)
    text = f"{_sentences(given, inventory)}. {counted(total, 'path gives', 'paths give')} it."
    return WhyAnswer(True, f"{whom.name} can {question.action} {name}.", text, _paths(visit, given), total=total)


def _sentences(given: Iterable[Explained], inventory: Inventory) -> str:
    permissions = (one.permission for one in given)
    told = (describe_permission(RoleInScope(one.role, one.scope), inventory) for one in permissions)
    return listed(list(dict.fromkeys(told)))


def _paths(visit: Visit, given: Iterable[Explained]) -> tuple[Path, ...]:
    return tuple(
        replace(
            path_of(visit, traced.because, one.permission.role, _givers(traced.origins)),
            links=tuple(_told(origin, visit.now) for origin in traced.origins),
        )
        for one in given
        for traced in one.paths
    )


def _givers(origins: Iterable[Origin]) -> Givers:
    return Givers({one.made.by: one.made.name for one in origins if one.made.by})


def _told(origin: Origin, now: datetime) -> str:
    parts = [f"{origin.text}, {day(origin.made.at, now)}"]
    parts += [f"last changed by {origin.changed.name}, {day(origin.changed.at, now)}"] if origin.changed else []
    parts += [f"counts until {day(origin.counts_until, now)}"] if origin.counts_until else []
    return f"{'; '.join(parts)}."


def _refused(
    visit: Visit, whom: Whom, question: Question, name: str, reasons: WhyNot, inventory: Inventory, number: int
) -> WhyAnswer:
    reads = question.action == "edit" and _reads(visit, whom, question)
    title = f"{whom.name} can read {name}, not edit it." if reads else f"{whom.name} can’t {question.action} {name}."
    by_hand = [way for way in reasons.ways if way.kind == "role"]
    # Who is in nothing of it isn't told which groups and rules there are.
    others = [way for way in reasons.ways if way.kind != "role"] if visit.is_owner else []
    first = (number - 1) * MOST_WAYS
    ways = [*others[first : first + MOST_WAYS], *by_hand]
    text = "Nothing that was given reaches that far." if reasons.ways else "No role or rule here gives it yet."
    return replace(
        _reasons(visit, title, text, reasons),
        ways=tuple(_way(visit, whom, way, inventory) for way in ways),
        ways_left=max(len(others) - first - MOST_WAYS, 0),
        ways_total=len(others),
    )


def _reasons(visit: Visit, title: str, text: str, reasons: WhyNot) -> WhyAnswer:
    """A no with what stands in the way; `text` where nothing stands in the person's own."""
    return WhyAnswer(
        False,
        title,
        "" if reasons.person else text,
        obstacles=tuple(one.text for one in reasons.person),
        nearly=tuple(_nearly(visit, one) for one in reasons.nearly),
        nearly_left=reasons.total - len(reasons.nearly),
    )


def _reads(visit: Visit, whom: Whom, question: Question) -> bool:
    return check(visit.context, visit.slug, whom.email, replace(question, action="read"), visit.now).allowed


def _nearly(visit: Visit, one: NearMiss) -> views.NearlyPath:
    steps: list[Chip] = []
    if one.kind == "individual":
        steps.append(Chip("hand", "by hand"))
    if one.mapping_id:
        steps.append(Chip("idp", listed(one.idp_groups[:3], last="or")))
    if one.mapping_id and visit.is_owner:
        steps.append(rule_chip(one.mapping or "", "glob" if _is_pattern(one) else "id"))
    # To others User Groups are named that they were put into, not those that a rule would bring them into.
    if one.user_group_id and (visit.is_owner or not one.mapping_id):
        href = visit.url("user_groups.show_roles", group=one.user_group_id) if visit.is_owner else None
        steps.append(Chip("group", one.user_group or "", href))
    obstacles = tuple(_told_to(visit, obstacle) for obstacle in one.obstacles)
    alone = ("It would give it, but for the above.",)
    return views.NearlyPath(Path((*steps, role_chip(visit, one.role))), obstacles or alone)


def _told_to(visit: Visit, obstacle: Obstacle) -> str:
    if obstacle.kind == "rule_off" and not visit.is_owner:
        return "Its rule is switched off."
    return obstacle.text


def _is_pattern(one: NearMiss) -> bool:
    return any(mark in (one.mapping or "") for mark in "*?")


def _way(visit: Visit, whom: Whom, way: WayToGet, inventory: Inventory) -> views.WayToGet:
    gives = describe_permission(RoleInScope(way.role, way.scope), inventory)
    but = "".join(f" {one.text}" for one in way.obstacles)
    open_group = None
    if way.user_group_id and visit.is_owner:
        open_group = Link("Open it", visit.url("user_groups.members", group=way.user_group_id))
    if way.kind == "user_group":
        return views.WayToGet(
            f"User Group {way.user_group}", f"By hand. It lets its members: {gives}.{but}", open_group
        )
    if way.kind == "idp_group":
        by = f"A rule puts its people into {way.user_group}" if way.user_group else "A rule takes its people"
        title = f"{way.connection} group {_first(way.idp_groups)}"
        return views.WayToGet(title, f"{by}: {gives}. Changed in {way.connection}.{but}", open_group)
    text = f"{way.role.name}: {gives}."
    if not visit.is_owner:
        return views.WayToGet("A role by hand", f"{text} {ask_owners(visit)}")
    if whom.id is None:
        return views.WayToGet("A role by hand", text)
    return views.WayToGet(
        "A role by hand", text, Link("Give it", visit.url("person.new_role", member=whom.id, role=way.role.id))
    )


def _first(names: tuple[str, ...], most: int = 5) -> str:
    """A few names, and how many more there are."""
    if len(names) <= most:
        return listed(names, last="or")
    return f"{', '.join(names[:most])} or {counted(len(names) - most, 'other')}"


# -- At a time that is past --------------------------------------------------------------------------


def answer_then(
    visit: Visit, whom: Whom, question: Question, name: str, at: datetime, inventory: Inventory, traces: Traces
) -> WhyAnswer:
    """Whether they might, then, and by which of these paths. Raises as `check_at` does."""
    told = check_at(visit.context, visit.slug, whom.email, question, at, visit.now, traces=traces)
    when = f"{at.day} {at:%b %Y, %H:%M} UTC"
    if told.allowed is None:
        return WhyAnswer(False, f"Whether {whom.name} could {question.action} {name} is not known.", told.told)
    if not told.allowed:
        reasons = why_not_at(visit.context, visit.slug, whom.email, question, at, visit.now)
        text = told.told or "Nothing that was given reached that far."
        title = f"On {when} {whom.name} couldn’t {question.action} {name}."
        return replace(_reasons(visit, title, text, reasons), is_past=True)
    total = sum(one.total for one in told.traced)
    text = f"{_sentences(told.traced, inventory)}. {counted(total, 'path gave', 'paths gave')} it."
    title = f"On {when} {whom.name} could {question.action} {name}."
    return WhyAnswer(True, title, text, _paths(visit, told.traced), total=total)


def moment_typed(text: str) -> datetime | None:
    """A day, or a day and a time of it, as moments are typed: of UTC. None where it is neither."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
