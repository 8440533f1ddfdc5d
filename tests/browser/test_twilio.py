"""Two companies' products in one browser: from the bridge to Twilio, linked, and by the Product Switcher back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.test_gallery import axe_finds, too_wide
from tests.simulated.twilio.browser import PASSWORD
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.test_logs_in_at_the_bridge import Parts
from tests.simulated.twilio.test_logs_in_at_the_bridge import parts as parts_of_its_own

pytestmark = [pytest.mark.browser, pytest.mark.long]
parts = parts_of_its_own


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()


def look(page: Page, screenshots: Path | None, name: str) -> None:
    """A page of the bridge's is without barriers, and a picture of it is kept where somebody wants one."""
    assert axe_finds(page) == []
    assert too_wide(page) == []
    keep(page, screenshots, name)


def keep(page: Page, screenshots: Path | None, name: str) -> None:
    if screenshots is not None:
        page.screenshot(path=screenshots / f"twilio-{name}.png", full_page=True)


def log_in_at_twilio(page: Page, parts: Parts, screenshots: Path | None) -> None:
    page.get_by_label("Email").first.fill(PERSON["email"])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    keep(page, screenshots, "2-login-there")
    page.keyboard.press("Enter")
    page.wait_for_url("**/second-factor**")
    phone = page.context.new_page()
    phone.goto(f"{parts.twilio}/simulated/phone")
    code = phone.get_by_text("is your").first.inner_text()[:6]
    phone.close()
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")


def test_a_person_links_their_account_and_switches_products_without_a_password(
    parts: Parts, page: Page, screenshots: Path | None
) -> None:
    bridge = parts.bridge.url
    page.goto(f"{bridge}/login")
    look(page, screenshots, "1-login-here")
    page.get_by_role("link", name="Log in with Twilio").click()
    assert page.url.startswith(parts.twilio), "another company's site"
    log_in_at_twilio(page, parts, screenshots)

    expect(page.get_by_role("heading", name="Welcome from Twilio")).to_be_visible()
    look(page, screenshots, "3-welcome")
    page.get_by_role("link", name="Sign in and link it").click()
    page.get_by_label("Email").fill(PERSON["email"])
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill("a-sentence-for-priya")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Link your account?")).to_be_visible()
    look(page, screenshots, "4-link")
    page.get_by_role("button", name="Link them").click()
    page.wait_for_url(f"{bridge}/w/kicks/users")

    page.get_by_text("Twilio products").click()
    look(page, screenshots, "5-switcher-here")
    page.get_by_role("link", name="Twilio Console").click()
    page.wait_for_url(f"{parts.twilio}/console")
    keep(page, screenshots, "6-console-there")
    page.context.clear_cookies(name="bridge_session")
    page.goto(f"{parts.twilio}/switch/segment")
    page.wait_for_url(f"{bridge}/w/kicks/users")

    page.goto(f"{bridge}/account")
    expect(page.get_by_role("heading", name="Kept at Twilio")).to_be_visible()
    look(page, screenshots, "7-account")
