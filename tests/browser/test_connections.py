"""Connections as their owner sees them in Chromium: each page readable and fitting; made, switched on, rotated."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.app import create_web
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.connect_oidc import GOOGLE, OidcDraft, create_oidc
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain
from bridge.flows.outside import NOWHERE
from bridge.outside.calls import Calls
from bridge.storage.database import Database
from oidc.provider import Provider
from tests.browser.acme import make_acme, sign_in
from tests.browser.conftest import NewPage, served
from tests.browser.looking import Looker
from tests.saml import idp
from tests.world import World

pytestmark = pytest.mark.browser

URL = "https://idp.kicks.example/metadata"
LOOKS = [(360, "dark"), pytest.param(1440, "light", marks=pytest.mark.long)]


def metadata_everywhere(url: str, *, timeout: float, max_bytes: int) -> bytes:
    """Whatever address one names, the company's metadata is there."""
    return idp.KICKS.metadata


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password, with a connection that is on and one that is off."""
    world = make_acme(database)
    for name, enabled in (("Kicks IdP", True), ("Second IdP", False)):
        draft = SamlDraft(idp.KICKS.metadata, name=name, preset="okta", enabled=enabled, metadata_url=URL)
        made = create_saml(world.context, OPERATOR, "acme", draft, world.now)
        add_domain(world.context, OPERATOR, "acme", f"{name.split()[0].lower()}.example", made.id, world.now)
    facts = Provider(GOOGLE, f"{GOOGLE}/authorize", f"{GOOGLE}/token", f"{GOOGLE}/keys")
    create_oidc(
        world.context, OPERATOR, "acme", OidcDraft(GOOGLE, "our-id", "a-secret", name="Google"), facts, world.now
    )
    return world


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served."""
    with served(create_web(world.context, replace(NOWHERE, fetch=metadata_everywhere, errands=Calls()))) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_of_connections_is_accessible_and_fits(
    address: str, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    sign_in(page, address)
    look = Looker(page, screenshots, f"connection-{width}-{scheme}")

    page.goto(f"{address}/w/acme/connections")
    look.here("list")
    for link in ("new", "new/saml/okta", "new/saml/entra", "new/saml/google", "new/oidc/google"):
        page.goto(f"{address}/w/acme/connections/{link}")
        look.here(link.replace("/", "-"))
    page.goto(f"{address}/w/acme/connections/new/saml/generic")
    page.get_by_label("By its fields").check()
    look.here("new-fields")
    page.goto(f"{address}/w/acme/connections")
    page.get_by_role("link", name="Second IdP").click()
    look.here("off")
    page.get_by_role("link", name="Connections", exact=True).last.click()
    page.get_by_role("link", name="Kicks IdP").click()
    one = page.url
    look.here("one")
    for part in ("settings", "certificates", "certificates/replace", "disable", "delete"):
        page.goto(f"{one}/{part}")
        look.here(part.replace("/", "-"))
    page.goto(f"{address}/w/acme/connections")
    page.get_by_role("link", name="Google").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Google Workspace domain")).to_be_visible()
    look.here("oidc-settings")
    page.goto(f"{one}/certificates")
    page.get_by_role("button", name="Make the next key").click()
    expect(page.get_by_role("heading", name="Next key")).to_be_visible()
    look.here("next-key")
    page.get_by_role("link", name="Use the next key").click()
    look.here("finish")


def test_a_connection_is_made_without_script(address: str, new_page: NewPage) -> None:
    page = new_page(script=False)
    sign_in(page, address)
    page.goto(f"{address}/w/acme/connections")
    page.get_by_role("link", name="New connection").click()
    page.get_by_role("link", name="Okta An app integration").first.click()
    expect(page.get_by_label("Metadata file", exact=True)).to_be_hidden()
    page.get_by_label("By a metadata file").check()
    page.get_by_label("Metadata file", exact=True).set_input_files(
        {"name": "metadata.xml", "mimeType": "text/xml", "buffer": idp.KICKS.metadata}
    )
    page.get_by_label("Name", exact=True).fill("Okta of Acme")
    page.get_by_role("button", name="Make the connection").click()
    expect(page.get_by_role("heading", name="Okta of Acme", level=1)).to_be_visible()
    page.get_by_role("link", name="Switch on… Okta of Acme").click()
    page.get_by_role("button", name="Switch Okta of Acme on").click()
    expect(page.get_by_text("On", exact=True)).to_be_visible()


def test_copying_an_address_copies_it(address: str, new_page: NewPage, world: World) -> None:
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    sign_in(page, address)
    page.goto(f"{address}/w/acme/connections/new/saml/okta")
    page.get_by_role("button", name="Copy Single sign-on URL").click()
    expect(page.get_by_role("button", name="Copied Single sign-on URL")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/acs")
