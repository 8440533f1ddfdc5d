"""Product.md 3 as people go it, in Chromium: what is Twilio's happens at Twilio, what is the bridge's here, and a
second password is asked for nowhere.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Page, expect

from bridge.flows.invite import InviteDraft, invite
from bridge.outside.calls import OF_TWILIO
from bridge.storage.database import Database
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.browser.twilio_stage import ADA, HERE, NEW, Asked, Stage, client_of, set_name, setting
from tests.flows.logins import account, give_app, set_workspace
from tests.simulated.twilio.browser import PASSWORD
from tests.simulated.twilio.conftest import prepared as prepared_once

pytestmark = [pytest.mark.browser, pytest.mark.long]
prepared = prepared_once

#: What a form of anybody's asks for that is secret.
SECRETS = {"password", "code", "new_password"}


@pytest.fixture
def stage(database: Database, prepared: Path, tmp_path: Path) -> Iterator[Stage]:
    shutil.copytree(prepared, tmp_path / "state")
    with setting(database, tmp_path / "state", tmp_path) as stage:
        yield stage


@pytest.fixture
def page(new_page: NewPage) -> Page:
    page = new_page()
    page.set_default_timeout(20_000)
    return page


@pytest.fixture
def look(page: Page, screenshots: Path | None) -> Looker:
    return Looker(page, screenshots, "twilio-story")


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name).first).to_be_visible()


def sign_up_there(page: Page) -> None:
    """From Twilio's sign-up to the choice of a second factor, by the mailed link."""
    page.get_by_label("First name").fill("Mei")
    page.get_by_label("Last name").fill("Lind")
    page.get_by_label("Email address").fill(NEW)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("link", name="Open the simulated inbox").click()
    page.get_by_role("link", name="Open the link").first.click()
    page.get_by_role("button", name="Confirm and go on").click()
    heading(page, "Set up a second factor")


def log_in_there(stage: Stage, page: Page, email: str = ADA) -> None:
    """Password and SMS, typed at Twilio."""
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Code").fill(stage.code())
    page.get_by_role("button", name="Log in", exact=True).click()


def sign_in_here(page: Page, email: str = ADA) -> None:
    """Email and password, typed at the bridge."""
    page.get_by_label("Email").fill(email)
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(HERE)
    page.keyboard.press("Enter")


# -- The first time ----------------------------------------------------------------------------------


def test_signing_up_there_with_an_app_makes_an_account_here_and_then_one_click_is_enough(
    stage: Stage, page: Page, look: Looker
) -> None:
    page.goto(f"{stage.bridge}/login")
    look.here("sign-in")
    page.get_by_role("link", name="Log in with Twilio").click()
    assert page.url.startswith(stage.twilio)
    page.get_by_role("link", name="Sign up").click()
    look.there("sign-up-there")
    sign_up_there(page)
    look.there("second-factor-there")
    key = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(key).now())
    page.get_by_role("button", name="Use the app").click()
    heading(page, "Welcome from Twilio")
    look.here("welcome")
    page.get_by_role("button", name="Create an account").click()
    heading(page, "No workspace yet")
    page.get_by_text("Twilio products").click()
    look.here("no-workspace")
    said = stage.session(page)["user"]
    assert (said["email"], said["name"]) == (NEW, "Mei Lind")

    page.context.clear_cookies(name="bridge_session")
    page.goto(f"{stage.bridge}/login")
    page.get_by_role("link", name="Log in with Twilio").click()
    heading(page, "No workspace yet")
    assert (stage.session(page)["user"], stage.ways(page)) == (said, ["twilio"])


def test_an_invitation_is_accepted_through_the_sign_up_there_with_a_phone(
    stage: Stage, page: Page, look: Looker
) -> None:
    world = stage.world
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((NEW,)), datetime.now(UTC))
    page.goto(stage.mailed("/invitations/"))
    look.here("invitation")
    page.get_by_role("link", name="Sign up with Twilio").click()
    heading(page, "Create your account")
    sign_up_there(page)
    page.get_by_label("Phone number").fill("+44 20 7946 0001")
    page.get_by_role("button", name="Send a code").click()
    page.get_by_role("link", name="simulated phone").click()
    look.there("phone-there")
    code = page.get_by_text("is your Twilio code").first.inner_text()[:6]
    page.go_back()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Use this phone").click()
    page.get_by_role("button", name="Create an account").click()
    heading(page, "Join Acme")
    page.get_by_role("button", name="Join Acme").click()
    page.wait_for_url(f"{stage.bridge}/w/acme**")
    assert [one["slug"] for one in stage.session(page)["workspaces"]] == ["acme"]
    look.here("joined")


def test_signing_up_there_with_google(stage: Stage, page: Page, look: Looker) -> None:
    page.goto(f"{stage.bridge}/twilio/login?sign_up=1")
    page.get_by_role("button", name="Sign up with Google").click()
    assert not page.url.startswith((stage.twilio, stage.bridge))
    look.there("google")
    page.get_by_label("Use another account").or_(page.get_by_text("Use another account")).first.click()
    page.get_by_label("First name").fill("Grace")
    page.get_by_label("Last name").fill("Moor")
    page.get_by_label("Email").fill("grace@else.example")
    page.get_by_role("button", name="Next").click()
    heading(page, "Welcome from Twilio")
    page.get_by_role("button", name="Create an account").click()
    heading(page, "No workspace yet")
    said = stage.session(page)["user"]
    assert (said["email"], said["name"]) == ("grace@else.example", "Grace Moor")


# -- Linking an account that one has -----------------------------------------------------------------


def test_an_account_is_linked_by_its_password_and_second_factor(stage: Stage, page: Page, look: Looker) -> None:
    secret = give_app(stage.world, stage.here())
    stage.at_twilio()
    page.goto(f"{stage.bridge}/twilio/login?return_to=/w/acme/roles")
    log_in_there(stage, page)
    heading(page, "Welcome from Twilio")
    expect(page.get_by_role("button", name="Create an account")).to_have_count(0)
    page.get_by_role("link", name="Sign in and link it").click()
    sign_in_here(page)
    assert stage.session(page) is None
    page.locator("[autocomplete=one-time-code]").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    heading(page, "Link your account?")
    look.here("link")
    page.get_by_role("button", name="Link them").click()
    page.wait_for_url(f"{stage.bridge}/w/acme/roles")
    assert stage.ways(page) == ["password", "twilio"]


def test_an_account_is_linked_by_a_link_mailed_to_its_own_address(stage: Stage, page: Page, look: Looker) -> None:
    stage.here()
    stage.at_twilio("somebody@new.example")
    page.goto(f"{stage.bridge}/twilio/login")
    log_in_there(stage, page, "somebody@new.example")
    page.get_by_label("Email of your account").fill(ADA)
    page.get_by_role("button", name="Mail me a link").click()
    heading(page, "Look into your mail")
    look.here("link-mailed")
    page.goto(stage.mailed("/twilio/linked/"))
    heading(page, "Link your account?")
    look.here("link-mailed-opened")
    page.get_by_role("button", name="Link them").click()
    page.wait_for_url(f"{stage.bridge}/w/acme**")
    assert stage.ways(page) == ["twilio"]
    assert stage.session(page)["user"]["email"] == "somebody@new.example"  # it follows Twilio's


def test_unlinked_it_opens_the_account_no_more(stage: Stage, page: Page, look: Looker) -> None:
    stage.linked(page)
    page.goto(f"{stage.bridge}/account")
    page.get_by_text("Twilio products").click()
    expect(page.get_by_role("link", name="Twilio Console")).to_be_visible()
    look.here("account")
    page.set_viewport_size({"width": 360, "height": 800})
    look.here("account-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Unlink… Twilio").click()
    heading(page, "Is it you?")
    look.here("prove-linked")
    page.get_by_role("main").get_by_role("link", name="Twilio").click()
    log_in_there(stage, page)
    heading(page, "Unlink Twilio?")
    look.here("unlink")
    page.get_by_role("button", name="Unlink it").click()
    expect(page.get_by_text("Twilio doesn’t open your account any more")).to_be_visible()
    look.here("unlinked")
    sign_in_here(page)
    page.wait_for_url(f"{stage.bridge}/account")
    assert stage.ways(page) == ["password"]
    page.context.clear_cookies(name="bridge_session")
    page.goto(f"{stage.bridge}/twilio/login")
    heading(page, "Welcome from Twilio")
    assert stage.session(page) is None


# -- From product to product -------------------------------------------------------------------------


def test_the_product_switcher_leads_here_and_back_and_nobody_asks_for_a_password(
    stage: Stage, page: Page, look: Looker
) -> None:
    stage.linked(page)
    page.goto(f"{stage.bridge}/w/acme/roles")
    page.context.clear_cookies(name="bridge_session")
    page.goto(f"{stage.twilio}/console")
    before = stage.site.request_log.latest(1)[0]
    stage.asked.clear()
    page.get_by_text("Products", exact=True).first.click()
    look.there("switcher-there")
    page.get_by_role("navigation", name="Product Switcher").get_by_role("link", name="Segment").click()
    page.wait_for_url(f"{stage.bridge}/w/acme/users/*")
    look.here("workspace")

    shown = [one for one in stage.asked if not one.path.startswith("/static")]
    ways = ("/twilio/login", "/twilio/callback", "/", "/w/acme", urlsplit(page.url).path)
    assert shown == [Asked("GET", path, ()) for path in ways]
    lines = stage.site.request_log.latest(100)
    since = lines[: lines.index(before)]
    assert {"/switch/<client_id>", "/oauth2/authorize", "/oauth2/token"} <= {line["route"] for line in since}
    assert [line for line in since if SECRETS & set(line["fields"]) and line["route"] != "/oauth2/token"] == []
    assert [line["route"] for line in since if line["method"] == "POST"] == ["/oauth2/token"]

    page.get_by_text("Twilio products").click()
    look.here("switcher-here")
    page.get_by_role("link", name="SendGrid").click()
    heading(page, "SendGrid")
    look.there("another-product")
    page.get_by_text("Products", exact=True).first.click()
    page.get_by_role("navigation", name="Product Switcher").get_by_role("link", name="Segment").click()
    page.get_by_text("Twilio products").click()
    page.get_by_role("link", name="Twilio Console").click()
    heading(page, "Welcome, Ada")
    assert {one.fields for one in stage.asked} == {()}


@pytest.mark.parametrize("through", ["the switcher", "a link"])
def test_a_workspace_that_requires_its_own_sign_in_asks_for_it_and_leads_where_one_wanted_to_go(
    stage: Stage, new_page: NewPage, screenshots: Path | None, through: str
) -> None:
    page = new_page(refused=True)
    look = Looker(page, screenshots, "twilio-story")
    stage.linked(page, "mei@kicks.example")
    set_workspace(stage.world, require_sso=True)
    assert stage.session(page)["workspaces"] == []
    if through == "a link":
        page.goto(f"{stage.bridge}/w/acme/roles")
        heading(page, "Acme asks for Kicks")
        look.here("requires-sso")
        page.get_by_role("link", name="Continue with Kicks").click()
    else:
        page.goto(f"{stage.twilio}/switch/segment")
    page.get_by_role("button", name="Mei").click()
    page.wait_for_url(f"{stage.bridge}/w/acme/{'roles' if through == 'a link' else 'users/*'}")
    assert stage.ways(page) == ["saml", "twilio"]
    assert [one["slug"] for one in stage.session(page)["workspaces"]] == ["acme"]


def test_where_many_wait_already_the_page_goes_on_by_itself(
    stage: Stage, new_page: NewPage, screenshots: Path | None
) -> None:
    page = new_page(refused=True)
    stage.linked(page)
    page.context.clear_cookies(name="bridge_session")
    with ExitStack() as taken, ThreadPoolExecutor(1) as threads:
        for _ in range(OF_TWILIO):
            taken.enter_context(stage.outside.turn())
        waiting = threads.submit(lambda: taken.enter_context(stage.outside.turn()))
        page.goto(f"{stage.bridge}/twilio/login")
        heading(page, "One moment")
        Looker(page, screenshots, "twilio-story").here("one-moment")
        taken.close()
        waiting.result()
        page.wait_for_url(f"{stage.bridge}/w/acme**")
    assert stage.ways(page) == ["twilio"]


# -- What is changed there ---------------------------------------------------------------------------


def test_a_name_an_address_and_a_password_that_are_changed_there_arrive_here_at_once(
    stage: Stage, page: Page, look: Looker
) -> None:
    stage.linked(page)
    page.goto(f"{stage.bridge}/account")
    heading(page, "Kept at Twilio")
    expect(page.get_by_role("button", name="Save the name")).to_have_count(0)
    page.get_by_role("link", name="Change them there").click()
    heading(page, "Profile")
    look.there("profile-there")
    page.get_by_label("Last name").fill("King")
    page.get_by_role("button", name="Save name").click()
    page.get_by_label("New email address").fill("ada@home.example")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Mail a link there").click()
    page.goto(f"{stage.twilio}/simulated/inbox")
    page.get_by_role("link", name="Open the link").first.click()
    page.get_by_role("button", name="Use this address").click()
    expect(page.get_by_text("ada@home.example").first).to_be_visible()
    page.goto(f"{stage.bridge}/account")
    stage.until(page, "ada@home.example")
    said = stage.session(page)["user"]
    assert (said["email"], said["name"]) == ("ada@home.example", "Ada King")

    page.goto(f"{stage.twilio}/console/security")
    look.there("security-there")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("quite another phrase")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    assert stage.ways(page) == ["twilio"]


def test_what_no_event_told_arrives_at_the_next_login(stage: Stage, page: Page) -> None:
    stage.linked(page)
    stage.site.provider.clients.register(client_of(stage.bridge, events=False))
    page.goto(f"{stage.twilio}/console/profile")
    page.get_by_label("First name").fill("Augusta")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("status")).to_contain_text("Your name is changed")
    assert stage.session(page)["user"]["name"] == "Ada Byron"
    page.get_by_text("Products", exact=True).first.click()
    page.get_by_role("navigation", name="Product Switcher").get_by_role("link", name="Segment").click()
    page.wait_for_url(f"{stage.bridge}/w/acme/users/*")
    assert stage.session(page)["user"]["name"] == "Augusta Byron"


@pytest.mark.parametrize("of", ["somebody", "a company"])
def test_an_address_that_the_account_cannot_have_is_explained(stage: Stage, page: Page, look: Looker, of: str) -> None:
    theirs = "taken@else.example" if of == "somebody" else "ada@kicks.example"
    there = stage.linked(page)
    if of == "somebody":
        set_name(stage.world, account(stage.world, theirs, password=HERE), "Somebody")
    page.goto(f"{stage.twilio}/console/profile")
    page.get_by_label("New email address").fill(theirs)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Mail a link there").click()
    page.goto(f"{stage.twilio}/simulated/inbox")
    page.get_by_role("link", name="Open the link").first.click()
    page.get_by_role("button", name="Use this address").click()
    page.goto(f"{stage.bridge}/account")
    stage.until(page, f"There your email is {theirs}")
    look.here(f"address-of-{of.replace(' ', '-')}")
    assert stage.session(page)["user"]["email"] == ADA
    assert there.email == ADA
    if of == "a company":
        page.goto(stage.mailed("/twilio/email/"))
        look.here("address-confirm")
        page.get_by_role("main").get_by_role("button").click()
        assert stage.session(page)["user"]["email"] == theirs


def test_closing_the_account_there_ends_its_sessions_and_deletes_nothing_here(
    stage: Stage, page: Page, look: Looker
) -> None:
    stage.linked(page)
    page.goto(f"{stage.twilio}/console/security")
    page.get_by_label(f"Type {ADA}").fill(ADA)
    page.get_by_label("Your password").last.fill(PASSWORD)
    page.get_by_role("button", name="Close my account").click()
    heading(page, "Your account is closed")
    look.there("closed-there")
    page.goto(f"{stage.bridge}/w/acme/roles")
    stage.until(page, "You have been signed out")
    look.here("signed-out")
    sign_in_here(page)
    page.wait_for_url(f"{stage.bridge}/w/acme/roles")
    assert stage.ways(page) == ["password"]


# -- Signing out -------------------------------------------------------------------------------------


def test_logging_out_there_signs_out_here(stage: Stage, page: Page) -> None:
    stage.linked(page)
    page.goto(f"{stage.twilio}/console")
    page.get_by_role("button", name="Log out").click()
    heading(page, "You are logged out")
    page.goto(f"{stage.bridge}/w/acme/roles")
    stage.until(page, "You have been signed out")
    page.get_by_role("link", name="Log in with Twilio").click()
    heading(page, "Log in")


def test_who_signs_out_here_can_log_out_there_too(stage: Stage, page: Page, look: Looker) -> None:
    stage.linked(page)
    page.get_by_role("button", name="Sign out").click()
    heading(page, "You are signed out")
    look.here("left")
    page.get_by_role("link", name="Log out of Twilio, too").click()
    heading(page, "Log out of Twilio?")
    look.there("log-out-there")
    page.get_by_role("button", name="Log out everywhere").click()
    page.wait_for_url(f"{stage.bridge}/login")
    page.goto(f"{stage.twilio}/console")
    heading(page, "Log in")
