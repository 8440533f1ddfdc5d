"""Product.md 4.4, 4.5 and 4.8 over HTTP: people come, go and come back, by two IdPs and an owner, in any order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.domain.errors import DomainError
from bridge.domain.workspace import Membership
from bridge.flows.accept_invitation import accept_with_password
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.map_groups import link_group
from bridge.flows.members import find_member_id, get_person, lift_hold, remove_member, restore_member
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_scim_token
from bridge.flows.user_groups import create_user_group, find_user_group_id, get_user_group
from bridge.storage import people
from bridge.storage.database import Database
from tests.flows.logins import account, join, sign_in
from tests.flows.mailer import KeptMail, link_of
from tests.world import World, another_connection, make_world

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
READING = parse_role_in_scope("Source Read-only", [])
_serial = count(1)


@dataclass(frozen=True, slots=True)
class Idp:
    """An IdP with a token to its connection's directory."""

    world: World
    client: FlaskClient
    token: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        bearer = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.open(f"/scim/v2{path}", method=method, json=body, headers=bearer)
        return answer.status_code, answer.get_json(force=True, silent=True)

    def find(self, email: str) -> str | None:
        """The id of whom the look-up before a create finds."""
        by_name = quote(f'userName eq "{email}"')
        status, said = self.call("GET", f"/Users?filter={by_name}")
        assert status == 200
        return said["Resources"][0]["id"] if said["totalResults"] else None

    def create(self, email: str, *, active: bool = True) -> tuple[int, Any]:
        emails = [{"value": email, "type": "work", "primary": True}]
        return self.call(
            "POST", "/Users", {"schemas": [USER], "userName": email, "emails": emails, "active": active, "title": "x"}
        )

    def patch(self, path: str, *operations: dict[str, Any]) -> tuple[int, Any]:
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": operations})

    def set_active(self, user_id: str, active: bool) -> tuple[int, Any]:
        return self.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": active}})


@pytest.fixture
def okta(world: World, app: Flask) -> Idp:
    return idp_of(world, app)


@pytest.fixture
def entra(world: World, app: Flask) -> Idp:
    return idp_of(another_connection(world, "Entra"), app)


def idp_of(world: World, app: Flask) -> Idp:
    slug, connection = world.workspace.slug, world.connection.id
    token = create_scim_token(world.context, OPERATOR, slug, connection, None, "", world.now)
    return Idp(world, app.test_client(), token.token)


def member(world: World, email: str) -> Membership | None:
    with world.context.database.reading() as rows:
        user = people.find_user_by_email(rows, email)
        return people.find_member(rows, world.workspace.key, user.key) if user else None


# -- People, in any order of what IdPs and an owner do -----------------------------------------------


@dataclass
class Record:
    """What one IdP has said of a person, and whether that holds them out."""

    is_there: bool = False
    active: bool = False
    holds_out: bool = False

    def say(self, active: bool) -> None:
        """The IdP's change of mind, and nothing else, holds out or lets in."""
        self.holds_out = self.holds_out if active == self.active else not active
        self.active = active


@dataclass
class Person:
    """What is to be true of a person: a model of product.md 4.4 and 4.8."""

    email: str
    status: str = "none"
    records: dict[str, Record] = field(default_factory=lambda: {"okta": Record(), "entra": Record()})

    @property
    def alive(self) -> bool:
        return self.status == "active" and not any(record.holds_out for record in self.records.values())


def push(idp: Idp, person: Person, record: Record) -> None:
    """The half hour's round: look up, create who isn't there, let in who is. It never meets a 409."""
    found = idp.find(person.email)
    assert (found is not None) == record.is_there
    if found is not None:
        assert idp.set_active(found, True)[0] == 200
        record.say(active=True)
        return
    assert idp.create(person.email)[0] == 201
    created(person, record)


def create(idp: Idp, person: Person, record: Record) -> None:
    """A create without a look-up."""
    status, said = idp.create(person.email)
    assert (status, said.get("scimType")) == ((409, "uniqueness") if record.is_there else (201, None))
    if not record.is_there:
        created(person, record)


def created(person: Person, record: Record) -> None:
    record.is_there, record.active, record.holds_out = True, True, False
    person.status = "active"


def deactivate(idp: Idp, person: Person, record: Record) -> None:
    if found := idp.find(person.email):
        assert idp.set_active(found, False)[0] == 200
        record.say(active=False)


def change(idp: Idp, person: Person, record: Record) -> None:
    """A PUT that doesn't say `active`."""
    if found := idp.find(person.email):
        status, said = idp.call("PUT", f"/Users/{found}", {"userName": person.email, "title": str(next(_serial))})
        assert (status, said["active"]) == (200, record.active)


def delete(idp: Idp, person: Person, record: Record) -> None:
    if found := idp.find(person.email):
        assert idp.call("DELETE", f"/Users/{found}")[0] == 204
        assert idp.call("GET", f"/Users/{found}")[0] == 404
        record.is_there, record.active, record.holds_out = False, False, True
        person.status = "removed"


BY_IDPS = {step.__name__: step for step in (push, create, deactivate, change, delete)}


def remove(world: World, person: Person) -> None:
    by_an_owner(world, person, remove_member, person.status == "active")
    person.status = "removed" if person.status == "active" else person.status


def restore(world: World, person: Person) -> None:
    may = person.status == "removed"
    by_an_owner(world, person, restore_member, may)
    if may:
        person.status = "active"
        for record in person.records.values():
            record.holds_out = record.holds_out and record.is_there


def lift(world: World, person: Person) -> None:
    by_an_owner(world, person, lift_hold, any(record.holds_out for record in person.records.values()))
    for record in person.records.values():
        record.holds_out = False


def by_an_owner(world: World, person: Person, do: Callable[..., object], may: bool) -> None:
    if person.status == "none":
        return
    try:
        member_id = find_member_id(world.context, "acme", person.email)
        do(world.context, f"user:{world.owner.id}", "acme", member_id, world.now)
    except DomainError:
        assert not may
    else:
        assert may


BY_OWNERS = {step.__name__: step for step in (remove, restore, lift)}


def nothing(world: World, person: Person) -> None:
    """Nobody knows them."""


def invited(world: World, person: Person) -> None:
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((person.email,)), world.now)


def just_in_time(world: World, person: Person) -> None:
    sign_in(world, person.email)
    person.status = "active"


def by_hand(world: World, person: Person) -> None:
    join(world, account(world, person.email))
    person.status = "active"


def elsewhere(world: World, person: Person) -> None:
    account(world, person.email)


BEFORE = {step.__name__: step for step in (nothing, invited, just_in_time, by_hand, elsewhere)}
STEPS = st.one_of(
    st.tuples(st.sampled_from(["okta", "entra"]), st.sampled_from(sorted(BY_IDPS))),
    st.tuples(st.just("owner"), st.sampled_from(sorted(BY_OWNERS))),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(before="just_in_time", steps=[("okta", "push"), ("owner", "remove"), ("okta", "deactivate"), ("okta", "push")])
@example(before="elsewhere", steps=[("entra", "push"), ("okta", "push"), ("entra", "delete"), ("okta", "push")])
@given(before=st.sampled_from(sorted(BEFORE)), steps=st.lists(STEPS, max_size=10))
def test_who_is_in_follows_from_what_idps_and_owners_did(
    okta: Idp, entra: Idp, before: str, steps: list[tuple[str, str]]
) -> None:
    idps, person = {"okta": okta, "entra": entra}, Person(f"p{next(_serial)}@mail.example")
    BEFORE[before](okta.world, person)
    for who, what in steps:
        if who == "owner":
            BY_OWNERS[what](okta.world, person)
        else:
            BY_IDPS[what](idps[who], person, person.records[who])
        found = member(okta.world, person.email)
        assert (found.status if found else "none") == person.status, (who, what)
        assert (found is not None and found.alive) == person.alive, (who, what)
        if found is not None and not person.alive:
            assert access_of(okta.world.context, "acme", person.email, okta.world.now) == (), (who, what)


def test_a_person_of_several_workspaces_is_touched_in_none_but_the_idps_own(
    okta: Idp, app: Flask, database: Database
) -> None:
    email = "ines@mail.example"
    boots = idp_of(make_world(database, okta.world.now, slug="boots", owner="mei@boots.example"), app)
    for idp in (okta, boots):
        assert idp.create(email)[0] == 201
    before = member(boots.world, email)
    assert before is not None
    found = okta.find(email)
    assert found is not None
    assert (
        okta.patch(f"/Users/{found}", {"op": "replace", "value": {"displayName": "Somebody", "active": False}})[0]
        == 200
    )
    assert okta.call("DELETE", f"/Users/{found}")[0] == 204
    assert member(boots.world, email) == before
    status, said = boots.call("GET", f"/Users/{boots.find(email)}")
    assert (status, said["active"], said.get("displayName")) == (200, True, None)


def test_who_is_invited_and_then_pushed_is_one_person(okta: Idp) -> None:
    """Adopted, not refused; the invitation still gives what it promised (product.md 4.4)."""
    world, email = okta.world, "ines@mail.example"
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((email,), (READING,)), world.now)
    secret = link_of(world.context, world.now)
    assert okta.create(email)[0] == 201
    accept_with_password(world.context, secret, "Ines", "a password of Ines's own", world.now)
    found = member(world, email)
    assert found is not None
    assert (found.alive, found.accepted) == (True, True)
    roles = {each.role.id for each in access_of(world.context, "acme", email, world.now)}
    assert roles == {"minimal_workspace_access", READING.role.id}


@pytest.mark.parametrize("how", ["deactivated", "deactivated in words", "put", "deleted", "created inactive"])
def test_the_last_owner_is_kept_and_owners_are_told(okta: Idp, how: str) -> None:
    email = "olga@acme.example"
    olga = "" if how == "created inactive" else okta.create(email)[1]["id"]
    ask: dict[str, Callable[[], tuple[int, Any]]] = {
        "deactivated": lambda: okta.set_active(olga, False),
        "deactivated in words": lambda: okta.patch(
            f"/Users/{olga}", {"op": "Replace", "path": "active", "value": "False"}
        ),
        "put": lambda: okta.call("PUT", f"/Users/{olga}", {"userName": email, "active": False}),
        "deleted": lambda: okta.call("DELETE", f"/Users/{olga}"),
        "created inactive": lambda: okta.create(email, active=False),
    }
    for _ in range(3):
        status, said = ask[how]()
        assert (status, said["status"], said.get("scimType")) == (409, "409", None)
        assert "Make somebody else an owner by hand first" in said["detail"]
    if olga:
        assert okta.call("GET", f"/Users/{olga}")[1]["active"] is True
    found = member(okta.world, email)
    assert found is not None
    assert found.alive
    mailer = KeptMail()
    deliver_due(okta.world.context, mailer, datetime.now(UTC))
    assert [(mail.to, mail.subject) for mail in mailer.sent] == [(email, "Okta tried to remove the last owner")]


# -- Groups ------------------------------------------------------------------------------------------


def groups_of(world: World, email: str) -> list[str]:
    """The names of the User Groups that somebody is in now."""
    member_id = find_member_id(world.context, "acme", email)
    return sorted(group.name for group in get_person(world.context, "acme", member_id, world.now).user_groups)


def push_group(idp: Idp, name: str, *ids: str) -> str:
    status, said = idp.call("POST", "/Groups", {"displayName": name, "members": [{"value": each} for each in ids]})
    assert status == 201
    group_id: str = said["id"]
    return group_id


def test_a_mirror_lives_and_goes_with_its_group(okta: Idp, entra: Idp) -> None:
    world, email = okta.world, "ines@mail.example"
    ines = okta.create(email)[1]["id"]
    create_user_group(world.context, OPERATOR, "acme", "Engineering", world.now)
    group = push_group(okta, "Engineering", ines)
    other = push_group(entra, "engineering", entra.create(email)[1]["id"])
    assert groups_of(world, email) == ["Engineering (Okta)", "engineering (Entra)"]
    assert (
        okta.patch(f"/Groups/{group}", {"op": "replace", "value": {"id": group, "displayName": "Builders"}})[0] == 204
    )
    assert groups_of(world, email) == ["Builders", "engineering (Entra)"]
    assert okta.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{ines}"]'})[0] == 204
    assert groups_of(world, email) == ["engineering (Entra)"]
    assert okta.call("DELETE", f"/Groups/{group}")[0] == 204
    assert entra.call("DELETE", f"/Groups/{other}")[0] == 204
    assert groups_of(world, email) == []
    found = member(world, email)
    assert found is not None
    assert found.alive


def test_a_linked_group_feeds_a_user_group_that_keeps_its_own_name_and_people(okta: Idp) -> None:
    world = okta.world
    ines = okta.create("ines@mail.example")[1]["id"]
    okta.create("omar@mail.example")
    guild = create_user_group(world.context, OPERATOR, "acme", "Guild", world.now, emails=["omar@mail.example"])
    give_to_user_group(world.context, OPERATOR, "acme", guild.id, READING, world.now)
    group = push_group(okta, "Engineering", ines)
    link_group(world.context, OPERATOR, "acme", world.connection.id, group, "Guild", world.now)
    assert groups_of(world, "ines@mail.example") == ["Guild"]
    assert okta.call("PUT", f"/Groups/{group}", {"displayName": "Builders", "members": [{"value": ines}]})[0] == 200
    assert groups_of(world, "ines@mail.example") == ["Guild"]
    assert okta.set_active(ines, False)[0] == 200
    assert access_of(world.context, "acme", "ines@mail.example", world.now) == ()
    assert okta.set_active(ines, True)[0] == 200
    assert groups_of(world, "ines@mail.example") == ["Guild"]
    assert okta.call("DELETE", f"/Groups/{group}")[0] == 204
    assert groups_of(world, "ines@mail.example") == []
    assert groups_of(world, "omar@mail.example") == ["Guild"]
    assert push_group(okta, "Builders", ines) != group
    assert groups_of(world, "ines@mail.example") == ["Builders"]


def test_a_mirror_with_a_role_given_by_hand_outlives_its_group_empty(okta: Idp) -> None:
    world, email = okta.world, "ines@mail.example"
    group = push_group(okta, "Engineering", okta.create(email)[1]["id"])
    mirror = find_user_group_id(world.context, "acme", "Engineering")
    give_to_user_group(world.context, OPERATOR, "acme", mirror, READING, world.now)
    assert okta.call("DELETE", f"/Groups/{group}")[0] == 204
    assert groups_of(world, email) == []
    left = get_user_group(world.context, "acme", mirror, world.now)
    assert (left.name, left.member_count, left.orphan_of) == ("Engineering", 0, "Engineering")
    push_group(okta, "Engineering", okta.find(email) or "")
    assert groups_of(world, email) == ["Engineering (Okta)"]
