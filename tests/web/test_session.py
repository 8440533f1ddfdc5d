"""`/session`, `/logout`, and what stands around every answer."""

from dataclasses import replace

import pytest
from flask import Flask

from bridge.app import create_web
from bridge.flows.context import OPERATOR
from bridge.flows.sessions import find_session
from bridge.storage.changes import changing
from bridge.storage.people import end_membership
from tests.flows.logins import PASSWORD, account, join, set_workspace
from tests.saml.idp import KICKS, TestIdp
from tests.web.browsing import Company, Surfer, connect, token_in
from tests.world import World, make_world

MEI = "mei@kicks.example"
HTTPS = "https://bridge.example"


def test_signed_out_is_401_in_json(surfer: Surfer) -> None:
    told = surfer.get("/session")
    assert told.status_code == 401
    assert told.get_json()["error"]["code"] == "signed_out"


def test_the_keys_are_those_that_programs_rely_on(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    said = surfer.session()
    assert list(said) == ["authenticated_by", "user", "workspaces"]
    assert sorted(said["user"]) == ["email", "id", "name"]
    assert [sorted(workspace) for workspace in said["workspaces"]] == [["id", "owner", "slug"]]
    assert [sorted(one) for one in said["authenticated_by"]] == [["at", "connection", "groups", "kind"]]


def test_a_session_shows_only_the_workspaces_it_reaches(world: World, app: Flask, surfer: Surfer) -> None:
    company = connect(world.context, "acme", name="One")
    other = make_world(world.context.database, world.now, slug="other", owner="o@other.example")
    theirs = connect(world.context, "other", TestIdp(entity_id="https://two.example", key=KICKS.key), name="Two")
    key = account(world, MEI, password=PASSWORD)
    for one in (world, other):
        join(one, key)
    surfer.sign_in(app, company)
    assert surfer.workspaces() == ["acme"]
    surfer.sign_in(app, theirs)
    assert surfer.workspaces() == ["acme", "other"]
    assert {one["connection"] for one in surfer.session()["authenticated_by"]} == {
        company.connection_id,
        theirs.connection_id,
    }


def test_what_one_workspaces_idp_says_reaches_no_other(world: World, app: Flask, surfer: Surfer) -> None:
    other = make_world(world.context.database, world.now, slug="other", owner=MEI)
    company = connect(world.context, "acme", name="One")
    told = surfer.sign_in(app, company, email=MEI)
    assert told.headers["Location"].startswith("/prove/")
    assert surfer.session() is None
    assert other.owner.email == MEI


def test_another_person_replaces_the_session(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    surfer.sign_in(app, company, email="ines@kicks.example")
    assert surfer.session()["user"]["email"] == "ines@kicks.example"


def test_an_owner_is_shown_as_one(world: World, surfer: Surfer) -> None:
    owner = make_world(world.context.database, world.now, slug="mine", owner="me@mine.example")
    join(world, account(world, "her@mine.example", password=PASSWORD))
    surfer.enter_password("her@mine.example", PASSWORD)
    assert [workspace["owner"] for workspace in surfer.session()["workspaces"]] == [False]
    assert owner.workspace.slug == "mine"


@pytest.mark.parametrize("why", ["removed", "plan"])
def test_what_ends_a_membership_ends_the_session(
    world: World, app: Flask, company: Company, surfer: Surfer, why: str
) -> None:
    surfer.sign_in(app, company)
    assert surfer.session() is not None
    if why == "plan":
        set_workspace(world, plan="free")
    else:
        with changing(world.context.database, OPERATOR, world.now) as change:
            end_membership(change, _membership_key(world, surfer))
    assert surfer.session() is None


def _membership_key(world: World, surfer: Surfer) -> int:
    cookie = surfer.client.get_cookie("bridge_session")
    assert cookie is not None
    found = find_session(world.context, cookie.value, world.now)
    assert found is not None
    return found.workspaces[0].membership_key


def test_two_processes_see_the_same_session(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    cookie = surfer.client.get_cookie("bridge_session")
    assert cookie is not None
    another = Surfer(create_web(world.context))
    another.client.set_cookie("bridge_session", cookie.value)
    assert another.workspaces() == ["acme"]


def test_over_https_no_neighbour_can_put_a_session_into_a_browser(world: World) -> None:
    account(world, MEI, password=PASSWORD)
    client = create_web(replace(world.context, public_url=HTTPS)).test_client()

    def session(**cookies: str) -> int:
        for name, value in cookies.items():
            client.set_cookie(name, value, domain="bridge.example", secure=True)
        return client.get("/session", base_url=HTTPS).status_code

    shown = client.get("/login?way=password", base_url=HTTPS)
    form = {"csrf_token": token_in(shown), "email": MEI, "password": PASSWORD, "way": "password"}
    told = client.post("/login", data=form, base_url=HTTPS, headers={"Referer": f"{HTTPS}/login"})
    assert told.status_code == 303
    names = [cookie.partition("=")[0] for cookie in told.headers.getlist("Set-Cookie")]
    assert all(name.startswith("__Host-bridge_") for name in names)
    assert session() == 200
    kept = client.get_cookie("__Host-bridge_session", domain="bridge.example")
    assert kept is not None
    client.delete_cookie("__Host-bridge_session", domain="bridge.example")
    assert session(bridge_session=kept.value) == 401


# -- The way out -------------------------------------------------------------------------------------


def test_signing_out_takes_a_button(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    shown = surfer.get("/logout")
    assert MEI in shown.text
    assert surfer.session() is not None
    told = surfer.submit("/logout", shown)
    assert told.headers["Location"] == "/login"
    assert surfer.session() is None
    assert surfer.client.get_cookie("bridge_session") is None


def test_a_kept_cookie_is_worth_nothing_after_it(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    cookie = surfer.client.get_cookie("bridge_session")
    assert cookie is not None
    surfer.submit("/logout", surfer.get("/logout"))
    surfer.client.set_cookie("bridge_session", cookie.value)
    assert surfer.session() is None


def test_another_site_cannot_sign_one_out(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    assert surfer.client.post("/logout").status_code == 400
    assert surfer.session() is not None


def test_signed_out_already_is_no_error(surfer: Surfer) -> None:
    shown = surfer.get("/logout")
    assert "You are signed out" in shown.text


# -- Around --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nothing", "/session/x", "/saml/x", "/%00", "/%FF", "/static/../app.py"])
def test_what_is_not_there_is_a_page_with_404(surfer: Surfer, path: str) -> None:
    told = surfer.get(path)
    assert told.status_code == 404
    assert "There is nothing at this address" in told.text


def test_static_files_may_be_kept_for_a_year(surfer: Surfer) -> None:
    with surfer.get("/static/bridge.css") as told:
        assert told.status_code == 200
        assert "max-age=31536000" in told.headers["Cache-Control"]


def test_more_than_the_bridge_takes_is_413(surfer: Surfer) -> None:
    told = surfer.client.post("/login", data=b"x" * (11 * 2**20), content_type="application/x-www-form-urlencoded")
    assert told.status_code == 413


def test_what_is_unexpected_is_a_page_with_a_reference(
    app: Flask, surfer: Surfer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret detail")

    monkeypatch.setattr("bridge.web.current.find_session", fail)
    told = surfer.get("/session")
    assert told.status_code == 500
    assert "the secret detail" not in told.text
    assert "Something went wrong here" in told.text
    assert "the secret detail" in caplog.text


def test_liveness_and_readiness(surfer: Surfer) -> None:
    assert surfer.get("/healthz").status_code == 200
    assert surfer.get("/readyz").status_code in (200, 503)
