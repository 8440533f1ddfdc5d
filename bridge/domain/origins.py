"""Who made each link of a path of access, and when (product.md 5.4): the path says by what, its origins say by whom.

A path's links, from the grant back to the person: the grant itself; the User Group they were put into by hand; or the
rule, its giving of a User Group, and the IdP group it takes them by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.domain.access import Because, RoleInScope
from bridge.domain.labels import Label
from bridge.domain.roles import RESOURCE_TYPES, Role

LinkKind = Literal["grant", "put_in", "rule_gives", "rule", "idp_group", "label"]
_KINDS = {"connection": "An IdP", "token": "A token", "user": "An owner"}
_ALONE = {"operator": "The operator", "system": "The bridge"}


@dataclass(frozen=True, slots=True)
class Made:
    """Who did something, and when: an actor as the audit trail names it, None where nothing says it any more."""

    by: str | None
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """How one link of a path came about: what was done, as a sentence that names who, without its date.

    `changed`: who last changed it since. `counts_until`: an IdP named the group at a login, and it counts no longer
    than that without another one.
    """

    link: LinkKind
    text: str
    made: Made
    changed: Made | None = None
    counts_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleMade:
    """How a rule came about. `origin` is admin, mirror or link; `group` the name of what it takes, or its pattern."""

    origin: str
    group: str
    made_by: str
    created_at: datetime
    changed_by: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Makers:
    """What storage knows of the links of some paths of one person.

    `rules` by the rule's id; `giving` by the ids of a rule and a User Group: since when, and who had it so;
    `counting` by a connection's id: how long the groups of the last login there count; `imported`: ids of IdP groups
    that a file put them into; `names` by actor.
    """

    rules: Mapping[str, RuleMade] = field(default_factory=dict)
    giving: Mapping[tuple[str, str], tuple[datetime, str | None]] = field(default_factory=dict)
    counting: Mapping[str, datetime] = field(default_factory=dict)
    imported: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, actor: str | None) -> str:
        """A person's, token's or connection's name; else what kind of actor it is."""
        if actor is None:
            return "Somebody"
        return _ALONE.get(actor) or self.names.get(actor) or _KINDS.get(actor.partition(":")[0], "The bridge")

    def made(self, actor: str | None, at: datetime) -> Made:
        """That this actor did something then."""
        return Made(actor, self.name(actor), at)


def tell_origins(because: Because, role: Role, makers: Makers) -> tuple[Origin, ...]:
    """The links of one path, from the grant back to the person."""
    told = [_grant(because, role, makers)]
    if because.kind == "user_group":
        by, at = because.put_in_by, because.in_group_since or because.since
        told.append(Origin("put_in", f"{makers.name(by)} put them into {because.user_group}", makers.made(by, at)))
    if because.kind == "mapping":
        told += [*_rule_gives(because, makers), *_rule(because, makers), _idp_group(because, makers)]
    return tuple(told)


def tell_labels(given: RoleInScope, put: Mapping[Label, Made]) -> tuple[Origin, ...]:
    """Who put those labels on a resource by which a role holds on it; none for a role that doesn't hold by labels."""
    kind = RESOURCE_TYPES[given.role.resource_type][0] if given.role.resource_type else "resource"
    carried = ((label, put[label]) for label in sorted(given.scope.labels) if label in put)
    return tuple(Origin("label", f"{made.name} put {label} on this {kind}", made) for label, made in carried)


def _grant(because: Because, role: Role, makers: Makers) -> Origin:
    name, by = makers.name(because.given_by), because.given_by
    if because.user_group:
        to = f"the User Group {because.user_group}"
    elif because.mapping_id:
        to = "the rule"
    else:
        to = "them"
    text = f"{name} gave {to} {role.name}"
    if by.startswith("connection:") and not because.mapping_id and not because.user_group:
        text = f"{name} brought them into the workspace, with {role.name}"
    return Origin("grant", text, makers.made(by, because.since))


def _rule_gives(because: Because, makers: Makers) -> list[Origin]:
    rule = makers.rules.get(because.mapping_id or "")
    found = makers.giving.get((because.mapping_id or "", because.user_group_id or ""))
    # A mirror and a link are one act with what they give: the rule's own line says it.
    if found is None or (rule is not None and rule.origin != "admin" and found == (rule.created_at, rule.made_by)):
        return []
    at, by = found
    return [
        Origin(
            "rule_gives", f"{makers.name(by)} tied the rule to the User Group {because.user_group}", makers.made(by, at)
        )
    ]


def _rule(because: Because, makers: Makers) -> list[Origin]:
    rule = makers.rules.get(because.mapping_id or "")
    if rule is None:
        return []
    name = makers.name(rule.made_by)
    text = f"{name} made the rule for {because.connection} groups that are called {rule.group}"
    if rule.group == because.idp_group:
        text = f"{name} made the rule for the {because.connection} group {rule.group}"
    if rule.origin == "mirror":
        text = f"The bridge mirrors {because.idp_group}, since {name} pushed it"
    elif rule.origin == "link":
        text = f"{name} linked {because.idp_group} to the User Group {because.user_group}"
    changed = None if rule.changed_at is None else makers.made(rule.changed_by, rule.changed_at)
    return [Origin("rule", text, makers.made(rule.made_by, rule.created_at), changed)]


def _idp_group(because: Because, makers: Makers) -> Origin:
    by, at = f"connection:{because.connection_id}", because.in_group_since or because.since
    if because.idp_group_source == "asserted":
        text = f"{because.connection} named {because.idp_group} at their login"
        until = makers.counting.get(because.connection_id or "")
        return Origin("idp_group", text, Made(by, because.connection or "", at), counts_until=until)
    how = "by an imported file" if because.idp_group_id in makers.imported else "by SCIM"
    text = f"{because.connection} put them into {because.idp_group}, {how}"
    return Origin("idp_group", text, Made(by, because.connection or "", at))
