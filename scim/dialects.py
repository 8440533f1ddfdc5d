"""What identity providers send that RFC 7643 and 7644 do not foresee: one small function a quirk, named by vendor.

Each takes what came and gives the standard's form, or gives it back untouched, so that whoever checks it afterwards
needs to know no vendor. Each has a conversation in tests/conformance/transcripts that goes wrong without it.

What the standard foresees is not here, though only one vendor may say it; it has its conversation too. Okta: PATCH
without a path, a PUT that says no `active`, `password` and `groups: []` on create. Entra: dotted and qualified keys in
one replace, nulls, a flag in the address, `emails[type eq "work"].value` in a filter (`filters`: the RFC has it in
paths only), an address that ends in a slash (`bridge.web.scim_api`). OneLogin: PUT for every change, addresses that
end in `&` or `?`. Google: a URN of SCIM 1 before the standard's. JumpCloud: members with nothing but a value. PingOne:
names and operators in any case. PingFederate: user 0, whom nobody has. Rippling: paging, matching by any address.

Sources, by short name:
- Entra: MicrosoftDocs/entra-docs, app-provisioning/application-provisioning-config-problem-scim-compatibility.md and
  use-scim-to-provision-users-and-groups.md; AzureAD/SCIMReferenceCode, PostmanCollection.json; stackoverflow.com
  question 52840348 (values wrapped).
- Okta: okta-developer-docs, reference/scim/scim-20/index.md; scimgateway issue 113; SCIM-SDK issue 757.
- OneLogin: developers.onelogin.com/scim/implement-scim-api; authentik issue 11249; its JSON templates.
- Google: snipe-it issue 12642; scimitar pull request 142.
"""

from collections.abc import Mapping
from typing import Any

from scim.filter_tree import And, Comparison, Filter
from scim.messages import named
from scim.schemas import ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA

#: Each before those that it begins with.
_NAMES_OF_THE_EXTENSION = (
    # Entra's documentation has it without the colon, and products were tested against the documentation.
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0user",
    # OneLogin's templates name it as drafts of SCIM 2 did, with and without the type.
    "urn:scim:schemas:extension:enterprise:2.0:user",
    "urn:scim:schemas:extension:enterprise:2.0",
    # SCIM 1.1's name of the same extension.
    "urn:scim:schemas:extension:enterprise:1.0",
)


def enterprise_urn(urn: str) -> str:
    """The enterprise extension's URN from Entra's misspelling and OneLogin's legacy names of it; any other as it is."""
    return ENTERPRISE_SCHEMA if urn.lower() in _NAMES_OF_THE_EXTENSION else urn


def enterprise_path(path: str) -> str:
    """The path with the extension's own URN before the colon, where `enterprise_urn` knows the one that is there."""
    lower = path.lower()
    found = next((name for name in _NAMES_OF_THE_EXTENSION if lower.startswith(f"{name}:")), None)
    return path if found is None else ENTERPRISE_SCHEMA + path[len(found) :]


def foreign_schemas_only(urns: list[str], own: str) -> bool:
    """Whether `schemas` names another known kind of resource and not the one that the endpoint is about.

    Everything else is let through: OneLogin sends only urn:scim:schemas:core:2.0, Google puts
    urn:scim:schemas:core:1.0 first, and Entra adds Group's URN to a User.
    """
    given = {urn.lower() for urn in urns}
    return own.lower() not in given and any(each.lower() in given for each in (USER_SCHEMA, GROUP_SCHEMA))


def entra_boolean(value: object) -> object:
    """True or False from "True", "False" in any case, which Entra without its compatibility flag sends."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def onelogin_single_value(value: object) -> object:
    """A list from the one object that OneLogin sends where a list belongs (seen in django-scim2's adapter)."""
    return [value] if isinstance(value, dict) else value


def entra_wrapped_value(value: object) -> object:
    """The one value of a simple attribute from `[{"$ref": null, "value": it}]`, as Entra wrapped it in a PATCH of 2018.

    Its address `AzureAdScimPatch2017` brings that back.
    """
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
        return value
    wrapped = {name.lower(): given for name, given in value[0].items()}
    is_alone = wrapped.keys() <= {"value", "$ref"} and not wrapped.get("$ref")
    return wrapped["value"] if is_alone and "value" in wrapped else value


def entra_manager(value: object) -> object:
    """`{"value": id}` from Entra's spellings of a manager: the id alone, a list of one object, or only a `$ref`.

    An object that names nobody is as good as none.
    """
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, str):
        return {"value": value} if value else None
    if isinstance(value, dict) and not named(value, "value"):
        return _with_value_of_reference(value)
    return value


def _with_value_of_reference(manager: Mapping[str, Any]) -> dict[str, Any] | None:
    reference = named(manager, "$ref")
    if not isinstance(reference, str) or not reference:
        return None
    return {"$ref": reference, "value": reference.rstrip("/").rpartition("/")[2]}


def entra_manager_path(path: str) -> str:
    """`manager` qualified by the enterprise extension's URN, which Entra leaves out, also before `.value`.

    In PATCH paths, and in the filter by which it asks who manages somebody: `id eq "x" and manager eq "y"`.
    """
    name = path.partition(".")[0]
    return f"{ENTERPRISE_SCHEMA}:{path}" if name.lower() == "manager" else path


def entra_operation(op: str) -> str:
    """`add`, `replace`, `remove` from "Add", "Replace", "Remove", which Entra without its flag sends."""
    return op.lower()


def entra_described_value(where: Filter) -> dict[str, Any] | None:
    """The value that a filter made of nothing but `eq`, joined by `and`, describes; None for any other filter.

    RFC 7644 3.5.2.3 answers noTarget where a PATCH's value filter matches nothing. Entra sends
    `emails[type eq "work"].value` for a person without a work address and expects it to be created (better-auth
    issue 10682, scim-patch issue 176). No filter describes an empty value.
    """
    terms = where.terms if isinstance(where, And) else (where,)
    described: dict[str, Any] = {}
    for term in terms:
        if not isinstance(term, Comparison) or term.op != "eq" or term.value is None:
            return None
        described[term.path.leaf.name] = term.value
    return described


def entra_removed_values(value: object) -> object:
    """The values that a `remove` names beside its path, which Entra and JumpCloud do; None if it names none.

    Only those are to be removed. Read as RFC 7644 3.5.2.2 has it, the whole attribute would go.
    """
    return onelogin_single_value(value)


def okta_echoes_id(key: str, value: object, resource_id: str | None) -> bool:
    """Whether a value without path holds the resource's own id, as Okta's renaming of a group does: nothing to do.

    Where the caller doesn't know the id, any is taken for it.
    """
    return key.lower() == "id" and (resource_id is None or value == resource_id)
