"""A person's page: access with every path, why not, roles by hand, and leaving."""

import re
from datetime import timedelta

import pytest

from bridge.domain.access import ResourceRef, RoleInScope, Scope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import end_grant, give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.provision_groups import create_group
from bridge.flows.provision_users import change_user
from bridge.flows.resources import delete_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_api_token
from bridge.flows.user_groups import create_user_group
from bridge.web.pages import person_history
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, OLGA, PRIYA, Acme, Send, carried_by
from tests.world import World, pushed

HTMX = {"HX-Request": "true"}


def give(acme: Acme, email: str, role: str, *scope: str) -> str:
    """Olga gives a role; returns the grant's id."""
    given = parse_role_in_scope(role, scope)
    return give_to_member(acme.world.context, acme.actor, "acme", acme.member_id(email), given, acme.world.now).id


def roles(acme: Acme, email: str) -> set[tuple[str, tuple[str, ...]]]:
    """What somebody may do now: role and scope."""
    held = access_of(acme.world.context, "acme", email, acme.world.now)
    return {(one.role.name, tuple(one.scope.render())) for one in held}


def paths(html: str) -> list[list[str]]:
    """Each path of the page, as the texts of its chips."""
    steps = (re.findall(r"<li>(.*?)</li>", path) for path in re.findall(r'<ol class="b-path">(.*?)</ol>', html, re.S))
    return [[re.sub(r"<[^>]+>", "", step).strip() for step in each] for each in steps]


def guild(acme: Acme) -> None:
    """Priya is in Data Guild by hand and by a rule; it gives Warehouse Read-only."""
    context, now = acme.world.context, acme.world.now
    made = create_user_group(context, acme.actor, "acme", "Data Guild", now, emails=[PRIYA])
    give_to_user_group(context, acme.actor, "acme", made.id, parse_role_in_scope("Warehouse Read-only", []), now)
    draft = MappingDraft(acme.world.connection.id, GroupMatch("glob", "eng-*"), ("Data Guild",))
    add_mapping(context, acme.actor, "acme", draft, now)


# -- Access ------------------------------------------------------------------------------------------


def test_each_permission_is_a_sentence_with_every_path(acme: Acme, olga: Surfer) -> None:
    guild(acme)
    give(acme, PRIYA, "Source Read-only", "label:environment:prod")
    html = olga.get(acme.page_of(PRIYA)).text
    assert "Read 1 source, with <code>environment:prod</code>" in html
    assert "Read all warehouses, 1 now and any future one" in html
    assert ["By hand Olga Owner, today", "Role Source Read-only"] in paths(html)
    assert ["By hand Olga Owner, today", "User Group Data Guild", "Role Warehouse Read-only"] in paths(html)
    assert ["IdP group eng-mobile", "rule: eng-*", "User Group Data Guild", "Role Warehouse Read-only"] in paths(html)
    assert "Each path alone is enough." in html


def test_owner_does_everything_and_the_last_one_cannot_be_removed(acme: Acme, olga: Surfer) -> None:
    html = olga.get(acme.page_of(OLGA)).text
    assert "Do everything in this workspace" in html
    last = "Olga Owner is the last owner who can sign in without Okta. Make somebody else an owner by hand first."
    assert last in html
    assert "Remove from workspace" not in html
    assert "This is you" in html


def test_who_has_nothing_is_said_to_have_nothing(acme: Acme, olga: Surfer) -> None:
    assert "Sees the workspace, and nothing in it" in olga.get(acme.page_of(KIM)).text


def test_seeing_the_workspace_is_shown_last_and_not_counted(acme: Acme, olga: Surfer) -> None:
    guild(acme)
    shown = olga.get(acme.page_of(PRIYA)).text
    assert re.findall(r"<h3>([^<]+)</h3>\n<ul", shown)[-1] == "See the workspace"
    assert "1 permission by 2 paths. Each path alone is enough." in shown
    leaving = olga.get(acme.page_of(PRIYA, "/remove")).text
    assert "1 permission by 2 paths, at once" in leaving
    assert "Remove Priya Raman: loses 1 permission<" in leaving


def test_user_groups_say_how_one_came_in(acme: Acme, olga: Surfer) -> None:
    guild(acme)
    html = olga.get(acme.page_of(PRIYA, "/groups")).text
    rows = re.findall(r"<tr><td>(.*?)</tr>", html, re.S)
    [by_both] = [row for row in rows if "Data Guild" in row]
    [mirror] = [row for row in rows if ">eng-mobile</a>" in row]
    assert "by hand" in by_both
    assert "Take out" in by_both
    assert "Take out" not in mirror


def test_a_member_sees_their_own_page_and_nobody_elses(acme: Acme, kim: Surfer) -> None:
    own = kim.get(acme.page_of(KIM))
    assert own.status_code == 200
    assert "Give a role" not in own.text
    assert "Remove from workspace" not in own.text
    assert "/users/" in own.text
    assert kim.get(acme.page_of(KIM, "/roles")).status_code == 200
    assert kim.get(acme.page_of(KIM, "/groups")).status_code == 200
    other = kim.get(acme.page_of(PRIYA))
    assert other.status_code == 403
    assert "Ask Olga Owner." in other.text


def test_ids_of_another_workspace_are_not_there(acme: Acme, olga: Surfer, other: World) -> None:
    theirs = find_member_id(other.context, "other", other.owner.email)
    for page in ("", "/roles", "/groups", "/remove", "/roles/new", "/why", "/lift", "/restore"):
        assert olga.get(f"/w/acme/users/{theirs}{page}").status_code == 404


# -- Why not -----------------------------------------------------------------------------------------


def ask(surfer: Surfer, acme: Acme, email: str, action: str, resource: str) -> str:
    return surfer.get(acme.page_of(email, "/why"), action=action, resource=resource).text


def test_why_not_names_what_would_give_it(acme: Acme, olga: Surfer) -> None:
    guild(acme)
    html = ask(olga, acme, KIM, "read", "Snowflake")
    assert "kim@acme.example can’t read Snowflake." in html
    assert "<b>User Group Data Guild.</b>" in html
    assert "<b>Okta group eng-mobile.</b>" in html
    assert "<b>A role by hand.</b>" in html


def test_why_names_the_paths_that_give_it(acme: Acme, olga: Surfer) -> None:
    give(acme, KIM, "Source Admin", "source:website")
    html = ask(olga, acme, KIM, "edit", "website").partition('id="why-answer"')[2]
    assert "kim@acme.example can edit Website." in html
    assert paths(html) == [["By hand Olga Owner, today", "Role Source Admin"]]


def test_who_reads_and_does_not_edit_is_told_so(acme: Acme, olga: Surfer) -> None:
    give(acme, KIM, "Source Read-only", "source:website")
    assert "can read Website, not edit it." in ask(olga, acme, KIM, "edit", "Website")


def test_creating_takes_a_kind_of_resource(acme: Acme, olga: Surfer) -> None:
    assert "can’t create sources." in ask(olga, acme, KIM, "create", "source")
    give(acme, KIM, "Source Admin")
    assert "can create sources." in ask(olga, acme, KIM, "create", "Sources")
    assert "One creates sources, warehouses" in ask(olga, acme, KIM, "create", "Website")


def test_unknown_resource_names_the_nearest(acme: Acme, olga: Surfer) -> None:
    assert "No resource is called “Web site”. Website is nearest." in ask(olga, acme, KIM, "edit", "Web site")


def test_answer_is_a_fragment_for_htmx(acme: Acme, olga: Surfer) -> None:
    path = acme.page_of(KIM, "/why")
    fragment = olga.client.get(path, query_string={"action": "edit", "resource": "Website"}, headers=HTMX)
    assert "<html" not in fragment.text
    assert 'id="why-answer"' in fragment.text


def test_what_htmx_swaps_says_that_the_resource_is_unknown(acme: Acme, olga: Surfer) -> None:
    query = {"action": "edit", "resource": "Web site"}
    fragment = olga.client.get(acme.page_of(KIM, "/why"), query_string=query, headers=HTMX)
    answer = fragment.text.partition('id="why-answer"')[2]
    [told] = re.findall(r'role="alert">(.*?)</p>', answer, re.S)
    assert "No resource is called “Web site”. Website is nearest." in told


def test_a_member_asks_about_what_they_reach_and_learns_of_nothing_else(acme: Acme, kim: Surfer) -> None:
    give(acme, KIM, "Source Read-only", "source:website")
    html = ask(kim, acme, KIM, "edit", "Website")
    assert "Ask Olga Owner." in html
    assert "Snowflake" not in html
    assert "No resource is called “Snowflake”." in ask(kim, acme, KIM, "read", "Snowflake")


# -- Roles by hand -----------------------------------------------------------------------------------


def test_giving_a_role_on_listed_resources(acme: Acme, send: Send) -> None:
    path = acme.page_of(PRIYA, "/roles/new")
    told = send(path, f"{path}?role=source_admin", role="source_admin", scope="listed", resource="source:website")
    assert told.headers["Location"] == acme.page_of(PRIYA, "/roles")
    assert ("Source Admin", ("source:website",)) in roles(acme, PRIYA)
    assert acme.told()[-1] == "grant.given"


def test_giving_a_role_by_labels(acme: Acme, send: Send) -> None:
    path = acme.page_of(PRIYA, "/roles/new")
    send(path, f"{path}?role=source_admin", role="source_admin", scope="labels", label="environment:prod")
    assert ("Source Admin", ("label:environment:prod",)) in roles(acme, PRIYA)


def test_making_somebody_an_owner_is_giving_a_role(acme: Acme, olga: Surfer, send: Send) -> None:
    path = acme.page_of(KIM, "/roles/new")
    shown = olga.get(path, role="workspace_owner")
    assert "Where it applies" not in shown.text
    send(path, f"{path}?role=workspace_owner", role="workspace_owner")
    assert ("Workspace Owner", ("all",)) in roles(acme, KIM)
    assert "Remove from workspace" in olga.get(acme.page_of(OLGA)).text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"scope": "listed"}, "Choose at least one resource, or all of them."),
        ({"scope": "labels"}, "Choose at least one label."),
        ({"scope": "listed", "resource": "warehouse:snowflake"}, "Source Admin holds on sources"),
        ({"scope": "labels", "label": "nonsense"}, "is not a label"),
    ],
)
def test_wrong_scope_is_told_beside_it_and_gives_nothing(
    acme: Acme, send: Send, fields: dict[str, str], text: str
) -> None:
    path = acme.page_of(KIM, "/roles/new")
    told = send(path, f"{path}?role=source_admin", role="source_admin", **fields)
    assert told.status_code == 422
    assert text in told.text.partition('id="f-scope-error"')[2]
    assert roles(acme, KIM) == set()


def test_resource_that_is_not_there_is_a_note(acme: Acme, send: Send) -> None:
    path = acme.page_of(KIM, "/roles/new")
    told = send(path, f"{path}?role=source_admin", role="source_admin", scope="listed", resource="source:x")
    assert told.status_code == 404
    assert "There is no <code>source:x</code>" in told.text


def test_giving_the_same_twice_is_refused_in_place(acme: Acme, send: Send) -> None:
    give(acme, KIM, "Source Admin")
    path = acme.page_of(KIM, "/roles/new")
    told = send(path, f"{path}?role=source_admin", role="source_admin", scope="all")
    assert told.status_code == 409
    assert "Source Admin is given there already" in told.text


def test_moving_a_role_to_another_scope(acme: Acme, olga: Surfer, send: Send) -> None:
    grant = give(acme, KIM, "Source Admin", "source:website")
    path = acme.page_of(KIM, f"/roles/{grant}")
    assert re.search(r'value="source:website" checked', olga.get(path).text)
    shown = send(path, scope="all", do="save")
    assert "Look first at what it does." in shown.text
    assert "1 person gains Source Admin: edit all sources" in shown.text
    assert roles(acme, KIM) == {("Source Admin", ("source:website",))}
    olga.submit(path, shown, **carried_by(shown), scope="all", do="save")
    assert roles(acme, KIM) == {("Source Admin", ("all",))}
    assert acme.told()[-1] == "grant.scope_changed"


def test_a_scope_that_was_changed_after_it_was_shown_is_shown_again(acme: Acme, olga: Surfer, send: Send) -> None:
    path = acme.page_of(KIM, f"/roles/{give(acme, KIM, 'Source Admin', 'source:website')}")
    shown = send(path, scope="all", do="preview")
    other = {"scope": "labels", "label": "environment:prod"}
    told = olga.submit(path, shown, **carried_by(shown), **other, do="save")
    assert "Something changed while you were looking. Not saved yet." in told.text
    assert roles(acme, KIM) == {("Source Admin", ("source:website",))}
    everybody = olga.submit(path, told, **other, do="loses:").text
    assert ("All who lose" in everybody, "kim@acme.example" in everybody) == (True, True)
    assert "kim@acme.example" in olga.submit(path, told, **other, do="csv").text.partition("\n")[2]


def test_taking_a_role_says_first_what_is_lost(acme: Acme, olga: Surfer, send: Send) -> None:
    grant = give(acme, KIM, "Source Admin", "source:website")
    path = acme.page_of(KIM, f"/roles/{grant}/end")
    shown = olga.get(path)
    assert "Edit the source Website" in shown.text
    assert "Take Source Admin away: 1 loses" in shown.text
    assert "Look first at what it does." in olga.submit(path, shown).text
    assert roles(acme, KIM) == {("Source Admin", ("source:website",))}
    assert send(path).status_code == 303
    assert roles(acme, KIM) == set()
    assert acme.told()[-1] == "grant.ended"


def test_role_that_another_path_gives_too_is_said_to_stay(acme: Acme, olga: Surfer) -> None:
    guild(acme)
    grant = give(acme, PRIYA, "Warehouse Read-only")
    html = olga.get(acme.page_of(PRIYA, f"/roles/{grant}/end")).text
    assert "Priya Raman keeps it by 2 other paths" in html


def test_last_owner_keeps_the_role(acme: Acme, olga: Surfer, send: Send) -> None:
    assert "Take away" not in olga.get(acme.page_of(OLGA, "/roles")).text
    [grant] = acme.person(OLGA).grants
    told = send(acme.page_of(OLGA, f"/roles/{grant.id}/end"))
    assert told.status_code == 409
    assert "Make somebody else an owner by hand first." in told.text
    assert ("Workspace Owner", ("all",)) in roles(acme, OLGA)


def test_role_that_is_gone_is_not_there(acme: Acme, olga: Surfer) -> None:
    grant = give(acme, KIM, "Source Admin")
    assert olga.get(acme.page_of(PRIYA, f"/roles/{grant}")).status_code == 404


def test_what_an_idp_gives_whoever_it_brings_is_not_by_hand(acme: Acme, olga: Surfer) -> None:
    html = olga.get(acme.page_of(PRIYA, "/roles")).text
    assert "No role by hand" in html


# -- Leaving and coming back -------------------------------------------------------------------------


def test_removing_says_first_what_is_lost_and_which_tokens_stop(acme: Acme, olga: Surfer, send: Send) -> None:
    give(acme, KIM, "Workspace Owner")
    kim_acting = f"user:{acme.person(KIM).member.user_id}"
    every = [RoleInScope(OWNER, Scope())]
    create_api_token(acme.world.context, kim_acting, "acme", every, None, "Terraform CI", acme.world.now)
    path = acme.page_of(KIM, "/remove")
    html = olga.get(path).text
    assert "Do everything in this workspace" in html
    assert "Terraform CI: its next call is refused" in html
    assert "Remove kim@acme.example: loses 1 permission" in html
    assert "Look first at what it does." in olga.submit(path, olga.get(path)).text
    told = send(path)
    assert told.headers["Location"] == acme.page_of(KIM)
    assert acme.person(KIM).member.status == "removed"
    assert "member.removed" in acme.told()
    assert "was removed here" in olga.get(told.headers["Location"]).text


def test_removed_is_gone_at_the_next_request(acme: Acme, olga: Surfer, kim: Surfer, send: Send) -> None:
    assert kim.get(acme.page_of(KIM)).status_code == 200
    send(acme.page_of(KIM, "/remove"))
    assert kim.get(acme.page_of(KIM)).status_code == 404


def test_last_owner_cannot_be_removed_by_the_address_either(acme: Acme, send: Send) -> None:
    told = send(acme.page_of(OLGA, "/remove"))
    assert told.status_code == 409
    assert acme.person(OLGA).member.status == "active"


def test_idp_that_still_pushes_is_named(acme: Acme, olga: Surfer) -> None:
    assert "Okta still pushes Priya Raman" in olga.get(acme.page_of(PRIYA, "/remove")).text


def test_letting_a_removed_person_in_again(acme: Acme, olga: Surfer, send: Send) -> None:
    remove_member(acme.world.context, acme.actor, "acme", acme.member_id(PRIYA), acme.world.now)
    html = olga.get(acme.page_of(PRIYA)).text
    assert "Let in again" in html
    assert "Remove from workspace" not in html
    send(acme.page_of(PRIYA, "/restore"))
    assert acme.person(PRIYA).member.status == "active"
    assert acme.told()[-1] == "member.restored"


def test_owner_lifts_an_idps_hold(acme: Acme, olga: Surfer, send: Send) -> None:
    change_user(
        acme.world.context,
        acme.world.connection,
        acme.priya.id,
        lambda _: pushed(PRIYA, name="Priya Raman", active=False),
        acme.world.now,
    )
    html = olga.get(acme.page_of(PRIYA)).text
    assert "Okta has deactivated Priya Raman" in html
    assert "May do nothing at the moment" in html
    assert "Suspended by Okta" in olga.get("/w/acme/users").text
    send(acme.page_of(PRIYA, "/lift"))
    assert acme.person(PRIYA).member.status == "active"
    assert acme.told()[-1] == "member.hold_lifted"


# -- Who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/roles/new", "/remove", "/lift", "/restore"])
def test_a_member_changes_nobody_not_even_themselves(acme: Acme, kim: Surfer, page: str) -> None:
    shown = kim.get(acme.page_of(KIM))
    for email in (KIM, PRIYA):
        path = acme.page_of(email, page)
        assert kim.get(path).status_code == 403
        told = kim.submit(path, shown, role="workspace_owner", scope="all")
        assert told.status_code == 403
        assert "Ask Olga Owner." in told.text
    assert roles(acme, KIM) == set()
    assert acme.person(PRIYA).member.status == "active"


@pytest.mark.parametrize("page", ["/roles/new", "/remove", "/lift", "/restore"])
def test_a_form_without_its_token_changes_nothing(acme: Acme, olga: Surfer, page: str) -> None:
    told = olga.client.post(acme.page_of(PRIYA, page), data={"role": "workspace_owner"})
    assert told.status_code == 400
    assert acme.person(PRIYA).member.status == "active"
    assert ("Workspace Owner", ("all",)) not in roles(acme, PRIYA)


def test_what_the_plan_has_not_is_shown_with_its_paths(acme: Acme, olga: Surfer) -> None:
    context, now = acme.world.context, acme.world.now
    given = parse_role_in_scope("Warehouse Read-only", [])
    give_to_member(context, acme.actor, "acme", acme.member_id(KIM), given, now)
    assert "but gives nothing" not in olga.get(acme.page_of(KIM)).text
    set_plan(context, OPERATOR, "acme", "team", now)
    html = olga.get(acme.page_of(KIM)).text
    assert "Given, but gives nothing on the team plan" in html
    assert "Read all" in html.partition("Given, but gives nothing")[2]


# -- History -----------------------------------------------------------------------------------------


def history(surfer: Surfer, acme: Acme, email: str, **asked: str) -> str:
    return surfer.get(acme.page_of(email, "/history"), **asked).text


def told(html: str) -> list[list[str]]:
    """The rows of the table: what, how."""
    cells = (re.findall(r"<td.*?>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", html, re.S))
    texts = ([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells)
    return [row[1:3] for row in texts if len(row) == 4]


def test_history_says_what_changed_and_who_did_it_and_leads_to_why(acme: Acme, olga: Surfer) -> None:
    first, second = (acme.world.now + timedelta(microseconds=n) for n in (1, 2))
    given = parse_role_in_scope("Source Admin", ["source:website"])
    member = acme.member_id(KIM)
    grant = give_to_member(acme.world.context, acme.actor, "acme", member, given, first).id
    end_grant(acme.world.context, acme.actor, "acme", grant, second)
    html = history(olga, acme, KIM)
    assert told(html)[:2] == [
        ["Lost Edit the source Website", "Olga Owner took away the role Source Admin on source:website"],
        ["Gained Edit the source Website", "Olga Owner gave the role Source Admin on source:website"],
    ]
    lost, gained, *_ = (one.replace("&amp;", "&") for one in re.findall(r'href="(/w/acme/why[?]at[^"]+)"', html))
    assert "could edit Website." in olga.get(gained).text
    assert "couldn’t edit Website." in olga.get(lost).text
    assert "may do with Website changed" in history(olga, acme, KIM, resource="source:website")
    assert len(told(history(olga, acme, KIM, resource="source:website"))) == 2
    assert len(told(history(olga, acme, KIM, until=first.isoformat()))) == len(told(html)) - 1
    gone = acme.world.now + timedelta(microseconds=3)
    delete_resource(acme.world.context, acme.actor, "acme", ResourceRef("source", "website"), gone)
    assert "could edit source:website." in olga.get(gained).text, "also of what is gone"


def test_history_tells_a_member_who_acted_and_names_nobody_else(acme: Acme, olga: Surfer, kim: Surfer) -> None:
    world = acme.world
    people = [world.push(KIM).id, world.push("secret.sam@acme.example", name="Secret Sam").id]
    role = parse_role_in_scope("Source Admin", [])
    rule = MappingDraft(world.connection.id, GroupMatch("name", "eng-web"), (), (role,))
    add_mapping(world.context, acme.actor, "acme", rule, world.now)
    create_group(world.context, world.connection, "eng-web", None, people, world.now + timedelta(microseconds=1))
    assert "Secret Sam" in history(olga, acme, KIM)
    html = history(kim, acme, KIM)
    assert "By Okta" in html
    assert "Secret Sam" not in html
    assert kim.get(acme.page_of(PRIYA, "/history")).status.startswith("403")


def test_history_goes_on_by_pages(acme: Acme, olga: Surfer, monkeypatch: pytest.MonkeyPatch) -> None:
    member = acme.member_id(KIM)
    for n, role in enumerate(("Source Admin", "Warehouse Admin", "Function Admin")):
        at = acme.world.now + timedelta(microseconds=n)
        give_to_member(acme.world.context, acme.actor, "acme", member, parse_role_in_scope(role, []), at)
    whole = told(history(olga, acme, KIM))
    monkeypatch.setattr(person_history, "_MOST", 1)
    seen, html = [], history(olga, acme, KIM)
    while older := re.findall(r'href="([^"]+)"[^>]*>Older<', html):
        seen += told(html)
        html = olga.get(older[0].replace("&amp;", "&")).text
    assert seen + told(html) == whole
    assert told(history(olga, acme, KIM, until="rubbish", resource="rubbish")) == whole[:1]
    assert "Nothing has changed" in history(olga, acme, KIM, resource="source:nothing")
