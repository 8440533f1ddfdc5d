"""The page Security, and the page on which an owner uses a break-glass code."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
from flask import Flask
from sqlalchemy import insert

from bridge.flows.administer import set_plan
from bridge.flows.break_glass import make_code_at_once
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import set_enabled
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.tables import second_factors
from tests.flows.logins import PASSWORD, join, prove_domain, set_workspace
from tests.web.browsing import Company, Surfer, at
from tests.web.pages.conftest import KIM, OLGA, Acme, Send, carried_by
from tests.world import World

PAGE = "/w/acme/security"
GLASS = "/w/acme/break-glass"


@pytest.fixture
def by_sso(acme: Acme, app: Flask, company: Company) -> Surfer:
    """Olga's browser, in which she came by SSO."""
    prove_domain(acme.world, "acme.example")
    surfer = Surfer(app)
    told = surfer.sign_in(app, company, email=OLGA, name_id=OLGA)
    assert surfer.workspaces() == ["acme"], told.text
    return surfer


def require(surfer: Surfer) -> None:
    """Switch Require SSO on, as shown."""
    asked = surfer.get(f"{PAGE}/require-sso")
    assert surfer.submit(f"{PAGE}/require-sso", asked, **carried_by(asked)).status_code == 303


def code_in(html: str) -> list[str]:
    found = re.search(r'<code id="codes">([^<]+)<', html)
    return found[1].split() if found else []


# -- Require SSO -------------------------------------------------------------------------------------


def test_an_owner_who_came_by_password_is_told_why_not(olga: Surfer, send: Send) -> None:
    shown = olga.get(PAGE).text
    assert "Sign in by single sign-on to switch it on" in shown
    assert "Switch it on" not in shown.replace("to switch it on", "")
    told = send(f"{PAGE}/require-sso")
    assert told.status_code == 409
    assert "Sign in by single sign-on of Acme first" in told.text


def test_who_would_be_locked_out_is_shown_and_then_is(acme: Acme, by_sso: Surfer) -> None:
    asked = by_sso.get(f"{PAGE}/require-sso")
    assert "2 members can’t come in until their IdP knows them" in asked.text
    assert "1 member came by single sign-on before" in asked.text.partition('id="same"')[2]
    assert "kim@acme.example" in asked.text
    assert "There is no break-glass code" in asked.text
    told = by_sso.submit(f"{PAGE}/require-sso", asked, **carried_by(asked))
    assert told.status_code == 303
    assert by_sso.workspaces() == ["acme"]
    kim = acme.signed_in(KIM)
    assert kim.workspaces() == []
    assert "Use a break-glass code" not in kim.get("/w/acme").text
    assert kim.get(GLASS).status_code == 404


def test_nobody_is_locked_out_who_was_not_shown(acme: Acme, by_sso: Surfer) -> None:
    place = f"{PAGE}/require-sso"
    asked = by_sso.get(place)
    assert "2 lose" in asked.text
    assert "Look first at what it does." in by_sso.submit(place, asked).text
    acme.world.push("new@acme.example")
    moved = by_sso.submit(place, asked, **carried_by(asked))
    assert "Not saved yet" in moved.text
    assert "3 lose" in moved.text
    assert acme.signed_in(KIM).workspaces() == ["acme"]
    assert by_sso.submit(place, moved, **carried_by(moved)).status_code == 303
    assert by_sso.get(place).headers["Location"] == PAGE, "it is on"


def test_any_owner_switches_it_off(acme: Acme, by_sso: Surfer) -> None:
    require(by_sso)
    by_sso.submit(f"{PAGE}/stop-requiring-sso", by_sso.get(f"{PAGE}/stop-requiring-sso"))
    assert acme.signed_in(KIM).workspaces() == ["acme"]


def test_a_smaller_plan_says_who_comes_in_now(acme: Acme, by_sso: Surfer) -> None:
    require(by_sso)
    set_plan(acme.world.context, OPERATOR, "acme", "team", acme.world.now)
    olga = acme.signed_in(OLGA)
    shown = olga.get(PAGE).text
    assert "only owners named by hand come in" in shown
    assert "Single sign-on needs the business plan" in shown
    olga.submit(f"{PAGE}/stop-requiring-sso", olga.get(f"{PAGE}/stop-requiring-sso"))
    assert "Switch it on" not in olga.get(PAGE).text


def test_only_owners_see_it(kim: Surfer) -> None:
    for page in (PAGE, f"{PAGE}/require-sso", f"{PAGE}/stop-requiring-sso"):
        assert kim.get(page).status_code == 403


def test_exemptions_need_a_second_factor(acme: Acme, send: Send, olga: Surfer) -> None:
    told = send(f"{PAGE}/exemptions", PAGE, email=KIM)
    assert told.status_code == 409
    assert re.search(r'id="f-email-error"[^>]*>.*?has no second factor', told.text), "beside its field"
    assert "is asked for their password and their second factor" in told.text
    factor = {"uid": "f", "kind": "totp", "data_enc": b"x", "created_at": acme.world.now}
    with acme.world.context.database.writing() as connection:
        user = connection.exec_driver_sql("SELECT id FROM users WHERE email = ?", (KIM,)).scalar()
        connection.execute(insert(second_factors).values(**factor, user_id=user))
    assert send(f"{PAGE}/exemptions", PAGE, email=KIM).status_code == 303
    assert f"the exemption of {KIM}" in olga.get(PAGE).text
    assert send(f"{PAGE}/exemptions/{acme.member_id(KIM)}/end").status_code == 303
    assert f"the exemption of {KIM}" not in olga.get(PAGE).text


# -- A second factor ---------------------------------------------------------------------------------


def test_who_has_no_second_factor_sets_one_up_on_the_way_in(acme: Acme, olga: Surfer, kim: Surfer) -> None:
    asked = olga.get(f"{PAGE}/second-factor")
    assert "members must set one up" in asked.text
    assert KIM.partition("@")[0] in asked.text.lower()
    assert KIM in olga.get(PAGE).text
    assert olga.submit(f"{PAGE}/second-factor", asked, required="yes").status_code == 303
    assert kim.workspaces() == []
    refused = kim.get("/w/acme")
    assert refused.status_code == 403
    assert "Acme asks for" in refused.text
    assert "a second factor" in refused.text
    found = re.search(r'href="(/account/factors[^"]*)"', refused.text)
    assert found
    page = kim.get(re.sub("factors", "factors/app", unescape(found[1])))
    secret = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    token = re.search(r'name="setup" value="([^"]+)"', page.text)
    assert secret
    assert token
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(datetime.now(UTC))
    done = kim.submit("/account/factors/app", page, setup=token[1], code=code, return_to="/w/acme")
    assert 'href="/w/acme"' in done.text
    assert kim.workspaces() == ["acme"]


def test_who_comes_by_sso_is_not_asked(acme: Acme, by_sso: Surfer) -> None:
    by_sso.submit(f"{PAGE}/second-factor", by_sso.get(f"{PAGE}/second-factor"), required="yes")
    assert by_sso.workspaces() == ["acme"]
    off = by_sso.get(f"{PAGE}/second-factor")
    assert "Stop asking" in off.text
    by_sso.submit(f"{PAGE}/second-factor", off, required="")
    assert acme.signed_in(KIM).workspaces() == ["acme"]


def test_only_owners_ask_for_it(kim: Surfer, send: Send) -> None:
    assert kim.get(f"{PAGE}/second-factor").status_code == 403


# -- Break-glass -------------------------------------------------------------------------------------


def test_codes_are_shown_once(acme: Acme, send: Send, olga: Surfer) -> None:
    told = send(f"{PAGE}/codes/{acme.member_id(OLGA)}", PAGE)
    codes = code_in(told.text)
    assert len(codes) == 5
    assert told.headers["Cache-Control"] == "no-store"
    again = olga.get(PAGE).text
    assert code_in(again) == []
    assert not any(code in again for code in codes)
    assert "Revoke" in again
    asked = olga.get(f"{PAGE}/codes/{acme.member_id(OLGA)}").text
    assert re.search(r"5 codes of [^<]* open no longer", asked), "before new ones take their place"
    assert not code_in(asked)
    assert send(f"{PAGE}/codes/{acme.member_id(OLGA)}/revoke").status_code == 303
    assert "Revoke" not in olga.get(PAGE).text


def test_members_who_are_no_owners_have_none(acme: Acme, send: Send, olga: Surfer) -> None:
    assert send(f"{PAGE}/codes/{acme.member_id(KIM)}", PAGE).status_code == 404
    assert olga.get(f"{PAGE}/codes/{acme.member_id(KIM)}").status_code == 404
    assert olga.get(f"{PAGE}/codes/{acme.member_id(KIM)}/revoke").status_code == 404


def test_a_code_that_nobody_could_use_counts_for_nothing(acme: Acme, by_sso: Surfer) -> None:
    """A code goes with the owner's own password: Olga had one, and has none any more."""
    make_code_at_once(acme.world.context, OPERATOR, "acme", OLGA, acme.world.now)
    assert "1 break-glass code" in by_sso.get(f"{PAGE}/require-sso").text
    with changing(acme.world.context.database, OPERATOR, acme.world.now) as change:
        people.set_user(change, acme.world.owner.key, password_hash=None)
    assert "There is no break-glass code" in by_sso.get(f"{PAGE}/require-sso").text


def test_an_owner_whose_idp_is_broken_finds_the_way_in(acme: Acme, company: Company) -> None:
    made = make_code_at_once(acme.world.context, OPERATOR, "acme", OLGA, acme.world.now)
    set_workspace(acme.world, require_sso=True)
    for connection in (company.connection_id, acme.world.connection.id):
        set_enabled(acme.world.context, OPERATOR, "acme", connection, False, acme.world.now)
    olga = Surfer(acme.app)
    olga.enter_password(OLGA, PASSWORD)
    assert olga.workspaces() == []
    assert "Acme" in olga.get("/w").text
    closed = olga.get("/w/acme")
    assert closed.status_code == 403
    assert f'href="{GLASS}"' in closed.text
    page = olga.get(GLASS)
    wrong = olga.submit(GLASS, page, code="wrong")
    assert wrong.status_code == 403
    assert "This code is wrong" in wrong.text
    told = olga.submit(GLASS, page, code=made.codes[0].upper())
    assert told.headers["Location"].endswith("/w/acme")
    assert olga.workspaces() == ["acme"]
    assert {one["kind"] for one in olga.session()["authenticated_by"]} == {"password"}
    assert "Users" in olga.get("/w/acme/users").text
    led = re.search(r'href="([^"]+)">Who used one', olga.get(PAGE).text)
    assert led
    log = olga.get(unescape(led[1]))
    assert "Came in by a break-glass code" in log.text
    assert "Refused: The break-glass code is wrong, or was used" in log.text
    opened = re.search(r'<li><a href="([^"]+)"><span class="b-row-between"><b>olga@acme.example', log.text)
    assert opened
    told_of = olga.get(opened[1]).text
    assert "olga@acme.example came in past single sign-on" in told_of
    assert "127.0.0.1" in told_of
    assert made.codes[0] not in told_of
    assert f'href="{PAGE}">Open Security' in told_of
    another = acme.signed_in(OLGA)
    assert another.submit(GLASS, another.get(GLASS), code=made.codes[0]).status_code == 403
    assert another.workspaces() == []


def test_guessing_is_slowed_down(acme: Acme) -> None:
    set_workspace(acme.world, require_sso=True)
    olga = acme.signed_in(OLGA)
    page = olga.get(GLASS)
    for _ in range(10):
        assert olga.submit(GLASS, page, code="wrong").status_code == 403
    slowed = olga.submit(GLASS, page, code="wrong")
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) > 0


def test_who_is_let_in_anyway_needs_no_code(olga: Surfer) -> None:
    assert olga.get(GLASS).headers["Location"].endswith("/w/acme")


def test_who_is_signed_out_signs_in_first(acme: Acme) -> None:
    assert "/login" in Surfer(acme.app).get(GLASS).headers["Location"]
    assert Surfer(acme.app).get("/w/nothing/break-glass").status_code == 303


@pytest.mark.parametrize("slug", ["nothing", "other"])
def test_other_workspaces_show_nothing(acme: Acme, olga: Surfer, slug: str) -> None:
    told = olga.get(f"/w/{slug}/break-glass")
    assert told.status_code == 404


# -- HIPAA -------------------------------------------------------------------------------------------


def test_an_owner_flags_the_workspace_and_unflags_it(acme: Acme, olga: Surfer, send: Send) -> None:
    assert send(f"{PAGE}/hipaa").status_code == 303
    assert "/security/hipaa/stop" in olga.get(PAGE).text
    assert send(f"{PAGE}/hipaa/stop").status_code == 303
    assert "/security/hipaa/stop" not in olga.get(PAGE).text
    assert acme.told()[-2:] == ["workspace.hipaa_flagged", "workspace.hipaa_unflagged"]


def test_what_closed_unused_says_why_and_leads_back_through_the_password(acme: Acme, app: Flask, kim: Surfer) -> None:
    set_workspace(acme.world, hipaa=True)
    page = acme.page_of(KIM)
    assert kim.get(page).status_code == 200
    later = datetime.now(UTC) + timedelta(minutes=16)
    with at(app, later):
        told = kim.get(page)
        assert told.status_code == 403
        assert "Acme was closed after 15 minutes without use" in told.text
        assert kim.workspaces() == []
        found = re.search(r'href="(/login[^"]+)"', told.text)
        assert found is not None
        asked = kim.get(unescape(found[1]))
        assert f'value="{KIM}"' in asked.text
        told = kim.submit("/login", asked, email=KIM, password=PASSWORD, way="password", return_to=page)
        assert told.headers["Location"] == page
        assert kim.get(page).status_code == 200


def test_a_session_that_only_an_idp_vouches_for_is_told_of_what_closed_to_it(
    acme: Acme, app: Flask, company: Company, other: World
) -> None:
    set_workspace(acme.world, hipaa=True)
    surfer = Surfer(app)
    surfer.sign_in(app, company, email="ann@kicks.example")
    with acme.world.context.database.reading() as rows:
        ann = people.find_user_by_email(rows, "ann@kicks.example")
    assert ann is not None
    join(other, ann.key)
    set_workspace(other, hipaa=True)
    with at(app, datetime.now(UTC) + timedelta(minutes=16)):
        told = surfer.get("/w/acme")
        assert told.status_code == 403
        assert f"/saml/{company.connection_id}/login?return_to=/w/acme" in told.text
        assert surfer.get("/w/other").status_code == 404
