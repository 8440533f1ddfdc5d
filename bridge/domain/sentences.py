"""Permissions in plain words: what a role in its scope lets somebody do, how far that reaches, and whom a role is for.

`Edit the sources iOS Prod and Android Prod` · `Read all warehouses, 2 now and any future one` ·
`Read 6 sources, all with environment:prod`. Names and numbers come from an `Inventory` of the workspace.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bridge.domain.access import Permission, ResourceRef, RoleInScope, Scope, fits, scope_covers
from bridge.domain.people import fold
from bridge.domain.resources import Resource
from bridge.domain.roles import MINIMAL, OWNER, RESOURCE_TYPES, ROLES, Level, Role

#: A sentence names this many resources; of more it names the first few.
_MOST_NAMED, _FIRST_NAMED = 6, 5

_WHOLE_WORKSPACE = {
    "workspace_owner": "Do everything in this workspace",
    "minimal_workspace_access": "See the workspace",
    "entities_admin": "Edit entities and their relations",
    "entities_read_only": "Read entities and their relations",
    "identity_admin": "Edit the settings of identity resolution",
    "end_user_privacy_admin": "Answer end users’ requests to delete or suppress their data",
    "pii_access": "See personal data inside what can be read anyway",
}
_IN_SPACES = {
    "unify_and_engage_admin": "Edit profiles, audiences and journeys in",
    "unify_read_only_engage_user": "Read profiles, and edit audiences and journeys, in",
    "unify_and_engage_read_only": "Read profiles, audiences and journeys in",
}
_FOR_WHOM = {
    "workspace_owner": "the few who answer for the workspace",
    "minimal_workspace_access": "people who wait for a role",
    "source_admin": "engineers who own what is sent",
    "source_read_only": "those who build on the events",
    "warehouse_admin": "engineers who run the warehouses",
    "warehouse_read_only": "analysts",
    "function_admin": "engineers who transform what is sent",
    "function_read_only": "those who debug what functions did",
    "tracking_plan_admin": "those who decide what may be sent",
    "tracking_plan_read_only": "those who follow the plan",
    "unify_and_engage_admin": "marketing operations",
    "unify_read_only_engage_user": "marketers",
    "unify_and_engage_read_only": "those who look at results",
    "entities_admin": "data modellers",
    "entities_read_only": "those who use the model",
    "identity_admin": "those who decide when two profiles are one person",
    "end_user_privacy_admin": "privacy teams",
    "pii_access": "support and privacy teams",
}
#: Areas without listable resources, as a line of "May edit" or "May read": what, and which of it.
_AREA_LINES = {
    "entities": ("Entities", "all"),
    "identity": ("Identity resolution", "its settings"),
    "privacy": ("Privacy requests", "all"),
    "pii": ("Personal data", "inside what can be read anyway"),
}


@dataclass(frozen=True, slots=True)
class Inventory:
    """The resources of one workspace."""

    resources: tuple[Resource, ...] = ()

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of a type, by name."""
        return sorted((one for one in self.resources if one.ref.type == kind), key=lambda one: fold(one.name))

    def reached(self, given: RoleInScope) -> list[Resource]:
        """The resources that a role in scope reaches now; none for a role without listable resources."""
        kind = given.role.resource_type
        return [one for one in self.of_type(kind) if fits(given.scope, one.ref, one.labels)] if kind else []

    def find(self, ref: ResourceRef) -> Resource | None:
        """The resource with this type and id, or None."""
        return next((one for one in self.resources if one.ref == ref), None)


# -- Words -------------------------------------------------------------------------------------------


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 person`, `1,312 people`: a number with its noun."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def listed(words: Sequence[str], last: Literal["and", "or"] = "and") -> str:
    """`a`, `a and b`, `a, b and c`; `or` in the last place where one is enough."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def first_few(words: Sequence[str], most: int = 3) -> str:
    """`a, b, 3 more`: all words if there are at most `most`, else all but that many."""
    if len(words) <= most:
        return ", ".join(words)
    return ", ".join((*words[: most - 1], f"{len(words) - most + 1:,} more"))


# -- One permission ----------------------------------------------------------------------------------


def describe_permission(given: RoleInScope, inventory: Inventory) -> str:
    """What a role in scope lets somebody do, as one sentence without its full stop."""
    role = given.role
    if role.resource_type is None:
        return _on_listed(given, inventory) or _WHOLE_WORKSPACE.get(role.id, role.text)
    verb = _IN_SPACES.get(role.id) or ("Edit" if role.gives[role.resource_type] == Level.EDIT else "Read")
    return f"{verb} {_object(given, inventory)}"


def _on_listed(given: RoleInScope, inventory: Inventory) -> str:
    """What a role of the whole workspace does to resources of one kind, where it is asked about just these."""
    kinds = {ref.type for ref in given.scope.resources}
    if len(kinds) != 1 or not kinds <= given.role.gives.keys():
        return ""
    [kind] = kinds
    names, words = _names(given.scope.resources, inventory), RESOURCE_TYPES[kind]
    verb = "Edit" if given.role.gives[kind] == Level.EDIT else "Read"
    return f"{verb} the {words[0] if len(names) == 1 else words[1]} {listed(names)}"


def _object(given: RoleInScope, inventory: Inventory) -> str:
    singular, plural = RESOURCE_TYPES[given.role.resource_type or "source"]
    reached = inventory.reached(given)
    if given.scope.kind == "all":
        return f"all {plural}, {len(reached) or 'none'} now and any future one"
    if given.scope.kind == "labels":
        return _labelled(len(reached), singular, plural, given.scope)
    names = _names(given.scope.resources, inventory)
    if len(names) > _MOST_NAMED:
        return f"{len(names):,} {plural}: {', '.join(names[:_FIRST_NAMED])} and {len(names) - _FIRST_NAMED:,} more"
    return f"the {singular if len(names) == 1 else plural} {listed(names)}"


def _labelled(count: int, singular: str, plural: str, scope: Scope) -> str:
    labels = listed([str(label) for label in sorted(scope.labels)])
    if count == 0:
        return f"{plural} with {labels}, none now and any future one"
    return f"{counted(count, singular, plural)}, {'all ' if count > 1 else ''}with {labels}"


def _names(refs: Iterable[ResourceRef], inventory: Inventory) -> list[str]:
    found = ((ref, inventory.find(ref)) for ref in refs)
    return sorted((one.name if one else str(ref) for ref, one in found), key=fold)


def describe_reach(given: RoleInScope, inventory: Inventory) -> str:
    """How many that is now: `2 of 11 sources`, `all 2, and future ones`, `the workspace`."""
    if given.role.resource_type is None:
        return "the workspace"
    count = len(inventory.reached(given))
    if given.scope.kind == "all":
        return _all_of(count)
    total = len(inventory.of_type(given.role.resource_type))
    return f"{count:,} of {counted(total, *RESOURCE_TYPES[given.role.resource_type])}"


def describe_all(role: Role, inventory: Inventory) -> str:
    """The widest scope of a role, to choose: `All sources, 11 now and any future one`."""
    if role.resource_type is None:
        return "The whole workspace"
    text = _object(RoleInScope(role, Scope()), inventory)
    return text[0].upper() + text[1:]


def _all_of(count: int) -> str:
    return f"all {count:,}, and future ones" if count else "all future ones, none yet"


# -- Many permissions, shortly -----------------------------------------------------------------------


def shorten(given: Iterable[RoleInScope], most: int = 2) -> str:
    """`Source Admin (5), 4 more roles`: the roles of a person, a User Group or a token in one line.

    Everybody sees the workspace, so Minimal Workspace Access is named only where it is all.
    """
    scopes: dict[Role, list[Scope]] = {}
    for one in given:
        scopes.setdefault(one.role, []).append(one.scope)
    named = [_short(role, each) for role, each in scopes.items() if role is not MINIMAL]
    if not named:
        return MINIMAL.name
    if len(named) <= most:
        return ", ".join(named)
    left = len(named) - most + 1
    return ", ".join((*named[: most - 1], counted(left, "more role")))


def _short(role: Role, scopes: Sequence[Scope]) -> str:
    if not role.scopable and not any(scope.resources for scope in scopes):
        return role.name
    if any(scope.kind == "all" for scope in scopes):
        return f"{role.name} (all)"
    if all(scope.kind == "list" for scope in scopes):
        return f"{role.name} ({len(frozenset[ResourceRef]().union(*(scope.resources for scope in scopes))):,})"
    if len(scopes) == 1:
        return f"{role.name} with {listed([str(label) for label in sorted(scopes[0].labels)])}"
    return f"{role.name} (some)"


@dataclass(frozen=True, slots=True)
class ReachLine:
    """A line of "May edit" or "May read": a kind of thing, and which of them."""

    what: str
    which: str


@dataclass(slots=True)
class _Gathered:
    everything: str = ""
    listed: set[ResourceRef] = field(default_factory=set)
    labelled: list[RoleInScope] = field(default_factory=list)


def reach_lines(
    given: Iterable[RoleInScope], inventory: Inventory
) -> tuple[tuple[ReachLine, ...], tuple[ReachLine, ...]]:
    """What several roles let somebody edit, and what they let them only read. Of owners there is too much to say."""
    every = [one for one in given if one.role not in (OWNER, MINIMAL)]
    edit: dict[str, _Gathered] = {}
    read: dict[str, _Gathered] = {}
    for one in every:
        for what, level in _kinds(one.role):
            if level == Level.EDIT:
                _gather(edit.setdefault(what, _Gathered()), one, inventory)
            elif not any(_edits_more(other, one) for other in every):
                _gather(read.setdefault(what, _Gathered()), one, inventory)
    return _lines(edit, inventory), _lines(read, inventory)


def _kinds(role: Role) -> list[tuple[str, Level]]:
    """What a role reaches, in the words of a line, and how far."""
    if role.resource_type is None:
        return [(_AREA_LINES[area][0], level) for area, level in role.gives.items() if area in _AREA_LINES]
    kinds = [(_title(role.resource_type), role.gives[role.resource_type])]
    if role.gives.get("engage", 0) > role.gives[role.resource_type]:
        kinds.append(("Audiences and journeys", Level.EDIT))
    return kinds


def _title(kind: str) -> str:
    return RESOURCE_TYPES[kind][1].capitalize()


def _edits_more(other: RoleInScope, one: RoleInScope) -> bool:
    """Whether `other` edits all that `one` only reads."""
    kind = one.role.resource_type
    edits = kind is not None and other.role.gives.get(kind) == Level.EDIT
    return edits and scope_covers(other.scope, one.scope)


def _gather(into: _Gathered, one: RoleInScope, inventory: Inventory) -> None:
    if one.role.resource_type is None:
        into.everything = next(text for area, (_, text) in _AREA_LINES.items() if area in one.role.gives)
    elif one.scope.kind == "all":
        into.everything = _all_of(len(inventory.reached(one)))
    elif one.scope.kind == "list":
        into.listed |= one.scope.resources
    else:
        into.labelled.append(one)


def _lines(gathered: dict[str, _Gathered], inventory: Inventory) -> tuple[ReachLine, ...]:
    return tuple(ReachLine(what, one.everything or _which(one, inventory)) for what, one in gathered.items())


def _which(gathered: _Gathered, inventory: Inventory) -> str:
    parts = [first_few(_names(gathered.listed, inventory))] if gathered.listed else []
    for one in gathered.labelled:
        labels = listed([str(label) for label in sorted(one.scope.labels)])
        count = len(inventory.reached(one))
        parts.append(f"{count:,}, {'all ' if count > 1 else ''}with {labels}" if count else f"none yet with {labels}")
    return "; ".join(parts)


# -- Roles themselves --------------------------------------------------------------------------------


def describe_role(role: Role) -> tuple[str, ...]:
    """What a role gives, a sentence each, without regard to where it is given."""
    if role.resource_type is None:
        return (_WHOLE_WORKSPACE.get(role.id, role.text),)
    plural = RESOURCE_TYPES[role.resource_type][1]
    if role.gives[role.resource_type] != Level.EDIT:
        return (f"{_IN_SPACES.get(role.id, 'Read')} {plural}",)
    return f"{_IN_SPACES.get(role.id, 'Edit')} {plural}", f"Create {plural}, when given on all"


def role_areas() -> tuple[tuple[str, tuple[Role, ...]], ...]:
    """The catalogue by areas of the product: what has no area of its own is about the workspace."""
    areas: dict[str, list[Role]] = {"The workspace": []}
    for role in ROLES:
        own = _title(role.resource_type) if role.resource_type else "Entities" if "entities" in role.gives else ""
        areas.setdefault("The workspace" if role is OWNER or not own else own, []).append(role)
    return tuple((title, tuple(roles)) for title, roles in areas.items())


def role_scopes(role: Role) -> str:
    """Where a role can apply."""
    if role.resource_type is None:
        return "the whole workspace"
    return f"all {RESOURCE_TYPES[role.resource_type][1]}, listed ones, or those with certain labels"


def for_whom(role: Role) -> str:
    """Who usually has a role."""
    return _FOR_WHOM[role.id]


def without_minimal(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """The permissions that reach something: seeing the workspace is left out where it is all, else it comes last."""
    every = tuple(permissions)
    reaching = _reaching(every)
    return reaching and (*reaching, *(one for one in every if one.role is MINIMAL))


def count_reaching(permissions: Iterable[Permission]) -> tuple[int, int]:
    """How many permissions reach something, and by how many paths: seeing the workspace is shown, not counted."""
    reaching = _reaching(permissions)
    return len(reaching), sum(len(one.because) for one in reaching)


def _reaching(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(one for one in permissions if one.role is not MINIMAL)
