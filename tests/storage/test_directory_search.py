"""A filter in SQL means what it means in plain Python (`scim.filter_tree.matches`), on both engines."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.directory import pushed_user
from bridge.flows.provision_groups import create_group, search_groups
from bridge.flows.provision_users import create_user, search_users
from bridge.storage import directory_lean, directory_pages
from bridge.storage.database import Database
from bridge.web.scim_resources import shown_group, shown_user
from scim.errors import InvalidFilter, TooMany
from scim.filter_tree import matches
from scim.filters import MAX_TESTS, Filter, parse_filter, render_filter
from scim.messages import SearchQuery
from scim.resources import parse_user
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, USER
from scim.sorting import sort_key
from tests.overheard import statements
from tests.scim import generated
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
    {
        "userName": "Dee-2",
        "emails": [{"type": "work", "display": "No address yet"}],
        "nickName": 'D "Dee" \\ 100%\n',
        "title": "\u212aelvin, of\ufb01ce_1",
        "profileUrl": "https://Acme.example/ann",
        ENTERPRISE_SCHEMA: {"department": "Stra\u00dfe", "manager": {"value": "E1"}},
        "phoneNumbers": [{"value": "123", "type": "work"}, {"value": "ann", "primary": False}],
    },
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
    "User",
    "/Groups/",
    "/ann",
    "KELVIN, office_1",
    "kelvin",
    'd \\"dee\\" \\\\ 100%\\n',
    "e_",
    "\u00e9",
    ENTERPRISE_SCHEMA,
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
    "groups.display",
    "groups.$ref",
    "schemas",
    "meta.location",
    "meta.version",
    "meta.resourceType",
    "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    "nickName",
    "profileUrl",
    "phoneNumbers.value",
    f"{ENTERPRISE_SCHEMA}:department",
    f"{ENTERPRISE_SCHEMA}:manager.value",
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
    st.sampled_from(
        ["primary eq false", "primary ne false", 'type eq "work"', 'value ne "x"', 'not (value co "dee")', "value pr"]
    ).map("emails[{}]".format),
    st.sampled_from(["groups pr", "groups.display pr", "meta pr", "meta.created pr", "active pr"]),
    st.sampled_from(
        ["primary eq true", "primary eq false", "primary ne true", 'type eq "work" and value sw "1"', 'value eq "123"']
    ).map("phoneNumbers[{}]".format),
    st.sampled_from(["title eq null", "title ne null", "name pr", 'groups[display eq "ENGINEERING"]']),
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
    made.push_group("nobody's")
    another_connection(made, "Entra").push("ann@acme.example")
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=filters)
def test_users_found_are_those_the_filter_is_true_of(world: World, text: str) -> None:
    check_found(world, parse_filter(text, USER))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=generated.near_misses(filters | generated.filters().map(render_filter)))
def test_a_filter_that_is_nearly_right_is_refused_or_finds_whom_it_is_true_of(world: World, text: str) -> None:
    try:
        filter_ = parse_filter(text, USER)
    except InvalidFilter:
        return
    check_found(world, filter_)


def check_found(world: World, filter_: Filter) -> None:
    """Fails unless SQL finds those people of whom the filter is true."""
    everyone, _ = search_users(world.context, world.connection, None, offset=0, count=100)
    assert len(everyone) == len(PEOPLE)
    wanted = [user.id for user in everyone if matches(filter_, shown_user(user, world.context.scim_url))]
    found, total = search_users(world.context, world.connection, filter_, offset=0, count=100)
    assert [user.id for user in found] == wanted
    assert total == len(wanted)


@pytest.mark.parametrize("joined", [" or ", " and "])
def test_as_many_comparisons_as_a_filter_may_have_are_answered(world: World, joined: str) -> None:
    text = joined.join(f'emails ne "{n}"' for n in range(MAX_TESTS))
    found, _ = search_users(world.context, world.connection, parse_filter(text, USER), offset=0, count=100)
    assert len(found) == len(PEOPLE)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('displayName eq "engineering"', ["Engineering"]),
        ('displayName sw "ENG"', ["Engineering", "ENGINEERING leads"]),
        ('externalId eq "G1"', []),
        ('externalId eq "g1" or displayName co "lead"', ["Engineering", "ENGINEERING leads"]),
        ('not (displayName co "lead")', ["Engineering", "nobody's"]),
        ("externalId pr", ["Engineering"]),
        ("not (externalId pr)", ["ENGINEERING leads", "nobody's"]),
        ("displayName pr and id pr and meta pr", ["Engineering", "ENGINEERING leads", "nobody's"]),
        ("members pr", ["Engineering", "ENGINEERING leads"]),
        ("not (members.value pr)", ["nobody's"]),
        ('displayName gt "enginf"', ["nobody's"]),
        ('members.display eq "dee"', []),
        ('members.$ref co "/scim/v2/Users/"', ["Engineering", "ENGINEERING leads"]),
        ('meta.location co "/scim/v2/Groups/" and meta.version pr', ["Engineering", "ENGINEERING leads", "nobody's"]),
        ('meta.resourceType eq "Group" and schemas co "Group"', ["Engineering", "ENGINEERING leads", "nobody's"]),
        ('meta.resourceType eq "group" or meta.resourceType ne "Group" or schemas co "User"', []),
    ],
)
def test_groups_found_are_those_the_filter_is_true_of(world: World, text: str, names: list[str]) -> None:
    assert check_groups_found(world, parse_filter(text, GROUP)) == names


GROUP_FILTERS = st.builds(
    lambda one, joined, other: f"{one} {joined} not ({other})",
    st.sampled_from(['displayName sw "ENG"', 'externalId eq "g1"', "members[value pr]", 'members.$ref co "/Users/"']),
    st.sampled_from(["and", "or"]),
    st.sampled_from(['members.value eq "x"', 'displayName co "lead"', "externalId pr", 'meta.created gt "2001-01-01"']),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=generated.near_misses(GROUP_FILTERS))
def test_a_filter_of_groups_that_is_nearly_right_is_refused_or_finds_those_it_is_true_of(
    world: World, text: str
) -> None:
    try:
        filter_ = parse_filter(text, GROUP)
    except InvalidFilter:
        return
    check_groups_found(world, filter_)


def check_groups_found(world: World, filter_: Filter) -> list[str]:
    """The names of the groups that SQL finds. Fails unless they are those of which the filter is true."""
    everything, _ = search_groups(world.context, world.connection, None, offset=0, count=100, with_members=True)
    wanted = [group.id for group in everything if matches(filter_, shown_group(group, world.context.scim_url))]
    found, total = search_groups(world.context, world.connection, filter_, offset=0, count=100, with_members=True)
    assert [group.id for group in found] == wanted
    assert total == len(wanted)
    return [group.name for group in found]


def test_membership_is_asked_without_loading_the_group(world: World) -> None:
    """Entra: `id eq … and members eq …`."""
    (group, *_), _ = search_groups(world.context, world.connection, None, offset=0, count=1, with_members=True)
    assert group.members is not None
    text = f'id eq "{group.id}" and members eq "{group.members[0].id}"'
    found, _ = search_groups(
        world.context, world.connection, parse_filter(text, GROUP), offset=0, count=1, with_members=False
    )
    assert [each.id for each in found] == [group.id]


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("displayName pr", False),
        ("externalId pr or id pr", False),
        ('displayName gt "a"', False),
        ('members.display co "a"', True),
        ('externalId pr or not (members.type eq "x")', True),
    ],
)
def test_members_are_read_only_where_the_filter_asks_for_them(world: World, text: str, reads: bool) -> None:
    with statements(world.context.database) as said:
        search_groups(world.context, world.connection, parse_filter(text, GROUP), offset=0, count=9, with_members=False)
    assert any("FROM group_members" in each.sql for each in said) is reads


@pytest.mark.parametrize(("at_once", "parts"), [(3, 1), (2, 2), (1, 2)])
def test_members_are_read_for_so_many_groups_at_once_as_have_not_too_many(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int, parts: int
) -> None:
    monkeypatch.setattr(directory_lean, "MEMBERS_AT_ONCE", at_once)
    asked = parse_filter('members.display co "ann" or not (members pr)', GROUP)
    by_members = SearchQuery(sort_by="members.display", descending=True).order(GROUP)
    with statements(world.context.database) as said:
        found, total = search_groups(
            world.context, world.connection, asked, by_members, offset=0, count=9, with_members=False
        )
    assert [group.name for group in found] == ["nobody's", "ENGINEERING leads", "Engineering"]
    assert total == 3
    assert sum("FROM group_members" in each.sql for each in said) == parts  # to ask and to sort at once


def test_of_who_does_not_match_no_more_is_read_than_is_asked(world: World) -> None:
    for text, reads in (('title eq "nobody\'s"', 1), ('title eq "lead"', 2), ('not (title eq "lead")', 2)):
        with statements(world.context.database) as said:
            search_users(world.context, world.connection, parse_filter(text, USER), offset=0, count=9)
        chosen = [each.sql.partition("FROM")[0] for each in said if "FROM directory_users" in each.sql]
        assert ["user_name" in columns for columns in chosen] == [False, True][:reads], text


def test_texts_of_documents_are_looked_at_for_few_tests_only(world: World) -> None:
    for tests, looks in ((10, True), (11, False)):
        text = " or ".join(f'title eq "title {n}"' for n in range(tests))
        with statements(world.context.database) as said:
            search_users(world.context, world.connection, parse_filter(text, USER), offset=0, count=9)
        assert any(" LIKE " in each.sql for each in said) is looks


@pytest.mark.parametrize(("text", "reads"), [('title eq "Lead"', False), ('groups.display sw "eng"', True)])
def test_groups_are_read_only_where_the_filter_asks_for_them(world: World, text: str, reads: bool) -> None:
    with statements(world.context.database) as said:
        search_users(world.context, world.connection, parse_filter(text, USER), offset=9, count=0)
    # Once for the filter; the second is for the page that is shown.
    assert sum(each.sql.startswith("SELECT group_members") for each in said) == 1 + reads


LOOKED_UP = [
    ('id eq "1"', "sqlite_autoindex_directory_users_2 (uid=?)"),
    ('userName eq "ann@acme.example"', "uq_directory_users_name (connection_id=? AND user_name_ci=?)"),
    ('externalId eq "E1"', "ix_directory_users_connection_id_external_id (connection_id=? AND external_id=?)"),
    (None, "ix_directory_users_page (connection_id=?)"),
]


@pytest.mark.parametrize(("text", "index"), LOOKED_UP)
def test_what_idps_look_up_is_found_by_its_index(world: World, text: str | None, index: str) -> None:
    """SQLite takes an index of some rows only where the statement says its condition in the same words."""
    if not world.context.database.is_sqlite:
        pytest.skip("the plans of an empty PostgreSQL say nothing")
    with statements(world.context.database) as said:
        search_users(world.context, world.connection, parse_filter(text, USER) if text else None, offset=0, count=9)
    [chosen] = [each for each in said if "FROM directory_users" in each.sql]
    with world.context.database.reading() as rows:
        plan = rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {chosen.sql}", chosen.values).all()
    assert not any("source = ?" in each.sql for each in said)  # which would be prepared anew at each call
    read = {step.detail for step in plan if "directory_users " in step.detail}
    assert read == {f"SEARCH directory_users USING INDEX {index}"}


BY_EMAIL = "SEARCH directory_emails USING INDEX ix_directory_emails_value_ci (value_ci=?)"


@pytest.mark.parametrize(
    "text",
    [
        'emails.value eq "ann@acme.example"',
        'emails[value eq "ann@acme.example"]',
        'emails[type eq "work" and value eq "ann@acme.example"]',
        'emails[type eq "work"].value eq "ann@acme.example"',
    ],
)
def test_who_is_looked_up_by_an_email_is_found_from_the_email(world: World, text: str) -> None:
    plans = plans_of(
        world, lambda: search_users(world.context, world.connection, parse_filter(text, USER), offset=0, count=9)
    )
    assert plans
    for plan in plans:
        assert BY_EMAIL in plan
        [people] = [step for step in plan if step.startswith("SEARCH directory_users ")]
        assert "id=?" in people  # one by one


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ('displayName eq "eng"', "ix_directory_groups_connection_id_name_ci (connection_id=? AND name_ci=?)"),
        ('externalId eq "E1"', "ix_directory_groups_connection_id_external_id (connection_id=? AND external_id=?)"),
        ('id eq "1"', "sqlite_autoindex_directory_groups_1 (uid=?)"),
        (None, "ix_directory_groups_page (connection_id=?)"),
    ],
)
def test_a_group_is_looked_up_by_its_index(world: World, text: str | None, index: str) -> None:
    filter_ = parse_filter(text, GROUP) if text else None
    plans = plans_of(
        world, lambda: search_groups(world.context, world.connection, filter_, offset=0, count=9, with_members=False)
    )
    steps = {step for plan in plans for step in plan if "directory_groups " in step}
    assert {step.replace("USING COVERING", "USING") for step in steps} == {
        f"SEARCH directory_groups USING INDEX {index}"
    }


def plans_of(world: World, search: Callable[[], object]) -> list[list[str]]:
    """SQLite's plan of each statement that chooses by the filter: not of those that read what was chosen."""
    if not world.context.database.is_sqlite:
        pytest.skip("the plans of an empty PostgreSQL say nothing")
    with statements(world.context.database) as said:
        search()
    with world.context.database.reading() as rows:
        return [
            [step.detail for step in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.sql}", each.values)]
            for each in said
            if "connection_id = ?" in each.sql
        ]


# -- Order -----------------------------------------------------------------------------------------------------------

WORDS = [
    "Zoe",
    "ann",
    "Ben",
    "be-n",
    "be_n",
    "BENNO",
    "ömer",
    "Éva",
    "zoë",
    "2",
    "10",
    "ß",
    "st",
    "𝒶",
    "\uffee",
    "ann b",
]
USER_KEYS = ["userName", "externalId", "id", "meta.created", "meta.lastModified"]
OTHER_KEYS = [
    "displayName",
    "name.familyName",
    "title",
    "emails",
    "emails.type",
    "active",
    f"{ENTERPRISE_SCHEMA}:department",
    "schemas",
    "groups",
    "meta.location",
    "meta.version",
]


@pytest.fixture
def words(database: Database, now: datetime) -> World:
    """People and groups called by WORDS, made in no order of anything."""
    made, people = make_world(database, now), list[str]()
    for n, word in enumerate(WORDS):
        said: dict[str, Any] = {"userName": word, "emails": [{"value": f"{n * 7 % 16}@x.example", "type": word}]}
        said |= {"externalId": word, "displayName": word, "title": word.upper()} if n % 3 else {"active": False}
        said |= {ENTERPRISE_SCHEMA: {"department": word}, "name": {"familyName": word[:1]}} if n % 4 else {}
        moment = now + timedelta(microseconds=n * 5 % 16)
        created = create_user(made.context, made.connection, pushed_user(parse_user(said)), moment)
        people.append(created.id)
        create_group(made.context, made.connection, word, word if n % 3 else None, people[3 : n * 7 % 16], moment)
    return made


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("text", [None, "userName pr", 'userName gt "a" or title pr'], ids=["all", "exact", "asked"])
def test_people_are_sorted_as_their_resources_are(words: World, text: str | None, descending: bool) -> None:
    filter_ = parse_filter(text, USER) if text else None
    for name in [*USER_KEYS, *OTHER_KEYS]:
        order = SearchQuery(sort_by=name, descending=descending).order(USER)
        assert order is not None
        unsorted, _ = search_users(words.context, words.connection, filter_, offset=0, count=100)
        wanted = sorted(unsorted, key=lambda user: sort_key(order.path, shown_user(user, "")))[
            :: -1 if descending else 1
        ]
        found, total = search_users(words.context, words.connection, filter_, order, offset=3, count=9)
        assert found == wanted[3:12], name
        assert total == len(wanted) > 12


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("text", [None, 'displayName gt "0"'], ids=["all", "asked"])
def test_groups_are_sorted_as_their_resources_are(words: World, text: str | None, descending: bool) -> None:
    filter_ = parse_filter(text, GROUP) if text else None
    for name in ["displayName", "externalId", "id", "meta.created", "meta.lastModified", "members.display", "schemas"]:
        order = SearchQuery(sort_by=name, descending=descending).order(GROUP)
        assert order is not None
        unsorted, _ = search_groups(words.context, words.connection, filter_, offset=0, count=100, with_members=True)
        wanted = sorted(unsorted, key=lambda group: sort_key(order.path, shown_group(group, "")))[
            :: -1 if descending else 1
        ]
        found, _ = search_groups(words.context, words.connection, filter_, order, offset=2, count=9, with_members=True)
        assert [group.name for group in found] == [group.name for group in wanted[2:11]], name


def test_what_is_no_column_sorts_so_many_and_no_more(words: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order = SearchQuery(sort_by="title").order(USER)
    monkeypatch.setattr(directory_pages, "MAX_SORTED", len(WORDS))
    assert search_users(words.context, words.connection, None, order, offset=0, count=1)[1] == len(WORDS)
    monkeypatch.setattr(directory_pages, "MAX_SORTED", len(WORDS) - 1)
    with pytest.raises(TooMany):
        search_users(words.context, words.connection, None, order, offset=0, count=1)


# -- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 'userName co "acme"', "title pr or userName pr"])
def test_pages_together_are_the_whole_once_each(world: World, text: str | None) -> None:
    filter_ = parse_filter(text, USER) if text else None
    whole, total = search_users(world.context, world.connection, filter_, offset=0, count=100)
    pages = [search_users(world.context, world.connection, filter_, offset=n, count=1) for n in range(total + 1)]
    assert [user for page, _ in pages for user in page] == whole
    assert {count for _, count in pages} == {total}
    assert search_users(world.context, world.connection, filter_, offset=0, count=0) == ([], total)
