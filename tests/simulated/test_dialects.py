"""Each vendor sends for each change exactly what the files in `sequences/` say, over real HTTP.

The files are what this code sent once, read line by line against the vendors' documentation and the quirks that the
bridge must take (the references are in `okta` and `entra`); `does` is a method below. Random passwords are compared
as "(random)", random ids as "(guid)".
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simulated.dialects.dialect import CUSTOM, MEMBERS_A_PATCH, Dialect
from simulated.dialects.entra import FLAG, Entra
from simulated.dialects.okta import CONTENT_TYPE, Okta
from simulated.dialects.onelogin import OneLogin
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import ScimClient, ScimMalformed, ScimRefused
from simulated.dialects.speaking import connect
from tests.simulated.scim_server import ScimServer

FAY = Person("00ufay", "fay@acme.example", "Fay", "Núñez", "Engineer", "Engineering")
GIL = Person("00ugil", "gil@acme.example", "Gil", "Adams")
TEAM = Group("00gteam", 'team "x"')
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def okta(server: ScimServer) -> Dialect:
    return Okta(ScimClient(server.url, "t", user_agent="x", content_type=CONTENT_TYPE))


def okta_wizard(server: ScimServer) -> Dialect:
    return connect("okta-wizard", server.url, "t", lambda _: None)


def entra(server: ScimServer) -> Dialect:
    return Entra(ScimClient(server.url, "t", user_agent="x"))


def entra_compliant(server: ScimServer) -> Dialect:
    return Entra(ScimClient(server.url, "t", user_agent="x", query=FLAG), compliant=True)


def onelogin(server: ScimServer) -> Dialect:
    return OneLogin(ScimClient(server.url, "t", user_agent="x", trailing_mark=True))


DIALECTS: dict[str, Callable[[ScimServer], Dialect]] = {
    "okta": okta,
    "okta_wizard": okta_wizard,
    "entra": entra,
    "entra_compliant": entra_compliant,
    "onelogin": onelogin,
}


class Admin:
    """Does the things that a sequence names, with the ids that the server gave."""

    def __init__(self, dialect: Dialect, server: ScimServer) -> None:
        self.dialect, self.server = dialect, server
        self.fay, self.gil, self.team = FAY, GIL, TEAM

    def test_the_connection(self) -> None:
        self.dialect.check_connection()

    def push_a_new_person(self) -> None:
        self.fay = replace(self.fay, remote_id=self.dialect.push_person(self.fay))

    def push_the_same_person_again(self) -> None:
        assert self.dialect.push_person(self.fay) == self.fay.remote_id

    def push_a_person_who_is_there_already(self) -> None:
        self.server.add("Users", userName="GIL@acme.example", active=False)
        self.gil = replace(self.gil, remote_id=self.dialect.push_person(self.gil))

    def change_a_name(self) -> None:
        self.fay = replace(self.fay, family_name="Adams")
        self.dialect.change_person(self.fay)

    def deactivate(self) -> None:
        self.dialect.set_active(replace(self.fay, active=False))

    def reactivate(self) -> None:
        self.dialect.set_active(self.fay)

    def push_a_new_group(self) -> None:
        self.team = replace(self.team, remote_id=self.dialect.push_group(self.team))
        self.dialect.set_members(self.team, [self.fay, self.gil], known=[])

    def push_the_group_again_with_gil_only(self) -> None:
        self.dialect.push_group(self.team)
        self.dialect.set_members(self.team, [self.gil], known=[str(self.fay.remote_id), str(self.gil.remote_id)])

    def add_a_member(self) -> None:
        self.dialect.add_members(self.team, [self.fay])

    def remove_a_member(self) -> None:
        self.dialect.remove_members(self.team, [str(self.fay.remote_id)])

    def rename_the_group(self) -> None:
        self.dialect.rename_group(replace(self.team, name="crew"))

    def delete_the_group(self) -> None:
        self.dialect.delete_group(self.team)

    def delete_the_person(self) -> None:
        self.dialect.delete_person(self.fay)


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_life_cycle_is_sent_as_the_vendor_sends_it(
    name: str, scim: ScimServer, read_json: Callable[[str], Any]
) -> None:
    admin = Admin(DIALECTS[name](scim), scim)
    for step in read_json(f"sequences/{name}.json"):
        getattr(admin, step["does"].replace(" ", "_"))()
        sent = [{**call, "call": GUID.sub("(guid)", call["call"])} for call in scim.sent()]
        assert sent == step["sends"], step["does"]


@pytest.mark.parametrize("name", list(DIALECTS))
def test_members_go_a_hundred_a_patch(name: str, scim: ScimServer) -> None:
    dialect = DIALECTS[name](scim)
    group = replace(TEAM, remote_id=scim.add("Groups", displayName="team"))
    many = [replace(FAY, remote_id=f"u{number}") for number in range(2 * MEMBERS_A_PATCH + 1)]
    dialect.add_members(group, many)
    sizes = [len(call["body"]["Operations"][0]["value"]) for call in scim.sent()]
    assert sizes == [MEMBERS_A_PATCH, MEMBERS_A_PATCH, 1]
    dialect.remove_members(group, [str(one.remote_id) for one in many])
    assert len(scim.sent()) == 3


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_person_who_vanished_there_is_looked_up_again_and_made_again(name: str, scim: ScimServer) -> None:
    dialect = DIALECTS[name](scim)
    first = dialect.push_person(FAY)
    del scim.resources["Users"][first]
    scim.add("Users", userName="someone@else.example")
    again = dialect.push_person(replace(FAY, remote_id=first))
    assert scim.resources["Users"][again]["userName"] == "fay@acme.example"


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_group_found_by_its_name_in_other_case_is_renamed(name: str, scim: ScimServer) -> None:
    there = scim.add("Groups", displayName='TEAM "x"')
    assert DIALECTS[name](scim).push_group(TEAM) == there
    assert scim.resources["Groups"][there]["displayName"] == 'team "x"'


@pytest.mark.parametrize("name", list(DIALECTS))
def test_a_group_that_vanished_there_is_made_again(name: str, scim: ScimServer) -> None:
    gone = DIALECTS[name](scim).push_group(replace(TEAM, remote_id="gone"))
    assert scim.resources["Groups"][gone]["displayName"] == TEAM.name


def test_entra_sends_nothing_where_nothing_differs(scim: ScimServer) -> None:
    dialect = entra(scim)
    person = replace(FAY, remote_id=dialect.push_person(FAY))
    scim.sent()
    dialect.change_person(person)
    assert [call["call"] for call in scim.sent()] == ["GET /Users/u1"]


def test_entra_clears_what_is_empty_now(scim: ScimServer) -> None:
    dialect = entra(scim)
    person = replace(FAY, remote_id=dialect.push_person(FAY), title="")
    scim.sent()
    dialect.change_person(person)
    operations = scim.sent()[-1]["body"]["Operations"]
    assert operations == [{"op": "Replace", "path": "title", "value": ""}]


def test_entra_deletes_who_is_inactive_without_deactivating_again(scim: ScimServer) -> None:
    dialect = entra(scim)
    person = replace(FAY, active=False, remote_id=dialect.push_person(FAY))
    scim.sent()
    dialect.delete_person(person)
    assert [call["call"] for call in scim.sent()] == ["DELETE /Users/u1"]


def test_okta_never_deletes_a_person(scim: ScimServer) -> None:
    dialect = okta(scim)
    dialect.delete_person(replace(FAY, remote_id=dialect.push_person(FAY)))
    assert scim.resources["Users"]["u1"]["active"] is False


def test_a_conflict_is_told_with_the_servers_own_words(scim: ScimServer) -> None:
    scim.plan(200, {"totalResults": 0})
    scim.plan(409, {"detail": "fay@acme.example is taken.", "scimType": "uniqueness", "status": "409"})
    with pytest.raises(ScimRefused, match=r"409 \(uniqueness\): fay@acme.example is taken"):
        okta(scim).push_person(FAY)


def test_an_empty_answer_to_a_post_is_an_error(scim: ScimServer) -> None:
    scim.plan(200, {"totalResults": 0})
    scim.plan(201)
    with pytest.raises(ScimMalformed, match="no id"):
        okta(scim).push_person(FAY)


def test_a_found_resource_without_an_id_is_an_error(scim: ScimServer) -> None:
    scim.plan(200, {"totalResults": 1, "Resources": [{"userName": "fay@acme.example"}]})
    with pytest.raises(ScimMalformed, match="without an id"):
        okta(scim).push_person(FAY)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "onelogin"])
def test_a_manager_is_named_by_their_id_there(name: str, scim: ScimServer) -> None:
    dialect = DIALECTS[name](scim)
    person = replace(FAY, remote_id=dialect.push_person(FAY), manager="u7")
    scim.sent()
    dialect.change_person(person)
    assert "u7" in repr(scim.sent()[-1]["body"])


def test_onelogin_names_no_manager_and_no_department(scim: ScimServer) -> None:
    onelogin(scim).create_person(replace(FAY, manager="u7"))
    assert not {"u7", "Engineering"} & set(re.findall(r"\w+", repr(scim.sent())))


@pytest.mark.parametrize("name", list(DIALECTS))
def test_an_attribute_of_the_companys_own_goes_under_its_own_urn(name: str, scim: ScimServer) -> None:
    DIALECTS[name](scim).create_person(replace(FAY, custom="blue"))
    assert scim.sent()[-1]["body"][CUSTOM] == {"tag": "blue"}
