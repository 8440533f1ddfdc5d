"""Signing up and logging in by Google: the simulated one, over real HTTP."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from simulated.google.app import create_app
from simulated.google.site import Site as GoogleSite
from simulated.twilio.site import EXTENSION, Site
from tests.simulated.twilio.at_google import listening, registration
from tests.simulated.twilio.browser import PASSWORD, Browser
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.relying_party import RelyingParty


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleSite]:
    with listening(tmp_path_factory.mktemp("google") / "state") as site:
        yield site


@pytest.fixture(scope="module")
def google_app(google: GoogleSite) -> Flask:
    return create_app(google)


@pytest.fixture
def app(app: Flask, site: Site, google: GoogleSite) -> Flask:
    """Twilio, which knows that Google."""
    app.extensions[EXTENSION] = dataclasses.replace(site, google=registration(google))
    return app


@pytest.fixture
def at_google(google_app: Flask, google: GoogleSite) -> Browser:
    """The other window of the browser: it is at Google."""
    return Browser(google_app, google.public_url)


def choose(at_google: Browser, visitor: Browser, email: str) -> str:
    """Chooses somebody where Twilio sent the browser; the address of Twilio that Google sends it back to."""
    at_google.get(visitor.way[-1])
    before = at_google.page.text.partition(f"<small>{email}</small>")[0]
    at_google.send("/choose", account=before.rpartition('name="account" value="')[2].partition('"')[0])
    return at_google.way[-1]


def test_the_first_time_makes_an_account_and_the_second_finds_it(
    visitor: Browser, at_google: Browser, site: Site
) -> None:
    for _ in range(2):
        visitor.get("/sign-up").send("/google")
        visitor.get(choose(at_google, visitor, "noor.haddad@kicks.example"))
        assert visitor.shows("Welcome, Noor")
        visitor.send("/logout")
    made = site.accounts.find_by_email("noor.haddad@kicks.example")
    assert made
    assert (made.password_hash, made.factor) == (None, None)


def test_a_disabled_account_isn_t_opened(visitor: Browser, at_google: Browser, google: GoogleSite, site: Site) -> None:
    (noor,) = (person for person in google.accounts.all() if person.given_name == "Noor")
    site.accounts.create(noor.email, "Noor", "Haddad", google_subject=noor.id, active=0)
    visitor.get("/login").send("/google")
    assert visitor.get(choose(at_google, visitor, noor.email)).shows("disabled")


def test_a_client_that_waits_gets_its_answer(visitor: Browser, at_google: Browser, rp: RelyingParty) -> None:
    visitor.get(rp.request()).send("/google")
    visitor.get(choose(at_google, visitor, "noor.haddad@kicks.example"))
    claims = rp.read(rp.tokens(visitor.get(visitor.link("/oauth2/authorize")))["id_token"]).claims
    assert (claims["email"], claims["name"]) == ("noor.haddad@kicks.example", "Noor Haddad")


def test_an_address_with_a_password_isn_t_taken_over(visitor: Browser, at_google: Browser) -> None:
    visitor.get("/login").send("/google")
    visitor.get(choose(at_google, visitor, PERSON["email"]))
    assert (visitor.status, visitor.shows("has a Twilio account with a password")) == (422, True)
    assert visitor.get("/console").way


def test_an_answer_counts_in_the_browser_that_asked(
    visitor: Browser, at_google: Browser, new_browser: Callable[[], Browser]
) -> None:
    visitor.get("/login").send("/google")
    back = choose(at_google, visitor, "noor.haddad@kicks.example")
    other = new_browser()
    assert other.get(back).status == 410
    other.get("/login").send("/google")
    assert other.get(back).status == 403
    assert other.get("/console").way


@pytest.mark.parametrize(
    "changed",
    [("state=", "state=x"), ("code=", "code=x"), ("iss=http", "iss=https"), ("code=", "nothing=")],
    ids=["state", "code", "issuer", "no-code"],
)
def test_a_changed_answer_is_refused(visitor: Browser, at_google: Browser, changed: tuple[str, str]) -> None:
    visitor.get("/login").send("/google")
    back = choose(at_google, visitor, "noor.haddad@kicks.example")
    assert visitor.get(back.replace(*changed)).status == 403
    assert visitor.get("/console").way


@pytest.mark.parametrize("name", ["nonce", "verifier"])
def test_an_answer_to_another_question_is_refused(visitor: Browser, at_google: Browser, site: Site, name: str) -> None:
    visitor.get("/login").send("/google")
    back = choose(at_google, visitor, "noor.haddad@kicks.example")
    with site.file.transaction() as db:
        db.execute("UPDATE steps SET document = json_set(document, ?, ?)", (f"$.{name}", "x" * 43))
    assert visitor.get(back).status == 403
    assert visitor.get("/console").way


def test_a_password_set_by_mail_asks_for_a_second_factor_first(
    visitor: Browser, at_google: Browser, site: Site
) -> None:
    visitor.get("/login").send("/google")
    visitor.get(choose(at_google, visitor, "noor.haddad@kicks.example"))
    visitor.get("/forgotten-password").send("/forgotten-password", email="noor.haddad@kicks.example")
    visitor.get(site.messages.latest("mail")[0].link).send("", password=PASSWORD)
    visitor.send("/login", email="noor.haddad@kicks.example", password=PASSWORD)
    assert visitor.shows("Set up a second factor")
    assert visitor.get("/console").way


def test_a_new_account_is_made_at_google(at_google: Browser, google: GoogleSite) -> None:
    at_google.get("/").send("/add", given_name="Ada", family_name="", email="ada@kicks.example")
    assert "ada@kicks.example" in {person.email for person in google.accounts.all()}
    assert at_google.get("/").send("/add", given_name="Ada", email="x").status == 422
