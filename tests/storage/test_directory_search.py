"""A filter in SQL means what it means in plain Python (`scim.filter_tree.matches`), on both engines."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.flows.provision_groups import search_groups
from bridge.flows.provision_users import create_user, search_users
from bridge.storage.database import Database
from bridge.web.scim_resources import pushed_user, shown_group, shown_user
from scim.filter_tree import matches
from scim.filters import parse_filter
from scim.resources import parse_user
from scim.schemas import GROUP, USER
from tests.world import World, another_connection, make_world

PEOPLE: list[dict[str, Any]] = [
    {"userName": "ann@acme.example", "externalId": "E1", "title": "Lead", "emails": [{"value": "ann@acme.example"}]},
    {"userName": "BEN_100%@acme.example", "externalId": "e1", "active": False},
    {
        "userName": "ömer@acme.example",
        "name": {"givenName": "Ömer", "familyName": "Straße"},
        "emails": [
            {"value": "omer@home.example", "type": "home", "primary": True},
            {"value": "Omer@Acme.Example", "type": "work"},
        ],
    },
    {"userName": "dee", "displayName": "Dee", "emails": [{"value": "dee@acme.example", "type": "work"}]},
]
TEXTS = [
    "ann",
    "ANN@acme.example",
    "e1",
    "E1",
    "%",
    "_100",
    "ömer@",
    "STRASSE",
    "example",
    "work",
    "Lead",
    " dee",
    "",
    "dee",
]
ATTRIBUTES = [
    "userName",
    "externalId",
    "id",
    "title",
    "displayName",
    "name.familyName",
    "emails",
    "emails.value",
    "emails.type",
    "groups.value",
    "urn:ietf:params:scim:schemas:core:2.0:User:userName",
]
comparisons = st.builds(
    lambda name, op, text: f'{name} {op} "{text}"',
    st.sampled_from(ATTRIBUTES),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "le"]),
    st.sampled_from(TEXTS),
)
simple = st.one_of(
    comparisons,
    st.sampled_from(ATTRIBUTES).map(lambda name: f"{name} pr"),
    st.sampled_from(
        ["active eq true", "active ne true", 'active eq "False"', 'meta.created gt "2001-01-01T00:00:00Z"']
    ),
    st.builds(
        lambda kind, text: f'emails[type eq "{kind}" and value co "{text}"]',
        st.sampled_from(["work", "home", "WORK"]),
        st.sampled_from(TEXTS),
    ),
    st.sampled_from(['emails[primary eq true and value ew "example"]', 'emails[type eq "work"].value sw "omer"']),
)
filters = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=4,
)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    made = make_world(database, now)
    everyone = [create_user(made.context, made.connection, pushed_user(parse_user(person)), now) for person in PEOPLE]
    made.push_group("Engineering", *everyone[:2], external_id="g1")
    made.push_group("ENGINEERING leads", everyone[0])
    another_connection(made, "Entra").push("ann@acme.example")
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=filters)
def test_users_found_are_those_the_filter_is_true_of(world: World, text: str) -> None:
    filter_ = parse_filter(text, USER)
    everyone, _ = search_users(world.context, world.connection, None, offset=0, count=100)
    assert len(everyone) == len(PEOPLE)
    wanted = [user.id for user in everyone if matches(filter_, shown_user(user, ""))]
    found, total = search_users(world.context, world.connection, filter_, offset=0, count=100)
    assert [user.id for user in found] == wanted
    assert total == len(wanted)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('displayName eq "engineering"', ["Engineering"]),
        ('displayName sw "ENG"', ["Engineering", "ENGINEERING leads"]),
        ('externalId eq "G1"', []),
        ('externalId eq "g1" or displayName co "lead"', ["Engineering", "ENGINEERING leads"]),
        ('not (displayName co "lead")', ["Engineering"]),
        ("externalId pr", ["Engineering"]),
        ('members.display eq "dee"', []),
    ],
)
def test_groups_found_are_those_the_filter_is_true_of(world: World, text: str, names: list[str]) -> None:
    filter_ = parse_filter(text, GROUP)
    found, total = search_groups(world.context, world.connection, filter_, offset=0, count=100, with_members=True)
    assert [group.name for group in found] == names
    assert total == len(names)
    assert all(matches(filter_, shown_group(group, "")) for group in found)


def test_membership_is_asked_without_loading_the_group(world: World) -> None:
    """Entra: `id eq … and members eq …`."""
    (group, *_), _ = search_groups(world.context, world.connection, None, offset=0, count=1, with_members=True)
    assert group.members is not None
    text = f'id eq "{group.id}" and members eq "{group.members[0].id}"'
    found, _ = search_groups(
        world.context, world.connection, parse_filter(text, GROUP), offset=0, count=1, with_members=False
    )
    assert [each.id for each in found] == [group.id]


@pytest.mark.parametrize("text", [None, 'userName co "acme"', "title pr or userName pr"])
def test_pages_together_are_the_whole_once_each(world: World, text: str | None) -> None:
    filter_ = parse_filter(text, USER) if text else None
    whole, total = search_users(world.context, world.connection, filter_, offset=0, count=100)
    pages = [search_users(world.context, world.connection, filter_, offset=n, count=1) for n in range(total + 1)]
    assert [user for page, _ in pages for user in page] == whole
    assert {count for _, count in pages} == {total}
    assert search_users(world.context, world.connection, filter_, offset=0, count=0) == ([], total)
