"""What people read of permissions: names, numbers, plurals, lists."""

from datetime import UTC, datetime

import pytest

from bridge.domain.access import EVERYWHERE, Because, Permission, ResourceRef, RoleInScope, Scope
from bridge.domain.labels import parse_label
from bridge.domain.resources import Resource
from bridge.domain.roles import MINIMAL, OWNER, ROLES, Role, get_role
from bridge.domain.sentences import (
    Inventory,
    ReachLine,
    count_reaching,
    describe_all,
    describe_permission,
    describe_reach,
    describe_role,
    first_few,
    for_whom,
    listed,
    reach_lines,
    role_areas,
    role_scopes,
    shorten,
    without_minimal,
)


def resource(kind: str, name: str, *labels: str) -> Resource:
    return Resource(ResourceRef(kind, name), name, name.lower(), frozenset(map(parse_label, labels)))


KICKS = Inventory(
    (
        resource("source", "iOS Prod", "environment:prod", "region:eu"),
        resource("source", "Android Prod", "environment:prod"),
        resource("source", "Kicks Co Website"),
        resource("warehouse", "Snowflake"),
        resource("warehouse", "BigQuery"),
        resource("space", "Shop"),
    )
)


def on(role: str, *names: str) -> RoleInScope:
    """A role on listed resources of its type."""
    found = get_role(role)
    return RoleInScope(found, Scope("list", frozenset(ResourceRef(found.resource_type or "", name) for name in names)))


def labelled(role: str, *labels: str) -> RoleInScope:
    return RoleInScope(get_role(role), Scope("labels", labels=frozenset(map(parse_label, labels))))


def everywhere(role: str) -> RoleInScope:
    return RoleInScope(get_role(role), EVERYWHERE)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (on("Source Admin", "iOS Prod", "Android Prod"), "Edit the sources Android Prod and iOS Prod"),
        (on("Source Read-only", "iOS Prod"), "Read the source iOS Prod"),
        (everywhere("Warehouse Read-only"), "Read all warehouses, 2 now and any future one"),
        (everywhere("Tracking Plan Admin"), "Edit all tracking plans, none now and any future one"),
        (labelled("Source Read-only", "environment:prod"), "Read 2 sources, all with environment:prod"),
        (
            labelled("Source Admin", "environment:prod", "region:eu"),
            "Edit 1 source, with environment:prod and region:eu",
        ),
        (
            labelled("Source Admin", "environment:dev"),
            "Edit sources with environment:dev, none now and any future one",
        ),
        (
            on("Unify Read-only + Engage User", "Shop"),
            "Read profiles, and edit audiences and journeys, in the space Shop",
        ),
        (everywhere("Workspace Owner"), "Do everything in this workspace"),
        (everywhere("PII Access"), "See personal data inside what can be read anyway"),
    ],
)
def test_permission_is_a_sentence(given: RoleInScope, sentence: str) -> None:
    assert describe_permission(given, KICKS) == sentence


def test_what_the_whole_workspaces_role_does_to_one_resource_is_about_that_one() -> None:
    given = RoleInScope(OWNER, Scope("list", frozenset({ResourceRef("warehouse", "Snowflake")})))
    assert describe_permission(given, KICKS) == "Edit the warehouse Snowflake"
    assert shorten([given]) == "Workspace Owner (1)"


def test_long_list_names_the_first_and_counts_all() -> None:
    many = Inventory(tuple(resource("source", f"S{n:02}") for n in range(20)))
    given = on("Source Admin", *(f"S{n:02}" for n in range(9)))
    assert describe_permission(given, many) == "Edit 9 sources: S00, S01, S02, S03, S04 and 4 more"


def test_listed_resource_that_nobody_knows_is_named_by_its_id() -> None:
    assert describe_permission(on("Source Admin", "gone"), KICKS) == "Edit the source source:gone"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.id)
def test_every_role_of_the_catalogue_has_its_own_words(role: Role) -> None:
    others = {describe_permission(RoleInScope(other, EVERYWHERE), KICKS) for other in ROLES if other is not role}
    assert describe_permission(RoleInScope(role, EVERYWHERE), KICKS) not in others
    assert for_whom(role)
    assert all(describe_role(role))
    assert (role_scopes(role) == "the whole workspace") == (not role.scopable)


def test_role_that_edits_also_creates_when_given_on_all() -> None:
    assert describe_role(get_role("Source Admin")) == ("Edit sources", "Create sources, when given on all")
    assert describe_role(get_role("Source Read-only")) == ("Read sources",)


@pytest.mark.parametrize(
    ("given", "reach"),
    [
        (on("Source Admin", "iOS Prod"), "1 of 3 sources"),
        (labelled("Source Admin", "environment:prod"), "2 of 3 sources"),
        (everywhere("Warehouse Admin"), "all 2, and future ones"),
        (everywhere("Function Admin"), "all future ones, none yet"),
        (everywhere("Identity Admin"), "the workspace"),
    ],
)
def test_reach_counts_what_there_is_now(given: RoleInScope, reach: str) -> None:
    assert describe_reach(given, KICKS) == reach


def test_widest_scope_is_offered_with_its_number() -> None:
    assert describe_all(get_role("Source Admin"), KICKS) == "All sources, 3 now and any future one"
    assert describe_all(get_role("PII Access"), KICKS) == "The whole workspace"


def test_roles_in_one_line_join_the_lists_of_one_role() -> None:
    given = [on("Source Admin", "iOS Prod"), on("Source Admin", "iOS Prod", "Android Prod")]
    assert shorten(given) == "Source Admin (2)"
    assert shorten([*given, everywhere("Source Admin")]) == "Source Admin (all)"
    assert shorten([*given, labelled("Source Admin", "region:eu")]) == "Source Admin (some)"
    assert shorten([labelled("Source Admin", "region:eu")]) == "Source Admin with region:eu"


def test_roles_in_one_line_count_what_does_not_fit() -> None:
    given = [everywhere(role) for role in ("Source Admin", "Function Admin", "PII Access")]
    assert shorten(given) == "Source Admin (all), 2 more roles"
    assert shorten(given[1:]) == "Function Admin (all), PII Access"
    assert shorten(given, most=3) == "Source Admin (all), Function Admin (all), PII Access"


def test_seeing_the_workspace_is_named_only_where_it_is_all() -> None:
    assert shorten([RoleInScope(MINIMAL, EVERYWHERE)]) == shorten([]) == "Minimal Workspace Access"
    assert shorten([RoleInScope(MINIMAL, EVERYWHERE), everywhere("PII Access")]) == "PII Access"
    seeing, reading = Permission(MINIMAL, EVERYWHERE, ()), Permission(get_role("PII Access"), EVERYWHERE, ())
    assert without_minimal([seeing]) == ()
    assert without_minimal([seeing, reading]) == (reading, seeing)


def test_seeing_the_workspace_is_not_counted() -> None:
    now = datetime(2025, 11, 21, tzinfo=UTC)
    path = Because("individual", "g", "operator", now)
    seeing, reading = (Permission(role, EVERYWHERE, (path, path)) for role in (MINIMAL, get_role("PII Access")))
    assert count_reaching([seeing, reading]) == (1, 2)
    assert count_reaching([seeing]) == (0, 0)


def test_reach_lines_gather_by_kind() -> None:
    edit, read = reach_lines(
        [
            on("Source Admin", "iOS Prod"),
            on("Source Admin", "Kicks Co Website"),
            labelled("Source Read-only", "environment:prod"),
            everywhere("Warehouse Read-only"),
            everywhere("PII Access"),
        ],
        KICKS,
    )
    assert edit == (ReachLine("Sources", "iOS Prod, Kicks Co Website"),)
    assert read == (
        ReachLine("Sources", "2, all with environment:prod"),
        ReachLine("Warehouses", "all 2, and future ones"),
        ReachLine("Personal data", "inside what can be read anyway"),
    )


def test_reach_line_of_reading_goes_where_the_same_is_edited() -> None:
    edit, read = reach_lines([everywhere("Source Admin"), on("Source Read-only", "iOS Prod")], KICKS)
    assert edit == (ReachLine("Sources", "all 3, and future ones"),)
    assert read == ()


def test_engage_user_edits_audiences_in_spaces_that_they_read() -> None:
    edit, read = reach_lines([everywhere("Unify Read-only + Engage User")], KICKS)
    assert edit == (ReachLine("Audiences and journeys", "all 1, and future ones"),)
    assert read == (ReachLine("Spaces", "all 1, and future ones"),)


def test_owners_and_bare_members_have_no_lines() -> None:
    assert reach_lines([RoleInScope(OWNER, EVERYWHERE), RoleInScope(MINIMAL, EVERYWHERE)], KICKS) == ((), ())


def test_words_are_joined_as_people_do() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert first_few(["a", "b", "c"]) == "a, b, c"
    assert first_few(["a", "b", "c", "d", "e"]) == "a, b, 3 more"


def test_areas_hold_every_role_once_and_begin_with_the_workspace() -> None:
    areas = dict(role_areas())
    assert sorted(role.id for roles in areas.values() for role in roles) == sorted(role.id for role in ROLES)
    assert next(iter(areas)) == "The workspace"
    assert areas["The workspace"][0] is OWNER
    assert [role.name for role in areas["Sources"]] == ["Source Admin", "Source Read-only"]
    assert [role.name for role in areas["Entities"]] == ["Entities Admin", "Entities Read-only"]
