"""The demo in a real browser: what a newcomer sees in two minutes, from `bridge demo` to access that is gone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.axe import axe_finds
from tests.browser.conftest import NewPage
from tests.browser.looking import too_wide
from tests.running import free_ports_in_a_row

pytestmark = pytest.mark.browser

OWNER, MEMBER = "mei.tanaka@kicks.example", "tomas.herrera@kicks.example"


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo's parts answer, and everybody's password at the company."""

    bridge: str
    company_idp: str
    workspace: str
    password: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    process = _start(folder)
    try:
        said = _ready(process)
        password = next(each["password"] for each in said["logins"] if each["email"] == OWNER)
        yield Demo(said["bridge"], said["company_idp"], f"{said['bridge']}/w/{said['workspace']}", password)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=30) in (0, 130)


def _start(folder: Path) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environment = {**kept, "BRIDGE_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "bridge", "demo", "--port", str(free_ports_in_a_row()), "--json"]
    with (folder / "demo.log").open("w") as log:
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    assert set(said) == {"bridge", "company_idp", "twilio", "workspace", "logins"}, said
    assert said["twilio"].startswith("http://127.0.0.1:")
    return said


def sign_in(page: Page, demo: Demo, email: str) -> None:
    """Email first; the proved domain goes to the company's IdP, and back."""
    page.goto(demo.bridge)
    page.get_by_label("Email").fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in to Kicks Co")).to_be_visible()
    assert page.url.startswith("http://127.0.0.1:"), "another site than the bridge's localhost"
    page.get_by_label("Work email").fill(email)
    page.get_by_label("Password").fill(demo.password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.bridge}/**")


def keep(page: Page, screenshots: Path | None, name: str) -> None:
    """A picture, where somebody wants to look."""
    if screenshots is not None:
        page.screenshot(path=screenshots / f"demo-{name}.png", full_page=True)


def open_person(page: Page, demo: Demo, name: str) -> None:
    """Find somebody by the search of Users, and open their page."""
    page.goto(f"{demo.workspace}/users?q={name.split()[0]}")
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_an_owner_sees_the_people_and_access_goes_when_the_idp_takes_somebody_out(
    demo: Demo, new_page: NewPage, screenshots: Path | None
) -> None:
    owner = new_page()
    sign_in(owner, demo, OWNER)
    expect(owner.get_by_role("heading", name="Access Management")).to_be_visible()
    expect(owner.get_by_text("1–50 of 318")).to_be_visible()
    keep(owner, screenshots, "users")

    open_person(owner, demo, "Tomás Herrera")
    expect(owner.get_by_text("Edit the sources Android Prod and iOS Prod")).to_be_visible()
    keep(owner, screenshots, "person-before")

    console = new_page()
    console.goto(f"{demo.company_idp}/console/people?q=Herrera")
    console.get_by_role("link", name="Tomás Herrera").click()
    console.get_by_role("button", name="Remove Tomás Herrera from eng-mobile").click()
    expect(console.get_by_role("button", name="Add Tomás Herrera to eng-mobile")).to_be_visible()
    keep(console, screenshots, "console")

    owner.reload()
    expect(owner.get_by_role("heading", name="Tomás Herrera", level=1)).to_be_visible()
    expect(owner.get_by_text("Edit the sources Android Prod and iOS Prod")).to_have_count(0)
    keep(owner, screenshots, "person-after")


def test_who_the_company_deactivates_is_out_at_the_next_click(demo: Demo, new_page: NewPage) -> None:
    member = new_page()
    sign_in(member, demo, MEMBER)
    console = new_page()
    console.goto(f"{demo.company_idp}/console/people?q=Herrera")
    console.get_by_role("link", name="Tomás Herrera").click()
    console.get_by_role("button", name="Deactivate Tomás").click()
    expect(console.get_by_role("button", name="Reactivate Tomás")).to_be_visible()
    member.goto(demo.workspace)
    expect(member.get_by_label("Email")).to_be_visible()
    expect(member.get_by_role("heading", name="You have been signed out")).to_be_visible()


@pytest.mark.long
def test_somebody_new_signs_up_at_twilio_with_google_and_is_here(
    demo: Demo, new_page: NewPage, screenshots: Path | None
) -> None:
    page = new_page()
    page.goto(f"{demo.bridge}/login")
    page.get_by_role("link", name="Log in with Twilio").click()
    keep(page, screenshots, "twilio-login")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_role("button", name="Sign up with Google").click()
    keep(page, screenshots, "google-accounts")
    page.get_by_role("button", name="Robin Vale").click()
    expect(page.get_by_role("heading", name="Welcome from Twilio")).to_be_visible()
    page.get_by_role("button", name="Create an account").click()
    page.wait_for_url(f"{demo.bridge}/**")
    said = page.request.get(f"{demo.bridge}/session").json()
    assert (said["user"]["email"], said["user"]["name"]) == ("robin.vale@mail.example", "Robin Vale")
    assert [one["kind"] for one in said["authenticated_by"]] == ["twilio"]
    keep(page, screenshots, "twilio-arrived")


LOOKS = [(360, "light"), (1440, "light"), (1440, "dark"), (360, "dark")]
PAGES = ("users", "user-groups", "tokens", "tokens/new", "roles", "invitations/new", "user-groups/new")


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_accessible_and_fits(
    demo: Demo, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    sign_in(page, demo, OWNER)
    for path in PAGES:
        page.goto(f"{demo.workspace}/{path}")
        assert axe_finds(page) == [], path
        assert too_wide(page) == [], path
        keep(page, screenshots, f"{path.replace('/', '-')}-{width}-{scheme}")
    open_person(page, demo, "Priya Raman")
    assert axe_finds(page) == []
    assert too_wide(page) == []
    keep(page, screenshots, f"person-{width}-{scheme}")
