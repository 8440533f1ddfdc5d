"""The path of a permission as chips: IdP group or hand, rule, User Group, role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.members import Decider, GivenGrant, PersonDetails
from bridge.domain.people import fold
from bridge.domain.roles import Role
from bridge.domain.sentences import Inventory, describe_permission
from bridge.flows.context import OPERATOR
from bridge.web.pages.filters import day
from bridge.web.pages.frame import Visit
from bridge.web.pages.views import Chip, Path, PermissionLine


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
    """Each permission as a sentence, and under it every path that gives it."""
    return tuple(
        PermissionLine(
            describe_permission(RoleInScope(one.role, one.scope), inventory),
            tuple(path_of(visit, because, one.role, givers) for because in one.because),
        )
        for one in permissions
    )


def path_of(visit: Visit, because: Because, role: Role, givers: Givers) -> Path:
    """One path, from where it begins to the role."""
    if because.kind == "individual":
        return Path((_giver_chip(visit, because, givers), role_chip(visit, role)))
    if because.kind == "user_group":
        begins = Chip("hand", f"since {day(because.in_group_since or because.since, visit.now)}")
        return Path((begins, *_group_chip(visit, because), role_chip(visit, role)))
    idp_group = Chip("idp", because.idp_group or "an IdP group")
    rule = Chip("rule", rule_words(because.mapping, because.idp_group, because.idp_group_id))
    return Path((idp_group, rule, *_group_chip(visit, because), role_chip(visit, role)))


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
    rule = Chip("rule", rule_words(decider.value, decider.idp_group, decider.idp_group_id))
    return Path((Chip("idp", decider.idp_group or decider.value), rule, Chip("group", user_group)))


def rule_words(value: str | None, idp_group: str | None, idp_group_id: str | None) -> str:
    """What a rule matches, shortly: its pattern, or in what other way it names the group beside it."""
    if value is None or value == idp_group_id:
        return "this group"
    if idp_group is not None and fold(value) == fold(idp_group):
        return "by its name"
    return value if any(mark in value for mark in "*?") else "by its id in the IdP"


def _group_chip(visit: Visit, because: Because) -> tuple[Chip, ...]:
    if because.user_group_id is None:
        return ()
    href = visit.url("user_groups.show_roles", group=because.user_group_id) if visit.is_owner else None
    return (Chip("group", because.user_group or "", href),)
