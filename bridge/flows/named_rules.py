"""Rules and what they name, found or refused: the first lines of flows about them."""

from collections.abc import Collection
from typing import Any

from bridge.domain.errors import Conflict, Invalid, NotFound
from bridge.domain.group_mapping import Gives, check_gives
from bridge.domain.previews import MappingDraft
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.named import check_sso_in_plan, get_connection
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import mappings
from bridge.storage.directory_members import StoredGroup, find_group
from bridge.storage.grants import scope_keys
from bridge.storage.mappings import StoredMapping


def get_rule(rows: Any, workspace: Workspace, mapping_id: str) -> StoredMapping:
    """The workspace's rule with this id. Raises NotFound."""
    mapping = mappings.find_mapping(rows, workspace.key, mapping_id)
    if mapping is None:
        raise NotFound(f"{workspace.name} has no rule {mapping_id[:80]!r}.")
    return mapping


def check_own_rule(mapping: StoredMapping) -> StoredMapping:
    """Refuse what isn't done to a mirror's rule. Raises Conflict."""
    if mapping.origin == "mirror":
        raise Conflict("This rule ties an IdP group to its mirror. Link the group to another User Group instead.")
    return mapping


def check_draft(rows: Any, workspace: Workspace, draft: MappingDraft) -> tuple[Connection, dict[str, int]]:
    """The connection and the User Groups that a draft names, by their keys. Raises NotFound, Invalid, NotInPlan."""
    check_sso_in_plan(workspace)
    check_gives(draft.match, Gives(draft.user_group_names, draft.roles))
    connection = get_connection(rows, workspace, draft.connection_id)
    for given in draft.roles:
        check_role_in_plan(given.role, workspace)
        scope_keys(rows, workspace.key, given.scope)
    return connection, get_user_group_keys(rows, workspace, draft.user_group_names)


def check_change(
    rows: Any, workspace: Workspace, mapping: StoredMapping, draft: MappingDraft
) -> tuple[Connection, dict[str, int]]:
    """The same of what a rule is changed to. Raises also Conflict (a system-made rule), Invalid (connection)."""
    if mapping.origin != "admin":
        raise Conflict("This rule ties an IdP group to a User Group. Link the group to another User Group instead.")
    connection, user_groups = check_draft(rows, workspace, draft)
    if connection.key != mapping.connection_key:
        raise Invalid("A rule stays with its connection. Make a new one for the other.", field="connection")
    return connection, user_groups


def get_user_group_keys(rows: Any, workspace: Workspace, names: Collection[str]) -> dict[str, int]:
    """The keys of the User Groups with these names, without case. Raises NotFound."""
    found = mappings.user_group_keys(rows, workspace.key, names)
    for name in names:
        if name not in found:
            raise NotFound(f"{workspace.name} has no User Group {name[:80]!r}.")
    return found


def get_pushed_group(rows: Any, connection: Connection, group_id: str) -> StoredGroup:
    """The group with this id that a connection pushed. Raises NotFound."""
    group = find_group(rows, connection.key, group_id)
    if group is None:
        raise NotFound(f"{connection.name} has pushed no group {group_id[:80]!r}.")
    return group
