"""A workspace as the text of a file: in the order of the reference, each thing where a reader looks for it."""

from collections.abc import Iterable
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.as_code import (
    CodedConnection,
    CodedDomain,
    CodedGrants,
    CodedLabel,
    CodedMember,
    CodedResource,
    CodedRule,
    CodedUserGroup,
    CodedWorkspace,
)
from bridge.domain.as_code_yaml import write_yaml
from bridge.domain.roles import ROLES


def write_file(workspace: CodedWorkspace, *, schema: str | None = None) -> str:
    """The file. `schema` is where editors find what may stand in it."""
    head = [f"# yaml-language-server: $schema={schema}"] if schema else []
    return "\n".join([*head, *write_yaml(plain_of(workspace))]) + "\n"


def plain_of(workspace: CodedWorkspace) -> dict[str, Any]:
    """The same as dicts, lists, texts, numbers, switches and None."""
    lists: dict[str, Any] = {
        "labels": _each(_label, workspace.labels),
        "resources": _each(_resource, workspace.resources),
        "connections": _each(_connection, workspace.connections),
        "domains": _each(_domain, workspace.domains),
        "user_groups": _each(_user_group, workspace.user_groups),
        "members": _each(_member, workspace.members),
        "mappings": _each(_rule, workspace.mappings),
    }
    head: dict[str, Any] = {"version": 1, "workspace": workspace.slug}
    head |= {"name": workspace.name} if workspace.name is not None else {}
    head |= {"plan": workspace.plan} if workspace.plan is not None else {}
    head |= {"settings": dict(workspace.settings)} if workspace.settings else {}
    return head | {key: value for key, value in lists.items() if value is not None}


def _each(write: Any, found: Iterable[Any] | None) -> list[Any] | None:
    return None if found is None else [write(one) for one in found]


def _label(one: CodedLabel) -> str | dict[str, Any]:
    return {"label": str(one.label), "description": one.description} if one.description else str(one.label)


def _resource(one: CodedResource) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": one.ref.type, "id": one.ref.id, "name": one.name}
    return plain | ({} if one.labels is None else {"labels": [str(label) for label in sorted(one.labels)]})


def _connection(one: CodedConnection) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": one.name, "kind": one.kind} | ({"was": one.was} if one.was else {})
    plain |= {key: _listed(one.said[key]) for key in ("preset", "enabled", "issuer", "client_id") if key in one.said}
    if one.idp is not None:
        plain["idp"] = {key: _listed(value) for key, value in one.idp.items()}
    if one.secret is not None:
        plain["client_secret"] = {one.secret.by: True if one.secret.by == "keep" else one.secret.name}
    return plain | {key: _listed(value) for key, value in one.said.items() if key not in plain}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _domain(one: CodedDomain) -> dict[str, Any]:
    return {"name": one.name} | ({"connection": one.connection} if one.routed else {})


def _user_group(one: CodedUserGroup) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": one.name} | ({"was": one.was} if one.was else {})
    plain |= {"mirror": True} if one.mirror else {}
    plain |= {} if one.members is None else {"members": list(one.members)}
    return plain | ({} if one.grants is None else {"grants": _grants(one.grants)})


def _member(one: CodedMember) -> dict[str, Any]:
    return {"email": one.email, "grants": _grants(one.grants)}


def _rule(one: CodedRule) -> dict[str, Any]:
    gives: dict[str, Any] = {"user_groups": list(one.user_groups)} if one.user_groups else {}
    gives |= {"roles": _roles(one.roles)} if one.roles else {}
    plain: dict[str, Any] = {"connection": one.connection, "groups": {one.by: one.value}, "gives": gives}
    return plain | {"enabled": one.enabled} | ({"link": True} if one.link else {})


def _grants(grants: CodedGrants) -> list[dict[str, Any]]:
    return _roles(grants.given)


def _roles(given: Iterable[RoleInScope]) -> list[dict[str, Any]]:
    return [
        {"role": one.role.name} | ({} if one.scope == EVERYWHERE else {"scope": one.scope.render()})
        for one in sort_roles(given)
    ]


def sort_roles(given: Iterable[RoleInScope]) -> list[RoleInScope]:
    """Roles in the order of the catalogue, then by their scopes."""
    return sorted(given, key=lambda one: (ROLES.index(one.role), one.scope.render()))
