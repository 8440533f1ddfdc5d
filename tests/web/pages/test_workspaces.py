"""Coming in: the start, the choice of workspaces, what isn't reached, the frame and the theme."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask

from bridge.flows.administer import WorkspaceDraft, create_workspace, set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.own_connections import set_enabled
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import people
from tests.flows.logins import PASSWORD, account, give_app, join, set_workspace
from tests.web.browsing import Company, Surfer, at
from tests.web.pages.conftest import KIM, OLGA, Acme
from tests.world import World


def own(acme: Acme, slug: str, owner: str = OLGA) -> None:
    """One more workspace of somebody who has an account."""
    create_workspace(acme.world.context, OPERATOR, WorkspaceDraft(slug, slug.title(), owner), acme.world.now)


# -- The way in --------------------------------------------------------------------------------------


def test_start_leads_to_signing_in_or_to_the_workspaces(app: Flask, olga: Surfer) -> None:
    assert Surfer(app).get("/").headers["Location"] == "/login"
    assert olga.get("/").headers["Location"] == "/w"


def test_one_workspace_is_opened_at_once(olga: Surfer, kim: Surfer, acme: Acme) -> None:
    assert olga.get("/w").headers["Location"] == "/w/acme"
    assert olga.get("/w/acme").headers["Location"] == "/w/acme/users"
    assert kim.get("/w/acme").headers["Location"] == acme.page_of(KIM)


def test_several_are_there_to_choose(acme: Acme, olga: Surfer) -> None:
    own(acme, "sandbox")
    html = olga.get("/w").text
    assert re.findall(r'class="b-way" href="([^"]+)"', html) == ["/w/acme", "/w/sandbox"]
    assert "Workspace Owner, 3 people" in html
    assert 'href="/w"' in olga.get("/w/acme/users").text


def test_with_one_workspace_there_is_nothing_to_switch_to(acme: Acme, olga: Surfer) -> None:
    assert "Switch workspace" not in olga.get("/w/acme/users").text
    own(acme, "sandbox")
    assert "Switch workspace" in olga.get("/w/acme/users").text
    set_workspace(acme.world, require_sso=True)
    assert "Switch workspace" in olga.get("/w/sandbox/users").text


def others_in(html: str) -> list[tuple[str, str]]:
    """Where the switcher leads, and what it says of it."""
    found = re.findall(r'<li><a href="([^"]+)"><span>([^<]+)(?:<small>([^<]+))?', html.partition('class="b-switch"')[2])
    return [(unescape(href), f"{name}: {asks}" if asks else name) for href, name, asks in found[:-1]]


def test_switcher_says_what_each_asks_for_and_leads_there(acme: Acme, olga: Surfer) -> None:
    own(acme, "sandbox")
    own(acme, "zoo")
    assert others_in(olga.get("/w/acme/users").text) == [("/w/sandbox", "Sandbox"), ("/w/zoo", "Zoo")]
    set_workspace(acme.world, require_sso=True)
    sso = f"/saml/{acme.world.connection.id}/login?return_to=/w/acme"
    assert others_in(olga.get("/w/zoo/users").text) == [(sso, "Acme: asks for Okta"), ("/w/sandbox", "Sandbox")]


def test_switcher_asks_for_a_second_factor_to_be_set_up_and_comes_back(acme: Acme, olga: Surfer) -> None:
    own(acme, "sandbox")
    set_enabled(acme.world.context, OPERATOR, "acme", acme.world.connection.id, False, acme.world.now)
    set_workspace(acme.world, require_mfa=True)
    enrol = "/account/factors?return_to=/w/acme"
    assert others_in(olga.get("/w/sandbox/users").text) == [(enrol, "Acme: asks for a second factor")]
    told = olga.get("/w/acme/users")
    assert (told.status_code, "Set up a second factor" in told.text) == (403, True)
    assert olga.get(enrol).status_code == 200


def test_switcher_sends_who_has_a_second_factor_to_the_login_that_asks_for_it(acme: Acme, olga: Surfer) -> None:
    own(acme, "sandbox")
    set_enabled(acme.world.context, OPERATOR, "acme", acme.world.connection.id, False, acme.world.now)
    set_workspace(acme.world, require_mfa=True)
    give_app(acme.world, acme.world.owner.key)
    [(href, text)] = others_in(olga.get("/w/sandbox/users").text)
    assert text == "Acme: asks for a password"
    assert href == f"/login?way=password&email={OLGA}&return_to=/w/acme"


def test_switcher_leads_to_the_page_that_says_why_where_it_closed_unused(acme: Acme, app: Flask, olga: Surfer) -> None:
    own(acme, "sandbox")
    set_workspace(acme.world, hipaa=True)
    with at(app, datetime.now(UTC) + timedelta(minutes=16)):
        found = others_in(olga.get("/w/sandbox/users").text)
        assert found == [("/w/acme", "Acme: closed without use: asks to sign in again")]
        assert "closed after 15 minutes without use" in olga.get("/w/acme").text


def test_who_is_member_of_nothing_is_told_what_to_do(acme: Acme, app: Flask) -> None:
    account(acme.world, "sven@acme.example", password=PASSWORD)
    html = acme.signed_in("sven@acme.example").get("/w").text
    assert "No workspace yet" in html


@pytest.mark.parametrize("path", ["/w", "/w/acme", "/w/acme/users?q=a&page=2", "/w/nowhere/users"])
def test_signed_out_one_signs_in_and_comes_back(app: Flask, acme: Acme, path: str) -> None:
    surfer = Surfer(app)
    told = surfer.get(path)
    assert told.status_code == 303
    login = surfer.get(told.headers["Location"])
    assert f'name="return_to" value="{path.replace("&", "&amp;")}"' in login.text


# -- What the session doesn't reach ------------------------------------------------------------------


def test_workspace_of_others_is_as_if_it_were_not(acme: Acme, olga: Surfer, other: World) -> None:
    theirs, nowhere = olga.get("/w/other/users"), olga.get("/w/nowhere/users")
    assert theirs.status_code == nowhere.status_code == 404
    assert theirs.text == nowhere.text
    shown = olga.get("/w/acme/tokens/new")
    assert olga.submit("/w/other/tokens/new", shown, kind="api", name="x").status_code == 404


def test_member_is_told_which_way_opens_a_workspace_that_requires_sso(acme: Acme, olga: Surfer) -> None:
    set_workspace(acme.world, require_sso=True)
    told = olga.get("/w/acme/users")
    assert told.status_code == 403
    assert "Acme asks for Okta" in told.text
    assert f"/saml/{acme.world.connection.id}/login?return_to=/w/acme/users" in told.text
    own(acme, "sandbox")
    choice = olga.get("/w").text
    assert "asks for Okta" in choice
    assert f"/saml/{acme.world.connection.id}/login?return_to=/w/acme" in choice


def test_sign_in_by_an_idp_learns_nothing_of_other_workspaces(
    acme: Acme, company: Company, app: Flask, other: World
) -> None:
    surfer = Surfer(app)
    surfer.sign_in(app, company, email="ann@kicks.example")
    with acme.world.context.database.reading() as rows:
        ann = people.find_user_by_email(rows, "ann@kicks.example")
    assert ann is not None
    join(other, ann.key)
    assert surfer.get("/w").headers["Location"] == "/w/acme"
    told = surfer.get("/w/other")
    assert told.status_code == 404
    assert "Other" not in told.text


# -- The frame ---------------------------------------------------------------------------------------


def test_frame_says_where_one_is_and_as_whom(acme: Acme, olga: Surfer, kim: Surfer) -> None:
    html = olga.get("/w/acme/users").text
    assert "Business, 3 people" in html
    assert '<b><a href="/account" title="Your account">Olga Owner</a></b><small>Workspace Owner</small>' in html
    assert re.search(r'href="/w/acme/users" aria-current="page">.*?Access Management', html)
    mine = kim.get(acme.page_of(KIM)).text
    assert "Access Management" not in mine
    assert re.search(rf'href="{acme.page_of(KIM)}" aria-current="page">.*?Your access', mine)


def test_of_many_owners_the_first_are_named(acme: Acme, kim: Surfer) -> None:
    context, now = acme.world.context, acme.world.now
    board = create_user_group(context, acme.actor, "acme", "Board", now)
    give_to_user_group(context, acme.actor, "acme", board.id, parse_role_in_scope("Workspace Owner", []), now)
    for name, asked in (
        ("Ann", "Ask Olga Owner or Ann."),
        ("Bea", "Ask Olga Owner, Ann or Bea."),
        ("Cid", "Ask Olga Owner, Ann or another Workspace Owner."),
    ):
        acme.world.push(f"{name}@acme.example", name=name)
        add_members(context, acme.actor, "acme", board.id, [f"{name}@acme.example"], now)
        assert asked in kim.get("/w/acme/tokens").text


def test_roles_are_for_every_member_to_read(acme: Acme, olga: Surfer, kim: Surfer) -> None:
    html = olga.get("/w/acme/roles").text
    assert "Create sources, when given on all" in html
    assert 'href="/w/acme/users?role=workspace_owner">1 person' in html
    mine = kim.get("/w/acme/roles").text
    assert "Source Admin" in mine
    assert "/w/acme/users?" not in mine


def test_roles_outside_the_plan_say_so(acme: Acme, olga: Surfer) -> None:
    set_plan(acme.world.context, OPERATOR, "acme", "team", acme.world.now)
    html = olga.get("/w/acme/roles").text
    assert "Gives nothing on the team plan" in html
    assert "Needs the business plan" in olga.get(acme.page_of(KIM, "/roles/new")).text


def test_pages_are_kept_by_nobody_and_static_files_for_long(acme: Acme, olga: Surfer) -> None:
    page = olga.get("/w/acme/users")
    assert page.headers["Cache-Control"] == "no-store"
    [css] = re.findall(r'href="(/static/bridge\.css\?v=[^"]+)"', page.text)
    with olga.get(css) as sheet:
        assert "max-age=31536000" in sheet.headers["Cache-Control"]


# -- The theme ---------------------------------------------------------------------------------------


def test_theme_is_remembered_and_leads_back(acme: Acme, olga: Surfer) -> None:
    page = olga.get("/w/acme/users", q="a")
    told = olga.submit("/theme", page, theme="dark", return_to="/w/acme/users?q=a")
    assert told.headers["Location"] == "/w/acme/users?q=a"
    assert 'data-bs-theme="dark"' in olga.get("/w/acme/users").text
    assert 'data-bs-theme="dark"' in Surfer.get(olga, "/w/nowhere").text


def test_theme_leads_to_no_other_site_and_takes_no_other_value(acme: Acme, olga: Surfer) -> None:
    page = olga.get("/w/acme/users")
    told = olga.submit("/theme", page, theme="<script>", return_to="https://evil.example/")
    assert told.headers["Location"] == "/"
    assert "Set-Cookie" not in told.headers or "bridge_theme" not in told.headers["Set-Cookie"]
    assert olga.client.post("/theme", data={"theme": "dark"}).status_code == 400
