"""The directory as owners see it: groups and people of every connection, as each IdP says them."""

from datetime import datetime, timedelta

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import get_role
from bridge.flows.context import OPERATOR
from bridge.flows.idp_directory import (
    DirectoryWish,
    GroupInFull,
    get_idp_group,
    get_record,
    list_idp_groups,
    list_idp_people,
)
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.provision_users import change_user
from bridge.storage.database import Database
from tests.flows.test_picture import sign_in
from tests.world import World, another_connection, make_world, pushed

ADMIN = RoleInScope(get_role("Source Admin"), EVERYWHERE)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Okta pushed Ann, Bob (suspended), a ghost, and eng of Ann and Bob; Eve's sign-in named web; Entra pushed Gus."""
    world = make_world(database, now)
    ann, bob = world.push("ann@acme.example", name="Ann Ågren"), world.push("bob@acme.example", name="Bob")
    world.push("ghost", name="Gil Ghost")
    world.push_group("eng", ann, bob, external_id="00g1")
    change_user(world.context, world.connection, bob.id, lambda _: pushed("bob@acme.example", active=False), now)
    sign_in(world, "eve@acme.example", "web")
    other = another_connection(world, "Entra")
    other.push_group("Agency", other.push("gus@acme.example", name="Gus"))
    return world


def groups(world: World, **wish: object) -> list[tuple[str, str, int, bool]]:
    found = list_idp_groups(world.context, "acme", DirectoryWish(**wish), world.now)  # type: ignore[arg-type]
    assert found.total == len(found.groups)
    return [(one.name, one.source, one.members, one.idle) for one in found.groups]


def people(world: World, **wish: object) -> list[tuple[str, str]]:
    found = list_idp_people(world.context, "acme", DirectoryWish(**wish))  # type: ignore[arg-type]
    assert found.total == len(found.people)
    return [(one.user_name, one.state) for one in found.people]


def group(world: World, name: str, **wish: object) -> GroupInFull:
    [one] = list_idp_groups(world.context, "acme", DirectoryWish(search=name), world.now).groups
    return get_idp_group(world.context, "acme", one.id, DirectoryWish(**wish), world.now)  # type: ignore[arg-type]


def test_groups_of_all_connections_are_listed_by_name_and_found(world: World) -> None:
    assert groups(world) == [
        ("Agency", "pushed", 1, True),
        ("eng", "pushed", 2, True),
        ("web", "asserted", 1, True),
    ]
    assert [name for name, *_ in groups(world, search="AGE")] == ["Agency"]
    assert [name for name, *_ in groups(world, connection_id=world.connection.id)] == ["eng", "web"]
    assert [name for name, *_ in groups(world, kind="asserted")] == ["web"]
    assert groups(world, search="%") == []
    assert len(groups(world, kind="nonsense")) == 3


def test_a_group_that_gives_more_than_to_see_the_workspace_is_not_idle(world: World) -> None:
    draft = MappingDraft(world.connection.id, GroupMatch("name", "eng"), (), (ADMIN,))
    add_mapping(world.context, OPERATOR, "acme", draft, world.now)
    assert [name for name, *_ in groups(world, kind="idle")] == ["Agency", "web"]
    shown = group(world, "eng")
    assert [rule.origin for rule in shown.rules] == ["mirror", "admin"]
    assert (shown.group.idle, shown.group.rules, shown.total, shown.counting) == (False, 2, 2, 1)


def test_one_group_says_who_is_in_it_and_how_each_stands(world: World) -> None:
    shown = group(world, "eng")
    assert [(one.name, one.state, one.until) for one in shown.members] == [
        ("Ann Ågren", "active", None),
        ("bob@acme.example", "suspended", None),
    ]
    assert shown.group.external_id == "00g1"
    assert [one.name for one in group(world, "eng", search="ågren").members] == ["Ann Ågren"]
    assert group(world, "eng", page=2).members == ()


def test_an_asserted_group_says_until_when_it_counts(world: World) -> None:
    shown = group(world, "web")
    assert [(one.name, one.until) for one in shown.members] == [("eve@acme.example", world.now + timedelta(days=7))]
    assert shown.counting == 1
    late = get_idp_group(world.context, "acme", shown.group.id, DirectoryWish(), world.now + timedelta(days=8))
    assert late.counting == 0


def test_people_are_found_by_name_connection_and_state(world: World) -> None:
    assert people(world) == [
        ("ann@acme.example", "active"),
        ("bob@acme.example", "suspended"),
        ("eve@acme.example", "signs_in"),
        ("ghost", "no_account"),
        ("gus@acme.example", "active"),
    ]
    assert people(world, search="gil") == [("ghost", "no_account")]
    assert people(world, search="EVE@") == [("eve@acme.example", "signs_in")]
    for state in ("suspended", "no_account", "signs_in"):
        assert [found for _, found in people(world, kind=state)] == [state]
    assert [name for name, _ in people(world, kind="active", connection_id=world.connection.id)] == ["ann@acme.example"]


def test_a_record_says_what_was_sent_and_its_groups(world: World) -> None:
    [ann] = list_idp_people(world.context, "acme", DirectoryWish(search="ann")).people
    shown = get_record(world.context, "acme", ann.id)
    assert shown.document["displayName"] == "Ann Ågren"
    assert [(one.name, one.source) for one in shown.groups] == [("eng", "pushed")]
    assert shown.record.member_id is not None


def test_another_workspaces_directory_is_not_there(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    found = other.push_group("theirs", other.push("t@other.example"))
    [record] = list_idp_people(other.context, "other", DirectoryWish()).people
    with pytest.raises(NotFound):
        get_idp_group(world.context, "acme", found.id, DirectoryWish(), world.now)
    with pytest.raises(NotFound):
        get_record(world.context, "acme", record.id)
    assert "theirs" not in {name for name, *_ in groups(world)}
