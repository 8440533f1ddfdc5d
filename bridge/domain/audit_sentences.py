"""An event of the audit trail that changed what people may do, as a sentence: who did what.

`Olga Owner gave the role Source Admin on source:web` · `Okta removed Ann and 2 more from the IdP group eng-web`.
Of other events the sentence says what kind they are.
"""

from collections.abc import Mapping
from typing import Any

#: What is said after who did it. Names in braces are of the event's details (`before`, then `after` over it).
_SAYS = {
    "workspace.created": "made the workspace {name}",
    "workspace.plan_set": "put the workspace on the plan {plan}",
    "member.added": "made {email} the first owner",
    "member.removed": "removed {email} from the workspace",
    "member.restored": "let {email} back into the workspace",
    "member.hold_lifted": "let {email} in, whom an IdP held out",
    "membership.created": "made them a member",
    "membership.revived": "made them a member again",
    "membership.accepted": "accepted the membership",
    "invitation.accepted": "accepted an invitation",
    "user.created": "made the account {email}",
    "user.closed": "closed the account",
    "directory_user.created": "pushed the person {name}",
    "directory_user.changed": "changed its record of {name}",
    "directory_user.deactivated": "said that {name} is not active",
    "directory_user.reactivated": "said that {name} is active again",
    "directory_user.deleted": "deleted its record of {name}",
    "directory.imported": "imported a file",
    "idp_group.created": "pushed the IdP group {name}",
    "idp_group.changed": "changed the IdP group {name}",
    "idp_group.deleted": "deleted the IdP group {name}",
    "idp_group.asserted": "named the IdP group {name} for the first time",
    "idp_group.members_added": "put {people} into the IdP group {group}",
    "idp_group.members_removed": "removed {people} from the IdP group {group}",
    "idp_groups.named_at_login": "named other IdP groups at a sign-in: new {came_into}; no more {left}",
    "user_group.created": "made the User Group {name}",
    "user_group.mirrored": "made the User Group {name} for a pushed group",
    "user_group.renamed": "renamed a User Group to {name}",
    "user_group.orphaned": "kept the User Group {name}, whose IdP group is gone",
    "user_group.deleted": "deleted the User Group {name}",
    "user_group.members_added": "put {people} into the User Group {name}",
    "user_group.members_removed": "took {people} out of the User Group {name}",
    "mapping.created": "made the rule: {rule}",
    "mapping.enabled": "switched the rule on: {rule}",
    "mapping.disabled": "switched the rule off: {rule}",
    "mapping.deleted": "deleted the rule: {rule}",
    "mapping.linked": "tied the IdP group {idp_group} to the User Group {user_group}",
    "grant.given": "gave the role {role} on {scope}",
    "grant.scope_changed": "changed where the role {role} holds: on {scope}",
    "grant.ended": "took away the role {role} on {scope}",
    "resource.added": "added {subject}",
    "resource.labels_set": "set the labels of {subject} to {after}",
    "resource.deleted": "deleted {subject}",
    "connection.created": "made the connection {name}",
    "connection.enabled": "switched the connection {name} on",
    "connection.disabled": "switched the connection {name} off",
    "connection.deleted": "deleted the connection {name}",
}
#: Names of people in a sentence: a push may bring a hundred thousand at once.
_MOST_NAMES = 3


def tell_event(kind: str, who: str, subject: str, before: Any, after: Any) -> str:
    """An event as a sentence without a full stop. `who` is the actor's name."""
    told = {"subject": subject, **_details(before), **_details(after)}
    if isinstance(after, list):
        told["after"] = _text(after)
    said = _SAYS.get(kind)
    try:
        return f"{who} {said.format_map(told)}" if said else f"{who}: {_kind(kind)}"
    except KeyError:  # details of another shape than today's
        return f"{who}: {_kind(kind)}"


def _kind(kind: str) -> str:
    return kind.replace("_", " ").replace(".", " ")


def _details(said: Any) -> dict[str, str]:
    if not isinstance(said, Mapping):
        return {}
    told = {name: _text(value) for name, value in said.items() if value is not None}
    if isinstance(said.get("people"), list):
        told["people"] = _people(said["people"], said.get("count"))
    return told


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _people(named: list[Any], count: Any) -> str:
    names = [str(one["name"]) if isinstance(one, Mapping) and "name" in one else str(one) for one in named]
    more = (count if isinstance(count, int) else len(names)) - min(len(names), _MOST_NAMES)
    told = ", ".join(names[:_MOST_NAMES])
    return f"{told} and {more:,} more" if more > 0 else told
