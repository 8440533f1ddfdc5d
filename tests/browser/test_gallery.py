"""Every page of the gallery: readable, reachable by keyboard, inside its policy, at both widths and in both themes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect

from tests.axe import axe_finds
from tests.browser.conftest import NewPage, served
from tests.browser.gallery import create_gallery
from tests.browser.looking import too_wide
from tests.browser.samples import FRAGMENTS, SAMPLES

pytestmark = pytest.mark.browser

# One of each kind of page; the others are looked at in the long run.
PAGES = {"users", "person", "user-group", "token-new", "invite", "login", "confirm", "scim-log", "sign-in-attempt"}
Scheme = Literal["light", "dark"]
WIDTHS = (1440, 1200, 1024, 360)
#: At these widths axe looks, in these themes; the short run leaves that to the demo's pages (test_demo.py).
LOOKS: dict[int, tuple[Scheme, ...]] = {1440: ("light", "dark"), 360: ("light", "dark")}


@pytest.fixture(scope="module")
def gallery() -> Flask:
    """The app of samples."""
    return create_gallery()


@pytest.fixture(scope="module")
def address(gallery: Flask) -> Iterator[str]:
    """Where the gallery is served."""
    with served(gallery) as address:
        yield address


@pytest.fixture
def client(gallery: Flask) -> FlaskClient:
    """The gallery without a browser."""
    return gallery.test_client()


@pytest.mark.parametrize(
    "name", [name if name in PAGES else pytest.param(name, marks=pytest.mark.long) for name in SAMPLES]
)
def test_page_is_sound_at_both_widths_and_in_both_themes(
    name: str, address: str, new_page: NewPage, screenshots: Path | None, pytestconfig: pytest.Config
) -> None:
    looks = LOOKS if pytestconfig.getoption("--long") or screenshots else {}
    page = new_page()
    page.goto(f"{address}/p/{name}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert too_wide(page) == [], width
        for scheme in looks.get(width, ()):
            page.emulate_media(color_scheme=scheme)
            if screenshots:
                page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
            # A theme changes colours and nothing else.
            assert axe_finds(page, *(("color-contrast",) if scheme == "dark" else ())) == [], (width, scheme)


@pytest.mark.parametrize("name", SAMPLES)
def test_skip_link_comes_first_and_leads_to_the_content(name: str, client: FlaskClient) -> None:
    body = client.get(f"/p/{name}").text.partition("<body")[2]
    first = re.search(r"<(?:a|button|input|select|textarea|summary)\b[^>]*>", body)
    assert first
    assert first[0] == '<a class="b-skip" href="#main">'
    assert len(re.findall(r'<main [^>]*id="main" tabindex="-1">', body)) == 1


def test_skip_link_moves_the_focus(address: str, new_page: NewPage) -> None:
    page = new_page(script=False)
    for name in ("users", "login"):
        page.goto(f"{address}/p/{name}")
        page.locator("body").press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to content")
        page.keyboard.press("Enter")
        expect(page.locator("main#main:focus")).to_have_count(1)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_link_of_a_page_leads_somewhere(name: str, client: FlaskClient) -> None:
    html = client.get(f"/p/{name}").text
    links = {link.replace("&amp;", "&") for link in re.findall(r'(?:href|hx-get)="(/(?!static)[^"]+)"', html)}
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    assert not re.search(r'href="#?"', html)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_post_form_carries_the_csrf_token(name: str, client: FlaskClient) -> None:
    html = client.get(f"/p/{name}").text
    forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert all('name="csrf_token" value="sample-token"' in form for form in forms)
    assert not re.search(r'\son\w+="|\sstyle="|<script>|<style', html)


def test_theme_switch_offers_the_other_theme_and_works_without_script(address: str, new_page: NewPage) -> None:
    page = new_page(scheme="dark", script=False)
    page.goto(f"{address}/p/user-groups?page=2")
    expect(page.get_by_role("button", name="Switch to dark")).to_be_hidden()
    page.get_by_role("button", name="Switch to light").click()
    expect(page).to_have_url(f"{address}/p/user-groups?page=2")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_role("button", name="Switch to dark")).to_be_visible()


@pytest.mark.long
def test_chosen_dark_theme_is_sound_on_a_light_device(address: str, new_page: NewPage) -> None:
    page = new_page()
    for name in ("users", "person", "invite-wrong", "token-made"):
        page.context.add_cookies([{"name": "theme", "value": "dark", "url": address}])
        page.goto(f"{address}/p/{name}")
        assert axe_finds(page) == []


def test_choosing_a_person_swaps_the_summary_and_keeps_an_address(address: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{address}/p/users")
    page.get_by_role("link", name="Summary of Tomás Herrera").click()
    expect(page.locator("#summary")).to_contain_text("Tomás Herrera")
    expect(page.locator("tr.is-selected")).to_contain_text("Tomás Herrera")
    expect(page).to_have_url(f"{address}/p/users?selected=1")
    assert axe_finds(page) == []
    page.go_back()
    expect(page.locator("tr.is-selected")).to_contain_text("Priya Raman")
    expect(page.locator("#summary")).to_contain_text("Priya Raman")


def test_click_in_a_row_shows_that_persons_summary(address: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{address}/p/users")
    page.get_by_text("Source Admin (2), 2 more roles").click()
    expect(page.locator("tr.is-selected")).to_contain_text("Tomás Herrera")
    expect(page.locator("#summary")).to_contain_text("Tomás Herrera")


def test_search_swaps_the_rows_and_leaves_the_focus_in_the_field(address: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{address}/p/users")
    page.evaluate("document.querySelector('tbody tr').dataset.old = 'yes'")
    page.evaluate("document.querySelector('#found').textContent = ''")
    page.get_by_label("Search people").press_sequentially("priya")
    expect(page.locator("tr[data-old]")).to_have_count(0)
    expect(page.get_by_label("Search people")).to_be_focused()
    expect(page.locator("#found")).to_have_text("318 found")
    expect(page).to_have_url(re.compile(r"/p/users\?q=priya&"))


def test_filters_work_without_script(address: str, new_page: NewPage) -> None:
    page = new_page(script=False)
    page.goto(f"{address}/p/users")
    page.get_by_label("Membership").select_option("owner")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"membership=owner"))


def test_scope_shows_only_what_belongs_to_the_chosen_way(address: str, new_page: NewPage) -> None:
    page = new_page(script=False)
    page.goto(f"{address}/p/invite")
    expect(page.get_by_label("Checkout")).to_be_hidden()
    page.get_by_label("Only the resources I list").check()
    expect(page.get_by_label("Checkout")).to_be_visible()
    page.get_by_label("Those with certain labels").check()
    expect(page.get_by_label("Checkout")).to_be_hidden()
    expect(page.get_by_label("environment:prod")).to_be_visible()


def test_form_with_errors_puts_the_focus_on_the_first(address: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{address}/p/invite-wrong")
    expect(page.get_by_label("Email addresses")).to_be_focused()
    expect(page.get_by_label("Email addresses")).to_have_accessible_description(re.compile("isn’t a whole address"))


def test_copy_button_copies_the_token_and_says_so(address: str, new_page: NewPage) -> None:
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page.goto(f"{address}/p/token-made")
    page.get_by_role("button", name="Copy the new token").click()
    expect(page.get_by_role("button", name="Copied the new token")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "bpat_7Qk2wLr9XfE4nTzV0sHcYd3uPbMg8aJi"


def test_menu_of_a_phone_opens_and_closes_without_script(address: str, new_page: NewPage) -> None:
    page = new_page(360, script=False)
    page.goto(f"{address}/p/users")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.get_by_role("link", name="Menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.get_by_role("link", name="Close menu").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()


def test_removing_names_its_consequence_in_the_button(address: str, gallery: Flask, new_page: NewPage) -> None:
    page = new_page(script=False)
    page.goto(f"{address}/p/person-remove")
    page.get_by_role("button", name="Remove Priya Raman: loses 6 permissions").click()
    assert gallery.config["POSTED"][-1].path == "/people/1/remove"


@pytest.mark.parametrize("name", FRAGMENTS)
def test_fragment_is_no_whole_page(name: str, client: FlaskClient) -> None:
    assert "<html" not in client.get(f"/fragment/{name}").text
