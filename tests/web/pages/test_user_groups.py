"""User Groups: who decides who is in, and what owners do with them."""

import re

import pytest

from bridge.domain.group_mapping import GroupMatch
from bridge.domain.members import UserGroup
from bridge.flows import user_groups
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.roles_given import parse_role_in_scope
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, PRIYA, Acme, Send, carried_by
from tests.world import World, another_connection


def find(acme: Acme, name: str) -> UserGroup:
    context, now = acme.world.context, acme.world.now
    found = user_groups.find_user_group_id(context, "acme", name)
    return user_groups.get_user_group(context, "acme", found, now)


def path(acme: Acme, name: str, page: str = "") -> str:
    return f"/w/acme/user-groups/{find(acme, name).id}{page}"


def people(acme: Acme, name: str) -> list[str]:
    context, now = acme.world.context, acme.world.now
    return [one.email for one in user_groups.list_members(context, "acme", find(acme, name).id, now).members]


@pytest.fixture
def guild(acme: Acme) -> str:
    """Data Guild, with Kim in it by hand; it gives Warehouse Read-only."""
    context, now = acme.world.context, acme.world.now
    made = user_groups.create_user_group(context, acme.actor, "acme", "Data Guild", now, emails=[KIM])
    give_to_user_group(context, acme.actor, "acme", made.id, parse_role_in_scope("Warehouse Read-only", []), now)
    return made.id


def by_rule(acme: Acme) -> None:
    draft = MappingDraft(acme.world.connection.id, GroupMatch("name", "eng-mobile"), ("Data Guild",))
    add_mapping(acme.world.context, acme.actor, "acme", draft, acme.world.now)


# -- Seeing ------------------------------------------------------------------------------------------


def test_a_role_that_the_plan_has_not_is_shown_with_the_reason(acme: Acme, olga: Surfer, guild: str) -> None:
    assert "Gives nothing on the" not in olga.get(f"/w/acme/user-groups/{guild}").text
    set_plan(acme.world.context, OPERATOR, "acme", "team", acme.world.now)
    html = olga.get(f"/w/acme/user-groups/{guild}").text
    assert "Gives nothing on the team plan" in html
    assert "Warehouse Read-only" in html


def test_list_says_what_each_gives_and_who_decides(acme: Acme, olga: Surfer, guild: str) -> None:
    html = olga.get("/w/acme/user-groups").text
    rows = re.findall(r"<tr>\s*<td>(.*?)</tr>", html, re.S)
    [hand] = [row for row in rows if "Data Guild" in row]
    [mirror] = [row for row in rows if "eng-mobile" in row]
    assert "Warehouse Read-only (all)" in hand
    assert "By hand" in hand
    assert "b-kind-idp" in mirror
    assert "Data Guild" not in olga.get("/w/acme/user-groups", q="eng").text
    assert "No User Group called “x”" in olga.get("/w/acme/user-groups", q="x").text


def test_by_hand_it_is_owners_who_decide(acme: Acme, olga: Surfer, guild: str) -> None:
    html = olga.get(path(acme, "Data Guild")).text
    assert "You decide who is in this User Group" in html
    assert "all 1, and future ones" in html
    assert "Add a member by email" in olga.get(path(acme, "Data Guild", "/members")).text


def test_mirror_is_decided_by_its_idp(acme: Acme, olga: Surfer) -> None:
    html = olga.get(path(acme, "eng-mobile")).text
    assert "Okta decides who is in this User Group" in html
    assert "Okta pushes this group: delete it there." in html
    assert "Rename" not in html
    members = olga.get(path(acme, "eng-mobile", "/members")).text
    assert "Add a member" not in members
    assert "set in Okta" in members


def test_rule_says_how_it_names_its_group(acme: Acme, olga: Surfer, guild: str) -> None:
    by_rule(acme)
    draft = MappingDraft(acme.world.connection.id, GroupMatch("glob", "des?gn*"), ("Data Guild",))
    add_mapping(acme.world.context, acme.actor, "acme", draft, acme.world.now)
    rules = re.findall(r'kind-rule" title="([^"]+)">.*?</svg>([^<]+)<', olga.get(path(acme, "Data Guild")).text)
    assert rules == [
        ("The rule takes this IdP group by its name.", "rule: this group"),
        ("The rule takes every IdP group whose name fits des?gn*.", "rule: des?gn*"),
    ]
    mirrored = olga.get(path(acme, "eng-mobile")).text
    assert "The rule takes this IdP group by its id, also when the IdP renames it." in mirrored


def test_mixed_each_member_says_which(acme: Acme, olga: Surfer, guild: str) -> None:
    by_rule(acme)
    html = olga.get(path(acme, "Data Guild", "/members")).text
    assert "Okta and you decide who is in this User Group" in html
    rows = re.findall(r"<tr><td>(.*?)</tr>", html, re.S)
    [kim] = [row for row in rows if KIM in row]
    [priya] = [row for row in rows if PRIYA in row]
    assert "Remove…" in kim
    assert "set in Okta" in priya
    assert PRIYA not in olga.get(path(acme, "Data Guild", "/members"), q="kim").text


def test_rule_alone_leaves_room_for_people_by_hand(acme: Acme, olga: Surfer) -> None:
    user_groups.create_user_group(acme.world.context, acme.actor, "acme", "Data Guild", acme.world.now)
    by_rule(acme)
    assert "Okta brings people into this User Group" in olga.get(path(acme, "Data Guild")).text


def test_several_idps_are_several(acme: Acme, olga: Surfer, guild: str) -> None:
    context, now = acme.world.context, acme.world.now
    entra = another_connection(acme.world, "Entra")
    entra.push_group("designers")
    by_rule(acme)
    draft = MappingDraft(entra.connection.id, GroupMatch("name", "designers"), ("Data Guild",))
    add_mapping(context, acme.actor, "acme", draft, now)
    both = olga.get(path(acme, "Data Guild")).text
    assert "Okta, Entra and you decide who is in this User Group" in both
    assert "The people of the IdP groups eng-mobile and designers come in by a rule" in both
    user_groups.remove_members(context, acme.actor, "acme", guild, [KIM], now)
    assert "Okta and Entra bring people into this User Group" in olga.get(path(acme, "Data Guild")).text


# -- Making, renaming, deleting ----------------------------------------------------------------------


def test_creating_with_first_members(acme: Acme, send: Send) -> None:
    told = send("/w/acme/user-groups/new", name="On-call", members=f"{KIM}\n{PRIYA}")
    assert told.headers["Location"] == path(acme, "On-call")
    assert sorted(people(acme, "On-call")) == [KIM, PRIYA]
    assert acme.told()[-2:] == ["user_group.created", "user_group.members_added"]


def test_creating_with_somebody_who_is_no_member_makes_nothing(acme: Acme, olga: Surfer, send: Send) -> None:
    told = send("/w/acme/user-groups/new", name="On-call", members="nobody@acme.example")
    assert told.status_code == 422
    assert "nobody@acme.example is no member" in told.text.partition('id="f-members-error"')[2]
    assert 'value="On-call"' in told.text
    assert "On-call" not in olga.get("/w/acme/user-groups").text


def test_name_that_is_taken_is_told_beside_the_field(acme: Acme, send: Send, guild: str) -> None:
    told = send("/w/acme/user-groups/new", name="data guild", members="")
    assert told.status_code == 409
    assert "There is a User Group called data guild already." in told.text.partition('id="f-name-error"')[2]


def test_renaming(acme: Acme, send: Send, guild: str) -> None:
    send(path(acme, "Data Guild", "/rename"), name="Guild of Data")
    assert find(acme, "Guild of Data").id == guild
    assert acme.told()[-1] == "user_group.renamed"


def test_deleting_says_first_who_loses_what(acme: Acme, olga: Surfer, send: Send, guild: str) -> None:
    where = path(acme, "Data Guild", "/delete")
    html = olga.get(where).text
    assert "1 person loses at once, where no other path gives it: Warehouse Read-only (all)" in html
    assert "Delete it: 1 loses" in html
    assert "Look first at what it does." in olga.submit(where, olga.get(where)).text
    assert send(where).headers["Location"] == "/w/acme/user-groups"
    assert olga.get(where).status_code == 404
    assert acme.told()[-1] == "user_group.deleted"


# -- Members and roles -------------------------------------------------------------------------------


def test_adding_a_member(acme: Acme, send: Send, guild: str) -> None:
    where = path(acme, "Data Guild", "/members")
    assert send(where, email=PRIYA).headers["Location"] == where
    assert sorted(people(acme, "Data Guild")) == [KIM, PRIYA]


def test_adding_somebody_who_is_no_member_is_told_beside_the_field(acme: Acme, send: Send, guild: str) -> None:
    told = send(path(acme, "Data Guild", "/members"), email="anya@acme.example")
    assert told.status_code == 404
    assert "anya@acme.example is no member" in told.text.partition('id="f-email-error"')[2]
    assert 'value="anya@acme.example"' in told.text


def test_taking_a_member_out(acme: Acme, olga: Surfer, send: Send, guild: str) -> None:
    where = path(acme, "Data Guild", f"/members/{acme.member_id(KIM)}/remove")
    shown = olga.get(where)
    assert "kim@acme.example loses what this User Group gives" in shown.text
    assert "1 person loses Warehouse Read-only" in shown.text
    assert "Look first at what it does." in olga.submit(where, shown).text
    give_to_user_group(
        acme.world.context, acme.actor, "acme", guild, parse_role_in_scope("Source Admin", []), acme.world.now
    )
    moved = olga.submit(where, shown, **carried_by(shown))
    assert "Something changed while you were looking. Not saved yet." in moved.text
    assert people(acme, "Data Guild") == [KIM]
    assert olga.submit(where, moved, **carried_by(moved)).status_code == 303
    assert people(acme, "Data Guild") == []
    assert acme.told()[-1] == "user_group.members_removed"


def test_who_is_there_by_a_rule_as_well_is_said_to_stay(acme: Acme, olga: Surfer, send: Send, guild: str) -> None:
    by_rule(acme)
    send(path(acme, "Data Guild", "/members"), email=PRIYA)
    where = path(acme, "Data Guild", f"/members/{acme.member_id(PRIYA)}/remove")
    asked = olga.get(where).text
    assert "Priya Raman stays in by the IdP group eng-mobile" in asked
    assert "Take Priya Raman out: nobody gains or loses" in asked


def test_giving_moving_and_taking_a_role(acme: Acme, olga: Surfer, send: Send, guild: str) -> None:
    new = path(acme, "Data Guild", "/roles/new")
    send(new, f"{new}?role=source_admin", role="source_admin", scope="listed", resource="source:website")
    [_, given] = find(acme, "Data Guild").grants
    move = path(acme, "Data Guild", f"/roles/{given.id}")
    shown = send(move, scope="all", do="preview")
    assert "1 person gains Source Admin: edit all sources" in shown.text
    assert "Save: 1 gains" in shown.text
    olga.submit(move, shown, **carried_by(shown), scope="all", do="save")
    [_, moved] = find(acme, "Data Guild").grants
    assert (moved.given.role.name, moved.given.scope.kind) == ("Source Admin", "all")
    take = path(acme, "Data Guild", f"/roles/{moved.id}/end")
    asked = olga.get(take).text
    assert "1 member loses this, where no other path gives it: Edit all sources" in asked
    assert "Take Source Admin away: 1 loses" in asked
    assert olga.get(send(take).headers["Location"]).headers["Location"] == path(acme, "Data Guild")
    assert len(find(acme, "Data Guild").grants) == 1


# -- Who may -----------------------------------------------------------------------------------------


def test_members_who_are_no_owners_see_and_change_nothing(acme: Acme, kim: Surfer, guild: str) -> None:
    shown = kim.get(acme.page_of(KIM))
    for page in ("", "/members", "/rename", "/delete", "/roles/new"):
        assert kim.get(path(acme, "Data Guild", page)).status_code == 403
    for page in ("/members", "/rename", "/delete", "/roles/new"):
        assert kim.submit(path(acme, "Data Guild", page), shown, name="x", email=PRIYA).status_code == 403
    assert kim.get("/w/acme/user-groups").status_code == 403
    assert kim.submit("/w/acme/user-groups/new", shown, name="x").status_code == 403
    assert people(acme, "Data Guild") == [KIM]


def test_another_workspaces_group_is_not_there(acme: Acme, olga: Surfer, other: World) -> None:
    theirs = user_groups.create_user_group(other.context, f"user:{other.owner.id}", "other", "Theirs", other.now)
    for page in ("", "/members", "/rename", "/delete", "/roles/new"):
        assert olga.get(f"/w/acme/user-groups/{theirs.id}{page}").status_code == 404


def test_a_form_without_its_token_changes_nothing(acme: Acme, olga: Surfer, guild: str) -> None:
    assert olga.client.post(path(acme, "Data Guild", "/delete")).status_code == 400
    assert find(acme, "Data Guild").id == guild
