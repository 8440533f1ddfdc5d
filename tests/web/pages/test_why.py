"""Why, or why not, on a page; resources, and who may read and edit one."""

import re
from datetime import timedelta

import pytest

from bridge.domain.group_mapping import GroupMatch
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, set_enabled
from bridge.flows.provision_users import change_user
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import create_user_group
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, OLGA, PRIYA, Acme
from tests.web.pages.test_person import paths
from tests.world import World, pushed


def give(acme: Acme, email: str, role: str, *scope: str) -> None:
    given = parse_role_in_scope(role, scope)
    give_to_member(acme.world.context, acme.actor, "acme", acme.member_id(email), given, acme.world.now)


@pytest.fixture
def rule(acme: Acme) -> str:
    """Whoever is in eng-mobile, as Priya is, comes into Data Guild, of Source Admins."""
    context, now = acme.world.context, acme.world.now
    made = create_user_group(context, acme.actor, "acme", "Data Guild", now)
    give_to_user_group(context, acme.actor, "acme", made.id, parse_role_in_scope("Source Admin", []), now)
    draft = MappingDraft(acme.world.connection.id, GroupMatch("glob", "eng-*"), ("Data Guild",))
    return add_mapping(context, acme.actor, "acme", draft, now).id


def ask(surfer: Surfer, action: str, resource: str, person: str = "", at: str = "") -> str:
    return surfer.get("/w/acme/why", person=person, action=action, resource=resource, at=at).text


def made(html: str) -> list[str]:
    return re.findall(r"<li>([^<]*)</li>", "".join(re.findall(r'<ul class="b-made">(.*?)</ul>', html, re.S)))


# -- Why ---------------------------------------------------------------------------------------------


def test_the_form_alone_answers_nothing(acme: Acme, olga: Surfer) -> None:
    html = olga.get("/w/acme/why").text
    assert "Explain" in html
    assert "The answer" not in html


def test_every_path_says_who_made_each_link(acme: Acme, olga: Surfer, rule: str) -> None:
    html = ask(olga, "edit", "Website", PRIYA)
    assert "Priya Raman can edit Website." in html
    assert paths(html) == [["IdP group eng-mobile", "rule: eng-*", "User Group Data Guild", "Role Source Admin"]]
    assert made(html) == [
        "Olga Owner gave the User Group Data Guild Source Admin, today.",
        "Olga Owner tied the rule to the User Group Data Guild, today.",
        "Olga Owner made the rule for Okta groups that are called eng-*, today.",
        "Okta put them into eng-mobile, by SCIM, today.",
    ]


def test_the_answer_leads_to_when_it_changed(acme: Acme, olga: Surfer, rule: str) -> None:
    [there] = re.findall(r'href="([^"]+)">When this changed', ask(olga, "edit", "Website", PRIYA))
    assert "may do with Website changed" in olga.get(there.replace("&amp;", "&")).text
    assert "When this changed" not in ask(olga, "create", "sources", PRIYA)


def test_the_idp_group_of_a_path_leads_to_its_page(acme: Acme, olga: Surfer, rule: str) -> None:
    [href] = re.findall(r'b-kind-idp" href="([^"]+)"', ask(olga, "edit", "Website", PRIYA))
    assert "eng-mobile" in olga.get(href).text


def test_why_not_says_what_stands_in_the_way(acme: Acme, olga: Surfer, rule: str) -> None:
    set_enabled(acme.world.context, acme.actor, "acme", rule, False, acme.world.now)
    html = ask(olga, "edit", "Website", PRIYA)
    assert "Priya Raman can’t edit Website." in html
    assert "What nearly gives it" in html
    assert made(html) == ["The rule eng-* is switched off."]
    assert "<b>Okta group eng-mobile.</b>" in html


def test_who_is_held_out_is_said_to_be(acme: Acme, olga: Surfer, rule: str) -> None:
    world = acme.world
    out = pushed(PRIYA, name="Priya Raman", active=False)
    change_user(world.context, world.connection, acme.priya.id, lambda _: out, world.now)
    html = ask(olga, "edit", "Website", PRIYA)
    assert "Okta has deactivated Priya Raman: nothing works until Okta, or an owner, lets them in again." in html
    assert "It would give it, but for the above." in made(html)
    assert (
        "Okta has deactivated Priya Raman: nothing works"
        in olga.get(acme.page_of(PRIYA, "/why"), action="edit", resource="Website").text
    )


def test_very_many_paths_come_by_pages(acme: Acme, olga: Surfer, rule: str) -> None:
    for n in range(60):
        acme.world.push_group(f"eng-{n:02}", acme.priya)
    first = ask(olga, "edit", "Website", PRIYA)
    assert "61 paths give it." in first
    assert "1–50 of 61" in first
    assert len(paths(first)) == 50
    [following] = re.findall(r'href="([^"]+)">Next<', first)
    assert len(paths(olga.get(following.replace("&amp;", "&")).text)) == 11
    then = acme.world.now.strftime("%Y-%m-%dT%H:%M:%S.%f")
    [following] = re.findall(r'href="([^"]+)">Next<', ask(olga, "edit", "Website", PRIYA, then))
    assert "61 paths gave it." in olga.get(following.replace("&amp;", "&")).text
    panel = olga.get(acme.page_of(PRIYA, "/why"), action="edit", resource="Website").text
    assert "All 61 paths" in panel
    assert "And 11 more paths." in olga.get(acme.page_of(PRIYA)).text


def test_of_very_many_ways_to_get_it_the_first_are_told_and_the_one_by_hand(acme: Acme, olga: Surfer) -> None:
    context, now = acme.world.context, acme.world.now
    for n in range(25):
        made = create_user_group(context, acme.actor, "acme", f"G{n:02}", now)
        give_to_user_group(context, acme.actor, "acme", made.id, parse_role_in_scope("Source Admin", []), now)
    html = ask(olga, "edit", "Website", KIM)
    assert "<b>User Group G19.</b>" in html
    assert "<b>User Group G20.</b>" not in html
    assert "<b>A role by hand.</b>" in html
    assert "And 5 more" not in html
    assert "1–20 of 25" in html
    [following] = re.findall(r'href="([^"]+)">Next<', html)
    html = olga.get(following.replace("&amp;", "&")).text
    assert re.findall(r"<b>User Group (G\d+)\.</b>", html) == ["G20", "G21", "G22", "G23", "G24"]
    panel = olga.get(acme.page_of(KIM, "/why"), action="edit", resource="Website").text
    assert "And 5 more of the same kinds." in panel


def test_a_stranger_is_no_member(acme: Acme, olga: Surfer) -> None:
    assert "nobody@acme.example is no member of Acme." in ask(olga, "read", "Website", "nobody@acme.example")


def test_unknown_resources_and_times_are_said_in_place(acme: Acme, olga: Surfer) -> None:
    assert "No resource is called “Web site”. Website is nearest." in ask(olga, "edit", "Web site", PRIYA)
    assert "Write a day as 2026-03-03." in ask(olga, "edit", "Website", PRIYA, "yesterday")
    later = f"{acme.world.now + timedelta(days=900):%Y-%m-%d}"
    assert "is still to come." in ask(olga, "edit", "Website", PRIYA, later)


def test_at_a_time_that_is_past(acme: Acme, olga: Surfer, rule: str) -> None:
    assert "There was no <code>source:website</code>" in ask(olga, "edit", "Website", PRIYA, "2001-03-03")
    html = ask(olga, "create", "sources", PRIYA, "2001-03-03")
    assert "On 3 Mar 2001, 00:00 UTC Priya Raman couldn’t create sources." in html
    assert "Acme was made on" in html
    moment = acme.world.now.strftime("%Y-%m-%dT%H:%M:%S.%f")
    html = ask(olga, "edit", "Website", PRIYA, moment)
    assert "Priya Raman could edit Website." in html
    assert made(html) == made(ask(olga, "edit", "Website", PRIYA)), "who made the links of then"


def test_a_resource_is_asked_about_by_its_id_too(acme: Acme, olga: Surfer, rule: str) -> None:
    assert "Priya Raman can edit Website." in ask(olga, "edit", "source:website", PRIYA)


def test_a_member_asks_about_themselves_alone_and_what_they_reach(acme: Acme, kim: Surfer, rule: str) -> None:
    give(acme, KIM, "Source Read-only", "source:website")
    html = ask(kim, "edit", "Website", PRIYA)
    assert "can read Website, not edit it." in html
    assert "Priya" not in html
    assert "No resource is called “Snowflake”." in ask(kim, "read", "Snowflake")


def test_a_member_learns_of_no_group_and_rule_that_they_are_not_in(acme: Acme, kim: Surfer, rule: str) -> None:
    """Kim is in eng-web, which the rule eng-* takes, and would be in Data Guild were it on; others are in Secret."""
    world = acme.world
    give(acme, KIM, "Source Read-only", "source:website")
    world.push_group("eng-web", world.push(KIM))
    made = create_user_group(world.context, acme.actor, "acme", "Secret", world.now)
    give_to_user_group(world.context, acme.actor, "acme", made.id, parse_role_in_scope("Source Admin", []), world.now)
    draft = MappingDraft(world.connection.id, GroupMatch("name", "eng-mobile"), ("Secret",))
    add_mapping(world.context, acme.actor, "acme", draft, world.now)
    set_enabled(world.context, acme.actor, "acme", rule, False, world.now)
    for page in ("/w/acme/why", acme.page_of(KIM, "/why")):
        html = kim.get(page, action="edit", resource="Website").text
        assert "can read Website, not edit it." in html
        assert "Its rule is switched off." in html
        assert "eng-web" in html
        assert not [name for name in ("Secret", "Data Guild", "eng-mobile", "eng-*") if name in html]


def test_why_not_at_a_time_that_is_past(acme: Acme, olga: Surfer, rule: str) -> None:
    context, now = acme.world.context, acme.world.now
    off, moment, on = (now + timedelta(microseconds=n) for n in (1, 2, 3))
    set_enabled(context, acme.actor, "acme", rule, False, off)
    set_enabled(context, acme.actor, "acme", rule, True, on)
    html = ask(olga, "edit", "Website", PRIYA, moment.strftime("%Y-%m-%dT%H:%M:%S.%f"))
    assert "Priya Raman couldn’t edit Website." in html
    assert "What nearly gave it, as things stood then" in html
    assert made(html) == ["The rule eng-* is switched off."]
    assert "What would give it" not in html


# -- Resources ---------------------------------------------------------------------------------------


def test_resources_are_listed_searched_and_opened(acme: Acme, olga: Surfer) -> None:
    every = olga.get("/w/acme/resources").text
    assert [name in every for name in ("iOS Prod", "Website", "Snowflake")] == [True] * 3
    found = olga.get("/w/acme/resources", q="environment:prod").text
    assert "iOS Prod" in found
    assert "Website" not in found
    assert "No resource called “zzz”" in olga.get("/w/acme/resources", q="zzz").text
    [href] = re.findall(r'href="([^"]+)">iOS Prod</a>', every)
    assert "<code>environment:prod</code>" in olga.get(href).text


def test_who_can_edit_one_and_by_what(acme: Acme, olga: Surfer, rule: str) -> None:
    give(acme, KIM, "Source Read-only", "source:website")
    html = olga.get("/w/acme/resources/one", of="source:website").text
    assert "2 people can" in html
    assert ["By hand The operator, " + "today", "Role Workspace Owner"] in paths(html)
    assert ["IdP group eng-mobile", "rule: eng-*", "User Group Data Guild", "Role Source Admin"] in paths(html)
    assert "kim@acme.example" not in html
    reading = olga.get("/w/acme/resources/one", of="source:website", action="read").text
    assert "3 people can" in reading
    [why] = re.findall(r'href="(/w/acme/why[^"]+)">Why<span class="b-sr"> kim', reading)
    assert "kim@acme.example can read Website." in olga.get(why.replace("&amp;", "&")).text


def test_who_can_create_a_kind(acme: Acme, olga: Surfer, rule: str) -> None:
    html = olga.get("/w/acme/resources/one", of="source").text
    assert "Who can create sources" in html
    assert "2 people can" in html


def test_very_many_people_come_by_pages(acme: Acme, olga: Surfer, rule: str) -> None:
    acme.world.push_group("eng-many", *[acme.world.push(f"p{n:02}@acme.example") for n in range(60)])
    first = olga.get("/w/acme/resources/one", of="source:website").text
    assert "62 people can" in first
    [following] = re.findall(r'href="([^"]+)">Next<', first)
    rest = olga.get(following.replace("&amp;", "&")).text
    assert first.count("b-person") + rest.count("b-person") == 62
    assert "From the first" in rest


def test_an_id_may_hold_any_sign(acme: Acme, olga: Surfer) -> None:
    draft = ResourceDraft("source", "Odd", "../a/b?c=d&e#f:g")
    add_resource(acme.world.context, acme.actor, "acme", draft, acme.world.now)
    [href] = re.findall(r'href="([^"]+)">Odd</a>', olga.get("/w/acme/resources").text)
    assert "Odd" in olga.get(href.replace("&amp;", "&")).text


@pytest.mark.parametrize(("of", "status"), [("source:no", 404), ("ship", 422), ("", 422), (":", 422), ("source:", 422)])
def test_what_is_not_there(olga: Surfer, of: str, status: int) -> None:
    assert olga.get("/w/acme/resources/one", of=of).status_code == status


def test_a_member_sees_what_they_reach_and_asks_for_more(acme: Acme, kim: Surfer, rule: str) -> None:
    assert "Nothing that was given to you reaches a resource." in kim.get("/w/acme/resources").text
    give(acme, KIM, "Source Read-only", "source:website")
    listed = kim.get("/w/acme/resources").text
    assert "Website" in listed
    assert "Snowflake" not in listed
    html = kim.get("/w/acme/resources/one", of="source:website").text
    assert "can read Website, not edit it." in html
    assert "priya" not in html.lower()
    [asks] = re.findall(r'href="([^"]+)">Ask for access</a>', html)
    form = kim.get(asks.replace("&amp;", "&")).text
    assert re.search(r'value="source_admin" selected', form)
    assert kim.get("/w/acme/resources/one", of="warehouse:snowflake").status_code == 404
    assert kim.get("/w/acme/resources/one", of="source").status_code == 403


def test_another_workspace_is_not_there(acme: Acme, olga: Surfer, other: World) -> None:
    for path in ("/w/other/why", "/w/other/resources", "/w/other/resources/one?of=source"):
        assert olga.get(path).status_code == 404
    assert OLGA in olga.get("/w/acme/resources/one", of="source").text


# -- What it gives -----------------------------------------------------------------------------------


def test_what_an_idp_group_gives_to_how_many_and_by_which_rules(acme: Acme, olga: Surfer, rule: str) -> None:
    group = olga.get(f"/w/acme/directory/groups/{acme.eng.id}").text
    [href] = re.findall(r'href="([^"]+)">What it gives</a>', group)
    html = olga.get(href).text
    assert "1 person has what stands here by being in it." in html
    assert "People in Okta groups named eng-* join Data Guild." in html
    assert "Edit all sources, 2 now and any future one" in html
    assert ["IdP group eng-mobile", "rule: eng-*", "User Group Data Guild", "Role Source Admin"] in paths(html)
    assert "1 person now" in html
    assert "is switched off." not in html
    set_enabled(acme.world.context, acme.actor, "acme", rule, False, acme.world.now)
    assert "The rule eng-* is switched off." in olga.get(href).text


def test_a_rule_of_several_groups_says_that_its_people_are_of_all_of_them(acme: Acme, olga: Surfer, rule: str) -> None:
    acme.world.push_group("eng-web", acme.world.push("wim@acme.example"))
    html = olga.get(f"/w/acme/gives/idp-group/{acme.eng.id}").text
    assert "1 person has what stands here by being in it." in html
    assert "2 people now, in all 2 IdP groups that it takes" in html


def test_what_a_rule_gives(acme: Acme, olga: Surfer, rule: str) -> None:
    html = olga.get(f"/w/acme/gives/rule/{rule}").text
    assert "People in Okta groups named eng-* join Data Guild." in html
    assert ["rule: eng-*", "User Group Data Guild", "Role Source Admin"] in paths(html)


def test_what_gives_what_is_for_owners(acme: Acme, kim: Surfer, olga: Surfer, rule: str) -> None:
    for path in (f"/w/acme/gives/rule/{rule}", f"/w/acme/gives/idp-group/{acme.eng.id}"):
        assert kim.get(path).status_code == 403
        assert (
            olga.get(path.replace(rule, acme.eng.id) if "rule" in path else path.replace(acme.eng.id, rule)).status_code
            == 404
        )


def test_a_resource_of_a_grant_leads_to_who_can_edit_it(acme: Acme, olga: Surfer) -> None:
    give(acme, KIM, "Source Admin", "source:website")
    [href] = re.findall(r'b-kind-resource" href="([^"]+)"', olga.get(acme.page_of(KIM, "/roles")).text)
    assert "2 people can" in olga.get(href).text
