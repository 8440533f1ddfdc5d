"""PATCH bodies nobody thought of: refused as SCIM refuses, applied whole or not at all, and as scim2-models has it."""

import copy
from contextlib import suppress
from typing import Any, cast

import orjson
import scim2_models
from hypothesis import assume, given
from hypothesis import strategies as st

from scim.errors import ScimError
from scim.filters import AttributePath, Filter, Not, ValuePath, render_filter
from scim.group_changes import MembersAdded, MembersRemoved, MembersReplaced, group_changes
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_group, parse_user
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, USER, USER_SCHEMA
from tests.scim import generated

EMAILS = cast(AttributePath, USER.find("emails"))
USER_MODEL = scim2_models.User[scim2_models.EnterpriseUser]


def apply(document: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return apply_to_user(document, parse_patch({"Operations": list(operations)}, USER))


@given(generated.bodies(), generated.PATCHES)
def test_a_patch_of_a_user_is_applied_or_refused_and_leaves_the_given_alone(body: Any, patch: Any) -> None:
    document = parse_user(body)
    before = copy.deepcopy((document, patch))
    try:
        changed = apply_to_user(document, parse_patch(patch, USER))
    except ScimError:
        changed = document
    assert (document, patch) == before
    assert parse_user(changed) == {"active": True, **changed}
    assert orjson.dumps(changed)


@given(generated.PATCHES)
def test_a_patch_of_a_group_is_told_or_refused(patch: Any) -> None:
    try:
        changes = group_changes(parse_patch(patch, GROUP))
    except ScimError:
        return
    for change in changes:
        if isinstance(change, (MembersAdded, MembersRemoved, MembersReplaced)):
            assert len(set(change.ids)) == len(change.ids)


@given(generated.ANYTHING)
def test_any_json_is_a_body_or_refused(body: Any) -> None:
    assume(isinstance(body, dict))
    for parse in (
        parse_user,
        parse_group,
        lambda given: parse_patch(given, USER),
        lambda given: parse_patch(given, GROUP),
    ):
        with suppress(ScimError):
            parse(body)


ATTRIBUTES = st.sampled_from(generated.WRITABLE)


@given(generated.bodies(), ATTRIBUTES.flatmap(lambda each: st.tuples(st.just(each), generated.values_of(each))))
def test_adding_and_replacing_twice_is_doing_it_once(body: Any, change: Any) -> None:
    document, (attribute, value) = parse_user(body), change
    for op in ("add", "replace"):
        operation = {"op": op, "path": attribute.name, "value": value}
        once = apply(document, operation)
        assert apply(once, operation) == once


@given(generated.bodies(), ATTRIBUTES)
def test_what_is_removed_is_gone_and_nothing_else(body: Any, attribute: Any) -> None:
    document = parse_user(body)
    changed = apply(document, {"op": "remove", "path": attribute.name})
    assert changed == {name: value for name, value in document.items() if name != attribute.name}


@given(generated.bodies(), generated.bodies())
def test_replacing_without_path_is_replacing_each_attribute_by_path(body: Any, other: Any) -> None:
    document = parse_user(body)
    one_by_one = [{"op": "replace", "path": name, "value": value} for name, value in other.items()]
    assert apply(document, {"op": "replace", "value": other}) == apply(document, *one_by_one)


@given(generated.bodies(), generated.element_filters("emails"))
def test_a_filter_parts_the_values_into_removed_and_kept(body: Any, where: Filter) -> None:
    document = parse_user(body)
    kept = apply(document, {"op": "remove", "path": render_filter(ValuePath(EMAILS, where))}).get("emails", [])
    gone = apply(document, {"op": "remove", "path": render_filter(ValuePath(EMAILS, Not(where)))}).get("emails", [])
    assert sorted(map(str, kept + gone)) == sorted(map(str, document.get("emails", [])))


# -- scim2-models as a second opinion ----------------------------------------------------------------------------

TOLERANT = scim2_models.ScimPolicy(
    unknown=scim2_models.ScimPolicy.Unknown.ignore,
    remove_value_as_filter=scim2_models.ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=scim2_models.ScimPolicy.UnmatchedPathFilter.create,
)
PATHS = st.sampled_from(
    [
        "title",
        "name",
        "name.givenName",
        "emails",
        "phoneNumbers",
        "roles",
        "addresses",
        "active",
        "externalId",
        f"{ENTERPRISE_SCHEMA}:department",
        'emails[type eq "work"]',
        'emails[type eq "work"].value',
    ]
)
PATCH_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "active": st.booleans(),
    "name": st.fixed_dictionaries({}, optional={"givenName": st.just("A"), "familyName": st.just("B")}),
    "emails": st.lists(generated.ADDRESSES.map(lambda address: {"value": address, "type": "work"}), max_size=2),
    'emails[type eq "work"]': st.fixed_dictionaries({"type": st.just("work"), "value": generated.ADDRESSES}),
    'emails[type eq "work"].value': generated.ADDRESSES,
    "addresses": st.just([{"type": "work", "country": "DE"}]),
}
OPERATIONS = PATHS.flatmap(
    lambda path: (
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "replace"]),
                "path": st.just(path),
                "value": PATCH_VALUES.get(
                    path,
                    st.just([{"value": "v"}]) if path in ("phoneNumbers", "roles") else st.sampled_from(["a", "b"]),
                ),
            }
        )
        | st.fixed_dictionaries({"op": st.just("remove"), "path": st.just(path)})
    )
)


@given(generated.bodies(), st.lists(OPERATIONS, min_size=1, max_size=3))
def test_scim2_models_comes_to_the_same_user(body: Any, operations: list[Any]) -> None:
    document = parse_user(body)
    assume(not _drops_an_empty_address(document, operations))
    assume(not _adds_an_address_again(document, operations))
    assert apply(document, *operations) == _as_scim2_models_has_it(document, operations)


def _drops_an_empty_address(document: dict[str, Any], operations: list[Any]) -> bool:
    """Where the `value` of an address is removed, nothing but its type is left: here the address goes with it."""
    return any(each["op"] == "remove" and each["path"].endswith(".value") for each in operations)


def _adds_an_address_again(document: dict[str, Any], operations: list[Any]) -> bool:
    """Where value and type agree in any case but something else differs: here it is one address, there two."""
    added = [each["value"] for each in operations if each["op"] != "remove" and each["path"].startswith("emails")]
    said = [each for value in added for each in (value if isinstance(value, list) else [value])]
    addresses = [
        each.get("value", "") if isinstance(each, dict) else each for each in [*document.get("emails", []), *said]
    ]
    return len({address.lower() for address in addresses}) < len(addresses)


def _as_scim2_models_has_it(document: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
    user = USER_MODEL.model_validate({"schemas": [USER_SCHEMA], **document})
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    with TOLERANT:
        context = scim2_models.Context.RESOURCE_PATCH_REQUEST
        scim2_models.PatchOp[USER_MODEL].model_validate(message, scim_ctx=context).patch(user)
    return parse_without_default(user.model_dump(scim_ctx=scim2_models.Context.RESOURCE_QUERY_RESPONSE))


def parse_without_default(body: dict[str, Any]) -> dict[str, Any]:
    document = parse_user(body)
    return document if "active" in body else {name: value for name, value in document.items() if name != "active"}
