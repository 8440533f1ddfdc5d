"""A deleted connection takes all of it along, and lets nobody back in (properties 5, 10)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select

from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.flows import own_connections
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, list_mappings
from bridge.flows.members import find_member_id, get_person
from bridge.flows.own_connections import delete_connection, list_connections
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.saml_connection import load_saml
from bridge.flows.tokens import create_scim_token, find_scim_token
from bridge.flows.user_groups import create_user_group, find_user_group_id, list_user_groups
from bridge.storage.provisioning_requests import NewRequest, insert_requests
from bridge.storage.tables import PAST, connections, metadata, provisioning_requests
from tests.flows.audit import everything_kept
from tests.world import World, another_connection

READING = parse_role_in_scope("Source Read-only", [])


def delete(kicks: World) -> None:
    delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now)


def status(kicks: World, email: str) -> str:
    member = find_member_id(kicks.context, "kicks", email)
    return get_person(kicks.context, "kicks", member, kicks.now).member.status


def test_nothing_of_it_is_left(kicks: World, marcus: str) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example"))
    draft = MappingDraft(kicks.connection.id, GroupMatch("glob", "eng*"), (), (READING,))
    add_mapping(kicks.context, marcus, "kicks", draft, kicks.now)
    token = create_scim_token(kicks.context, OPERATOR, "kicks", kicks.connection.id, None, "", kicks.now)
    delete(kicks)
    assert list_connections(kicks.context, "kicks") == ()
    assert list_mappings(kicks.context, "kicks", mirrors_too=True) == ()
    assert list_user_groups(kicks.context, "kicks", kicks.now).groups == ()
    assert find_scim_token(kicks.context, token.token, kicks.now) is None
    with pytest.raises(NotFound):
        load_saml(kicks.context, kicks.connection.id)
    with kicks.context.database.reading() as rows:
        pointing = [
            table for table in metadata.sorted_tables if "connection_id" in table.c and table not in PAST.values()
        ]
        for table in pointing:
            counted = select(func.count()).where(table.c.connection_id == kicks.connection.key)
            assert rows.execute(counted).scalar() == 0, table.name


def a_call(world: World, n: int) -> NewRequest:
    at = world.now + timedelta(seconds=n)
    return NewRequest(world.connection.key, at, "GET", "/Users", 200, "read", "Okta read 1 of 1 person.", "", n)


def calls_left(rows: Connection) -> Any:
    return rows.execute(select(func.count()).select_from(provisioning_requests)).scalar()


def test_its_log_goes_a_part_at_a_time(kicks: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who writes waits until millions of lines are gone."""
    calls = [*(a_call(kicks, n) for n in range(7)), a_call(another_connection(kicks, "Entra"), 7)]
    with kicks.context.database.writing() as rows:
        insert_requests(rows, calls)
    monkeypatch.setattr(own_connections, "FORGOTTEN_AT_ONCE", 3)
    left: list[int] = []
    event.listen(kicks.context.database.write_engine, "commit", listening := lambda rows: left.append(calls_left(rows)))
    delete(kicks)
    event.remove(kicks.context.database.write_engine, "commit", listening)
    assert left == [5, 2, 1, 1]


def test_who_may_not_delete_it_forgets_nothing_of_its_log(kicks: World) -> None:
    kicks.push("ines@kicks.example")
    member = find_member_id(kicks.context, "kicks", "ines@kicks.example")
    ines = get_person(kicks.context, "kicks", member, kicks.now).member.user_id
    with kicks.context.database.writing() as rows:
        insert_requests(rows, [a_call(kicks, 1)])
    with pytest.raises(Forbidden):
        delete_connection(kicks.context, f"user:{ines}", "kicks", kicks.connection.id, kicks.now)
    with kicks.context.database.reading() as rows:
        assert calls_left(rows) == 1


def test_its_private_key_is_forgotten_in_the_past_too(kicks: World) -> None:
    delete(kicks)
    past = PAST[connections]
    with kicks.context.database.reading() as rows:
        assert rows.execute(select(past.c.secrets_enc)).scalars().all() == [None]
    assert "secrets" not in everything_kept(kicks.context)


def test_its_people_stay_members_with_what_they_have_by_hand(kicks: World, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    member = find_member_id(kicks.context, "kicks", "ines@kicks.example")
    give_to_member(kicks.context, marcus, "kicks", member, READING, kicks.now)
    delete(kicks)
    assert status(kicks, "ines@kicks.example") == "active"
    assert READING.role in [one.role for one in access_of(kicks.context, "kicks", "ines@kicks.example", kicks.now)]


def test_whom_it_held_out_it_lets_not_back_in(kicks: World) -> None:
    kicks.push("lars@kicks.example", active=False)
    delete(kicks)
    assert status(kicks, "lars@kicks.example") == "removed"
    assert access_of(kicks.context, "kicks", "lars@kicks.example", kicks.now) == ()


def test_a_mirror_with_roles_of_its_own_stays_empty_and_marked(kicks: World, marcus: str) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example"))
    mirror = find_user_group_id(kicks.context, "kicks", "eng")
    give_to_user_group(kicks.context, marcus, "kicks", mirror, READING, kicks.now)
    create_user_group(kicks.context, marcus, "kicks", "Guild", kicks.now)
    delete(kicks)
    groups = {one.name: one for one in list_user_groups(kicks.context, "kicks", kicks.now).groups}
    assert set(groups) == {"Guild", "eng"}
    assert (groups["eng"].orphan_of, groups["eng"].member_count) == ("eng", 0)


def test_another_connection_is_not_touched(kicks: World) -> None:
    entra = another_connection(kicks, "Entra")
    entra.push_group("nord", entra.push("jonas@nord.example"))
    delete(kicks)
    assert [one.name for one in list_connections(kicks.context, "kicks")] == ["Entra"]
    assert list_user_groups(kicks.context, "kicks", kicks.now).groups[0].member_count == 1


def test_it_cannot_be_deleted_twice(kicks: World) -> None:
    delete(kicks)
    with pytest.raises(NotFound):
        delete(kicks)
