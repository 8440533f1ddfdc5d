"""Product.md 4.4, 4.5 and 4.8 by a file: an import means what a push means, one by one."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, insert, select, update
from sqlalchemy.orm import Session

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import (
    DirectoryGroup,
    DirectoryUser,
    GroupChange,
    GroupExternalIdSet,
    GroupRenamed,
    MembersAdded,
    MembersRemoved,
    MembersReplaced,
    pushed_user,
)
from bridge.domain.errors import Forbidden, LastOwner, NotInPlan
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.imports import FaultyFile, ImportReport, SuspendsMany
from bridge.domain.roles import get_role
from bridge.flows import import_directory as import_directory_flow
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.import_directory import ImportOptions, import_directory
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.own_connections import set_enabled
from bridge.flows.provision_groups import change_group, create_group, search_groups
from bridge.flows.provision_users import change_user, create_user, get_user, search_users
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.tables import audit, connections, domains
from scim.directory_file import DirectoryFile, GroupInFile, PersonInFile
from scim.file_forms import parse_directory_file
from scim.schemas import ENTERPRISE_SCHEMA
from tests.flows.histories import (
    DOMAIN,
    HISTORIES,
    access_of_all,
    email_of,
    empty,
    events_by,
    facts_of,
    has_a_second_record,
    has_an_account,
    invited,
    is_pushed,
    is_pushed_here_and_elsewhere,
    is_suspended,
    joined_by_hand,
    nothing,
    pushed_by_another_connection,
    pushed_owner,
    removed_by_an_owner,
    signed_in_and_removed,
    signs_in,
    signs_in_by_another_name,
    was_deleted,
)
from tests.flows.logins import sign_in
from tests.overheard import statements
from tests.properties.rows import everything
from tests.world import World, make_world

NAMES = ("ann", "bob", "cat", "dan", "eve")
GROUPS = ("eng", "ops", "all")


def run(world: World, file: DirectoryFile | str | dict[str, Any], **options: Any) -> ImportReport:
    """Import a file, given as text or as what JSON says."""
    if not isinstance(file, DirectoryFile):
        file = parse_directory_file((file if isinstance(file, str) else json.dumps(file)).encode())
    return import_directory(
        world.context, world.workspace.slug, world.connection.id, file, ImportOptions(**options), world.now
    )


def import_all(world: World, file: DirectoryFile) -> None:
    """Import it, however many it suspends."""
    run(world, file, suspend_many=True)


@pytest.fixture
def acme(database: Database, now: datetime) -> World:
    return make_world(database, now)


# -- The same, pushed one by one ---------------------------------------------------------------------


def push_one_by_one(world: World, file: DirectoryFile) -> None:
    """What an IdP does that has the same people and groups: look first, then create or change, one after the other."""
    people, groups = all_users(world), all_groups(world)
    known = [find_person(people, person) for person in file.people]
    mine = [find_group(groups, group) for group in file.groups]
    ids = [push_person(world, person, found) for person, found in zip(file.people, known, strict=True)]
    about = set(ids) if file.telling == "groups of people" else None
    told = {found.id for found in mine if found}
    for group, found in zip(file.groups, mine, strict=True):
        push_group(world, group, found, [*(ids[n] for n in group.members), *group.others], about)
    for other in groups if about else ():
        if other.id not in told:
            change_group(world.context, world.connection, other.id, [MembersRemoved(tuple(about or ()))], world.now)


def all_users(world: World) -> list[DirectoryUser]:
    found, _ = search_users(world.context, world.connection, None, offset=0, count=1000)
    return [get_user(world.context, world.connection, each.id) for each in found]


def all_groups(world: World) -> list[DirectoryGroup]:
    return search_groups(world.context, world.connection, None, offset=0, count=1000, with_members=True)[0]


def find_person(people: list[DirectoryUser], person: PersonInFile) -> DirectoryUser | None:
    named = [each for each in people if each.pushed.user_name.casefold() == person.user_name.casefold()]
    outside = [each for each in people if person.external_id and each.pushed.external_id == person.external_id]
    return next(iter(named or outside), None)


def push_person(world: World, person: PersonInFile, found: DirectoryUser | None) -> str:
    if found is None:
        said = pushed_user(person.document_after(None))
        return create_user(world.context, world.connection, said, world.now).id

    def edit(user: DirectoryUser) -> Any:
        return pushed_user(person.document_after(user.pushed.document), user.pushed)

    return change_user(world.context, world.connection, found.id, edit, world.now).id


def find_group(groups: list[DirectoryGroup], group: GroupInFile) -> DirectoryGroup | None:
    outside = [each for each in groups if group.external_id and each.external_id == group.external_id]
    named = [each for each in groups if each.name.casefold() == group.name.casefold()]
    named = [each for each in named if group.external_id is None or each.external_id is None]
    return next(iter(outside or named), None)


def push_group(
    world: World, group: GroupInFile, found: DirectoryGroup | None, members: list[str], about: set[str] | None
) -> None:
    if found is None:
        create_group(world.context, world.connection, group.name, group.external_id, members, world.now)
        return
    named: list[GroupChange] = [GroupRenamed(group.name), GroupExternalIdSet(group.external_id)]
    steps: list[GroupChange] = [MembersReplaced(tuple(members))]
    if about is not None:
        steps = [MembersAdded(tuple(members)), MembersRemoved(tuple(about - set(members)))]
    for changes in (named if group.external_id else [], steps):
        change_group(world.context, world.connection, found.id, changes, world.now)


# -- What is generated -------------------------------------------------------------------------------


@st.composite
def pasts(draw: st.DrawFn) -> dict[str, Any]:
    """What happened before: to each person, in groups, and whether the workspace has proved its people's domain."""
    return {
        "people": {name: draw(st.sampled_from(HISTORIES)) for name in NAMES},
        "groups": {name: draw(st.lists(st.sampled_from(NAMES), unique=True)) for name in draw(names_of(GROUPS))},
        "external": draw(st.booleans()),
        "proved": draw(st.sampled_from(["before", "after", ""])),
    }


def names_of(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True)


def live(world: World, past: dict[str, Any]) -> None:
    """Go through all that."""
    if past["proved"] == "before":
        prove(world)
    for name, history in past["people"].items():
        history(world, name)
    if past["proved"] == "after":
        prove(world)
    ids = {user.pushed.user_name: user.id for user in all_users(world)}
    for name, members in past["groups"].items():
        here = [ids[email_of(each)] for each in members if email_of(each) in ids]
        outside = f"x-{name}" if past["external"] else None
        create_group(world.context, world.connection, name, outside, here, world.now)
    gives = RoleInScope(get_role("Source Admin"), EVERYWHERE)
    draft = MappingDraft(world.connection.id, GroupMatch("glob", "e*"), (), (gives,))
    add_mapping(world.context, OPERATOR, world.workspace.slug, draft, world.now)


def prove(world: World) -> None:
    """Its people's domain is the workspace's."""
    row = {"name": DOMAIN, "workspace_id": world.workspace.key, "token": "t", "proved_at": world.now}
    with changing(world.context.database, OPERATOR, world.now) as change:
        change.connection.execute(insert(domains).values(**row, token_expires_at=world.now, created_at=world.now))


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    """A file of SCIM resources."""
    users = [draw(users_called(name)) for name in draw(names_of(NAMES))]
    groups = [draw(groups_called(name, users)) for name in draw(names_of(GROUPS))]
    return {"Users": users, "Groups": groups}


@st.composite
def users_called(draw: st.DrawFn, name: str) -> dict[str, Any]:
    user: dict[str, Any] = {
        "id": f"file-{name}",
        "userName": draw(st.sampled_from([email_of(name), f"{name}-renamed"])),
    }
    user |= {"externalId": f"x-{name}"} if draw(st.booleans()) else {}
    user |= {"active": draw(st.booleans())} if draw(st.booleans()) else {}
    user["displayName"] = draw(st.sampled_from([f"{name} Doe", f"{name} Changed"]))
    user |= {"title": "Boss"} if draw(st.booleans()) else {}
    address = draw(st.sampled_from([email_of(name), email_of(f"{name}.new"), email_of("ann"), "no address", None]))
    user |= {"emails": [{"value": address, "type": "work", "primary": True}]} if address else {}
    return user


@st.composite
def groups_called(draw: st.DrawFn, name: str, users: list[dict[str, Any]]) -> dict[str, Any]:
    ids = [user["id"] for user in users]
    members = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    group: dict[str, Any] = {"displayName": name, "members": [{"value": each} for each in members]}
    if draw(st.booleans()):
        group |= {"externalId": f"x-{name}", "displayName": draw(st.sampled_from([name, f"{name} renamed"]))}
    return group


@st.composite
def spreadsheets(draw: st.DrawFn) -> str:
    """A file of CSV."""
    columns = ["userName", *draw(st.lists(st.sampled_from(["email", "active", "title", "groups"]), unique=True))]
    rows = [",".join(columns)]
    for name in draw(names_of(NAMES)):
        cells = {
            "userName": email_of(name),
            "email": draw(st.sampled_from([email_of(name), email_of(f"{name}.new"), ""])),
            "active": draw(st.sampled_from(["true", "False", ""])),
            "title": draw(st.sampled_from(["", "Boss"])),
            "groups": ";".join(draw(names_of(GROUPS))),
        }
        rows.append(",".join(cells[column] for column in columns))
    return "\n".join(rows)


def same_both_ways(database: Database, now: datetime, past: dict[str, Any], said: str) -> bool:
    """Import a file into one world, and push it one by one into another that has been through the same.

    False where the directory shows the file to be faulty: then nothing has changed.
    """
    file = parse_directory_file(said.encode())
    seen = []
    for bring_about in (import_all, push_one_by_one):
        empty(database)
        world = make_world(database, now)
        live(world, past)
        before = everything(world)
        try:
            bring_about(world, file)
        except FaultyFile:
            assert everything(world) == before
            return False
        seen.append((facts_of(database), access_of_all(world)))
    (facts, access), (pushed_facts, pushed_access) = seen
    for kind in facts:
        assert facts[kind] == pushed_facts[kind], kind
    assert access == pushed_access
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(past=pasts(), said=st.one_of(resources().map(json.dumps), spreadsheets()))
def test_an_import_means_what_the_same_pushes_mean_one_by_one(
    database: Database, now: datetime, past: dict[str, Any], said: str
) -> None:
    """Every fact, standing or ended, every audit event, and everybody's access with all its paths."""
    same_both_ways(database, now, past, said)


#: One person of each history, and what a file says of every one of them.
EVERYBODY = {history.__name__: history for history in HISTORIES}
SAID: dict[str, Callable[[str], list[str]]] = {
    "a title": lambda name: [f"{email_of(name)},,,Boss,{name} Doe"],
    "inactive": lambda name: [f"{email_of(name)},,false,,{name} Doe"],
    "active": lambda name: [f"{email_of(name)},,true,,{name} Doe"],
    "another name": lambda name: [f"{email_of(name)},,,,{name} Changed"],
    "another address": lambda name: [f"{email_of(name)},{email_of(f'{name}.new')},,,{name} Doe"],
    "somebody else with their address": lambda name: [f"{name}-twin,{email_of(name)},,,{name} Twin"],
    "an address for a second record": lambda name: [f"{name}-again,{email_of(f'{name}.again')},,,{name} Doe"],
    "another user name": lambda name: [f"{name}-renamed,{email_of(name)},,,{name} Doe,x-{name}"],
    "another user name and address": lambda name: [f"{email_of(f'{name}.new')},,,,{name} Doe,x-{name}"],
    "everything new": lambda name: [f"{name}-renamed,{email_of(f'{name}.new')},,Boss,{name} Changed,x-{name}"],
    "two rows, one address": lambda name: [
        f"{name}-twin,{email_of(name)},,,{name} Twin",
        f"{email_of(name)},{email_of(name)},,Boss,{name} Doe",
    ],
    "two rows, one account": lambda name: [
        f"{name}-twin,{email_of(f'{name}.other')},,,{name} Twin",
        f"{email_of(name)},{email_of(name)},,Boss,{name} Doe",
    ],
}


@pytest.mark.parametrize(
    "proved",
    [
        pytest.param("before", id="proved"),
        pytest.param("after", id="proved since", marks=pytest.mark.long),
        pytest.param("", id="unproved", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize(
    "said", ["two rows, one account", *(pytest.param(said, marks=pytest.mark.long) for said in [*SAID, "only a title"])]
)
def test_whatever_people_have_been_through_an_import_means_a_push(
    database: Database, now: datetime, said: str, proved: str
) -> None:
    if proved != "before" and not database.is_sqlite:
        pytest.skip("SQLite says the same of when a domain was proved")
    past = {"people": EVERYBODY, "groups": {}, "external": False, "proved": proved}
    if said == "only a title":
        rows = ["userName,title", *(f"{email_of(name)},Boss" for name in EVERYBODY)]
    else:
        listed = [row for name in EVERYBODY for row in SAID[said](name)]
        heading = ["userName", "email", "active", "title", "displayName", "externalId"]
        rows = [",".join(heading[: listed[0].count(",") + 1]), *listed]
    assert same_both_ways(database, now, past, "\n".join(rows))


@pytest.mark.parametrize(
    "history",
    [
        is_pushed,
        is_pushed_here_and_elsewhere,
        is_suspended,
        invited,
        joined_by_hand,
        has_an_account,
        signs_in,
        signs_in_by_another_name,
        removed_by_an_owner,
        was_deleted,
        signed_in_and_removed,
        pushed_by_another_connection,
    ],
)
def test_people_with_a_common_history_are_not_pushed_one_by_one(
    acme: World, history: Callable[[World, str], object]
) -> None:
    """Or 10,000 who all signed in before their IdP pushed them would take a minute."""
    prove(acme)
    names = NAMES[:3]
    for name in names:
        history(acme, name)
    rows = "\n".join(f"{name}-renamed,{email_of(f'{name}.new')},x-{name},{name} Changed" for name in names)
    told: set[str] = set()
    file = parse_directory_file(f"userName,email,externalId,displayName\n{rows}".encode())
    import_directory(
        acme.context, acme.workspace.slug, acme.connection.id, file, ImportOptions(suspend_many=True), acme.now,
        lambda what, _done, _all: told.add(what),
    )  # fmt: skip
    assert "people looked at" in told
    assert "people with a history" not in told


def account_of(world: World, email: str) -> str | None:
    """The name of the account with this address."""
    with world.context.database.reading() as rows:
        found = people.find_user_by_email(rows, email)
    return found.name if found else None


def test_an_account_that_is_more_than_this_workspaces_keeps_its_name(acme: World) -> None:
    """Product.md 4.4: other workspaces see it."""
    is_pushed_here_and_elsewhere(acme, "ann")
    is_pushed(acme, "bob")
    run(acme, "userName,displayName\nann@acme.example,Ann Changed\nbob@acme.example,Bob Changed")
    assert (account_of(acme, email_of("ann")), account_of(acme, email_of("bob"))) == ("ann Doe", "Bob Changed")


def test_an_account_follows_to_an_address_only_where_both_domains_are_proved(acme: World) -> None:
    """Properties.md 7a: no IdP changes an account's email to one whose domain wasn't proved."""
    for name in ("ann", "bob"):
        is_pushed(acme, name)
    prove(acme)
    run(acme, "userName,email\nann@acme.example,ann.new@acme.example\nbob@acme.example,bob@elsewhere.example")
    known = [account_of(acme, email) for email in ("ann.new@acme.example", "bob@acme.example", "bob@elsewhere.example")]
    assert known == ["ann Doe", "bob Doe", None]


# -- What is refused, and changes nothing ------------------------------------------------------------


def names_in(world: World) -> dict[str, bool]:
    """Who is pushed, and whether they are active."""
    return {user.pushed.user_name: user.pushed.active for user in all_users(world)}


def members_of(world: World, name: str) -> set[str]:
    return {member.name for group in all_groups(world) if group.name == name for member in group.members or ()}


def test_every_fault_is_told_with_its_line_and_nothing_is_imported(acme: World) -> None:
    """Faults of the file, and faults that only the directory shows, in one answer."""
    acme.push("ann@acme.example", external_id="E1")
    acme.push("bob@acme.example", external_id="E2")
    before = everything(acme)
    said = (
        "userName,externalId,active\nann@acme.example,E2,true\nnew@acme.example,E9,perhaps\nnew,E1\nok@acme.example,,"
    )
    with pytest.raises(FaultyFile) as refused:
        run(acme, said)
    assert [line for line, _ in refused.value.faults] == [2, 3, 4]
    assert "line 2: In the directory, userName 'ann@acme.example' is one person's" in refused.value.text
    assert everything(acme) == before


def test_two_rows_about_one_person_are_refused(acme: World) -> None:
    acme.push("ann@acme.example", external_id="E1")
    with pytest.raises(FaultyFile, match="line 3: This is the person of line 2"):
        run(acme, "userName,externalId\nann@acme.example,\nann.new@acme.example,E1")


def test_two_of_one_person_or_group_are_refused_in_a_file_of_one_line_too(acme: World) -> None:
    acme.push("ann@acme.example", external_id="E1")
    acme.push_group("eng", external_id="g1")
    users = [{"userName": "ann@acme.example"}, {"userName": "ann.new@acme.example", "externalId": "E1"}]
    groups = [{"displayName": "eng"}, {"displayName": "eng", "externalId": "g1"}]
    with pytest.raises(FaultyFile) as refused:
        run(acme, {"Users": users, "Groups": groups})
    assert [text for _, text in refused.value.faults] == [
        "This is the group of line 1.",
        "This is the person of line 1.",
    ]


def test_a_group_name_that_several_groups_have_is_refused(acme: World) -> None:
    acme.push_group("eng", external_id="g1")
    acme.push_group("ENG", external_id="g2")
    with pytest.raises(FaultyFile, match="line 2: The directory has several groups 'eng'"):
        run(acme, "userName,groups\nann@acme.example,eng")


def test_a_group_of_the_directory_as_a_member_is_told_as_one(acme: World) -> None:
    eng = acme.push_group("eng")
    file = {"Groups": [{"displayName": "all", "members": [{"value": eng.id}]}]}
    with pytest.raises(FaultyFile, match=r"is a group of the directory\. A group cannot be a member"):
        run(acme, file)


def test_an_account_that_is_closed_leaves_its_address(acme: World) -> None:
    run(acme, "userName\nann@acme.example")
    with changing(acme.context.database, OPERATOR, acme.now) as change:
        closed = people.find_user_by_email(change.connection, "ann@acme.example")
        assert closed is not None
        people.set_user(change, closed.key, closed_at=acme.now)
    run(acme, "userName,email\nann.two,ann@acme.example")
    with acme.context.database.reading() as connection:
        opened = people.find_user_by_email(connection, "ann@acme.example")
    assert opened is not None
    assert opened.key != closed.key


def test_a_member_whom_nobody_knows_is_refused(acme: World) -> None:
    other = is_pushed(make_world(acme.context.database, acme.now, slug="other", owner="o@other.example"), "zoe")
    with pytest.raises(FaultyFile, match="There is no person"):
        run(acme, {"Groups": [{"displayName": "eng", "members": [{"value": other.id}]}]})


def test_a_dry_run_says_what_the_import_then_does_and_changes_nothing(acme: World) -> None:
    acme.push_group("eng", acme.push("ann@acme.example"))
    file = parse_directory_file(b"userName,active,groups\nann@acme.example,false,\nbob@acme.example,,eng;ops")
    before = everything(acme)
    told = run(acme, file, dry_run=True)
    assert everything(acme) == before
    done = run(acme, file, suspend_many=True)
    assert done == told
    assert (done.people_created.first, done.people_deactivated.first) == (["bob@acme.example"], ["ann@acme.example"])
    assert (done.members_added.first, done.members_removed.first) == (
        ["bob@acme.example in eng", "bob@acme.example in ops"],
        ["ann@acme.example in eng"],
    )


def test_the_last_owner_is_kept_and_nothing_is_imported(acme: World) -> None:
    """Product.md 1.1: by no path. The owners are told, as when their IdP asks for it."""
    acme.push("olga@acme.example", name="Olga Owner")
    with pytest.raises(LastOwner, match="Olga Owner"):
        run(acme, "userName,active\nolga@acme.example,false\nann@acme.example,", suspend_many=True)
    assert names_in(acme) == {"olga@acme.example": True}
    assert events_by(acme, "owner.kept") == [{"asked_for": "Olga Owner (olga@acme.example)"}]


def test_the_last_owner_is_kept_who_is_new_to_the_connection(acme: World) -> None:
    with pytest.raises(LastOwner):
        run(acme, "userName,active\nolga@acme.example,false", suspend_many=True)
    assert names_in(acme) == {}


def test_an_owner_who_is_not_the_last_is_suspended(acme: World) -> None:
    pushed_owner(acme, "ann")
    assert run(acme, "userName,active\nann@acme.example,false", suspend_many=True).people_deactivated.count == 1


def test_a_connection_that_was_switched_off_since_takes_no_import(acme: World) -> None:
    """Properties.md 5: also an import that waited for whoever held the connection."""
    connections_read: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        connections_read.extend([statement] if "FROM connections" in statement else [])

    def switch_off(connection: Any) -> None:
        if len(connections_read) == 1:
            connections_read.append("and no more")
            with Session(connection.engine) as other:
                other.execute(update(connections).values(enabled=False))
                other.commit()

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "begin", switch_off)
    try:
        with pytest.raises(Forbidden):
            run(acme, "userName\nann@acme.example")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        event.remove(Engine, "begin", switch_off)
    assert "and no more" in connections_read
    assert names_in(acme) == {}


def test_a_connection_that_is_off_and_a_plan_without_scim_take_no_import(acme: World) -> None:
    set_enabled(acme.context, OPERATOR, acme.workspace.slug, acme.connection.id, False, acme.now)
    with pytest.raises(Forbidden):
        run(acme, "userName\nann@acme.example")
    set_plan(acme.context, OPERATOR, acme.workspace.slug, "team", acme.now)
    with pytest.raises(NotInPlan):
        run(acme, "userName\nann@acme.example")


# -- Who isn't in the file ---------------------------------------------------------------------------


def test_who_is_not_in_the_file_stays_unless_it_is_asked_for(acme: World) -> None:
    for name in ("ann", "bob", "cat"):
        acme.push(email_of(name))
    said = "userName\nann@acme.example\nbob@acme.example"
    assert run(acme, said).changes == 0
    report = run(acme, said, deactivate_missing=True)
    assert report.people_deactivated.first == ["cat@acme.example"]
    assert names_in(acme) == {"ann@acme.example": True, "bob@acme.example": True, "cat@acme.example": False}


def test_suspending_more_than_half_wants_a_yes(acme: World) -> None:
    for name in ("ann", "bob", "cat"):
        acme.push(email_of(name))
    with pytest.raises(SuspendsMany, match="2 of 3"):
        run(acme, "userName\nann@acme.example", deactivate_missing=True)
    assert set(names_in(acme).values()) == {True}
    run(acme, "userName\nann@acme.example", deactivate_missing=True, suspend_many=True)
    assert list(names_in(acme).values()) == [True, False, False]


# -- What a file says, and what it doesn't -----------------------------------------------------------


def test_a_column_that_is_not_there_and_an_empty_active_say_nothing(acme: World) -> None:
    document = {"userName": "ann@acme.example", "active": False, "title": "Boss", "name": {"givenName": "A"}}
    create_user(acme.context, acme.connection, pushed_user(document), acme.now)
    run(acme, "userName,familyName,active\nann@acme.example,Doe,")
    [ann] = all_users(acme)
    assert ann.pushed.document == {**document, "name": {"givenName": "A", "familyName": "Doe"}}
    run(acme, "userName,title,givenName\nann@acme.example,,")
    [ann] = all_users(acme)
    assert ann.pushed.document == {"userName": "ann@acme.example", "active": False, "name": {"familyName": "Doe"}}


def test_a_spreadsheet_tells_its_own_peoples_groups_only(acme: World) -> None:
    ann, bob = acme.push("ann@acme.example"), acme.push("bob@acme.example")
    for name in ("eng", "ops"):
        acme.push_group(name, ann, bob)
    run(acme, "userName,groups\nann@acme.example,eng")
    assert members_of(acme, "eng") == {"ann@acme.example", "bob@acme.example"}
    assert members_of(acme, "ops") == {"bob@acme.example"}


def test_resources_tell_all_members_of_their_groups(acme: World) -> None:
    ann, bob = acme.push("ann@acme.example"), acme.push("bob@acme.example")
    for name in ("eng", "ops"):
        acme.push_group(name, ann, bob)
    run(acme, {"Groups": [{"displayName": "eng", "members": [{"value": ann.id}]}]})
    assert members_of(acme, "eng") == {"ann@acme.example"}
    assert members_of(acme, "ops") == {"ann@acme.example", "bob@acme.example"}


def test_a_bulk_request_ties_members_by_bulk_id(acme: World) -> None:
    """RFC 7644 3.7.2; the group may come before its people."""
    group = {"displayName": "eng", "members": [{"value": "bulkId:a"}]}
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
        {"method": "post", "path": "/Users", "bulkId": "a", "data": {"userName": "ann@acme.example"}},
    ]
    run(acme, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations})
    assert members_of(acme, "eng") == {"ann@acme.example"}


def managers_in(world: World) -> dict[str, str | None]:
    """Who says that who is their manager, by user name; an id that nobody has stays itself."""
    people = all_users(world)
    names = {user.id: user.pushed.user_name for user in people}
    said = {user.pushed.user_name: user.pushed.document.get(ENTERPRISE_SCHEMA, {}).get("manager") for user in people}
    return {name: names.get(manager["value"], manager["value"]) if manager else None for name, manager in said.items()}


def bulk_of_managers(**managers: str) -> dict[str, Any]:
    """A Bulk request that creates these people, in an order in which some come before their managers."""
    said = {
        name: {"userName": email_of(name), ENTERPRISE_SCHEMA: {"manager": {"value": of}}}
        for name, of in managers.items()
    }
    return {
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": name, "data": {"active": True, **data}}
            for name, data in said.items()
        ]
    }


def test_a_manager_by_bulk_id_is_the_record_of_that_person(acme: World) -> None:
    """New or known, written by the hundred or one at a time, in circles, and the same when it is read again."""
    for history, name in ((is_pushed, "bob"), (signs_in, "cat"), (nothing, "dan"), (has_a_second_record, "eve")):
        history(acme, name)
    file = bulk_of_managers(ann="bulkId:bob", bob="bulkId:cat", cat="bulkId:dan", dan="bulkId:ann", eve="bulkId:eve")
    run(acme, file)
    assert {name.partition("@")[0]: (of or "").partition("@")[0] for name, of in managers_in(acme).items()} == {
        "ann": "bob", "bob": "cat", "cat": "dan", "dan": "ann", "eve": "eve", "eve-again": "",
    }  # fmt: skip
    again = run(acme, file)
    assert (again.changes, again.people_unchanged) == (0, 5)


def test_two_rows_about_one_address_may_be_managers_too(acme: World) -> None:
    """They are pushed one by one, and keep the ids that they were told under."""
    file = bulk_of_managers(ann="bulkId:bob", bob="E17")
    for operation in file["Operations"]:
        operation["data"]["emails"] = [{"value": email_of("both")}]
    run(acme, file)
    assert managers_in(acme) == {email_of("ann"): email_of("bob"), email_of("bob"): "E17"}


def test_an_id_in_a_file_finds_nobody_who_is_in_the_file(acme: World) -> None:
    """Properties.md 6: an outsider's id is never ours."""
    ann = acme.push("ann@acme.example")
    bob = {"id": ann.id, "userName": "bob@acme.example"}
    run(acme, {"Users": [bob], "Groups": [{"displayName": "eng", "members": [{"value": ann.id}]}]})
    assert members_of(acme, "eng") == {"bob@acme.example"}


def test_the_second_import_of_a_file_changes_nothing_and_leaves_no_event(acme: World) -> None:
    said = "userName,email,active,externalId,groups\nann,ann@acme.example,true,E1,eng;ops\nbob,,false,,Eng"
    assert run(acme, said).changes == 7
    before = facts_of(acme.context.database)
    again = run(replace(acme, now=acme.now + timedelta(hours=1)), said)
    assert (again.changes, again.people_unchanged) == (0, 2)
    assert facts_of(acme.context.database) == before


def test_the_operators_import_is_one_event_of_its_own_under_the_same_cause(acme: World) -> None:
    run(acme, "userName\nann@acme.example")
    assert events_by(acme, "directory.imported") == [{"people": 1, "groups": 0, "changes": 1}]
    with acme.context.database.reading() as rows:
        found = rows.execute(select(audit.c.actor, audit.c.cause, audit.c.type).order_by(audit.c.seq)).all()
    made, imported = found[-2:]
    assert (made.type, made.actor) == ("directory_user.created", f"connection:{acme.connection.id}")
    assert (imported.type, imported.actor, imported.cause) == ("directory.imported", "operator", made.cause)


def test_after_many_changes_postgresql_counts_its_rows_anew(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_directory_flow, "MANY", 2)

    def asked(file: str) -> bool:
        with statements(acme.context.database) as said:
            run(acme, file)
        return any(one.sql.startswith("ANALYZE") for one in said)

    assert not asked("userName\nann@acme.example")
    assert asked("userName\nbob@acme.example\ncat@acme.example") is not acme.context.database.is_sqlite


def test_events_are_numbered_without_gaps_however_many_there_are(acme: World) -> None:
    rows = "\n".join(f"p{n}@acme.example,g{n % 7}" for n in range(1200))
    run(acme, f"userName,groups\n{rows}")
    with acme.context.database.reading() as reading:
        numbers = reading.execute(select(audit.c.seq).order_by(audit.c.seq)).scalars().all()
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert facts_of(acme.context.database)["totals"] == Counter({'{"n_groups": 7, "n_users": 1200, "name": "Okta"}': 1})


# -- While it runs -----------------------------------------------------------------------------------


def test_whoever_needs_not_what_an_import_holds_does_not_wait_for_it(acme: World) -> None:
    """Who is signed in already; and, where there are several writers, another workspace. Its own pushes come after."""
    other = make_world(acme.context.database, acme.now, slug="other", owner="o@other.example")
    is_pushed(acme, "ann")
    browser, seen = sign_in(acme, email_of("ann")), []
    with ThreadPoolExecutor() as pool:

        def while_it_runs(what: str, _done: int, _all: int) -> None:
            if what == "groups":
                if not acme.context.database.is_sqlite:
                    pool.submit(other.push, "zoe@other.example").result(10)
                    pool.submit(sign_in, other, "zoe@other.example").result(10)
                assert pool.submit(browser.reaches, acme).result(10) == ["acme"]
                seen.append(pool.submit(acme.push, "bob@acme.example"))

        file = parse_directory_file(b"userName,groups\ncat@acme.example,eng")
        import_directory(
            acme.context, acme.workspace.slug, acme.connection.id, file, ImportOptions(), acme.now, while_it_runs
        )
        assert seen[0].result(10).pushed.user_name == "bob@acme.example"
    assert set(names_in(acme)) == {email_of(name) for name in ("ann", "bob", "cat")}
