"""The catalogue of roles, as data in one place, and what each plan includes (product.md 1.2, 1.6).

A role gives levels on areas. Some areas are types of resources (sources, warehouses ...), which can be
listed and labelled; the others (identity, privacy ...) exist once in a workspace.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Literal

from bridge.domain.errors import Invalid, NotFound
from bridge.domain.people import fold

Plan = Literal["free", "team", "business"]
PLANS: tuple[Plan, ...] = ("free", "team", "business")

#: Types of resources, with the words that sentences use: singular, plural.
RESOURCE_TYPES: dict[str, tuple[str, str]] = {
    "source": ("source", "sources"),
    "warehouse": ("warehouse", "warehouses"),
    "function": ("function", "functions"),
    "space": ("space", "spaces"),
    "tracking_plan": ("tracking plan", "tracking plans"),
}

#: Areas that can be asked about and have no resources to list, each there once in a workspace, with what sentences call
#: them. Profiles, audiences and journeys are those of all spaces.
AREAS: dict[str, str] = {
    "unify": "profiles",
    "engage": "audiences and journeys",
    "entities": "entities",
    "identity": "identity resolution",
    "privacy": "privacy requests",
    "pii": "personal data",
}


class Level(IntEnum):
    """How far a role reaches: EDIT includes READ, and on a scope of all it includes creating."""

    READ = 1
    EDIT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """One role of the catalogue, of which there is one object each.

    `gives` maps an area or resource type to a level; `resource_type` is what a scope lists.
    """

    id: str
    name: str
    gives: dict[str, Level]
    text: str
    resource_type: str | None = None

    @property
    def scopable(self) -> bool:
        """Whether it can be narrowed to listed or labelled resources."""
        return self.resource_type is not None


_READ, _EDIT = Level.READ, Level.EDIT
_AREAS = (*RESOURCE_TYPES, "workspace", *AREAS)

OWNER = Role(
    "workspace_owner",
    "Workspace Owner",
    dict.fromkeys(_AREAS, _EDIT),
    "Everything in the workspace: its people, roles, connections, settings and all resources.",
)
MINIMAL = Role(
    "minimal_workspace_access",
    "Minimal Workspace Access",
    {"workspace": _READ},
    "Opens the workspace and sees its name. No resource.",
)
ROLES: tuple[Role, ...] = (
    OWNER,
    MINIMAL,
    Role(
        "source_admin",
        "Source Admin",
        {"source": _EDIT},
        "Edits sources, their settings and schema.",
        "source",
    ),
    Role(
        "source_read_only",
        "Source Read-only",
        {"source": _READ},
        "Sees sources and their settings.",
        "source",
    ),
    Role("warehouse_admin", "Warehouse Admin", {"warehouse": _EDIT}, "Edits warehouses and syncs.", "warehouse"),
    Role("warehouse_read_only", "Warehouse Read-only", {"warehouse": _READ}, "Sees warehouses.", "warehouse"),
    Role("function_admin", "Function Admin", {"function": _EDIT}, "Writes and deploys functions.", "function"),
    Role("function_read_only", "Function Read-only", {"function": _READ}, "Reads functions.", "function"),
    Role(
        "tracking_plan_admin",
        "Tracking Plan Admin",
        {"tracking_plan": _EDIT},
        "Edits tracking plans (Protocols).",
        "tracking_plan",
    ),
    Role(
        "tracking_plan_read_only",
        "Tracking Plan Read-only",
        {"tracking_plan": _READ},
        "Sees tracking plans (Protocols).",
        "tracking_plan",
    ),
    Role(
        "unify_and_engage_admin",
        "Unify and Engage Admin",
        {"space": _EDIT, "unify": _EDIT, "engage": _EDIT},
        "Edits spaces: profiles, audiences and journeys (Personas).",
        "space",
    ),
    Role(
        "unify_read_only_engage_user",
        "Unify Read-only + Engage User",
        {"space": _READ, "unify": _READ, "engage": _EDIT},
        "Sees profiles; makes audiences and journeys (Personas).",
        "space",
    ),
    Role(
        "unify_and_engage_read_only",
        "Unify and Engage Read-only",
        {"space": _READ, "unify": _READ, "engage": _READ},
        "Sees spaces: profiles, audiences and journeys (Personas).",
        "space",
    ),
    Role("entities_admin", "Entities Admin", {"entities": _EDIT}, "Edits entities and their relations."),
    Role("entities_read_only", "Entities Read-only", {"entities": _READ}, "Sees entities."),
    Role("identity_admin", "Identity Admin", {"identity": _EDIT}, "Edits identity resolution settings."),
    Role(
        "end_user_privacy_admin",
        "End User Privacy Admin",
        {"privacy": _EDIT},
        "Handles end users' deletion and suppression requests.",
    ),
    Role(
        "pii_access",
        "PII Access",
        {"pii": _READ},
        "Shows personal data inside what the person reaches anyway. Reaches nothing by itself.",
    ),
)
_BY_ID = {role.id: role for role in ROLES}
_BY_NAME = {fold(role.name): role for role in ROLES} | {
    fold("Protocols Admin"): _BY_ID["tracking_plan_admin"],
    fold("Protocols Read-only"): _BY_ID["tracking_plan_read_only"],
    fold("Personas Admin"): _BY_ID["unify_and_engage_admin"],
    fold("Personas User"): _BY_ID["unify_read_only_engage_user"],
    fold("Personas Read-only"): _BY_ID["unify_and_engage_read_only"],
}
_IN_SMALL_PLANS = frozenset({"workspace_owner", "source_admin"})


def get_role(id_or_name: str) -> Role:
    """The role with that id or name (without case; older names too). Raises NotFound."""
    role = _BY_ID.get(id_or_name) or _BY_NAME.get(fold(id_or_name))
    if role is None:
        names = ", ".join(role.name for role in ROLES)
        raise NotFound(f"There is no role {id_or_name[:80]!r}. Roles are: {names}.")
    return role


def in_plan(role: Role, plan: str) -> bool:
    """Whether a grant of `role` gives anything in a workspace on `plan`."""
    return plan == "business" or role.id in _IN_SMALL_PLANS


def parse_plan(text: str) -> str:
    """The name of a plan, if it is one. Raises Invalid."""
    if text not in PLANS:
        raise Invalid(f"{text[:40]!r} is no plan. Plans are: {', '.join(PLANS)}.", field="plan")
    return text


def has_sso(plan: str) -> bool:
    """Whether SSO and SCIM are part of `plan`."""
    return plan == "business"


@cache
def roles_giving(area: str, level: Level, plan: str) -> tuple[str, ...]:
    """Ids of the roles that give at least `level` on `area` in a workspace on `plan`."""
    return tuple(role.id for role in ROLES if role.gives.get(area, 0) >= level and in_plan(role, plan))


def roles_in_plan(plan: str) -> tuple[str, ...]:
    """Ids of the roles that give anything on `plan`."""
    return tuple(role.id for role in ROLES if in_plan(role, plan))


def covers(role: Role, other: Role) -> bool:
    """Whether `role` gives at least every level that `other` gives."""
    return all(role.gives.get(area, 0) >= level for area, level in other.gives.items())


def parse_resource_type(text: str) -> str:
    """A resource type as written on a command line or by an application. Raises Invalid."""
    word = _word(text)
    if word not in RESOURCE_TYPES:
        known = ", ".join(RESOURCE_TYPES)
        raise Invalid(f"{text[:80]!r} is no type of resource. Types are: {known}.", field="type")
    return word


def find_area(text: str) -> str | None:
    """The area without resources that is written so, such as `pii`; None where it is none."""
    return _word(text) if _word(text) in AREAS else None


def _word(text: str) -> str:
    return fold(text).replace("-", "_").replace(" ", "_")
