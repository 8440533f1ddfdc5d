"""Four sites that listen: Twilio and its Google, the bridge, and the IdP of a company whose domain is proved.

The bridge is on localhost, the others on 127.0.0.1, so that cookies and form-action are as between real sites. Twilio
pushes events as it does by itself; what the bridge was asked is kept, as Twilio keeps what it was.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from playwright.sync_api import Page, expect

from bridge.app import create_web
from bridge.flows.context import OPERATOR, TwilioClient
from bridge.flows.deliver import deliver_due
from bridge.flows.outside import NOWHERE
from bridge.outside.calls import OF_TWILIO, Calls
from bridge.storage import people, twilio
from bridge.storage.changes import changing
from bridge.storage.database import Database
from simulated.openid_provider.outbox import Post
from simulated.serving import listen
from simulated.twilio.accounts import Account
from simulated.twilio.app import create_app
from simulated.twilio.people import load_people
from simulated.twilio.site import SESSION_COOKIE, Site, open_site
from tests.browser.conftest import served
from tests.browser.test_signing_in import CompanyIdp, disable_first_connection
from tests.flows.logins import account, join, prove_domain
from tests.flows.mailer import KeptMail
from tests.saml.idp import TestIdp
from tests.simulated.twilio.at_google import listening as google_listening
from tests.simulated.twilio.at_google import registration
from tests.simulated.twilio.browser import PASSWORD
from tests.simulated.twilio.listening import address, serving
from tests.simulated.twilio.relying_party import SECRET
from tests.web.browsing import connect
from tests.world import World, make_world

HERE = "a-sentence-for-the-bridge"  # Priya's password, where she has one there
ADA, NEW = "ada@else.example", "mei.lind@else.example"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came to the bridge; `fields`: the names of the form's fields that were filled in."""

    method: str
    path: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """The sites' addresses, and what is behind them; `outside`: the bridge's turns to call Twilio."""

    bridge: str
    twilio: str
    world: World
    site: Site
    outside: Calls
    asked: list[Asked] = field(default_factory=list)

    # -- Who there is --------------------------------------------------------------------------------

    def at_twilio(self, email: str = ADA) -> Account:
        """Somebody has an account there, and an SMS for its second factor."""
        named = {"email": email, "given_name": "Ada", "family_name": "Byron", "password": PASSWORD}
        load_people(self.site, [named | {"phone": "+442079460001"}])
        found = self.site.accounts.find_by_email(email)
        assert found
        return found

    def here(self, email: str = ADA) -> int:
        """Somebody has an account here, with a password, and is a member of acme. Returns its key."""
        key = account(self.world, email, password=HERE)
        join(self.world, key)
        return key

    def linked(self, page: Page, email: str = ADA, *, password: bool = True) -> Account:
        """Both, linked, and the browser is logged in at Twilio and here."""
        there = self.at_twilio(email)
        key = account(self.world, email, password=HERE if password else None)
        join(self.world, key)
        with changing(self.world.context.database, OPERATOR, self.world.now) as change:
            assert twilio.link(change, key, there.id)
        self.log_in_there(page, there)
        page.goto(f"{self.bridge}/twilio/login")
        page.wait_for_url(f"{self.bridge}/w/acme**")
        return there

    def log_in_there(self, page: Page, there: Account) -> None:
        """Without a page."""
        secret = self.site.sessions.begin(there.id, ("pwd", "sms", "mfa"), "Firefox on Linux", "127.0.0.1")
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": self.twilio}])

    # -- What they see -------------------------------------------------------------------------------

    def session(self, page: Page) -> Any:
        """What `/session` says; None when signed out."""
        told = page.request.get(f"{self.bridge}/session")
        return told.json() if told.ok else None

    def ways(self, page: Page) -> list[str]:
        """How the browser's session was authenticated."""
        said = self.session(page)
        return sorted(one["kind"] for one in said["authenticated_by"]) if said else []

    def mailed(self, kind: str) -> str:
        """The address of the last link that the bridge mailed, by its path's beginning."""
        mailer = KeptMail()
        deliver_due(self.world.context, mailer, datetime.now(UTC) + timedelta(seconds=1))
        found = [re.search(rf"{self.bridge}{kind}\S+", mail.text) for mail in mailer.sent]
        return [one[0] for one in found if one][-1]

    def code(self) -> str:
        """What the last SMS says."""
        return self.site.messages.latest("sms")[0].text[:6]

    def until(self, page: Page, text: str) -> None:
        """An event that Twilio pushed has arrived, and the page shows what it says."""
        deadline = time.monotonic() + 20
        while page.get_by_text(text).count() == 0 and time.monotonic() < deadline:
            time.sleep(0.2)
            page.reload()
        expect(page.get_by_text(text).first).to_be_visible()


@contextmanager
def setting(database: Database, prepared: Path, folder: Path) -> Iterator[Stage]:
    """All of it, for the length of a block."""
    front, asked, site_of_company = Flask("front"), [], CompanyIdp()
    with ExitStack() as stack:
        company = stack.enter_context(served(site_of_company.app))
        own = f"http://localhost:{urlsplit(stack.enter_context(served(front))).port}"
        site = stack.enter_context(_twilio(prepared, folder, own))
        world = _world(database, site.public_url, own)
        disable_first_connection(world)
        site_of_company.company = connect(world.context, "acme", TestIdp(base_url=company), name="Kicks")
        calls = Calls(slots=OF_TWILIO, most=OF_TWILIO, of_one=OF_TWILIO)
        bridge = create_web(world.context, replace(NOWHERE, twilio=calls))
        bridge.before_request(lambda: asked.append(_read_request()))
        front.wsgi_app = bridge.wsgi_app  # type: ignore[method-assign]
        yield Stage(own, site.public_url, world, site, calls, asked)


def _read_request() -> Asked:
    return Asked(request.method, request.path, tuple(sorted(name for name, value in request.form.items() if value)))


def _world(database: Database, issuer: str, own: str) -> World:
    made = make_world(database, datetime.now(UTC))
    context = replace(made.context, public_url=own, twilio=TwilioClient(issuer, "segment", SECRET))
    world = replace(made, context=context)
    prove_domain(world, "kicks.example")
    return world


@contextmanager
def _twilio(state: Path, folder: Path, bridge: str) -> Iterator[Site]:
    listener = listen(0)
    here = address(listener)
    with google_listening(folder / "google", here) as google:
        site = open_site(state, here, time.time, registration(google), durable=False)
        site.provider.clients.register(client_of(bridge))
        post = Post(site.provider.outbox, pause=0.1)
        try:
            with serving(create_app(site), listener):
                yield site
        finally:
            post.close()
            site.close()


def client_of(bridge: str, *, events: bool = True) -> dict[str, Any]:
    """The bridge as Twilio's client; without `events` it is told of none."""
    own = f"{bridge}/twilio"
    client = {
        "client_id": "segment",
        "client_secret": SECRET,
        "client_name": "Segment",
        "redirect_uris": [f"{own}/callback"],
        "post_logout_redirect_uris": [f"{bridge}/login"],
        "initiate_login_uri": f"{own}/login",
        "target_link_uri": f"{bridge}/",
        "backchannel_logout_uri": f"{own}/backchannel-logout",
    }
    return client | ({"event_endpoint": f"{own}/events", "event_token": "not needed"} if events else {})


def set_name(world: World, key: int, name: str) -> None:
    """The account's own name here."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, key, name=name)
