"""Roles by hand, and the last owner (product.md 1.1 to 1.4)."""

from datetime import datetime

import pytest
from sqlalchemy import select

from bridge.domain.access import EVERYWHERE, RoleInScope, Scope
from bridge.domain.errors import Conflict, Forbidden, Invalid, LastOwner, NotFound, NotInPlan
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import MINIMAL, OWNER, get_role
from bridge.flows.accept_invitation import accept_with_password
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR, Context
from bridge.flows.explain import access_of
from bridge.flows.give_roles import change_scope, end_grant, give_to_member, give_to_user_group
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, get_person
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_api_token
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage.tables import grants
from tests.flows.audit import audit_events
from tests.flows.mailer import link_of
from tests.world import World

OWNING = RoleInScope(OWNER, EVERYWHERE)
READING = parse_role_in_scope("Source Read-only", [])


@pytest.fixture
def ines(kicks: World) -> str:
    """Ines, whom Okta pushed: her membership."""
    kicks.push("ines@kicks.example", name="Ines Duarte")
    return find_member_id(kicks.context, "kicks", "ines@kicks.example")


def second_owner(kicks: World) -> str:
    """Mei, an owner by hand with a password: her membership."""
    invite(kicks.context, OPERATOR, "kicks", InviteDraft(("mei@kicks.example",), roles=(OWNING,)), kicks.now)
    accept_with_password(kicks.context, link_of(kicks.context, kicks.now), "Mei", "a password of Mei", kicks.now)
    return find_member_id(kicks.context, "kicks", "mei@kicks.example")


def owning_grant(kicks: World, member: str) -> str:
    grants = get_person(kicks.context, "kicks", member, kicks.now).grants
    return next(grant.id for grant in grants if grant.given.role is OWNER)


def roles_of(kicks: World, email: str) -> list[tuple[str, list[str]]]:
    return [(one.role.name, one.scope.render()) for one in access_of(kicks.context, "kicks", email, kicks.now)]


def test_a_role_is_given_and_taken_by_hand(kicks: World, marcus: str, ines: str) -> None:
    made = give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    assert ("Source Read-only", ["all"]) in roles_of(kicks, "ines@kicks.example")
    end_grant(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert ("Source Read-only", ["all"]) not in roles_of(kicks, "ines@kicks.example")
    kinds = [(actor, kind) for actor, kind, _ in audit_events(kicks.context)][-2:]
    assert kinds == [(marcus, "grant.given"), (marcus, "grant.ended")]


def test_a_person_page_says_who_gave_it(kicks: World, marcus: str, ines: str) -> None:
    give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    grant = get_person(kicks.context, "kicks", ines, kicks.now).grants[-1]
    assert (grant.given, grant.given_by, grant.given_by_name, grant.since) == (READING, marcus, "Marcus", kicks.now)


def test_another_scope_is_one_grant_ended_and_one_begun(kicks: World, marcus: str, ines: str) -> None:
    add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", "Orders", "orders"), kicks.now)
    made = give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    narrow = parse_role_in_scope("Source Read-only", ["source:orders"]).scope
    after = change_scope(kicks.context, marcus, "kicks", made.id, narrow, kicks.now)
    assert after.id != made.id
    assert ("Source Read-only", ["source:orders"]) in roles_of(kicks, "ines@kicks.example")
    with pytest.raises(NotFound):
        end_grant(kicks.context, marcus, "kicks", made.id, kicks.now)


def test_the_same_role_in_the_same_scope_is_given_once(kicks: World, marcus: str, ines: str) -> None:
    give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    with pytest.raises(Conflict):
        give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)


def test_a_role_of_a_user_group_is_everybodys_in_it(kicks: World, marcus: str, ines: str) -> None:
    group = create_user_group(kicks.context, marcus, "kicks", "Data Guild", kicks.now)
    add_members(kicks.context, marcus, "kicks", group.id, ["ines@kicks.example"], kicks.now)
    give_to_user_group(kicks.context, marcus, "kicks", group.id, READING, kicks.now)
    [reading] = [
        one for one in access_of(kicks.context, "kicks", "ines@kicks.example", kicks.now) if one.role is READING.role
    ]
    assert [(path.kind, path.user_group) for path in reading.because] == [("user_group", "Data Guild")]


def test_a_listed_resource_must_be_there(kicks: World, marcus: str, ines: str) -> None:
    with pytest.raises(NotFound, match="source:nowhere"):
        give_to_member(
            kicks.context, marcus, "kicks", ines, parse_role_in_scope("Source Admin", ["source:nowhere"]), kicks.now
        )


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("Source Admin", ["warehouse:w"]),
        ("Source Admin", ["all", "source:s"]),
        ("Source Admin", ["label:environment:prod", "label:environment:dev"]),
        ("Workspace Owner", ["source:s"]),
        ("Source Admin", ["source:"]),
        ("Source Admin", ["label:1:2"]),
    ],
)
def test_a_scope_must_fit_its_role(role: str, scope: list[str]) -> None:
    with pytest.raises(Invalid):
        parse_role_in_scope(role, scope)


def test_a_role_outside_the_plan_is_not_given(kicks: World, marcus: str, ines: str) -> None:
    set_plan(kicks.context, OPERATOR, "kicks", "team", kicks.now)
    with pytest.raises(NotInPlan):
        give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    give_to_member(kicks.context, marcus, "kicks", ines, parse_role_in_scope("Source Admin", []), kicks.now)


def test_only_owners_give_and_take(kicks: World, ines: str, marcus: str) -> None:
    actor = f"user:{get_person(kicks.context, 'kicks', ines, kicks.now).member.user_id}"
    made = give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    with pytest.raises(Forbidden):
        give_to_member(kicks.context, actor, "kicks", ines, OWNING, kicks.now)
    with pytest.raises(Forbidden):
        end_grant(kicks.context, actor, "kicks", made.id, kicks.now)
    with pytest.raises(Forbidden):
        change_scope(kicks.context, actor, "kicks", made.id, Scope("labels"), kicks.now)


def test_the_last_owner_keeps_ownership(kicks: World, marcus: str) -> None:
    member = find_member_id(kicks.context, "kicks", "marcus@kicks.example")
    with pytest.raises(LastOwner):
        end_grant(kicks.context, OPERATOR, "kicks", owning_grant(kicks, member), kicks.now)
    assert roles_of(kicks, "marcus@kicks.example") == [("Workspace Owner", ["all"])]


def test_an_owner_whom_another_follows_may_go(kicks: World, marcus: str) -> None:
    member = find_member_id(kicks.context, "kicks", "marcus@kicks.example")
    second_owner(kicks)
    end_grant(kicks.context, marcus, "kicks", owning_grant(kicks, member), kicks.now)
    assert roles_of(kicks, "marcus@kicks.example") == []


def test_an_owner_by_the_idp_alone_does_not_count_as_the_last(kicks: World, ines: str) -> None:
    give_to_member(kicks.context, OPERATOR, "kicks", ines, OWNING, kicks.now)
    member = find_member_id(kicks.context, "kicks", "marcus@kicks.example")
    with pytest.raises(LastOwner):
        end_grant(kicks.context, OPERATOR, "kicks", owning_grant(kicks, member), kicks.now)


def test_a_grant_of_a_rule_or_token_is_changed_there(kicks: World, marcus: str) -> None:
    draft = MappingDraft(kicks.connection.id, GroupMatch("name", "eng"), roles=(READING,))
    add_mapping(kicks.context, marcus, "kicks", draft, kicks.now)
    create_api_token(kicks.context, marcus, "kicks", [READING], None, "", kicks.now)
    for grant_id in grant_ids(kicks.context, "Source Read-only"):
        with pytest.raises(Conflict):
            end_grant(kicks.context, marcus, "kicks", grant_id, kicks.now)


def grant_ids(context: Context, role: str) -> list[str]:
    with context.database.reading() as connection:
        found = list(connection.execute(select(grants.c.uid).where(grants.c.role == get_role(role).id)).scalars())
    assert len(found) == 2
    return found


def test_a_grant_of_another_workspace_is_not_found(kicks: World, now: datetime) -> None:
    with pytest.raises(NotFound):
        end_grant(kicks.context, OPERATOR, "kicks", "00000000-0000-0000-0000-000000000000", now)


def test_minimal_access_reaches_no_resource(kicks: World, marcus: str, ines: str) -> None:
    give_to_member(kicks.context, marcus, "kicks", ines, RoleInScope(get_role("PII Access"), EVERYWHERE), kicks.now)
    names = {name for name, _ in roles_of(kicks, "ines@kicks.example")}
    assert names == {MINIMAL.name, "PII Access"}
