"""The path of a permission as chips: IdP group or hand, rule, User Group, role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.group_mapping import MatchKind
from bridge.domain.members import Decider, GivenGrant, PersonDetails
from bridge.domain.people import fold
from bridge.domain.roles import Role
from bridge.domain.sentences import Inventory, describe_permission
from bridge.flows.context import OPERATOR
from bridge.web.pages.filters import day
from bridge.web.pages.frame import Visit
from bridge.web.pages.views import Chip, Path, PermissionLine

#: Of one permission on a page; a person in a thousand groups has a thousand.
_MOST_PATHS = 50
_NAMED: dict[MatchKind, str] = {
    "id": "by its id, also when the IdP renames it",
    "external_id": "by its id in the IdP, also when the IdP renames it",
    "name": "by its name",
}


@dataclass(frozen=True, slots=True)
class Givers:
    """Names of those who gave something, by actor."""

    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, actor: str) -> str:
        """A person's or connection's name; what kind of actor it is, where that is all that is known."""
        known = {OPERATOR: "The operator", "system": "The bridge"} | dict(self.names)
        kinds = {"connection": "The IdP", "token": "A token", "user": "An owner"}
        return known.get(actor) or kinds.get(actor.partition(":")[0], "The bridge")


def givers_of(details: PersonDetails) -> Givers:
    """Who gave a person their roles, and the IdPs that know them."""
    people = {one.given_by: one.given_by_name for one in details.grants if one.given_by_name}
    return Givers(people | {f"connection:{one.connection_id}": one.connection for one in details.member.records})


def grants_by_hand(details: PersonDetails) -> tuple[GivenGrant, ...]:
    """The roles that somebody gave to this very person."""
    return tuple(one for one in details.grants if not is_given_by_idp(one.given_by))


def permission_lines(
    visit: Visit, permissions: Iterable[Permission], inventory: Inventory, givers: Givers
) -> tuple[PermissionLine, ...]:
    """Each permission as a sentence, and under it the paths that give it: of very many the first, the rest counted."""
    return tuple(
        PermissionLine(
            describe_permission(RoleInScope(one.role, one.scope), inventory),
            tuple(path_of(visit, because, one.role, givers) for because in one.because[:_MOST_PATHS]),
            max(len(one.because) - _MOST_PATHS, 0),
        )
        for one in permissions
    )


def path_of(visit: Visit, because: Because, role: Role, givers: Givers) -> Path:
    """One path, from where it begins to the role."""
    if because.kind == "individual":
        return Path((_giver_chip(visit, because, givers), role_chip(visit, role)))
    if because.kind == "user_group":
        name = because.put_in_by_name or givers.name(because.put_in_by or "")
        begins = Chip("hand", f"{name}, {day(because.in_group_since or because.since, visit.now)}")
        return Path((begins, *_group_chip(visit, because), role_chip(visit, role)))
    idp_group = Chip("idp", because.idp_group or "an IdP group", _idp_href(visit, because.idp_group_id))
    rule = rule_chip(because.mapping or "", _match_of(because))
    return Path((idp_group, rule, *_group_chip(visit, because), role_chip(visit, role)))


def _idp_href(visit: Visit, group: str | None) -> str | None:
    return visit.url("idp_directory.show_group", group=group) if visit.is_owner and group else None


def _giver_chip(visit: Visit, because: Because, givers: Givers) -> Chip:
    name = givers.name(because.given_by)
    if is_given_by_idp(because.given_by):
        return Chip("rule", f"everyone from {name}")
    return Chip("hand", f"{name}, {day(because.since, visit.now)}")


def is_given_by_idp(actor: str) -> bool:
    """Whether a grant is one that whoever comes through a connection has, not one given by hand."""
    return actor.startswith("connection:")


def role_chip(visit: Visit, role: Role) -> Chip:
    """A role that leads to what it gives."""
    return Chip("role", role.name, visit.url("roles.index"))


def decider_path(visit: Visit, decider: Decider, user_group: str) -> Path:
    """How a rule brings people into a User Group."""
    rule = rule_chip(decider.value, decider.match)
    return Path((Chip("idp", decider.idp_group or decider.value), rule, Chip("group", user_group)))


def rule_chip(value: str, match: MatchKind) -> Chip:
    """What a rule matches: a pattern, or the one group beside it, named in whichever way."""
    if match == "glob":
        return Chip("rule", value, title=f"The rule takes every IdP group whose name fits {value}.")
    return Chip("rule", "this group", title=f"The rule takes this IdP group {_NAMED[match]}.")


def _match_of(because: Because) -> MatchKind:
    """How the rule of a path names the group beside it: the path keeps no more of the rule than its value."""
    value = because.mapping or ""
    if value == because.idp_group_id:
        return "id"
    if fold(value) == fold(because.idp_group or ""):
        return "name"
    return "glob" if any(mark in value for mark in "*?") else "external_id"


def _group_chip(visit: Visit, because: Because) -> tuple[Chip, ...]:
    if because.user_group_id is None:
        return ()
    href = visit.url("user_groups.show_roles", group=because.user_group_id) if visit.is_owner else None
    return (Chip("group", because.user_group or "", href),)
