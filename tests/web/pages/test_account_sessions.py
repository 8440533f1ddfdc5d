"""`/account/sessions`: where one is signed in, and ending it."""

import re

import pytest
from flask import Flask

from tests.flows.logins import PASSWORD, prove_domain
from tests.web.browsing import Company, Surfer
from tests.web.pages.conftest import KIM, OLGA, Acme

PAGE = "/account/sessions"
FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def laptop(acme: Acme) -> Surfer:
    """Another browser of Kim's."""
    surfer = Surfer(acme.app)
    surfer.client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    assert surfer.enter_password(KIM, PASSWORD).status_code == 303
    return surfer


def ends(html: str) -> list[str]:
    return re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', html)


def test_each_is_told_by_device_address_and_way(kim: Surfer, laptop: Surfer, olga: Surfer) -> None:
    html = kim.get(PAGE).text
    assert "2 sessions" in html
    assert "Firefox on macOS" in html
    assert html.count("<code>127.0.0.1</code>") == 2
    assert html.count("<dd>Password</dd>") == 2
    assert html.index("This session") < html.index("Firefox on macOS")
    assert len(ends(html)) == 1


def test_by_which_connection_one_came_is_told(acme: Acme, app: Flask, company: Company) -> None:
    prove_domain(acme.world, "acme.example")
    surfer = Surfer(app)
    surfer.sign_in(app, company, email=OLGA, name_id=OLGA)
    assert re.findall(r"Signed in by</dt><dd>(.*?)<", surfer.get(PAGE).text) == ["Kicks IdP"]


def test_one_is_ended_and_signed_out_at_its_next_request(kim: Surfer, laptop: Surfer) -> None:
    shown = kim.get(PAGE)
    [end] = ends(shown.text)
    told = kim.submit(end, shown)
    assert "1 session ended" in kim.get(told.headers["Location"]).text
    assert laptop.session() is None
    assert "You have been signed out" in laptop.get("/login").text
    assert kim.workspaces() == ["acme"]
    assert kim.submit(end, shown).status_code == 404


def test_all_others_are_ended(kim: Surfer, laptop: Surfer, olga: Surfer) -> None:
    told = kim.submit(f"{PAGE}/end-others", kim.get(PAGE))
    assert "1 session ended" in kim.get(told.headers["Location"]).text
    assert (laptop.session(), olga.workspaces(), kim.workspaces()) == (None, ["acme"], ["acme"])
    assert "other session</button>" not in kim.get(PAGE).text


def test_all_are_ended_and_this_browser_is_signed_out(kim: Surfer, laptop: Surfer) -> None:
    told = kim.submit("/logout", kim.get(PAGE), everywhere="1")
    assert told.headers["Location"] == "/login"
    assert (kim.session(), laptop.session()) == (None, None)


def test_nobody_ends_anothers(kim: Surfer, laptop: Surfer, olga: Surfer) -> None:
    [end] = ends(kim.get(PAGE).text)
    assert olga.submit(end, olga.get(PAGE)).status_code == 404
    assert laptop.workspaces() == ["acme"]


def test_a_form_of_another_site_ends_nothing(kim: Surfer, laptop: Surfer) -> None:
    [end] = ends(kim.get(PAGE).text)
    for path in (end, f"{PAGE}/end-others", "/logout"):
        assert kim.client.post(path, data={"everywhere": "1"}).status_code == 400
    assert laptop.workspaces() == ["acme"]


def test_a_company_that_proved_no_domain_is_sent_another_way(app: Flask, acme: Acme, company: Company) -> None:
    surfer = Surfer(app)
    surfer.sign_in(app, company, email="ann@kicks.example")
    assert surfer.get(PAGE).status_code == 403
    logout = surfer.get("/logout")
    assert surfer.submit(f"{PAGE}/end-others", logout).status_code == 403
    assert surfer.submit("/logout", logout, everywhere="1").status_code == 403
    assert surfer.workspaces() == ["acme"]


def test_signed_out_one_signs_in_and_comes_back(app: Flask, acme: Acme) -> None:
    told = Surfer(app).get(PAGE)
    assert told.headers["Location"] == "/login?return_to=/account/sessions"


@pytest.mark.parametrize("ended", ["-1", "x", "²", "9" * 5000], ids=["negative", "letter", "exponent", "long"])
def test_what_ended_is_told_as_a_number_or_not_at_all(kim: Surfer, ended: str) -> None:
    told = kim.get(PAGE, ended=ended)
    assert told.status_code == 200
    assert "ended</h2>" not in told.text
