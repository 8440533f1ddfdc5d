"""Pages over a small story: acme's owner Olga, Kim who is a plain member, and Priya whom Okta pushes.

Views add no SQL of their own, so their tests run on SQLite only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bridge.domain.directory import DirectoryGroup, DirectoryUser
from bridge.domain.labels import parse_label
from bridge.domain.members import PersonDetails
from bridge.flows.members import find_member_id, get_person
from bridge.flows.resources import ResourceDraft, add_resource
from tests.databases import sqlite_alone
from tests.flows.audit import audit_events
from tests.flows.logins import PASSWORD, account, give_password, join
from tests.web.browsing import Surfer
from tests.world import World, make_world

OLGA, KIM, PRIYA = "olga@acme.example", "kim@acme.example", "priya@acme.example"
engine = sqlite_alone


@dataclass(frozen=True)
class Acme:
    """The workspace with its people, resources and IdP group."""

    world: World
    app: Flask
    eng: DirectoryGroup
    priya: DirectoryUser

    @property
    def actor(self) -> str:
        """Olga, as flows name her."""
        return f"user:{self.world.owner.id}"

    def member_id(self, email: str) -> str:
        """The id in the address of somebody's page."""
        return find_member_id(self.world.context, "acme", email)

    def page_of(self, email: str, page: str = "") -> str:
        """The path of somebody's page."""
        return f"/w/acme/users/{self.member_id(email)}{page}"

    def person(self, email: str) -> PersonDetails:
        """What is stored of somebody."""
        return get_person(self.world.context, "acme", self.member_id(email), self.world.now)

    def told(self) -> list[str]:
        """The kinds of event in the audit trail, in order."""
        return [kind for _, kind, _ in audit_events(self.world.context)]

    def signed_in(self, email: str) -> Surfer:
        """A browser in which somebody has signed in by password."""
        surfer = Surfer(self.app)
        assert surfer.enter_password(email, PASSWORD).status_code == 303
        return surfer


@pytest.fixture
def acme(world: World, app: Flask) -> Acme:
    """The story."""
    give_password(world, world.owner.key)
    join(world, account(world, KIM, password=PASSWORD))
    for kind, name, *labels in (
        ("source", "iOS Prod", "environment:prod"),
        ("source", "Website"),
        ("warehouse", "Snowflake"),
    ):
        draft = ResourceDraft(kind, name, name.lower().replace(" ", "-"), frozenset(map(parse_label, labels)))
        add_resource(world.context, "operator", "acme", draft, world.now)
    priya = world.push(PRIYA, name="Priya Raman")
    return Acme(world, app, world.push_group("eng-mobile", priya), priya)


@pytest.fixture
def olga(acme: Acme) -> Surfer:
    """The owner's browser."""
    return acme.signed_in(OLGA)


@pytest.fixture
def kim(acme: Acme) -> Surfer:
    """The browser of a member who is no owner."""
    return acme.signed_in(KIM)


@pytest.fixture
def other(acme: Acme) -> World:
    """Another company's workspace."""
    return make_world(acme.world.context.database, acme.world.now, slug="other", owner="o@other.example")


def carried_by(page: TestResponse) -> dict[str, str]:
    """What the forms of a page carry along that nobody types."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text.partition("<main")[2])
    return {name: unescape(value) for name, value in found if name != "csrf_token"}


Send = Callable[..., TestResponse]


@pytest.fixture
def send(olga: Surfer) -> Send:
    """Send one of Olga's forms: `send(path, field=value)`; what isn't typed is that of the page at the path."""

    def sent(path: str, shown_at: str | None = None, **fields: object) -> TestResponse:
        shown = olga.get(shown_at or path)
        assert shown.status_code == 200, shown.text
        carried = carried_by(shown) if shown_at is None else {}
        return olga.submit(path, shown, **{**carried, **fields})  # type: ignore[arg-type]  # lists of ticked boxes too

    return sent
