"""The request log (product.md 4.6): each SCIM call of a connection, its answer, and what it did, for owners to read."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from bridge.domain.errors import Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.domain.request_log import ProvisioningRequest, RequestsQuery
from bridge.flows import log_requests, request_log
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.outside import Outside
from bridge.flows.request_buffer import MANY, MOST_WAITING, RequestBuffer, Waiting
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage import provisioning_requests as room
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from bridge.storage.tables import audit, connections, provisioning_requests
from bridge.worker import JOBS
from tests.cli.conftest import METADATA
from tests.flows.logins import prove_domain
from tests.flows.mailer import KeptMail, nothing_there
from tests.overheard import statements
from tests.running import running
from tests.web.scim_calls import GROUP, Call, body_of, caller, created, new_user, patch, token_of
from tests.world import World, another_connection, make_world

SECRET = "correct-horse-battery"


def written(world: World, **query: Any) -> list[ProvisioningRequest]:
    """The lines that are on disk now, oldest first."""
    page = request_log.list_requests(world.context, world.workspace.slug, RequestsQuery(**query), 1_000)
    return list(reversed(page.requests))


def told(world: World, **query: Any) -> list[str]:
    """The sentences of all lines, oldest first."""
    log_requests.flush(world.context, world.now)
    return [line.sentence for line in written(world, **query)]


def last(world: World) -> ProvisioningRequest:
    """The newest line, opened."""
    log_requests.flush(world.context, world.now)
    return request_log.get_request(world.context, world.workspace.slug, written(world)[-1].id)


def gives(world: World, group: str, role: str, *on: str) -> None:
    """A rule of the workspace: the IdP group of that name gives a role."""
    draft = MappingDraft(world.connection.id, GroupMatch("name", group), (), (parse_role_in_scope(role, on),))
    add_mapping(world.context, OPERATOR, world.workspace.slug, draft, world.now)


@pytest.fixture
def ios(world: World) -> None:
    """A source to give roles on."""
    add_resource(world.context, OPERATOR, world.workspace.slug, ResourceDraft("source", "iOS Prod", "ios"), world.now)


def remove(user_id: str) -> dict[str, Any]:
    return patch({"op": "remove", "path": f'members[value eq "{user_id}"]'})


def add(*user_ids: str) -> dict[str, Any]:
    return patch({"op": "add", "path": "members", "value": [{"value": one} for one in user_ids]})


def another_address(email: str) -> dict[str, Any]:
    return patch({"op": "replace", "path": "emails", "value": [{"value": email, "primary": True}]})


# -- What is told ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ios")
def test_a_removal_says_whom_from_where_and_what_is_lost(world: World, call: Call) -> None:
    tomas = created(call, "/Users", new_user("tomas@acme.example", displayName="Tomás Herrera"))
    gives(world, "eng-mobile", "Source Admin", "source:ios")
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng-mobile", "members": []})
    call("PATCH", f"/Groups/{group['id']}", add(tomas["id"]))
    assert call("PATCH", f"/Groups/{group['id']}", remove(tomas["id"])).status_code == 204
    assert told(world) == [
        "Okta added Tomás Herrera.",
        "Okta made the IdP group eng-mobile.",
        "Okta added Tomás Herrera to eng-mobile; Source Admin on iOS Prod is gained.",
        "Okta removed Tomás Herrera from eng-mobile; Source Admin on iOS Prod is lost.",
    ]


@pytest.mark.usefixtures("ios")
def test_what_somebody_has_by_another_way_is_neither_gained_nor_lost(world: World, call: Call) -> None:
    ann, bo = (created(call, "/Users", new_user(f"{name}@acme.example", displayName=name)) for name in ("Ann", "Bo"))
    gives(world, "wide", "Source Admin")
    gives(world, "narrow", "Source Read-only", "source:ios")
    created(call, "/Groups", {"schemas": [GROUP], "displayName": "wide", "members": [{"value": ann["id"]}]})
    narrow = created(call, "/Groups", {"schemas": [GROUP], "displayName": "narrow", "members": [{"value": ann["id"]}]})
    path = f"/Groups/{narrow['id']}"
    call("PATCH", path, add(bo["id"]))
    call(
        "PATCH", path, patch({"op": "remove", "path": "members", "value": [{"value": one["id"]} for one in (ann, bo)]})
    )
    assert told(world)[2:] == [
        "Okta made the IdP group wide and added Ann to wide; Source Admin on all sources is gained.",
        "Okta made the IdP group narrow and added Ann to narrow.",
        "Okta added Bo to narrow; Source Read-only on iOS Prod is gained.",
        "Okta removed Ann and Bo from narrow; 1 of 2 loses Source Read-only on iOS Prod.",
    ]


@pytest.mark.usefixtures("ios")
def test_who_is_out_loses_nothing_more_and_has_all_of_it_again_later(world: World, call: Call) -> None:
    ann = created(call, "/Users", new_user(displayName="Ann"))
    gives(world, "eng", "Source Admin", "source:ios")
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    off, on = (patch({"op": "replace", "path": "active", "value": value}) for value in (False, True))
    call("PATCH", f"/Users/{ann['id']}", off)
    call("PATCH", f"/Groups/{group['id']}", remove(ann["id"]))
    call("PATCH", f"/Groups/{group['id']}", add(ann["id"]))
    call("PATCH", f"/Users/{ann['id']}", on)
    assert told(world)[2:] == [
        "Okta deactivated Ann, who is out at once; Source Admin on iOS Prod is lost.",
        "Okta removed Ann from eng.",
        "Okta added Ann to eng.",
        "Okta activated Ann again; Source Admin on iOS Prod is gained.",
    ]


@pytest.mark.usefixtures("ios")
def test_a_group_that_goes_says_what_it_gave(world: World, call: Call) -> None:
    ann = created(call, "/Users", new_user(displayName="Ann"))
    gives(world, "eng", "Source Admin", "source:ios")
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    call("DELETE", f"/Groups/{group['id']}")
    call("DELETE", f"/Users/{ann['id']}")
    assert told(world)[-2:] == [
        "Okta deleted the IdP group eng, which had 1 person and gave Source Admin on iOS Prod.",
        "Okta deleted Ann, who is out for good.",
    ]


@pytest.mark.usefixtures("ios")
def test_a_new_name_says_what_rules_give_by_it_now(world: World, call: Call) -> None:
    gives(world, "old", "Source Admin", "source:ios")
    gives(world, "new", "Warehouse Read-only")
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "old"})
    call("PATCH", f"/Groups/{group['id']}", patch({"op": "replace", "path": "displayName", "value": "new"}))
    assert told(world)[-1] == (
        "Okta renamed the IdP group old to new; Source Admin on iOS Prod comes by it no more; "
        "Warehouse Read-only on all warehouses comes by it now."
    )


@pytest.mark.usefixtures("ios")
def test_whom_another_idp_holds_out_has_nothing_to_lose(world: World, client: FlaskClient, call: Call) -> None:
    off, on = (patch({"op": "replace", "path": "active", "value": value}) for value in (False, True))
    entra = caller(client, token_of(another_connection(world, "Entra")))
    gives(world, "eng", "Source Admin", "source:ios")
    ann = created(call, "/Users", new_user(displayName="Ann"))
    created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    hers = created(entra, "/Users", new_user(displayName="Ann"))
    entra("PATCH", f"/Users/{hers['id']}", off)
    call("PATCH", f"/Users/{ann['id']}", off)
    call("PATCH", f"/Users/{ann['id']}", on)
    entra("PATCH", f"/Users/{hers['id']}", on)
    assert told(world)[3:] == [
        "Entra deactivated Ann, who is out at once; Source Admin on iOS Prod is lost.",
        "Okta deactivated Ann, who is out at once.",
        "Okta activated Ann again; still out: held out by Entra.",
        "Entra activated Ann again; Source Admin on iOS Prod is gained.",
    ]


def test_what_others_give_together_is_not_lost(world: World, call: Call) -> None:
    """iOS Prod by its label, Web by a list of its own: of three sources one is lost."""
    for name in ("web", "api"):
        draft = ResourceDraft("source", name.title(), name)
        add_resource(world.context, OPERATOR, world.workspace.slug, draft, world.now)
    label = frozenset([parse_label("environment:prod")])
    ios = ResourceDraft("source", "iOS Prod", "ios", label)
    add_resource(world.context, OPERATOR, world.workspace.slug, ios, world.now)
    ann = created(call, "/Users", new_user(displayName="Ann"))
    member = {"displayName": "", "members": [{"value": ann["id"]}]}
    gives(world, "prod", "Source Admin", "label:environment:prod")
    gives(world, "web", "Source Admin", "source:web")
    gives(world, "both", "Source Admin", "source:ios", "source:web")
    gives(world, "three", "Source Admin", "source:ios", "source:web", "source:api")
    groups = [
        created(call, "/Groups", {"schemas": [GROUP]} | member | {"displayName": name})
        for name in ("prod", "web", "both", "three")
    ]
    for group in reversed(groups):
        call("PATCH", f"/Groups/{group['id']}", remove(ann["id"]))
    assert told(world)[-6:] == [
        "Okta made the IdP group both and added Ann to both.",
        "Okta made the IdP group three and added Ann to three; Source Admin on Api is gained.",
        "Okta removed Ann from three; Source Admin on Api is lost.",
        "Okta removed Ann from both.",
        "Okta removed Ann from web; Source Admin on Web is lost.",
        "Okta removed Ann from prod; Source Admin on sources with environment:prod is lost.",
    ]


@pytest.mark.usefixtures("ios")
def test_what_a_group_gives_by_two_rules_is_told_once(world: World, call: Call) -> None:
    ann = created(call, "/Users", new_user(displayName="Ann"))
    gives(world, "eng", "Source Admin", "source:ios")
    gives(world, "eng", "Source Admin", "source:ios")
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    call("DELETE", f"/Groups/{group['id']}")
    assert told(world)[1:] == [
        "Okta made the IdP group eng and added Ann to eng; Source Admin on iOS Prod is gained.",
        "Okta deleted the IdP group eng, which had 1 person and gave Source Admin on iOS Prod.",
    ]


@pytest.mark.usefixtures("ios")
def test_who_comes_back_is_said_to_be_in_only_where_nothing_else_holds_them_out(
    world: World, client: FlaskClient, call: Call
) -> None:
    entra = caller(client, token_of(another_connection(world, "Entra")))
    gives(world, "eng", "Source Admin", "source:ios")
    ann = created(call, "/Users", new_user(displayName="Ann"))
    created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    hers = created(entra, "/Users", new_user(displayName="Ann"))
    off, on = (patch({"op": "replace", "path": "active", "value": value}) for value in (False, True))
    entra("DELETE", f"/Users/{hers['id']}")
    call("PATCH", f"/Users/{ann['id']}", off)
    call("PATCH", f"/Users/{ann['id']}", on)
    created(entra, "/Users", new_user(displayName="Ann"))
    google = caller(client, token_of(another_connection(world, "Google")))
    call("DELETE", f"/Users/{ann['id']}")
    created(google, "/Users", new_user(displayName="Ann"))
    assert told(world)[3:] == [
        "Entra deleted Ann, who is out for good.",
        "Okta deactivated Ann, who is out at once.",
        "Okta activated Ann again; still out: removed from the workspace.",
        "Entra added Ann, who is a member again; Source Admin on iOS Prod is gained.",
        "Okta deleted Ann, who is out for good.",
        "Google added Ann, who is a member again; still out: held out by Okta.",
    ]


def test_a_change_that_brings_somebody_in_or_moves_their_account_says_so(world: World, call: Call) -> None:
    make_world(world.context.database, world.now, slug="other", owner="ann@acme.example")
    ann = created(call, "/Users", new_user("E1", displayName="Ann", emails=[]))
    call("PATCH", f"/Users/{ann['id']}", another_address("ann@acme.example"))
    prove_domain(world, "acme.example")
    call("PATCH", f"/Users/{ann['id']}", another_address("anna@acme.example"))
    assert told(world) == [
        "Okta added Ann, without an account since it has no email address.",
        "Okta changed email of Ann, who is a member now.",
        "Okta changed email of Ann, and with it the address of the account.",
    ]


def test_a_record_that_is_linked_to_nobody_takes_nobody_out(world: World, call: Call) -> None:
    created(call, "/Users", new_user("ann@acme.example", displayName="Ann"))
    twin = created(call, "/Users", new_user("ann.two", displayName="Ann", emails=[{"value": "ann@acme.example"}]))
    off, on = (patch({"op": "replace", "path": "active", "value": value}) for value in (False, True))
    for change in (off, on):
        call("PATCH", f"/Users/{twin['id']}", change)
    call("DELETE", f"/Users/{twin['id']}")
    assert told(world)[1:] == [
        "Okta added Ann, without an account since another record has its email address.",
        "Okta deactivated Ann.",
        "Okta activated Ann again.",
        "Okta deleted Ann.",
    ]


@pytest.mark.usefixtures("ios")
def test_of_many_who_move_at_once_it_says_what_comes_by_the_group(world: World, call: Call) -> None:
    people = [world.push(f"p{n:02}@acme.example", name=f"P{n:02}").id for n in range(21)]
    gives(world, "eng", "Source Admin", "source:ios")
    created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": one} for one in people]})
    assert told(world) == [
        "Okta made the IdP group eng and added P00, P01 and 19 more people to eng; "
        "what comes by it: Source Admin on iOS Prod."
    ]


def test_reads_say_what_was_looked_for_and_how_many_there_were(world: World, call: Call) -> None:
    ann = created(call, "/Users", new_user(displayName="Ann"))
    call("GET", '/Users?filter=userName%20eq%20"nobody"')
    call("GET", "/Users?startIndex=1&count=2")
    call("GET", f"/Users/{ann['id']}")
    call("GET", "/ServiceProviderConfig")
    call("POST", "/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]})
    assert told(world)[1:] == [
        'Okta looked for people with userName eq "nobody": found none.',
        "Okta read 1 of 1 person.",
        "Okta read Ann.",
        "Okta asked what the bridge supports.",
        "Okta read 1 of 1 person.",
    ]
    assert [line.outcome for line in written(world)] == ["changed", *["read"] * 5]


def test_a_write_that_changes_nothing_is_told_as_such(world: World, call: Call) -> None:
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng"})
    assert (
        call("PATCH", f"/Groups/{group['id']}", patch({"op": "replace", "value": {"displayName": "eng"}})).status_code
        == 204
    )
    assert told(world)[1:] == ["Okta sent what the bridge knew already of eng: nothing changed."]
    assert last(world).outcome == "unchanged"


def test_a_refusal_says_what_was_tried_and_why_not(world: World, call: Call) -> None:
    ann = created(call, "/Users", new_user(displayName="Ann"))
    call("POST", "/Users", new_user(displayName="Ann"))
    call("PATCH", f"/Users/{ann['id']}", patch({"op": "remove", "path": "userName"}))
    call("GET", "/Users/0")
    assert [line.status for line in written(world, outcome="refused")] == [409, 400, 404]
    taken, wrong, missing = told(world, outcome="refused")
    assert taken.startswith("Okta couldn’t add Ann: A user with userName 'ann@acme.example' exists already")
    assert wrong.startswith("Okta couldn’t change Ann: ")
    assert missing.startswith("Okta couldn’t read a person: ")


def test_a_refused_replacement_names_whom_the_address_names_not_whom_the_body_does(world: World, call: Call) -> None:
    ann, bob = (created(call, "/Users", new_user(f"{name}@acme.example", displayName=name)) for name in ("Ann", "Bob"))
    eng, ops = (created(call, "/Groups", {"schemas": [GROUP], "displayName": name}) for name in ("eng", "ops"))
    as_bob = new_user(bob["userName"], displayName="Bob")
    assert call("PUT", f"/Users/{ann['id']}", as_bob).status_code == 409
    nested = {"schemas": [GROUP], "displayName": "ops", "members": [{"value": ops["id"], "type": "Group"}]}
    assert call("PUT", f"/Groups/{eng['id']}", nested).status_code == 400
    assert call("PATCH", f"/Users/{ann['id']}", {"userName": bob["userName"], "Operations": []}).status_code == 400
    assert call("PUT", f"/Users/{eng['id']}", as_bob).status_code == 404
    tried = [sentence.partition(":")[0] for sentence in told(world, outcome="refused")]
    assert tried == [f"Okta couldn’t change {whom}" for whom in ("Ann", "eng", "Ann", "a person")]
    assert len(told(world, outcome="refused", about="bob")) == 3


def test_a_connection_that_is_switched_off_is_logged_as_the_reason(world: World, call: Call) -> None:
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_connection(change, world.connection.key, enabled=False)
    call("GET", "/Users")
    assert told(world) == [
        "Okta couldn’t look for people: The connection Okta is switched off in the bridge. Its owner can enable it."
    ]


def test_a_bulk_is_a_line_for_each_change_and_one_for_the_whole(world: World, call: Call) -> None:
    def post(bulk_id: str, name: str) -> dict[str, Any]:
        person = new_user(f"{name}@acme.example", displayName=name, password=SECRET)
        return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": person}

    operations = [post("a", "Ann"), post("b", "Bo"), post("c", "Ann"), {"method": "DELETE", "path": "/Users/0"}]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    assert call("POST", "/Bulk", body).status_code == 200
    *changes, whole = written(world)
    assert [one.sentence for one in changes] == ["Okta added Ann.", "Okta added Bo."]
    assert whole.sentence.startswith("Okta sent 4 operations at once: 2 done, 2 refused, the first for: A user with")
    assert whole.outcome == "refused"
    opened = last(world)
    assert opened.request["Operations"][0]["data"]["password"] == "[blacked out]"
    assert opened.answer["Operations"][0]["status"] == "201"


# -- What is on disk, and when -----------------------------------------------------------------------


def test_a_changes_line_is_written_in_its_own_transaction(world: World, call: Call) -> None:
    call("GET", "/Users")  # notes the token's use
    with statements(world.context.database) as said:
        created(call, "/Users", new_user())
    assert sum(one.sql.startswith("INSERT INTO provisioning_requests") for one in said) == 1
    assert sum(one.sql.startswith("BEGIN") for one in said) == (1 if world.context.database.is_sqlite else 0)
    [line] = written(world)
    assert (line.status, line.outcome) == (201, "changed")
    with world.context.database.reading() as rows:
        causes = rows.execute(select(provisioning_requests.c.cause)).scalars().all()
        assert set(causes) == set(rows.execute(select(audit.c.cause).where(audit.c.type.like("directory%"))).scalars())


@pytest.mark.usefixtures("ios")
def test_the_line_of_a_move_costs_the_same_however_large_the_group(world: World, call: Call) -> None:
    gives(world, "eng", "Source Admin", "source:ios")
    people = [world.push(f"p{n}@acme.example").id for n in range(60)]
    said: list[int] = []
    for members in (people[:2], people):
        group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng"})
        call("PATCH", f"/Groups/{group['id']}", add(*members))
        with statements(world.context.database) as heard:
            call("PATCH", f"/Groups/{group['id']}", remove(members[0]))
        said.append(len(heard))
        assert sum("mapping_matches" in one.sql and one.sql.lstrip().startswith("SELECT") for one in heard) == 2
    assert said[0] == said[1]


def test_where_the_line_cannot_be_written_nothing_is_changed(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(room, "insert_requests", fail)
    assert call("POST", "/Users", new_user()).status_code == 500
    monkeypatch.undo()
    assert body_of(call("GET", "/Users"))["totalResults"] == 0


def test_reads_wait_and_cost_no_write_until_they_are_flushed(world: World, call: Call) -> None:
    call("GET", "/Users")
    with statements(world.context.database) as said:
        call("GET", "/Users")
    assert not [one for one in said if not one.sql.startswith("SELECT")]
    assert written(world) == []
    assert log_requests.flush(world.context, world.now) == 2
    assert len(written(world)) == 2
    assert log_requests.flush(world.context, world.now) == 0


def test_the_call_that_makes_too_many_wait_writes_them(world: World, call: Call) -> None:
    for _ in range(MANY - 1):
        world.context.request_buffer.put(Waiting(world.connection, world.now, "GET", "/Users", 200, b"", b"", 0))
    assert written(world) == []
    call("GET", "/Users")
    assert len(written(world)) == MANY


def test_what_could_not_be_written_waits_again_and_only_so_much_of_it(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the database is away")

    call("GET", "/Users")
    monkeypatch.setattr(room, "insert_requests", fail)
    with pytest.raises(RuntimeError):
        log_requests.flush(world.context, world.now)
    monkeypatch.undo()
    assert log_requests.flush(world.context, world.now) == 1
    line = Waiting(world.connection, world.now, "GET", "/", 200, b"", b"", 0)
    full = RequestBuffer()
    full.give_back([line] * (MOST_WAITING + 1), 0)
    assert len(full.take()[0]) == MOST_WAITING


def test_a_fault_of_the_log_is_not_the_callers(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(room, "insert_requests", fail)
    with caplog.at_level(logging.CRITICAL):
        assert call("GET", "/Users/0").status_code == 404


def test_a_connection_that_went_meanwhile_takes_its_waiting_lines_along(world: World, call: Call) -> None:
    call("GET", "/Users")
    gone = another_connection(world, "Entra")
    world.context.request_buffer.put(Waiting(gone.connection, world.now, "GET", "/Users", 200, b"", b"", 0))
    with world.context.database.writing() as rows:
        rows.execute(connections.delete().where(connections.c.id == gone.connection.key))
    assert len(told(world)) == 1


# -- What is kept ------------------------------------------------------------------------------------


def test_a_line_opens_to_request_and_answer_without_secrets(world: World, call: Call) -> None:
    created(call, "/Users", new_user(password=SECRET, displayName="Ann"))
    line = last(world)
    assert (line.method, line.path, line.status) == ("POST", "/Users", 201)
    assert line.request["password"] == "[blacked out]"
    assert line.request["userName"] == line.answer["userName"] == "ann@acme.example"
    call("POST", "/Users", new_user(password=SECRET))
    assert last(world).answer["scimType"] == "uniqueness"
    call("GET", f'/Users?filter=password%20eq%20"{SECRET}"')
    call("PATCH", "/Users/0", patch({"op": "replace", "path": "password", "value": SECRET}))
    log_requests.flush(world.context, world.now)
    with world.context.database.reading() as rows:
        everything = str(rows.execute(select(provisioning_requests)).all())
    assert SECRET not in everything
    assert "bscim_" not in everything
    assert everything.count("[blacked out]") >= 4


def test_an_answer_that_was_only_read_is_kept_while_it_is_short(world: World, call: Call) -> None:
    for n in range(20):
        world.push(f"p{n}@acme.example")
    call("GET", "/Users?count=1")
    assert last(world).answer["totalResults"] == 20
    call("GET", "/Users")
    line = last(world)
    assert line.sentence == "Okta read 20 of 20 people."
    assert line.answer.endswith("bytes, too long to keep of what was only read")


def test_of_a_long_answer_to_a_change_the_length_is_kept_and_little_waits(world: World, call: Call) -> None:
    call("POST", "/Users", new_user())
    cause, at = written(world)[-1].id, written(world)[-1].at
    place = room.Place(at, int(cause.partition("-")[2], 16))
    log_requests.flush(world.context, world.now)
    under_way = log_requests.Call(world.connection, at, "PUT", "/Groups/7", lambda: b"", [place])
    log_requests.log_answer(world.context, under_way, 200, b'"' + b"x" * 200_000 + b'"', world.now)
    [waiting], _ = world.context.request_buffer.take()
    assert len(waiting.answer) < 1_000
    world.context.request_buffer.give_back([waiting], 0)
    assert last(world).answer == "200,002 bytes, too long to keep"


def test_of_a_body_that_is_not_json_or_too_long_only_the_length_is_kept(world: World, client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {token_of(world)}", "Content-Type": "application/scim+json"}
    client.post("/scim/v2/Users", data=f'{{"password": "{SECRET}"', headers=headers)
    assert "not JSON" in last(world).request
    client.post("/scim/v2/Users", data=b"x" * 150_000, headers=headers)
    assert last(world).request == "150,000 bytes, too long to keep"
    client.post("/scim/v2/Users", data=b"x" * 10_500_000, headers=headers)
    assert (last(world).status, last(world).request) == (413, None)


@pytest.mark.parametrize(
    "path", ["/Users/%00", "/%00?a=%00", "/Users?filter=%00", "/Users?filter=%F0%9F%92%A9%ff", "/a\nb"]
)
def test_no_address_breaks_the_log(world: World, call: Call, path: str, caplog: pytest.LogCaptureFixture) -> None:
    call("GET", path)
    call("POST", path, {"displayName": "a\x00b"})
    log_requests.flush(world.context, world.now)
    assert len(written(world)) == 2
    assert not caplog.records


# -- Who sees it, and for how long -------------------------------------------------------------------


def test_calls_with_a_token_that_nobody_has_are_counted_and_not_listed(world: World, client: FlaskClient) -> None:
    for _ in range(3):
        assert caller(client, "bscim_wrong")("GET", "/Users").status_code == 401
    assert told(world) == []
    assert log_requests.unknown_tokens(world.context, world.now) == 3
    caller(client, "bscim_wrong")("GET", "/Users")
    log_requests.flush(world.context, world.now)
    assert log_requests.unknown_tokens(world.context, world.now) == 4
    assert log_requests.unknown_tokens(world.context, world.now + timedelta(hours=1)) == 0


def test_a_workspace_sees_its_own_connections_only(world: World, call: Call) -> None:
    other = make_world(world.context.database, world.now, slug="other", owner="o@other.example")
    created(call, "/Users", new_user())
    assert request_log.list_requests(world.context, "other", RequestsQuery(), 10).requests == ()
    [line] = written(world)
    with pytest.raises(NotFound):
        request_log.get_request(world.context, other.workspace.slug, line.id)


def test_the_log_is_narrowed_by_connection_outcome_and_name_and_read_on_page_by_page(
    world: World, client: FlaskClient, call: Call
) -> None:
    entra = another_connection(world, "Entra")
    ann = created(call, "/Users", new_user(displayName="Ann Ng"))
    created(caller(client, token_of(entra)), "/Users", new_user("bo@acme.example", displayName="Bö"))
    call("GET", f"/Users/{ann['id']}")
    call("GET", "/Users/0")
    assert told(world, connection_id=entra.connection.id) == ["Entra added Bö."]
    assert told(world, about="ann n") == ["Okta added Ann Ng.", "Okta read Ann Ng."]
    assert told(world, about="BÖ") == ["Entra added Bö."]
    assert told(world, about="%") == []
    assert len(told(world, outcome="every_change")) == 3
    seen, before = [], ""
    while True:
        page = request_log.list_requests(world.context, "acme", RequestsQuery(before=before), 1)
        seen += [one.sentence for one in page.requests]
        if page.older is None:
            break
        before = page.older
    assert list(reversed(seen)) == told(world)


@pytest.mark.parametrize("wrong", ["x", "0-0-0", "fffffffffffffff-1", "1-ffffffffffffffff", "-1"])
def test_a_place_that_is_none_is_refused(world: World, wrong: str) -> None:
    with pytest.raises(Invalid):
        request_log.list_requests(world.context, "acme", RequestsQuery(before=wrong), 1)
    with pytest.raises(NotFound):
        request_log.get_request(world.context, "acme", wrong)


def test_the_worker_forgets_what_is_older_than_the_setting_says(
    world: World, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("GET", "/Users/0")
    with world.context.database.writing() as rows:
        [line] = rows.execute(select(provisioning_requests)).mappings().all()
        old = {**line, "at": world.now - timedelta(days=30, seconds=1)}
        rows.execute(insert(provisioning_requests), [{**old, "id": 1_000 + n} for n in range(5)])
    monkeypatch.setattr(request_log, "SWEPT_AT_ONCE", 2)
    [job] = [job for job in JOBS if job.name == "sweep-scim-log"]
    job.run(world.context, Outside(nothing_there, KeptMail()), world.now)
    assert [one.at for one in written(world)] == [line["at"]]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"about": "ann"}, "ix_provisioning_requests_connection_id_at"),
        ({"outcome": "refused"}, "ix_provisioning_requests_refused"),
    ],
)
def test_a_log_of_many_lines_is_read_by_its_index(world: World, query: dict[str, Any], index: str) -> None:
    """The few refusals among millions of lines are found without reading those."""
    with statements(world.context.database) as said:
        written(world, **query)
    [chosen] = [one for one in said if "provisioning_requests" in one.sql and one.sql.startswith("SELECT")]
    if world.context.database.is_sqlite:
        with world.context.database.reading() as rows:
            plan = rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {chosen.sql}", chosen.values).all()
        read = [step[3] for step in plan if "provisioning_requests" in step[3]]
        assert read
        assert all(f"USING INDEX {index}" in step for step in read)


@pytest.mark.long
def test_a_server_that_stops_writes_what_still_waits(tmp_path: Path) -> None:
    with running(tmp_path) as bridge:
        owner = ("--owner", "olga@acme.example", "--owner-password-stdin")
        bridge.run("workspace", "create", "acme", "--name", "Acme", *owner, stdin="break-glass-at-kicks\n")
        made = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(METADATA))
        token = bridge.run("scim-token", "create", "acme", "--connection", made["connection"]["id"])
        asked = Request(f"{token['base_url']}/Users", headers={"Authorization": f"Bearer {token['token']}"})
        for _ in range(3):
            assert urlopen(asked, timeout=10).status == 200
        bridge.stop()
        shown = bridge.run("scim-log", "show", "acme")["requests"]
        assert [one["sentence"] for one in shown] == ["SAML read none of 0 people."] * 3
