"""Product.md 4.4 and 4.8: an IdP pushes people."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update

from bridge.domain.errors import Conflict, LastOwner, NotFound, Stale
from bridge.domain.workspace import Membership, User
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.provision_users import change_user, create_circle, create_user, delete_user, get_user
from bridge.storage import people
from bridge.storage.changes import Collision, changing
from bridge.storage.database import Database
from bridge.storage.tables import audit, directory_users, grants, memberships, second_factors, users, workspaces
from tests.flows.mailer import KeptMail
from tests.world import World, another_connection, make_world, pushed


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def account(world: World, email: str) -> User | None:
    with world.context.database.reading() as rows:
        return people.find_user_by_email(rows, email)


def member(world: World, email: str) -> Membership | None:
    with world.context.database.reading() as rows:
        user = people.find_user_by_email(rows, email)
        return people.find_member(rows, world.workspace.key, user.key) if user else None


def read(world: World, statement: Any) -> Any:
    with world.context.database.reading() as rows:
        return rows.execute(statement).scalars().all()


def set_active(world: World, user_id: str, active: bool) -> None:
    def edit(user: Any) -> Any:
        document = {**user.pushed.document, "active": active}
        return replace(user.pushed, active=active, document=document)

    change_user(world.context, world.connection, user_id, edit, world.now)


def test_a_pushed_person_gets_an_account_and_a_membership_with_minimal_access(world: World) -> None:
    world.push("ann@acme.example", name="Ann")
    found = member(world, "ann@acme.example")
    assert found is not None
    assert found.alive
    assert read(world, select(grants.c.role).where(grants.c.principal_id == found.key)) == ["minimal_workspace_access"]


def test_one_request_one_cause_and_events_in_sequence(world: World) -> None:
    world.push("ann@acme.example")
    with world.context.database.reading() as rows:
        events = rows.execute(select(audit.c.seq, audit.c.type, audit.c.cause, audit.c.actor)).all()
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.type for event in events] == ["user.created", "membership.created", "directory_user.created"]
    assert len({event.cause for event in events}) == 1
    assert {event.actor for event in events} == {f"connection:{world.connection.id}"}


def test_a_user_name_is_pushed_once_a_connection_compared_without_case(world: World) -> None:
    world.push("ann@acme.example")
    with pytest.raises(Conflict):
        world.push("ANN@acme.example")


def test_another_connection_may_push_the_same_person_into_one_membership(world: World) -> None:
    world.push("ann@acme.example")
    another_connection(world, "Entra").push("ann@acme.example")
    assert read(world, select(func.count()).select_from(memberships)) == [2]  # Ann and the owner


def test_an_existing_account_keeps_its_name_and_its_other_workspaces(world: World, now: datetime) -> None:
    other = make_world(world.context.database, now, slug="other", owner="ann@acme.example")
    before = read(world, select(workspaces.c.rev).where(workspaces.c.id == other.workspace.key))
    world.push("ann@acme.example", name="Somebody Else")
    found = account(world, "ann@acme.example")
    assert found is not None
    assert found.name == "Olga Owner"
    assert read(world, select(workspaces.c.rev).where(workspaces.c.id == other.workspace.key)) == before


def test_an_existing_account_added_without_a_proved_domain_has_not_accepted(world: World, now: datetime) -> None:
    make_world(world.context.database, now, slug="other", owner="ann@acme.example")
    world.push("ann@acme.example")
    found = member(world, "ann@acme.example")
    assert found is not None
    assert not found.accepted


def test_deactivation_holds_the_person_out_and_reactivation_restores_everything(world: World) -> None:
    user = world.push("ann@acme.example")
    before = member(world, "ann@acme.example")
    set_active(world, user.id, False)
    out = member(world, "ann@acme.example")
    assert out is not None
    assert not out.alive
    set_active(world, user.id, True)
    assert member(world, "ann@acme.example") == before


def test_one_inactive_record_of_two_holds_the_person_out(world: World) -> None:
    world.push("ann@acme.example")
    second = another_connection(world, "Entra")
    set_active(second, second.push("ann@acme.example").id, False)
    found = member(world, "ann@acme.example")
    assert found is not None
    assert not found.alive


def test_deletion_ends_the_membership_and_its_grants_and_a_new_push_brings_the_person_back(world: World) -> None:
    user = world.push("ann@acme.example")
    delete_user(world.context, world.connection, user.id, world.now)
    gone = member(world, "ann@acme.example")
    assert gone is not None
    assert (gone.status, gone.held_out) == ("removed", True)
    with pytest.raises(NotFound):
        get_user(world.context, world.connection, user.id)
    again = world.push("ann@acme.example")
    back = member(world, "ann@acme.example")
    assert back is not None
    assert back.alive
    assert again.id != user.id


def test_what_one_connection_deleted_stays_held_out_though_another_pushes_it(world: World) -> None:
    second = another_connection(world, "Entra")
    second.push("ann@acme.example")
    user = world.push("ann@acme.example")
    delete_user(world.context, world.connection, user.id, world.now)
    found = member(world, "ann@acme.example")
    assert found is not None
    assert not found.alive


def test_an_owners_removal_outlasts_later_active_true(world: World) -> None:
    user = world.push("ann@acme.example")
    before = member(world, "ann@acme.example")
    assert before is not None
    with changing(world.context.database, "operator", world.now) as change:
        people.end_membership(change, before.key)
    set_active(world, user.id, False)
    set_active(world, user.id, True)
    after = member(world, "ann@acme.example")
    assert after is not None
    assert after.status == "removed"


@pytest.mark.parametrize("how", ["deactivate", "delete"])
def test_the_last_owner_stays_and_every_owner_is_told(world: World, how: str) -> None:
    user = world.push("olga@acme.example")
    take_away = {
        "delete": lambda: delete_user(world.context, world.connection, user.id, world.now),
        "deactivate": lambda: set_active(world, user.id, False),
    }
    with pytest.raises(LastOwner):
        take_away[how]()
    found = member(world, "olga@acme.example")
    assert found is not None
    assert found.alive
    assert get_user(world.context, world.connection, user.id).version == 0
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now)
    [mail] = mailer.sent
    assert (mail.to, mail.subject) == ("olga@acme.example", "Okta tried to remove the last owner")
    assert "asked the bridge to deactivate or delete olga@acme.example, the last owner" in mail.text


def told_at(world: World, moment: datetime) -> int:
    """How many mails leave then."""
    mailer = KeptMail()
    deliver_due(world.context, mailer, moment)
    return len(mailer.sent)


def test_an_idp_that_asks_again_and_again_has_owners_told_once_a_day(world: World) -> None:
    user, told = world.push("olga@acme.example"), []
    for hours in (0, 1, 23, 25, 26):
        later = replace(world, now=world.now + timedelta(hours=hours))
        with pytest.raises(LastOwner):
            set_active(later, user.id, False)
        with pytest.raises(LastOwner):
            delete_user(later.context, later.connection, user.id, later.now)
        told.append(told_at(later, later.now))
    assert told == [1, 0, 0, 1, 0]
    kept = read(world, select(audit.c.after).where(audit.c.type == "owner.kept"))
    assert kept == [{"asked_for": "olga@acme.example"}] * 2


def test_owners_are_told_of_who_is_new_and_inactive_too_and_by_each_connection(world: World) -> None:
    for idp in (world, another_connection(world, "Entra")):
        for _ in range(2):
            with pytest.raises(LastOwner):
                idp.push("olga@acme.example", name="Olga", active=False)
        assert told_at(world, world.now) == 1
    assert (
        read(world, select(audit.c.after).where(audit.c.type == "owner.kept"))
        == [{"asked_for": "Olga (olga@acme.example)"}] * 2
    )


def test_of_a_circle_the_owners_are_told_who_would_have_locked_them_out(world: World) -> None:
    circle = {str(uuid4()): pushed(email, active=False) for email in ("ann@acme.example", "olga@acme.example")}
    with pytest.raises(LastOwner):
        create_circle(world.context, world.connection, circle, world.now)
    kept = read(world, select(audit.c.after).where(audit.c.type == "owner.kept"))
    assert kept == [{"asked_for": "olga@acme.example"}]


def test_a_record_that_takes_the_address_of_who_was_removed_links_nobody(world: World) -> None:
    """Ines was never this connection's: a change of a record is no new push (product.md 4.4)."""
    another_connection(world, "Entra").push("ines@acme.example")
    record, ines = world.push("E12345"), member(world, "ines@acme.example")
    assert ines is not None
    with changing(world.context.database, "operator", world.now) as change:
        people.end_membership(change, ines.key)
    change_user(world.context, world.connection, record.id, lambda _: pushed("ines@acme.example"), world.now)
    after = member(world, "ines@acme.example")
    assert after is not None
    assert after.status == "removed"


@pytest.mark.parametrize("way_in", ["none", "password", "passkey"])
def test_a_push_renames_an_account_only_while_it_has_no_way_in_of_its_own(world: World, way_in: str) -> None:
    user = world.push("ann@acme.example", name="Ann")
    found = account(world, "ann@acme.example")
    assert found is not None
    with changing(world.context.database, "test", world.now) as change:
        if way_in == "password":
            people.set_user(change, found.key, password_hash="a hash")
        if way_in == "passkey":
            kept = {"uid": "p", "user_id": found.key, "kind": "passkey", "data_enc": b"-", "created_at": world.now}
            change.connection.execute(insert(second_factors).values(**kept))
    change_user(world.context, world.connection, user.id, lambda ann: replace(ann.pushed, name="Anna"), world.now)
    renamed = account(world, "ann@acme.example")
    assert renamed is not None
    assert renamed.name == ("Anna" if way_in == "none" else "Ann")


def test_a_record_without_an_address_is_kept_without_an_account(world: World) -> None:
    world.push("E12345")
    assert read(world, select(directory_users.c.membership_id)) == [None]
    assert read(world, select(func.count()).select_from(users)) == [1]


def test_a_second_record_of_one_connection_with_the_same_address_is_kept_and_not_linked(world: World) -> None:
    world.push("ann@acme.example")
    twin = replace(pushed("ann@acme.example"), user_name="ann.two")
    create_user(world.context, world.connection, twin, world.now)
    linked = read(world, select(directory_users.c.membership_id).order_by(directory_users.c.id))
    assert linked[0] is not None
    assert linked[1] is None


def push_twin(world: World, **said: Any) -> str:
    """A second record of Ann's; its id."""
    twin = replace(pushed("ann@acme.example", **said), user_name="ann.two")
    return create_user(world.context, world.connection, twin, world.now).id


def linked_to(world: World, user_id: str) -> int | None:
    found: int | None = read(world, select(directory_users.c.membership_id).where(directory_users.c.uid == user_id))[0]
    return found


def test_a_second_record_takes_over_when_the_first_is_deleted(world: World) -> None:
    """As an IdP does that makes a person anew and then deletes the former one."""
    first = world.push("ann@acme.example")
    twin = push_twin(world)
    before = member(world, "ann@acme.example")
    delete_user(world.context, world.connection, first.id, world.now)
    ann = member(world, "ann@acme.example")
    assert before is not None
    assert ann is not None
    assert (ann.key, ann.status, ann.held_out) == (before.key, "active", False)
    assert linked_to(world, twin) == ann.key
    given = read(world, select(grants.c.role).where(grants.c.principal_id == ann.key))
    assert given == ["minimal_workspace_access"]
    events = read(world, select(audit.c.type).order_by(audit.c.seq))
    assert events[-3:] == ["directory_user.deleted", "membership.revived", "directory_user.changed"]
    delete_user(world.context, world.connection, twin, world.now)
    gone = member(world, "ann@acme.example")
    assert gone is not None
    assert (gone.status, gone.held_out) == ("removed", True)


def test_a_second_record_that_is_inactive_holds_the_person_out(world: World) -> None:
    first = world.push("ann@acme.example")
    twin = push_twin(world, active=False)
    delete_user(world.context, world.connection, first.id, world.now)
    ann = member(world, "ann@acme.example")
    assert ann is not None
    assert ann.held_out
    set_active(world, twin, True)
    ann = member(world, "ann@acme.example")
    assert ann is not None
    assert not ann.held_out


def test_a_second_record_brings_nobody_back_whom_an_owner_removed(world: World) -> None:
    """A deletion is no new push."""
    first = world.push("ann@acme.example")
    twin = push_twin(world)
    remove_member(world.context, OPERATOR, "acme", find_member_id(world.context, "acme", "ann@acme.example"), world.now)
    delete_user(world.context, world.connection, first.id, world.now)
    ann = member(world, "ann@acme.example")
    assert ann is not None
    assert (ann.status, linked_to(world, twin)) == ("removed", ann.key)
    set_active(world, twin, False)
    set_active(world, twin, True)
    after = member(world, "ann@acme.example")
    assert after is not None
    assert after.status == "removed"
    delete_user(world.context, world.connection, twin, world.now)
    assert world.push("ann@acme.example")
    back = member(world, "ann@acme.example")
    assert back is not None
    assert (back.key, back.status) == (ann.key, "active")


def test_of_several_the_oldest_takes_over_and_of_another_connection_none(world: World) -> None:
    first = world.push("ann@acme.example")
    elsewhere = another_connection(world, "Entra")
    elsewhere.push("ann@acme.example")
    of_other = create_user(
        world.context, elsewhere.connection, replace(pushed("ann@acme.example"), user_name="ann.far"), world.now
    )
    twins = [push_twin(world)]
    third = replace(pushed("ann@acme.example"), user_name="ann.three")
    twins.append(create_user(world.context, world.connection, third, world.now).id)
    delete_user(world.context, world.connection, first.id, world.now)
    assert [linked_to(world, each) is not None for each in [*twins, of_other.id]] == [True, False, False]


def test_a_second_record_stays_as_it_is_while_the_first_is_there(world: World) -> None:
    world.push("ann@acme.example")
    twin = push_twin(world)
    rename = replace(pushed("ann@acme.example", name="Ann"), user_name="ann.two")
    change_user(world.context, world.connection, twin, lambda _: rename, world.now)
    assert linked_to(world, twin) is None


def test_a_record_is_linked_by_its_next_change_once_nobody_has_its_address(world: World) -> None:
    world.push("ann@acme.example")
    twin = push_twin(world)
    with changing(world.context.database, "operator", world.now) as change:
        ann = people.find_user_by_email(change.connection, "ann@acme.example")
        assert ann is not None
        people.set_user(change, ann.key, email="a@acme.example", email_ci="a@acme.example")
    rename = replace(pushed("ann@acme.example", name="Ann"), user_name="ann.two")
    change_user(world.context, world.connection, twin, lambda _: rename, world.now)
    assert linked_to(world, twin) is not None


def test_a_closed_account_leaves_its_address_to_who_is_pushed_with_it_next(world: World) -> None:
    ann = world.push("ann@acme.example")
    delete_user(world.context, world.connection, ann.id, world.now)
    closed = account(world, "ann@acme.example")
    assert closed is not None
    with changing(world.context.database, "operator", world.now) as change:
        people.set_user(change, closed.key, closed_at=world.now)
    again = world.push("ann@acme.example")
    opened = account(world, "ann@acme.example")
    assert opened is not None
    assert opened.key != closed.key
    assert linked_to(world, again.id) is not None
    with pytest.raises(Collision), changing(world.context.database, "operator", world.now) as change:
        change.connection.execute(update(users).where(users.c.id == closed.key).values(closed_at=None))


def test_a_push_of_another_address_leaves_the_account_alone_unless_both_domains_are_proved(world: World) -> None:
    user = world.push("ann@acme.example")

    def edit(_: Any) -> Any:
        return pushed("ann@elsewhere.example")

    change_user(world.context, world.connection, user.id, edit, world.now)
    assert account(world, "ann@acme.example") is not None
    assert account(world, "ann@elsewhere.example") is None


def test_a_change_that_changes_nothing_is_no_new_version(world: World) -> None:
    user = world.push("ann@acme.example")
    same = change_user(world.context, world.connection, user.id, lambda kept: kept.pushed, world.now)
    assert same.version == user.version


def test_a_change_to_a_version_that_is_past_changes_nothing(world: World) -> None:
    user = world.push("ann@acme.example")
    set_active(world, user.id, False)
    with pytest.raises(Stale):
        delete_user(world.context, world.connection, user.id, world.now, if_version=user.version.__eq__)


def test_whatever_the_edit_raises_changes_nothing(world: World) -> None:
    user = world.push("ann@acme.example")

    def fail(_: Any) -> Any:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_user(world.context, world.connection, user.id, fail, world.now)
    assert get_user(world.context, world.connection, user.id) == user


def test_a_connection_sees_nothing_of_another_connections_people(world: World) -> None:
    user = world.push("ann@acme.example")
    second = another_connection(world, "Entra")
    for attempt in (
        lambda: get_user(second.context, second.connection, user.id),
        lambda: delete_user(second.context, second.connection, user.id, second.now),
        lambda: set_active(second, user.id, False),
    ):
        with pytest.raises(NotFound):
            attempt()
