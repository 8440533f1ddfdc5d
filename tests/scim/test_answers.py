"""Users and Groups to the wire, whole and narrowed to the attributes asked for (RFC 7644 3.9)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
import scim2_models
from hypothesis import given
from hypothesis import strategies as st

from scim.resources import (
    Meta,
    Reference,
    parse_user,
    render_group,
    render_user,
    render_user_json,
    select_attributes,
    wants_attribute,
)
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, GROUP_SCHEMA, USER, USER_SCHEMA
from tests.scim.generated import bodies

CREATED = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
META = Meta("User", CREATED, CREATED + timedelta(microseconds=1500), "https://bridge.example/scim/v2/Users/7", 'W/"3"')
DOCUMENT = {
    "userName": "bob",
    "externalId": "B-1",
    "name": {"givenName": "Bob", "familyName": "Ray"},
    "emails": [{"value": "b@x.org", "type": "work", "primary": True}, {"value": "b@y.org"}],
    "active": True,
    ENTERPRISE_SCHEMA: {"department": "R&D", "manager": {"value": "m1"}},
}
GROUPS = [Reference("g1", "https://bridge.example/scim/v2/Groups/g1", "eng")]
BOB = render_user(DOCUMENT, "7", META, GROUPS)


def shown(*attributes: str) -> dict[str, Any]:
    """Bob with these attributes, less what is always there."""
    return without_the_always(select_attributes(BOB, attributes, (), USER))


def hidden(*attributes: str) -> set[str]:
    """The names that go where these are excluded."""
    return set(BOB) - set(select_attributes(BOB, (), attributes, USER))


def without_the_always(resource: dict[str, Any]) -> dict[str, Any]:
    assert resource["id"] == "7"
    assert resource["schemas"] == BOB["schemas"]
    return {name: value for name, value in resource.items() if name not in ("id", "schemas")}


# -- Whole -------------------------------------------------------------------------------------------------------


def test_a_user_is_what_was_pushed_and_what_the_server_knows() -> None:
    bob = render_user(DOCUMENT, "7", META, GROUPS)
    assert bob == {
        "schemas": [USER_SCHEMA, ENTERPRISE_SCHEMA],
        "id": "7",
        **DOCUMENT,
        "groups": [{"value": "g1", "$ref": GROUPS[0].ref, "display": "eng", "type": "direct"}],
        "meta": {
            "resourceType": "User",
            "created": "2026-01-31T12:00:00Z",
            "lastModified": "2026-01-31T12:00:00.001500Z",
            "location": META.location,
            "version": 'W/"3"',
        },
    }


def test_a_user_is_valid_to_scim2_models() -> None:
    read = scim2_models.User[scim2_models.EnterpriseUser].model_validate(BOB)
    assert read.user_name == "bob"


def test_schemas_name_the_extension_only_where_it_is_used() -> None:
    assert render_user({"userName": "bob"}, "7", META)["schemas"] == [USER_SCHEMA]


def test_a_user_in_no_group_has_no_groups() -> None:
    assert "groups" not in render_user({"userName": "bob"}, "7", META)


_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_REFERENCES = st.lists(st.builds(Reference, st.text(), st.text(), st.text()), max_size=2)
_ODD: list[dict[str, Any]] = [
    {},
    {"emails": []},
    {"name": {}},
    {ENTERPRISE_SCHEMA: {}},
    {"title": "[]"},
    {"nickName": f'"{ENTERPRISE_SCHEMA}":{{}}'},
    {"title": f'"{ENTERPRISE_SCHEMA}":{{'},
]


@given(bodies(), st.sampled_from(_ODD), st.text(), _MOMENTS, _MOMENTS, _REFERENCES)
def test_a_user_made_of_the_text_of_the_document_is_the_same(
    body: dict[str, Any], odd: dict[str, Any], id_: str, created: datetime, modified: datetime, groups: list[Reference]
) -> None:
    document = parse_user(body | {"password": "never-shown"}) | odd
    meta = Meta("User", created, modified, f"https://bridge.example/{id_}", 'W/"3"')
    text = orjson.dumps(document).decode()
    wanted = select_attributes(render_user(document, id_, meta, groups), (), (), USER)
    said = orjson.dumps(render_user_json(text, id_, meta, groups))
    assert orjson.loads(said) == wanted
    assert b"never-shown" not in said


def test_moments_are_told_in_utc() -> None:
    elsewhere = CREATED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert Meta("User", elsewhere, elsewhere, "").render() == {
        "resourceType": "User",
        "created": "2026-01-31T12:00:00Z",
        "lastModified": "2026-01-31T12:00:00Z",
        "location": "",
    }


def test_a_group_shows_its_members() -> None:
    ann = Reference("a", "https://bridge.example/scim/v2/Users/a", "Ann")
    group = render_group("eng", "E-1", "g1", META, [ann])
    assert group == {
        "schemas": [GROUP_SCHEMA],
        "id": "g1",
        "displayName": "eng",
        "externalId": "E-1",
        "members": [{"value": "a", "$ref": ann.ref, "type": "User", "display": "Ann"}],
        "meta": META.render(),
    }
    assert scim2_models.Group.model_validate(group).display_name == "eng"


def test_members_that_were_not_asked_for_are_left_out() -> None:
    assert "members" not in render_group("eng", None, "g1", META, None)
    assert render_group("eng", None, "g1", META)["members"] == []


# -- attributes --------------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_shown() -> None:
    assert shown("userName") == {"userName": "bob"}
    assert shown("NAME", "active") == {"name": DOCUMENT["name"], "active": True}


def test_a_sub_attribute_is_shown_alone() -> None:
    assert shown("name.givenName") == {"name": {"givenName": "Bob"}}
    assert shown("emails.type") == {"emails": [{"type": "work"}]}
    assert shown("meta.version") == {"meta": {"version": 'W/"3"'}}


def test_several_sub_attributes_are_shown_together() -> None:
    assert shown("emails.value", "emails.type")["emails"] == [
        {"value": "b@x.org", "type": "work"},
        {"value": "b@y.org"},
    ]


def test_an_attribute_and_its_sub_attribute_show_the_attribute() -> None:
    assert shown("name.givenName", "name") == shown("name", "name.givenName") == {"name": DOCUMENT["name"]}


def test_the_extension_is_shown_by_its_urn_or_by_part() -> None:
    assert shown(ENTERPRISE_SCHEMA) == {ENTERPRISE_SCHEMA: DOCUMENT[ENTERPRISE_SCHEMA]}
    assert shown(f"{ENTERPRISE_SCHEMA}:department") == {ENTERPRISE_SCHEMA: {"department": "R&D"}}
    assert shown(f"{ENTERPRISE_SCHEMA}:manager.value") == {ENTERPRISE_SCHEMA: {"manager": {"value": "m1"}}}


def test_a_core_attribute_is_shown_by_its_urn() -> None:
    assert shown(f"{USER_SCHEMA}:userName") == {"userName": "bob"}


def test_unknown_and_absent_attributes_show_nothing() -> None:
    assert shown("shoeSize") == shown("title") == shown("name.middleName") == shown("") == {}


def test_a_password_is_never_shown() -> None:
    resource = {**BOB, "password": "s3cret"}
    for attributes, excluded in ((("password",), ()), ((), ("userName",)), ((), ()), ((USER_SCHEMA,), ())):
        assert "password" not in select_attributes(resource, attributes, excluded, USER)


def test_nothing_asked_for_shows_everything() -> None:
    assert select_attributes(BOB, (), (), USER) == BOB


# -- excludedAttributes ------------------------------------------------------------------------------------------


def test_what_is_excluded_goes() -> None:
    assert hidden("emails", "GROUPS") == {"emails", "groups"}
    assert hidden(ENTERPRISE_SCHEMA) == {ENTERPRISE_SCHEMA}


def test_a_sub_attribute_goes_alone() -> None:
    narrowed = select_attributes(BOB, (), ("name.givenName", f"{ENTERPRISE_SCHEMA}:manager"), USER)
    assert narrowed["name"] == {"familyName": "Ray"}
    assert narrowed[ENTERPRISE_SCHEMA] == {"department": "R&D"}


def test_an_attribute_goes_with_the_last_of_its_parts() -> None:
    assert hidden("name.givenName", "name.familyName") == {"name"}


@pytest.mark.parametrize("name", ["id", "schemas", "ID"])
def test_what_is_always_returned_cannot_be_excluded(name: str) -> None:
    assert hidden(name) == set()


def test_unknown_attributes_exclude_nothing() -> None:
    assert hidden("shoeSize", "", "name.x") == set()


def test_members_are_not_read_unless_an_answer_shows_them() -> None:
    assert wants_attribute("members", (), (), GROUP)
    assert wants_attribute("members", ("members.value",), (), GROUP)
    assert not wants_attribute("members", ("displayName",), (), GROUP)
    assert not wants_attribute("members", (), ("MEMBERS",), GROUP)
    assert wants_attribute("members", (), ("members.display",), GROUP)
