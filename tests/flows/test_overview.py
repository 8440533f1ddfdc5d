"""What pages show around their subject: counts, owners to ask, and workspaces that a session doesn't reach."""

from datetime import datetime

import pytest

from bridge.domain.group_mapping import GroupMatch
from bridge.flows import members
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.invite import InviteDraft, invite, revoke
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import MembersQuery, find_member_id, list_members, remove_member
from bridge.flows.overview import WorkspaceCounts, count_all, count_holders, find_closed, list_closed, names_of_owners
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.provision_users import change_user
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.sessions import CurrentSession, find_session
from bridge.flows.tokens import create_scim_token
from bridge.flows.user_groups import create_user_group
from bridge.storage.database import Database
from tests.flows.logins import CLIENT, PASSWORD, account, join, set_workspace, sign_in
from tests.world import World, make_world, pushed

ANN = "ann@acme.example"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


@pytest.fixture
def other(world: World, database: Database) -> World:
    """Another company's workspace."""
    return make_world(database, world.now, slug="other", owner="o@other.example")


def olga(world: World) -> str:
    return f"user:{world.owner.id}"


def give(world: World, email: str, role: str, *scope: str) -> None:
    member = find_member_id(world.context, "acme", email)
    give_to_member(world.context, olga(world), "acme", member, parse_role_in_scope(role, scope), world.now)


def ann(world: World) -> CurrentSession:
    """Ann's session by her password."""
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    found = find_session(world.context, told.cookie, world.now)
    assert found is not None
    return found


def test_counts_are_of_this_workspace_and_of_what_stands(world: World, other: World) -> None:
    context, now = world.context, world.now
    world.push("a@acme.example")
    world.push("b@acme.example")
    remove_member(context, olga(world), "acme", find_member_id(context, "acme", "a@acme.example"), now)
    create_user_group(context, olga(world), "acme", "Guild", now)
    create_scim_token(context, olga(world), "acme", world.connection.id, None, "", now)
    sent = invite(context, olga(world), "acme", InviteDraft(("c@acme.example", "d@acme.example")), now)
    revoke(context, olga(world), "acme", sent[0].id, now)
    assert count_all(context, "acme") == WorkspaceCounts(people=2, invited=1, user_groups=1, tokens=1, labels=2)
    assert count_all(context, "other") == WorkspaceCounts(people=1, invited=0, user_groups=0, tokens=0, labels=2)


def test_each_holder_of_a_role_counts_once_by_whichever_path(world: World) -> None:
    context, now = world.context, world.now
    a, b = world.push("a@acme.example"), world.push("b@acme.example")
    world.push_group("eng", a, b)
    role = parse_role_in_scope("PII Access", [])
    draft = MappingDraft(world.connection.id, GroupMatch("name", "eng"), (), (role,))
    add_mapping(context, olga(world), "acme", draft, now)
    give(world, "a@acme.example", "PII Access")
    give(world, "a@acme.example", "Source Admin")
    held = count_holders(context, "acme", now)
    assert (held["pii_access"], held["source_admin"], held["workspace_owner"]) == (2, 1, 1)
    assert "function_admin" not in held


def test_removed_people_hold_nothing(world: World) -> None:
    world.push("a@acme.example")
    give(world, "a@acme.example", "PII Access")
    member = find_member_id(world.context, "acme", "a@acme.example")
    remove_member(world.context, olga(world), "acme", member, world.now)
    assert "pii_access" not in count_holders(world.context, "acme", world.now)


def test_owners_to_ask_are_those_named_by_hand_longest_first(world: World) -> None:
    world.push("a@acme.example", name="Ann Later")
    give(world, "a@acme.example", "Workspace Owner")
    assert names_of_owners(world.context, "acme", 3, world.now) == ("Olga Owner", "Ann Later")
    assert names_of_owners(world.context, "acme", 1, world.now) == ("Olga Owner",)


def test_owners_to_ask_are_those_by_rules_too(world: World, other: World) -> None:
    context, now = world.context, world.now
    zoe, yan, _ = (world.push(f"{name}@acme.example", name=name) for name in ("zoe", "yan", "xia"))
    world.push_group("bosses", zoe)
    world.push_group("chiefs", yan, zoe)
    owning = parse_role_in_scope("Workspace Owner", [])
    board = create_user_group(context, olga(world), "acme", "Board", now, emails=["xia@acme.example"])
    give_to_user_group(context, olga(world), "acme", board.id, owning, now)
    bosses, chiefs = GroupMatch("name", "bosses"), GroupMatch("name", "chiefs")
    add_mapping(context, olga(world), "acme", MappingDraft(world.connection.id, bosses, roles=(owning,)), now)
    add_mapping(context, olga(world), "acme", MappingDraft(world.connection.id, chiefs, ("Board",)), now)
    assert names_of_owners(context, "acme", 9, now) == ("Olga Owner", "xia", "yan", "zoe")
    assert names_of_owners(context, "acme", 2, now) == ("Olga Owner", "xia")
    change_user(context, world.connection, yan.id, lambda _: pushed("yan@acme.example", active=False), now)
    assert names_of_owners(context, "acme", 9, now) == ("Olga Owner", "xia", "zoe")
    assert names_of_owners(context, "other", 9, now) == ("Olga Owner",)


def test_what_an_idp_gives_whoever_it_brings_is_not_by_hand(world: World) -> None:
    world.push("a@acme.example")
    query = MembersQuery(source="hand")
    found = list_members(world.context, "acme", query, world.now)
    assert [one.email for one in found.members] == ["olga@acme.example"]
    give(world, "a@acme.example", "PII Access")
    assert list_members(world.context, "acme", query, world.now).total == 2


def test_workspace_that_requires_sso_is_closed_to_a_password_and_says_what_opens_it(world: World, other: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    join(other, key)
    set_workspace(world, require_sso=True)
    session = ann(world)
    [closed] = list_closed(world.context, session, world.now)
    assert (closed.workspace.slug, closed.asks_for, closed.by_account, closed.owner) == ("acme", "Okta", False, False)
    assert find_closed(world.context, session, "acme", world.now) == closed
    assert find_closed(world.context, session, "other", world.now) is None  # it is open


def test_workspace_where_one_is_no_member_any_more_is_not_told(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    session = ann(world)
    set_workspace(world, require_sso=True)
    remove_member(world.context, olga(world), "acme", find_member_id(world.context, "acme", ANN), world.now)
    assert list_closed(world.context, session, world.now) == ()


def test_session_by_an_idp_alone_learns_of_no_other_workspace(world: World, other: World) -> None:
    browser = sign_in(world, ANN)
    session = browser.look(world)
    assert session is not None
    join(other, session.user.key)
    assert list_closed(world.context, session, world.now) == ()


@pytest.mark.parametrize("few", [0, 5_000])
def test_filters_by_role_are_the_same_for_few_and_for_crowds(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(members, "_FEW", few)
    for name in "abc":
        world.push(f"{name}@acme.example", name=name)
    give(world, "a@acme.example", "Workspace Owner")
    give(world, "b@acme.example", "PII Access")
    give(world, "a@acme.example", "PII Access")

    def found(**query: str) -> list[str]:
        page = list_members(world.context, "acme", MembersQuery(**query), world.now)  # type: ignore[arg-type]
        assert page.total == len(page.members)
        return [one.name for one in page.members]

    assert found(which="owners") == ["a", "Olga Owner"]
    assert found(which="members") == ["b", "c"]
    assert found(role="PII Access") == ["a", "b"]
    assert found(role="PII Access", which="members") == ["b"]
    assert found(role="Source Admin") == []
