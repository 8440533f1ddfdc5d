"""A simulated Twilio with one client and one person, copied from one that was made once: RSA keys are slow to make."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from simulated.openid_provider.endpoints import seat
from simulated.twilio.app import create_app
from simulated.twilio.people import load_people
from simulated.twilio.site import EXTENSION, SESSION_COOKIE, Site, open_site
from tests.simulated.twilio.browser import PASSWORD, URL, Browser
from tests.simulated.twilio.relying_party import CLIENT, RelyingParty

PERSON = {
    "email": "priya.raman@kicks.example",
    "given_name": "Priya",
    "family_name": "Raman",
    "password": PASSWORD,
    "phone": "+14155550100",
}


@dataclass(slots=True)
class Clock:
    """Seconds since 1970, which a test may move on."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder that the others are copies of."""
    state = tmp_path_factory.mktemp("twilio") / "state"
    site = open_site(state, URL, time.time, durable=False)
    site.provider.clients.register(CLIENT)
    load_people(site, [PERSON])
    site.provider.keys.current()
    site.close()
    return state


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(prepared: Path, tmp_path: Path, clock: Clock) -> Iterator[Site]:
    """The site of that state."""
    shutil.copytree(prepared, tmp_path / "state")
    opened = open_site(tmp_path / "state", URL, clock, durable=False)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_app(prepared: Path) -> Iterator[Flask]:
    """One application for all tests, since each would compile its templates anew."""
    site = open_site(prepared, URL, time.time, durable=False)
    made = create_app(site)
    made.testing = True
    yield made
    site.close()


@pytest.fixture
def app(shared_app: Flask, site: Site) -> Flask:
    """The application, for this test's site."""
    shared_app.extensions[EXTENSION] = site
    seat(shared_app, site.provider)
    return shared_app


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    """Makes browsers that know nothing of each other."""
    return lambda: Browser(app)


@pytest.fixture
def visitor(app: Flask) -> Browser:
    """A browser isn't logged in."""
    return Browser(app)


@pytest.fixture
def rp(app: Flask) -> RelyingParty:
    """The client, as it talks to the provider."""
    return RelyingParty(app)


@pytest.fixture
def type_in(site: Site) -> Callable[[Browser], Browser]:
    """Types Priya's password and SMS into the login page that a browser is on."""

    def type_everything(visitor: Browser) -> Browser:
        visitor.send("/login", email=PERSON["email"], password=PASSWORD)
        return visitor.send("/second-factor", code=site.messages.latest("sms")[0].text[:6])

    return type_everything


@pytest.fixture
def log_in(site: Site) -> Callable[[Browser], Browser]:
    """Logs Priya in without a page: a password takes its time to check."""
    priya = site.accounts.find_by_email(PERSON["email"])
    assert priya

    def begin(visitor: Browser) -> Browser:
        secret = site.sessions.begin(priya.id, ("pwd", "sms", "mfa"), "A browser", "127.0.0.1")
        visitor.client.set_cookie(SESSION_COOKIE, secret, domain="127.0.0.1")
        return visitor

    return begin
