"""A walk by cursor meets everybody who is there all the time once, in order, in both directions (RFC 9865)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.directory import pushed_user
from bridge.flows import cursors
from bridge.flows.cursors import LIFETIME
from bridge.flows.provision_groups import create_group, delete_group, search_groups
from bridge.flows.provision_users import create_user, delete_user, search_users
from bridge.flows.walk_directory import Page, Sought, walk_directory
from bridge.storage import directory_pages
from bridge.storage.database import Database
from bridge.storage.secret_box import SecretBox
from scim.errors import ExpiredCursor, InvalidCount, InvalidCursor, TooMany
from scim.filters import parse_filter
from scim.messages import SearchQuery
from scim.resources import parse_user
from scim.schemas import GROUP, RESOURCE_TYPES, USER, ResourceType
from tests.overheard import Statement, statements
from tests.world import World, another_connection, make_world, pushed

NAMES = ["Zoe", "ann", "be-n", "be_n", "BENNO", "ömer", "Éva", "zoë", "2", "ß", "𝒶", "\uffee", "ann b"]
USER_ORDERS = [
    "userName",
    "externalId",
    "id",
    "meta.created",
    "meta.lastModified",
    "title",
    "active",
    "name.familyName",
]
GROUP_ORDERS = ["displayName", "externalId", "id", "meta.created"]
FILTERS = [None, "userName pr", 'userName ne "ann"', "title pr", 'userName gt "a"']


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """People and groups called by NAMES; values are missing, equal, and made in no order of anything."""
    made = make_world(database, now)
    for n, name in enumerate(NAMES):
        said: dict[str, Any] = {"userName": name, "active": n % 5 != 0, "title": f"title {n % 3}"}
        said |= {"externalId": f"e{n % 4}"} if n % 3 else {}
        said |= {"emails": [{"value": f"{name[:1]}@x.example"}]} if n % 4 else {}
        said = said if n % 6 else {"userName": name}
        moment = now + timedelta(seconds=n * 5 % 7)
        create_user(made.context, made.connection, pushed_user(parse_user(said)), moment)
        create_group(made.context, made.connection, name, f"e{n % 4}" if n % 3 else None, [], moment)
    return made


def sought(kind: ResourceType, text: str | None = None, by: str | None = None, descending: bool = False) -> Sought:
    filter_ = parse_filter(text, kind) if text else None
    return Sought(kind, filter_, SearchQuery(sort_by=by, descending=descending).order(kind))


def both(text: str | None = None, by: str | None = None, descending: bool = False) -> list[Sought]:
    orders = SearchQuery(sort_by=by, descending=descending).orders((USER, GROUP))
    filters = {kind: parse_filter(text, kind, RESOURCE_TYPES) if text else None for kind in (USER, GROUP)}
    return [Sought(kind, filters[kind], orders[kind]) for kind in (USER, GROUP)]


def turn(world: World, parts: Sequence[Sought], cursor: str, count: int) -> Page:
    return walk_directory(world.context, world.connection, parts, repr(parts), cursor, count, world.now)


def walked(
    world: World, parts: Sequence[Sought], count: int, between: Callable[[int], object] = lambda page: None
) -> tuple[list[str], list[Page]]:
    """The ids met from first page to last, and the pages; `between` happens after each."""
    pages = [turn(world, parts, "", count)]
    while (cursor := pages[-1].next) is not None:
        between(len(pages))
        pages.append(turn(world, parts, cursor, count))
        assert len(pages) < 100
    return [each.id for page in pages for each in page.found], pages


def whole(world: World, part: Sought) -> list[str]:
    """The ids of one search on one page, by index."""
    asked = (world.context, world.connection, part.filter, part.order)
    if part.resource_type is USER:
        return [each.id for each in search_users(*asked, offset=0, count=100)[0]]
    return [each.id for each in search_groups(*asked, offset=0, count=100, with_members=False)[0]]


PARTS = [
    *[sought(USER, text) for text in FILTERS],
    *[sought(USER, None, by, falls) for by in USER_ORDERS for falls in (False, True)],
    *[sought(USER, text, by, True) for text in FILTERS[2:] for by in ("userName", "externalId", "title")],
    sought(GROUP),
    *[sought(GROUP, None, by, falls) for by in GROUP_ORDERS for falls in (False, True)],
    sought(GROUP, 'displayName gt "a"', "externalId"),
]


def in_the_long_run(*counts: int) -> list[Any]:
    """Sizes of a page that the short run leaves out."""
    return [pytest.param(count, marks=pytest.mark.long) for count in counts]


@pytest.mark.parametrize("count", [4, 13, *in_the_long_run(1, 100)])
def test_pages_together_are_the_list_that_an_index_gives(world: World, count: int) -> None:
    for part in PARTS:
        met, pages = walked(world, [part], count)
        assert met == whole(world, part), part
        assert {page.total for page in pages} == {len(met)}
        assert all(len(page.found) == count for page in pages[:-1])
        assert pages[0].previous is None


@pytest.mark.parametrize("count", [5, *in_the_long_run(1)])
def test_back_again_every_page_is_what_it_was(world: World, count: int) -> None:
    for part in PARTS:
        _, pages = walked(world, [part], count)
        here = pages[-1]
        for earlier in reversed(pages[:-1]):
            assert here.previous is not None
            here = turn(world, [part], here.previous, count)
            assert here.found == earlier.found, part
        assert here.previous is None
        assert here.next is not None or len(pages) == 1


@pytest.mark.parametrize("count", [5, 13, *in_the_long_run(1, 14, 100)])
def test_people_and_groups_are_one_walk(world: World, count: int) -> None:
    in_turn = whole(world, sought(USER)) + whole(world, sought(GROUP))
    met, pages = walked(world, both(), count)
    assert met == in_turn
    assert {page.total for page in pages} == {2 * len(NAMES)}
    back = [each.id for each in pages[-1].found]
    here = pages[-1]
    while here.previous is not None:
        here = turn(world, both(), here.previous, count)
        back = [each.id for each in here.found] + back
        assert len(back) <= 2 * len(NAMES)
    assert back == in_turn


@pytest.mark.parametrize("count", [4, *in_the_long_run(1, 100)])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", ["id", "externalId", "userName", "displayName", "meta.created"])
def test_people_and_groups_are_one_walk_in_order(world: World, by: str, descending: bool, count: int) -> None:
    parts = both(None, by, descending)
    at_once, _ = walked(world, parts, 100)
    assert sorted(at_once) == sorted(whole(world, sought(USER)) + whole(world, sought(GROUP)))
    if by in ("id", "meta.created"):
        keys = [_key(by, each) for each in turn(world, parts, "", 100).found]
        assert keys == sorted(keys, reverse=descending)
    met, pages = walked(world, parts, count)
    assert met == at_once
    here, back = pages[-1], [each.id for each in pages[-1].found]
    while here.previous is not None:
        here = turn(world, parts, here.previous, count)
        back = [each.id for each in here.found] + back
        assert len(back) <= 2 * len(NAMES)
    assert back == at_once


def _key(by: str, resource: Any) -> Any:
    return resource.id if by == "id" else resource.created_at


def test_a_filter_on_one_type_walks_that_type(world: World) -> None:
    met, _ = walked(world, both('userName pr and not (userName eq "ann")'), 3)
    assert met == whole(world, sought(USER, 'not (userName eq "ann")'))


# -- While others come and go ----------------------------------------------------------------------------------------

moves = st.lists(st.tuples(st.sampled_from(["come", "go"]), st.integers(0, 99)), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(moves, max_size=6), count=st.integers(1, 5), part=st.sampled_from(PARTS))
def test_whoever_is_there_all_the_time_is_met_once(
    world: World, steps: list[list[tuple[str, int]]], count: int, part: Sought
) -> None:
    before = set(whole(world, part))
    gone: set[str] = set()

    def change(page: int) -> None:
        for move, n in steps[page - 1] if page <= len(steps) else ():
            gone.update(_moved(world, part, move, n))

    met, _ = walked(world, [part], count, change)
    assert len(met) == len(set(met))
    assert before - gone <= set(met)


_serial = iter(range(10**9))


def _moved(world: World, part: Sought, move: str, n: int) -> list[str]:
    """Somebody comes or goes; who went."""
    if move == "come":
        name = f"{NAMES[n % len(NAMES)]}{next(_serial)}"
        if part.resource_type is USER:
            create_user(world.context, world.connection, pushed(name), world.now)
        else:
            create_group(world.context, world.connection, name, None, [], world.now)
        return []
    there = whole(world, replace(part, filter=None, order=None))
    if not there:
        return []
    leaving = there[n % len(there)]
    (delete_user if part.resource_type is USER else delete_group)(world.context, world.connection, leaving, world.now)
    return [leaving]


def test_a_place_stays_when_those_beside_it_are_gone(world: World) -> None:
    part = sought(USER, None, "userName")
    names = whole(world, part)
    first = turn(world, [part], "", 4)
    for uid in names[2:6]:
        delete_user(world.context, world.connection, uid, world.now)
    assert first.next is not None
    second = turn(world, [part], first.next, 4)
    assert [each.id for each in second.found] == names[6:10]
    assert second.previous is not None
    assert [each.id for each in turn(world, [part], second.previous, 4).found] == names[:2]


def test_where_the_rest_is_gone_the_last_page_is_empty(world: World) -> None:
    first = turn(world, [sought(USER)], "", 11)
    for uid in whole(world, sought(USER))[11:]:
        delete_user(world.context, world.connection, uid, world.now)
    assert first.next is not None
    last = turn(world, [sought(USER)], first.next, 11)
    assert (last.found, last.next) == ([], None)


# -- What a page costs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, "userName pr", "title pr"])
def test_no_page_skips_over_what_was_read(world: World, text: str | None) -> None:
    part = sought(USER, text)
    first = turn(world, [part], "", 2)
    assert first.next is not None
    with statements(world.context.database) as said:
        turn(world, [part], first.next, 2)
    assert not any("count(" in each.sql.lower() for each in said)
    for each in said:
        if "OFFSET" in each.sql:
            assert list(each.values.values() if isinstance(each.values, dict) else each.values)[-1] == 0
    rows = [each for each in said if "FROM directory_users" in each.sql]
    assert 1 <= len(rows) <= 3


@pytest.mark.parametrize("by", [None, "userName", "externalId", "meta.created"])
@pytest.mark.parametrize("descending", [False, True])
def test_an_index_gives_each_page_in_order(world: World, by: str | None, descending: bool) -> None:
    part = sought(USER, None, by, descending)
    first = turn(world, [part], "", 5)
    assert first.next is not None
    second = turn(world, [part], first.next, 5)
    assert second.previous is not None
    for cursor in (first.next, second.previous):
        with statements(world.context.database) as said:
            turn(world, [part], cursor, 5)
        for each in said:
            if "FROM directory_users" in each.sql:
                assert_no_sorting(world, each)


def assert_no_sorting(world: World, statement: Statement) -> None:
    if world.context.database.is_sqlite:
        with world.context.database.reading() as rows:
            plan = [row.detail for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)]
        assert len(plan) == 1, plan
        assert " USING INDEX " in plan[0]
        return
    with world.context.database.snapshot() as rows:
        # So few rows are always sorted, unless nothing else can be done.
        rows.exec_driver_sql(
            "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
        )
        plan = list(rows.exec_driver_sql(f"EXPLAIN {statement.sql}", statement.values).scalars())
    assert not any("Sort  (" in line and "Incremental" not in line for line in plan), plan


def test_an_odd_filter_is_asked_of_few_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_pages, "_CHUNK", 2)
    for text in ('title eq "title 2"', 'title eq "nobody\'s"'):
        assert walked(world, [sought(USER, text)], 1)[0] == whole(world, sought(USER, text))


def test_what_is_no_column_is_walked_in_order_for_so_many_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_pages, "MAX_SORTED", len(NAMES) - 1)
    with pytest.raises(TooMany):
        turn(world, [sought(USER, None, "title")], "", 2)


# -- Whose cursor ----------------------------------------------------------------------------------------------------


def first_cursor(world: World, query: str = "q", count: int = 2) -> str:
    page = walk_directory(world.context, world.connection, [sought(USER)], query, "", count, world.now)
    assert page.next is not None
    return page.next


def resume(world: World, cursor: str, query: str = "q", count: int = 2, now: datetime | None = None) -> Page:
    return walk_directory(world.context, world.connection, [sought(USER)], query, cursor, count, now or world.now)


def test_a_cursor_says_nothing_and_fits_into_a_url(world: World) -> None:
    page = turn(world, [sought(USER, None, "userName")], "", 2)
    assert page.next is not None
    assert page.next.replace("-", "").replace("_", "").isalnum()
    assert page.next.isascii()
    assert len(page.next) < 250


def test_a_cursor_of_another_connection_or_query_is_refused_as_one_made_up(world: World) -> None:
    cursor = first_cursor(world)
    told = set()
    tries: tuple[Callable[[], Page], ...] = (
        lambda: resume(another_connection(world, "Entra"), cursor),
        lambda: resume(world, cursor, query="another"),
        lambda: resume(world, "made-up"),
        lambda: resume(replace(world, context=replace(world.context, secrets=SecretBox(("other",)))), cursor),
    )
    for refused in tries:
        with pytest.raises(InvalidCursor) as error:
            refused()
        told.add(error.value.detail)
    assert len(told) == 1


@given(at=st.integers(0, 10_000), character=st.sampled_from("Aa0-_~.é\x00 =\n"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_altered_cursor_is_refused(world: World, at: int, character: str) -> None:
    cursor = first_cursor(world)
    at %= len(cursor) - 1  # the last character may hold bits that say nothing
    if cursor[at] == character:
        return
    for altered in (cursor[:at] + character + cursor[at + 1 :], cursor[:at]):
        if altered:
            with pytest.raises(InvalidCursor):
                resume(world, altered)


def test_a_cursor_is_good_for_its_time_and_no_longer(world: World) -> None:
    cursor = first_cursor(world)
    assert resume(world, cursor, now=world.now + LIFETIME).found
    with pytest.raises(ExpiredCursor):
        resume(world, cursor, now=world.now + LIFETIME + timedelta(seconds=1))


def test_a_cursor_keeps_its_count(world: World) -> None:
    with pytest.raises(InvalidCount):
        resume(world, first_cursor(world), count=3)


def test_keys_may_be_changed_during_a_walk(world: World) -> None:
    cursor = first_cursor(world)
    rotated = SecretBox(("a newer key", *world.context.secrets.keys))
    assert resume(replace(world, context=replace(world.context, secrets=rotated)), cursor).found


def test_what_is_too_long_to_be_carried_is_refused_aloud(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "LONGEST", 50)
    with pytest.raises(TooMany):
        first_cursor(world)
