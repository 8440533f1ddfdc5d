"""Access is one query over facts: what it says yes to, by which paths, and that it scans no large table."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, text, update

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, parse_scope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import Label, parse_label
from bridge.domain.resources import Resource
from bridge.domain.roles import Level, get_role, roles_giving
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.provision_groups import delete_group
from bridge.storage import access, people
from bridge.storage.asserted_groups import LoginRecord, record_of_login, replace_asserted
from bridge.storage.changes import Change, changing
from bridge.storage.columns import Instant
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.mappings import refresh_group_matches
from bridge.storage.resources import insert_resource
from bridge.storage.tables import directory_users, grants, memberships
from tests.world import World, make_world

ADMIN = get_role("Source Admin")
EDIT_SOURCES = roles_giving("source", Level.EDIT, "business")


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def change(world: World) -> Any:
    return changing(world.context.database, "operator", world.now)


def ann(world: World) -> int:
    """A member without anything but the key returned."""
    with change(world) as made:
        user = people.insert_user(made, "ann@acme.example", "Ann")
        return people.insert_membership(made, world.workspace.key, user.key, accepted=True).key


def source(world: World, uid: str, *labels: str) -> int:
    with change(world) as made:
        carried = frozenset(parse_label(label) for label in labels)
        return insert_resource(made, world.workspace.key, Resource(ResourceRef("source", uid), uid, uid, carried))


def give(world: World, principal: int, *scope: str, role: str = "Source Admin") -> int:
    with change(world) as made:
        given = RoleInScope(get_role(role), parse_scope(scope, get_role(role)))
        return insert_grant(made, world.workspace.key, principal, given, "operator")[0]


def may(world: World, member: int, resource: int | None, roles: Iterable[str] = EDIT_SOURCES) -> bool:
    with world.context.database.reading() as rows:
        yes = access.may(rows, member, list(roles), resource, world.now)
        everywhere = resource is None
        held = access.paths(rows, member, list(roles), world.now, resource_id=resource, everywhere=everywhere)
    assert yes == bool(held), "may and why answer differently"
    return yes


def test_nothing_given_nothing_allowed(world: World) -> None:
    assert not may(world, ann(world), source(world, "web"))


def test_all_reaches_every_resource_and_allows_to_create(world: World) -> None:
    member, web = ann(world), source(world, "web")
    give(world, member, "all")
    assert may(world, member, web)
    assert may(world, member, None)


def test_a_list_reaches_what_it_lists(world: World) -> None:
    member, web, ios = ann(world), source(world, "web"), source(world, "ios")
    give(world, member, "source:web")
    assert may(world, member, web)
    assert not may(world, member, ios)
    assert not may(world, member, None)


def test_labels_on_one_grant_narrow_and_two_grants_widen(world: World) -> None:
    member = ann(world)
    both = source(world, "both", "environment:prod", "team:web")
    prod, team = source(world, "prod", "environment:prod"), source(world, "team", "team:web")
    give(world, member, "label:environment:prod", "label:team:web")
    assert [may(world, member, each) for each in (both, prod, team)] == [True, False, False]
    give(world, member, "label:team:web")
    assert [may(world, member, each) for each in (both, prod, team)] == [True, False, True]


def test_a_role_of_another_type_or_level_gives_nothing_here(world: World) -> None:
    member, web = ann(world), source(world, "web")
    give(world, member, "all", role="Warehouse Admin")
    give(world, member, "all", role="Source Read-only")
    give(world, member, role="PII Access")
    assert not may(world, member, web)
    assert may(world, member, web, roles_giving("source", Level.READ, "business"))


def test_small_plans_know_two_roles() -> None:
    assert roles_giving("source", Level.READ, "free") == ("workspace_owner", "source_admin")


def test_a_grant_ends_with_its_time(world: World) -> None:
    member, web = ann(world), source(world, "web")
    grant = give(world, member, "all")
    for expires_at, allowed in ((world.now + timedelta(seconds=1), True), (world.now, False)):
        with change(world) as made:
            made.connection.execute(update(grants).where(grants.c.id == grant).values(expires_at=expires_at))
        assert may(world, member, web) == allowed


@pytest.mark.parametrize("how", ["removed", "held out"])
def test_who_is_out_has_nothing(world: World, how: str) -> None:
    member, web = ann(world), source(world, "web")
    give(world, member, "all")
    with change(world) as made:
        if how == "removed":
            made.connection.execute(update(memberships).where(memberships.c.id == member).values(status="removed"))
        else:
            _hold_out(made, world, member)
    assert not may(world, member, web)


def _hold_out(made: Change, world: World, member: int) -> None:
    said = {"uid": "x", "user_name": "x", "user_name_ci": "x", "display_name": "x", "document": {}}
    times = {"created_at": world.now, "modified_at": world.now, **made.stands}
    link = {"connection_id": world.connection.key, "membership_id": member, "holds_out": True}
    made.connection.execute(insert(directory_users).values(**said, **times, **link))


def login(world: World, member: int, *groups: str, until: timedelta = timedelta(days=7)) -> None:
    """The person signs in by SSO, which names these groups."""
    with change(world) as made:
        record = _record(made, world, member)
        named = replace_asserted(made, world.connection.key, record, groups, world.now + until)
        refresh_group_matches(made, world.connection.key, [key for key, _, _ in named.made])


def rule(world: World, group: str) -> None:
    draft = MappingDraft(world.connection.id, GroupMatch("name", group), (), (RoleInScope(ADMIN, EVERYWHERE),))
    add_mapping(world.context, "operator", world.workspace.slug, draft, world.now)


def test_an_asserted_group_counts_until_its_time_is_over(world: World) -> None:
    member, web = ann(world), source(world, "web")
    rule(world, "eng-prod")
    login(world, member, "Eng-Prod")
    assert may(world, member, web)
    login(world, member, "Eng-Prod", until=timedelta(seconds=-1))
    assert not may(world, member, web)


def test_no_groups_at_the_next_login_means_none(world: World) -> None:
    member, web = ann(world), source(world, "web")
    rule(world, "eng-prod")
    login(world, member, "eng-prod")
    login(world, member)
    assert not may(world, member, web)


def test_for_a_pushed_person_the_pushed_group_of_that_name_decides_alone(world: World) -> None:
    web = source(world, "web")
    user = world.push("ann@acme.example")
    with world.context.database.reading() as rows:
        account = people.find_user_by_email(rows, "ann@acme.example")
        assert account is not None
        found = people.find_member(rows, world.workspace.key, account.key)
    assert found is not None
    rule(world, "eng-prod")
    login(world, found.key, "eng-prod")
    assert may(world, found.key, web)
    group = world.push_group("ENG-PROD")
    assert not may(world, found.key, web), "a SCIM removal must not be undone by the last login"
    delete_group(world.context, world.connection, group.id, world.now)
    assert may(world, found.key, web)
    assert user.pushed.active


def _record(made: Change, world: World, member: int) -> int:
    says = LoginRecord("ann@acme.example", "ann@acme.example", "Ann")
    return record_of_login(made, world.connection.key, member, says)


def test_a_scope_comes_back_as_it_was_given(world: World) -> None:
    member = ann(world)
    source(world, "web")
    listed, labelled = give(world, member, "source:web"), give(world, member, "label:environment:prod")
    with world.context.database.reading() as rows:
        scopes = access.scopes_of(rows, [listed, labelled])
    assert scopes[listed] == Scope("list", resources=frozenset({ResourceRef("source", "web")}))
    assert scopes[labelled] == Scope("labels", labels=frozenset({Label("environment", "prod")}))


#: Names that the statements give to tables which grow with people, or with what people are in.
LARGE = {"gm", "d", "m", "g", "mm", "h", "u", "x", "o", "ug", "dg"}


@pytest.mark.parametrize("statement", ["_MAY_ON", "_MAY_ANYWHERE", "WHY", "WHY_ON"])
def test_a_check_scans_no_large_table(world: World, statement: str) -> None:
    """SQLite plans without statistics, so an empty database plans as a full one."""
    if not world.context.database.is_sqlite:
        pytest.skip("PostgreSQL plans by what is in the tables: tests/web/test_scim_statements.py")
    values = {"membership": 1, "roles": ["a", "b"], "resource": 1, "now": world.now}
    asked = f"EXPLAIN QUERY PLAN {getattr(access, statement).statement.text}"
    used = {name: value for name, value in values.items() if f":{name}" in asked}
    typed = text(asked).bindparams(bindparam("roles", expanding=True), bindparam("now", type_=Instant))
    with world.context.database.reading() as rows:
        plan = [row[3] for row in rows.execute(typed, used)]
    assert plan
    assert [step for step in plan if step.startswith("SCAN") and step.split()[1] in LARGE] == []
