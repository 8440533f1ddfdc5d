"""RFC 7643 as data, with scim2-models as a second opinion on every characteristic."""

from collections.abc import Iterator

import pytest
import scim2_models

from scim.schemas import (
    ENTERPRISE_SCHEMA,
    ENTERPRISE_USER,
    GROUP,
    RESOURCE_TYPES,
    USER,
    USER_SCHEMA,
    Attribute,
    AttributePath,
    ResourceType,
    Schema,
    fold_case,
)

MODELS = [
    (USER.schema, scim2_models.User),
    (ENTERPRISE_USER, scim2_models.EnterpriseUser),
    (GROUP.schema, scim2_models.Group),
]

OURS_ON_PURPOSE = {
    # A group cannot hold groups here, and says so.
    "members.type": {"canonicalValues"},
    # RFC 7643 8.7.1 doesn't list it; a member's name is the server's to tell.
    "members.display": {"mutability"},
    "members.$ref": {"referenceTypes"},
    "groups.type": {"canonicalValues"},
    # A password is accepted and discarded, so that its case matters to nobody.
    "password": {"caseExact"},
}


def find(path: str, resource_type: ResourceType = USER) -> AttributePath:
    found = resource_type.find(path)
    assert found is not None
    return found


def test_names_are_found_in_any_case() -> None:
    assert find("USERNAME") == find("userName")
    assert find("eMails.VALUE") == find("emails.value")


def test_a_name_is_found_with_and_without_its_schema() -> None:
    assert find(f"{USER_SCHEMA}:name.familyName") == find("name.familyName")
    assert find(f"{ENTERPRISE_SCHEMA.upper()}:manager.displayname").leaf.name == "displayName"


def test_common_attributes_belong_to_every_type() -> None:
    for resource_type in RESOURCE_TYPES:
        assert find("externalId", resource_type).leaf.case_exact
        assert find("meta.lastModified", resource_type).leaf.type == "dateTime"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        ":",
        "x",
        "name.x",
        "name.",
        ".name",
        "userName.x",
        "department",
        "name.givenName.x",
        "urn:x:userName",
        f"{USER_SCHEMA}",
        f"{USER_SCHEMA}:",
        f"{ENTERPRISE_SCHEMA}:userName",
        f"{USER_SCHEMA}:department",
    ],
)
def test_what_leads_nowhere_is_not_found(path: str) -> None:
    assert USER.find(path) is None


def test_a_path_is_written_as_it_is_found() -> None:
    for resource_type in RESOURCE_TYPES:
        for path in resource_type.paths():
            assert resource_type.find(str(path)) == path


def test_the_characteristics_that_security_rests_on() -> None:
    assert find("password").leaf.returned == "never"
    assert find("groups").leaf.mutability == "readOnly"
    assert find("id").leaf.mutability == "readOnly"
    assert find("members.value", GROUP).leaf.mutability == "immutable"
    assert not find("userName").leaf.case_exact
    assert find("userName").leaf.uniqueness == "server"


@pytest.mark.parametrize(("schema", "model"), MODELS, ids=lambda each: getattr(each, "name", ""))
def test_every_attribute_is_as_scim2_models_has_it(schema: Schema, model: type) -> None:
    theirs = {each.name: each for each in model.to_schema().attributes}  # type: ignore[attr-defined]
    assert set(theirs) == {each.name for each in schema.attributes}
    for attribute in schema.attributes:
        _compare(attribute, theirs[attribute.name], attribute.name)


def _compare(ours: Attribute, theirs: scim2_models.Attribute, where: str) -> None:
    assert {*_differences(ours, theirs)} - OURS_ON_PURPOSE.get(where, set()) == set(), where
    known = {each.name: each for each in theirs.sub_attributes or ()}
    for sub in ours.sub_attributes:
        if sub.name in known:
            _compare(sub, known[sub.name], f"{where}.{sub.name}")


def _differences(ours: Attribute, theirs: scim2_models.Attribute) -> Iterator[str]:
    pairs = {
        "type": (ours.type, theirs.type.value if theirs.type else None),
        "multiValued": (ours.multi_valued, theirs.multi_valued),
        "mutability": (ours.mutability, theirs.mutability.value),
        "returned": (ours.returned, theirs.returned.value),
        "canonicalValues": (set(ours.canonical_values), set(theirs.canonical_values or ())),
        "caseExact": (ours.type == "string" and ours.case_exact, ours.type == "string" and bool(theirs.case_exact)),
        "referenceTypes": (set(ours.reference_types), set(theirs.reference_types or ())),
    }
    yield from (name for name, (one, other) in pairs.items() if one != other)


@pytest.mark.parametrize(("one", "other"), [("Bob", "bOB"), ("STRASSE", "straße"), ("ΟΔΟΣ", "οδος")])
def test_folding_ignores_case_in_every_script(one: str, other: str) -> None:
    assert fold_case(one) == fold_case(other)


@pytest.mark.parametrize(("one", "other"), [("bob", "böb"), ("bob ", "bob"), ("", " ")])
def test_folding_ignores_nothing_else(one: str, other: str) -> None:
    assert fold_case(one) != fold_case(other)
