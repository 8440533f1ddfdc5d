"""6. An outsider's id is never ours: externalId, displayName and userName never become or match an internal id, a
local group or a role; names that a login asserts neither.

Beside: tests/flows/test_provision_groups.py (mirrors never take a name that is there), tests/flows/test_map_groups.py.
"""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain import sign_in_refusals as refused
from bridge.domain.errors import DomainError
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import MINIMAL, ROLES
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id
from bridge.flows.provision_groups import get_group
from bridge.flows.provision_users import get_user
from bridge.flows.user_groups import create_user_group, list_members, list_user_groups
from bridge.storage.sign_in import find_pushed_records
from bridge.storage.tables import metadata
from tests.flows.logins import Browser, attempt, sign_in
from tests.properties.outsiders import ADMIN, person
from tests.properties.ways import say
from tests.world import World, pushed

_serial = count(1)
OWNERS = ("Admins", "Workspace Owner", "owners")


@pytest.fixture
def ours(acme: World) -> dict[str, str]:
    """Internal ids and local names by what they are, each worth being: powerful User Groups, an owner, ids."""
    context, now = acme.context, acme.now
    taken: dict[str, str] = {}
    for name in OWNERS:
        group = create_user_group(context, OPERATOR, "acme", name, now)
        give_to_user_group(context, OPERATOR, "acme", group.id, ADMIN, now)
        taken |= {f"name {name}": name, f"id of {name}": group.id}
    engineering = acme.push_group("Engineering", acme.push("eng@acme.example"))
    made = add_mapping(
        context, OPERATOR, "acme", MappingDraft(acme.connection.id, GroupMatch("id", engineering.id), (), (ADMIN,)), now
    )
    return taken | {
        "group": engineering.id,
        "rule": made.id,
        "account": acme.owner.id,
        "membership": find_member_id(context, "acme", "olga@acme.example"),
        "connection": acme.connection.id,
        "workspace": acme.workspace.id,
        **{f"role {role.name}": role.name for role in ROLES},
        **{f"role id {role.id}": role.id for role in ROLES},
    }


def powers(world: World, email: str) -> set[str]:
    """What somebody has beyond Minimal Workspace Access."""
    found = access_of(world.context, "acme", email, world.now)
    return {one.role.name for one in found if one.role is not MINIMAL}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_name_or_id_of_an_idp_gives_anything(acme: World, ours: dict[str, str], data: st.DataObject) -> None:
    said = st.sampled_from(sorted(set(ours.values()))).flatmap(
        lambda text: st.sampled_from([text, text.upper(), f" {text} ", text.replace("s", "ſ")])
    )
    email = f"mallory{next(_serial)}@mail.example"
    member = acme.push(email)
    say(acme, member.id, person(data.draw(said) + email, email, data.draw(said), True))
    group = acme.push_group(data.draw(said), member, external_id=data.draw(said))
    sign_in(acme, email, subject=email, groups=(data.draw(said), data.draw(said)))
    assert powers(acme, email) == set()
    for name in OWNERS:
        assert list_members(acme.context, "acme", ours[f"id of {name}"], acme.now).total == 0
    for made, text in ((member.id, data.draw(said)), (group.id, data.draw(said))):
        assert made not in ours.values()
        with pytest.raises(DomainError):
            get_user(acme.context, acme.connection, text)
        if text != ours["group"]:
            with pytest.raises(DomainError):
                get_group(acme.context, acme.connection, text, with_members=True)


def test_a_login_under_an_internal_id_is_a_stranger(acme: World, ours: dict[str, str]) -> None:
    for n, text in enumerate(sorted(set(ours.values()))):
        browser = sign_in(acme, f"stranger{n}@mail.example", subject=text)
        current = browser.look(acme)
        assert current is not None
        assert current.user.email == f"stranger{n}@mail.example"
        assert not any(reached.owner for reached in current.workspaces)


def test_every_id_that_goes_out_is_made_here(acme: World) -> None:
    said = "11111111-1111-4111-8111-111111111111"
    made = [acme.push(said, external_id=said).id, acme.push_group(said, external_id=said).id]
    assert said not in made
    with acme.context.database.reading() as rows:
        kept = [
            uid for table in metadata.sorted_tables if "uid" in table.c for uid in rows.scalars(select(table.c.uid))
        ]
    assert said not in kept


# -- Within one connection: names that are nearly somebody's ---------------------------------------------------------


def subjects(world: World, subject: str) -> list[Any]:
    with world.context.database.reading() as rows:
        return find_pushed_records(rows, world.connection.key, subject, "nobody@mail.example")


@pytest.mark.parametrize("like", ["strauß", "ſtrauss", "straus", "strauss x"])
def test_a_subject_that_looks_alike_is_not_the_pushed_person(acme: World, like: str) -> None:
    acme.push("strauss")
    assert [found.by_subject for found in subjects(acme, "STRAUSS")] == [True]
    assert subjects(acme, like) == []


def test_a_subject_that_stands_for_two_people_signs_in_neither(acme: World) -> None:
    acme.push("alice@acme.example", external_id="alice")
    say(acme, acme.push("bob@acme.example").id, person("alice", "bob@acme.example", "b", True))
    for email in ("alice@acme.example", "bob@acme.example", "carol@acme.example"):
        with pytest.raises(refused.UnusableIdentity):
            attempt(acme, email, Browser(), subject="alice")


def test_a_mirror_of_a_group_named_as_a_role_gives_minimal_access(acme: World) -> None:
    ann = acme.push("ann@acme.example")
    for role in ROLES:
        acme.push_group(role.name, ann)
        acme.push_group(role.id, ann)
    assert powers(acme, "ann@acme.example") == set()


def test_two_groups_of_one_name_have_mirrors_of_their_own(acme: World) -> None:
    acme.push_group("Engineering", acme.push("ann@acme.example"))
    acme.push_group("Engineering", acme.push("ben@acme.example"))
    groups = list_user_groups(acme.context, "acme", acme.now).groups
    inside = [list_members(acme.context, "acme", group.id, acme.now).members for group in groups]
    assert sorted(member.email for [member] in inside) == ["ann@acme.example", "ben@acme.example"]


def test_a_user_name_is_nobodys_address_unless_it_is_one(acme: World) -> None:
    acme.push(acme.owner.id)
    say(acme, acme.push("x1").id, pushed("olga@acme.example "))
    assert powers(acme, "olga@acme.example") == {"Workspace Owner"}
