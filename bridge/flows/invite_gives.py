"""What an invitation promises: what of it is there now, and by whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.domain.access import ResourceRef, RoleInScope, Scope, parse_scope
from bridge.domain.group_mapping import phrase_role, phrase_user_group
from bridge.domain.labels import Label
from bridge.domain.roles import get_role
from bridge.domain.workspace import Workspace
from bridge.storage import accounts, resources, user_groups
from bridge.storage.grants import known_labels
from bridge.storage.invites import list_pending


def inviters_of(connection: Any, actors: set[str]) -> dict[str, str]:
    """The names of those who invited, by how the audit trail calls them."""
    return dict.fromkeys(actors, "The operator") | accounts.names_of_actors(connection, actors)


@dataclass(frozen=True, slots=True)
class Present:
    """What of that which invitations promise is there now."""

    resource_names: Mapping[ResourceRef, str]
    labels: Collection[Label]
    user_group_names: Mapping[str, str]

    def role(self, kept: Mapping[str, Any]) -> RoleInScope | None:
        """The role that was promised, less resources that have gone since; None where nothing is left.

        Labels narrow together, so without one of them nothing is left: the rest would give more than was promised.
        """
        promised = _promised(kept)
        if not promised.scope.labels.issubset(self.labels):
            return None
        if promised.scope.kind != "list":
            return promised
        left = promised.scope.resources & self.resource_names.keys()
        return RoleInScope(promised.role, Scope("list", resources=frozenset(left))) if left else None

    def phrases(self, gives: Mapping[str, Any]) -> tuple[str, ...]:
        """What an invitation gives, in words."""
        roles = [role for role in map(self.role, gives["roles"]) if role]
        named = [phrase_role(role, sorted(self.resource_names[ref] for ref in role.scope.resources)) for role in roles]
        groups = [self.user_group_names[uid] for uid in gives["user_groups"] if uid in self.user_group_names]
        return (*named, *map(phrase_user_group, groups))


def promised_on(connection: Any, workspace: Workspace, label: Label) -> tuple[str, ...]:
    """Whom a pending invitation, expired or not, promises a role on this label: addresses, the newest first."""
    return tuple(
        one.email
        for one in list_pending(connection, workspace.key)
        if any(label in _promised(kept).scope.labels for kept in one.gives["roles"])
    )


def _promised(kept: Mapping[str, Any]) -> RoleInScope:
    role = get_role(kept["role"])
    return RoleInScope(role, parse_scope(kept["scope"], role))


def present_of(connection: Any, workspace: Workspace, gives: Sequence[Mapping[str, Any]]) -> Present:
    """What is there now of all that these invitations give."""
    scopes = [_promised(kept).scope for one in gives for kept in one["roles"]]
    groups = {uid for one in gives for uid in one["user_groups"]}
    return Present(
        resources.names_of(connection, workspace.key, {ref for scope in scopes for ref in scope.resources}),
        known_labels(connection, workspace.key, {label for scope in scopes for label in scope.labels}),
        user_groups.names_of(connection, workspace.key, groups),
    )
