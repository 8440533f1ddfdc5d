"""acme, whose owner Olga has a password, and how she signs in with it in Chromium."""

from datetime import UTC, datetime

from playwright.sync_api import Page

from bridge.storage.database import Database
from tests.flows.logins import PASSWORD, give_password
from tests.world import World, make_world

OLGA = "olga@acme.example"


def make_acme(database: Database) -> World:
    """The workspace, now: browsers have no other time."""
    world = make_world(database, datetime.now(UTC), owner=OLGA)
    give_password(world, world.owner.key)
    return world


def sign_in(page: Page, address: str, email: str = OLGA, *, password: str = PASSWORD) -> None:
    """Somebody signs in, and arrives at acme's pages."""
    page.set_default_timeout(10_000)
    page.goto(f"{address}/login?way=password&return_to=/w/acme")
    page.get_by_label("Email").fill(email)
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/w/acme/**")
