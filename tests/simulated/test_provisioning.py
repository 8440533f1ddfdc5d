"""The admin's actions: the change stands here, is pushed, and what came back is written down."""

import pytest

from simulated.company_idp.company import Company
from simulated.company_idp.directory import Group, Person
from simulated.company_idp.errors import Conflict, Invalid, NotFound
from simulated.company_idp.provisioning import NOT_ASSIGNED, NOT_CONNECTED, Progress
from simulated.dialects.scim_client import ScimRefused, ScimUnreachable
from tests.simulated.scim_server import ScimServer

FAY = Person("00ufay", "fay@acme.example", "Fay", "Adams")


def push_all(company: Company) -> list[Progress]:
    return list(company.provisioner.push_everything())


def calls(scim: ScimServer) -> list[str]:
    return [call["call"] for call in scim.sent()]


def test_everything_is_pushed_people_first(connected: Company, scim: ScimServer) -> None:
    progress = push_all(connected)
    assert [(one.phase, one.done, one.total) for one in progress] == [
        *(("people", done, 4) for done in range(1, 5)),
        *(("groups", done, 3) for done in range(1, 4)),
    ]
    assert {one["userName"]: one["active"] for one in scim.resources["Users"].values()} == {
        "ana@acme.example": True,
        "ben@acme.example": True,
        "cai@acme.example": True,
        "dee@acme.example": False,
    }
    assert {one["displayName"] for one in scim.resources["Groups"].values()} == {"eng-prod", "eng-mobile", "everyone"}
    added = {
        member["display"]
        for call in scim.calls
        if call.method == "PATCH"
        for operation in call.body["Operations"]
        for member in operation["value"]
    }
    assert "eve@acme.example" not in added, "who isn't provisioned is in no pushed group"
    assert connected.journal.latest(1)[0].said == "4 people and 3 groups, 0 refused."


def test_a_second_push_makes_nothing_twice(connected: Company, scim: ScimServer) -> None:
    push_all(connected)
    push_all(connected)
    assert len(scim.resources["Users"]) == 4
    assert len(scim.resources["Groups"]) == 3


def test_one_refusal_stops_nobody_else(connected: Company, scim: ScimServer) -> None:
    scim.refuse(400, "No name like that.", only="ben@")
    progress = push_all(connected)
    assert [one.name for one in progress if one.problem] == ["Ben Ito"]
    assert len(scim.resources["Users"]) == 3
    assert [(one.name, one.problem) for one in connected.provisioner.failures()] == [
        ("Ben Ito", "The bridge answered 400: No name like that.")
    ]
    assert connected.journal.latest(1)[0].outcome == "refused"
    scim.always.clear()
    push_all(connected)
    assert connected.provisioner.failures() == []


def test_what_fails_for_everybody_stops_the_push(connected: Company, scim: ScimServer) -> None:
    scim.refuse(401, "No such token.", only="/")
    with pytest.raises(ScimRefused, match="401"):
        push_all(connected)
    assert len(scim.calls) == 1
    assert connected.journal.latest(1)[0].said.startswith("Stopped. The bridge answered 401")
    assert connected.provisioner.progress is None


def test_nobody_there_stops_the_push_and_the_next_one_can_run(connected: Company, scim: ScimServer) -> None:
    connected.change_settings({"provisioning": {"url": "http://127.0.0.1:9/scim", "token": "t"}})
    with pytest.raises(ScimUnreachable):
        push_all(connected)
    connected.change_settings({"provisioning": {"url": scim.url}})
    assert len(push_all(connected)) == 7


def test_without_a_bridge_the_change_stands_and_says_so(company: Company) -> None:
    push = company.provisioner.create_person(FAY)
    assert (push.outcome, push.said) == ("not sent", NOT_CONNECTED)
    assert company.directory.get_person("fay@acme.example").id == "00ufay"
    assert push_all(company) == []


def test_a_new_person_is_pushed_at_once(connected: Company, scim: ScimServer) -> None:
    push = connected.provisioner.create_person(FAY)
    assert push.outcome == "accepted"
    assert push.said == "The bridge accepted it: 201 to POST /scim/v2/Users, 2 calls."
    assert connected.directory.get_person("00ufay").remote_id == "u1"
    assert connected.journal.find(push.id) == push


def test_a_refused_change_stands_here_with_its_reason(connected: Company, scim: ScimServer) -> None:
    scim.refuse(400, "No.", only="Users")
    push = connected.provisioner.create_person(FAY)
    assert (push.outcome, push.said) == ("refused", "The bridge answered 400: No.")
    assert connected.directory.get_person("00ufay").problem == push.said
    scim.always.clear()
    assert connected.provisioner.set_active("00ufay", False).outcome == "accepted"
    assert connected.directory.get_person("00ufay").problem is None
    assert scim.resources["Users"]["u1"]["active"] is False


def test_a_changed_name_is_pushed(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_person(FAY)
    changed = Person("00ufay", "fay@acme.example", "Fay", "Marsh")
    connected.provisioner.change_person(changed)
    assert scim.resources["Users"]["u1"]["displayName"] == "Fay Marsh"


def test_who_is_not_provisioned_is_never_sent(connected: Company, scim: ScimServer) -> None:
    assert connected.provisioner.set_active("00ueve", False).said == NOT_ASSIGNED
    connected.provisioner.create_group(Group("00gnew", "new"))
    connected.provisioner.add_members("new", ["eve@acme.example"])
    assert not any("eve@" in str(call.body) for call in scim.calls)


def test_members_are_pushed_as_they_change(connected: Company, scim: ScimServer) -> None:
    push_all(connected)
    scim.sent()
    connected.provisioner.add_members("eng-prod", ["ben@acme.example"])
    connected.provisioner.remove_members("eng-prod", ["00uana"])
    added, removed = scim.sent()
    remote = {one["userName"]: key for key, one in scim.resources["Users"].items()}
    assert added["body"]["Operations"][0]["value"][0]["value"] == remote["ben@acme.example"]
    assert removed["body"]["Operations"] == [
        {"op": "remove", "path": f'members[value eq "{remote["ana@acme.example"]}"]'}
    ]
    group = connected.directory.get_group("eng-prod")
    assert connected.directory.pushed_members(group.id) == {remote["ben@acme.example"]}
    assert [person.id for person in connected.directory.members(group.id)] == ["00uben"]


def test_adding_to_a_group_that_was_never_pushed_pushes_group_and_people(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_person(FAY)
    connected.provisioner.add_members("eng-mobile", ["fay@acme.example"])
    assert [one["displayName"] for one in scim.resources["Groups"].values()] == ["eng-mobile"]
    assert connected.directory.pushed_members("00gmob") == {"u1"}, "Ben isn't there yet, so can't be a member yet"


def test_adding_somebody_who_was_never_pushed_pushes_them_first(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_group(Group("00gnew", "new"))
    scim.sent()
    connected.provisioner.add_members("new", ["ben@acme.example"])
    assert [call.split("?")[0] for call in calls(scim)] == ["GET /Users", "POST /Users", "PATCH /Groups/g1"]


def test_okta_takes_a_deleted_person_out_of_groups_and_deactivates(connected: Company, scim: ScimServer) -> None:
    push_all(connected)
    ana = connected.directory.get_person("00uana").remote_id
    scim.sent()
    connected.provisioner.delete_person("00uana")
    sent = scim.sent()
    assert [call["call"].split("/")[1] for call in sent] == ["Groups", "Groups", "Users"]
    assert scim.resources["Users"][str(ana)]["active"] is False
    assert connected.directory.find_person("00uana") is None
    assert ana not in connected.directory.pushed_members("00gall")


def test_entra_deletes_a_person(connected: Company, scim: ScimServer) -> None:
    connected.change_settings({"provisioning": {"url": scim.url, "dialect": "entra"}})
    push_all(connected)
    ana = str(connected.directory.get_person("00uana").remote_id)
    connected.provisioner.delete_person("00uana")
    assert ana not in scim.resources["Users"]
    assert ana not in connected.directory.pushed_members("00gall")


def test_who_cannot_be_deleted_there_stays_here(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_person(FAY)
    scim.refuse(409, "The last owner stays.", only="Users/u1")
    push = connected.provisioner.delete_person("00ufay")
    assert push.said == "The bridge answered 409: The last owner stays."
    assert connected.directory.get_person("00ufay").problem == push.said


def test_who_is_gone_there_already_can_be_deleted_here(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_person(FAY)
    scim.resources["Users"].clear()
    assert connected.provisioner.delete_person("00ufay").outcome == "accepted"
    assert connected.directory.find_person("00ufay") is None


def test_a_group_is_renamed_and_deleted_there_too(connected: Company, scim: ScimServer) -> None:
    connected.provisioner.create_group(Group("00gnew", "new"))
    connected.provisioner.rename_group("new", "newer")
    assert [one["displayName"] for one in scim.resources["Groups"].values()] == ["newer"]
    connected.provisioner.delete_group("newer")
    assert scim.resources["Groups"] == {}
    assert connected.directory.find_group("00gnew") is None


def test_another_server_knows_nobody_by_the_old_ids(connected: Company, scim: ScimServer) -> None:
    push_all(connected)
    connected.change_settings({"provisioning": {"url": scim.url + "/../v2"}})
    assert all(person.remote_id is None for person in connected.directory.people())
    assert connected.directory.pushed_members("00gall") == frozenset()


def test_the_test_button_says_what_came_back(connected: Company, scim: ScimServer) -> None:
    assert connected.provisioner.check_connection().outcome == "accepted"
    scim.refuse(401, "No such token.", only="/")
    assert connected.provisioner.check_connection().said == "The bridge answered 401: No such token."


def test_the_journal_keeps_the_calls_and_no_token(connected: Company) -> None:
    push = connected.provisioner.create_person(FAY)
    kept = connected.journal.find(push.id)
    assert kept is not None
    assert [exchange.method for exchange in kept.exchanges] == ["GET", "POST"]
    assert "t0ken" not in repr(kept)


@pytest.mark.parametrize(
    ("person", "error"),
    [
        (Person("x", "ANA@acme.example", "A", "B"), Conflict),
        (Person("x", "no-address", "A", "B"), Invalid),
        (Person("x", "a@b.example", " ", "B"), Invalid),
        (Person("x", "a@b.example", "A", "B\x00"), Invalid),
        (Person("x", "a@b.example", "A", "B" * 300), Invalid),
    ],
)
def test_nobody_is_added_or_sent_with_values_that_cannot_be_used(
    connected: Company, scim: ScimServer, person: Person, error: type[Exception]
) -> None:
    with pytest.raises(error):
        connected.provisioner.create_person(person)
    assert scim.calls == []


def test_who_does_not_exist_cannot_be_changed(connected: Company) -> None:
    with pytest.raises(NotFound):
        connected.provisioner.set_active("nobody", True)
    with pytest.raises(NotFound):
        connected.provisioner.add_members("eng-prod", ["nobody@acme.example"])
    with pytest.raises(NotFound):
        connected.provisioner.rename_group("no group", "x")
    with pytest.raises(Conflict):
        connected.provisioner.rename_group("eng-prod", "Everyone")
