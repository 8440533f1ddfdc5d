"""What a filter is true of: each type and its case, one value or many, present or not (RFC 7644 3.4.2.2)."""

from typing import Any

import pytest

from scim.errors import InvalidFilter
from scim.filters import And, Or, ValuePath, matches, matches_element, parse_filter
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, RESOURCE_TYPES, USER

BOB: dict[str, Any] = {
    "schemas": [USER.schema.id],
    "id": "aBc",
    "externalId": "B-1",
    "userName": "Bob@X.org",
    "name": {"givenName": "Bob", "familyName": "Straße"},
    "title": "50% Boss_",
    "active": True,
    "emails": [{"value": "b@x.org", "type": "work", "primary": True}, {"value": "b@home.net", "type": "home"}],
    "roles": [{"value": "admin"}],
    ENTERPRISE_SCHEMA: {"department": "R&D", "manager": {"value": "m1"}},
    "meta": {"created": "2026-01-31T12:00:00.5Z", "resourceType": "User"},
}

TRUE = [
    'userName eq "bob@x.ORG"',
    'userName sw "BOB"',
    'userName ew "x.org"',
    'userName co "@"',
    'userName gt "alice"',
    'userName le "BOB@x.org"',
    'externalId eq "B-1"',
    'id eq "aBc"',
    'name.familyName eq "STRASSE"',
    'title eq "50% boss_"',
    'title co "%"',
    "active eq true",
    "active ne false",
    "title pr",
    "name pr",
    "emails pr",
    'emails eq "B@X.ORG"',
    'emails.type eq "home"',
    'emails[type eq "work" and value ew "x.org"]',
    'emails[type eq "home"].value eq "b@home.net"',
    "emails[primary eq true]",
    'emails[not (type eq "work")]',
    "emails[primary eq null]",
    'emails.type eq "home" and emails.value eq "b@x.org"',
    'roles eq "admin"',
    f'{ENTERPRISE_SCHEMA}:department eq "r&d"',
    f'{ENTERPRISE_SCHEMA}:manager eq "m1"',
    "nickName eq null",
    "title ne null",
    'nickName ne "x"',
    'emails.type ne "work"',
    'meta.created gt "2026-01-31T12:00:00Z"',
    'meta.created eq "2026-01-31T13:00:00.500+01:00"',
    'meta.created lt "2026-01-31T12:00:01Z"',
    'title eq "x" or userName pr',
    'title eq "x" and title pr or active eq true',
    "not (nickName pr)",
    f'schemas eq "{USER.schema.id}"',
]
FALSE = [
    'userName eq "bob"',
    'externalId eq "b-1"',
    'id eq "abc"',
    'id sw "A"',
    'title eq "500 bossx"',
    'title co "0%b"',
    "active eq false",
    "nickName pr",
    "ims pr",
    "name.middleName pr",
    'emails eq "b@y.org"',
    'emails[type eq "home" and value eq "b@x.org"]',
    'emails[type eq "home"].value eq "b@x.org"',
    "emails[type pr and type eq null]",
    "title eq null",
    "nickName ne null",
    'nickName eq ""',
    'nickName gt "a"',
    f'{ENTERPRISE_SCHEMA}:manager eq "M1"',
    f"{ENTERPRISE_SCHEMA}:costCenter pr",
    'meta.created gt "2026-01-31T12:00:00.5Z"',
    'userName pr and title eq "x"',
    'not (userName pr or title eq "x")',
    'userName sw "bob@x.org.uk"',
]


@pytest.mark.parametrize("text", TRUE)
def test_true(text: str) -> None:
    assert matches(parse_filter(text, USER), BOB)


@pytest.mark.parametrize("text", FALSE)
def test_false(text: str) -> None:
    assert not matches(parse_filter(text, USER), BOB)


@pytest.mark.parametrize("text", TRUE + FALSE)
def test_not_is_the_opposite(text: str) -> None:
    assert matches(parse_filter(f"not ({text})", USER), BOB) != matches(parse_filter(text, USER), BOB)


@pytest.mark.parametrize(
    "nothing", [{}, {"title": None}, {"title": ""}, {"emails": []}, {"emails": [{}]}, {"name": {}}]
)
def test_what_is_unassigned_is_not_present(nothing: dict[str, Any]) -> None:
    for name in ("title", "emails", "name", f"{ENTERPRISE_SCHEMA}:department"):
        assert not matches(parse_filter(f"{name} pr", USER), nothing)


def test_false_is_present() -> None:
    assert matches(parse_filter("active pr", USER), {"active": False})


def test_the_filter_of_a_value_path_is_asked_of_one_value() -> None:
    chosen = parse_filter('emails[type eq "WORK" and primary eq "true"]', USER)
    assert isinstance(chosen, ValuePath)
    assert [matches_element(chosen.filter, email) for email in BOB["emails"]] == [True, False]


@pytest.mark.parametrize(
    ("text", "is_true"),
    [
        ('members.value eq "x"', False),
        ("members pr", False),
        ('members[value eq "x" or not (type eq "x")]', False),
        ('members ne "x"', True),
        ("not (members pr)", True),
        ('members.value eq "x" or userName pr', True),
        ('members.value eq "x" and userName pr', False),
        (f'{GROUP.schema.id}:displayName eq "Bob"', False),
    ],
)
def test_in_a_search_over_types_what_another_type_has_is_without_a_value(text: str, is_true: bool) -> None:
    assert matches(parse_filter(text, USER, RESOURCE_TYPES), BOB) is is_true
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)


def test_what_no_type_has_is_refused_in_a_search_over_types_too() -> None:
    for text in ('nope eq "x"', 'nope eq "x" or userName pr', "members.nope pr", "members[nope pr]", "password pr"):
        with pytest.raises(InvalidFilter):
            parse_filter(text, USER, RESOURCE_TYPES)


def test_a_test_of_what_another_type_has_asks_no_row() -> None:
    assert parse_filter('userName eq "x"', GROUP, RESOURCE_TYPES) == Or(())
    assert parse_filter('userName ne "x"', GROUP, RESOURCE_TYPES) == And(())
