"""The whole way between the two companies' products, by HTTP and in processes of their own: product.md 3, as a person
goes it.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.running import Bridge
from tests.running import running as running_bridge
from tests.simulated.twilio.browser import PASSWORD, Form
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.program import Visitor, running, write
from tests.simulated.twilio.relying_party import SECRET
from tests.simulated.twilio.test_meets_the_bridge import register, whoami

pytestmark = pytest.mark.long


@dataclass
class Parts:
    """The bridge, and Twilio at its address with its state in `folder`."""

    bridge: Bridge
    twilio: str
    folder: Path

    def asked_at_twilio(self) -> list[dict[str, Any]]:
        """Twilio's log of requests."""
        lines = (self.folder / "twilio" / "requests.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("twilio-at-the-bridge")
    people = ("--people", write(folder / "people", [PERSON]))
    with running(folder / "twilio", *people) as twilio:
        known = {"ISSUER": twilio, "CLIENT_ID": "segment", "CLIENT_SECRET": SECRET}
        more = {f"BRIDGE_TWILIO_{name}": value for name, value in known.items()}
        with running_bridge(folder, more=more) as bridge:
            own = f"{bridge.url}/twilio"
            register(
                folder,
                {
                    "client_id": "segment",
                    "client_secret": SECRET,
                    "client_name": "Segment",
                    "redirect_uris": [f"{own}/callback"],
                    "post_logout_redirect_uris": [f"{bridge.url}/login"],
                    "initiate_login_uri": f"{own}/login",
                    "target_link_uri": f"{bridge.url}/",
                    "backchannel_logout_uri": f"{own}/backchannel-logout",
                    "event_endpoint": f"{own}/events",
                    "event_token": "not needed: events are signed",
                },
            )
            owner = ("--owner", PERSON["email"], "--owner-password-stdin")
            bridge.run("workspace", "create", "kicks", "--name", "Kicks", *owner, stdin="a-sentence-for-priya\n")
            yield Parts(bridge, twilio, folder)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert holds()


def send(visitor: Visitor, page: requests.Response, action: str, **typed: str) -> requests.Response:
    """Send the form of a page of the bridge's that goes there."""
    fields = next(fields for to, fields in Form(page.text).forms if urlsplit(to).path == urlsplit(action).path)
    return visitor.post(urljoin(page.url, action), data=fields | typed, timeout=30)


def test_from_the_login_page_to_the_product_switcher_and_back(parts: Parts) -> None:
    bridge, visitor = parts.bridge, Visitor()
    page = visitor.get(f"{bridge.url}/twilio/login", timeout=30)
    assert page.url.startswith(f"{parts.twilio}/login")
    page = visitor.get(visitor.log_in(page, PERSON["email"]), timeout=30)

    assert "Welcome from Twilio" in page.text  # the first arrival: link the account that she has
    assert whoami(visitor, bridge) is None
    link = page.url.replace("/welcome/", "/link/")
    page = visitor.get(link, timeout=30)
    assert urlsplit(page.url).path == "/login"
    typed = {"email": PERSON["email"], "password": "a-sentence-for-priya", "way": "password"}
    page = send(visitor, page, "/login", **typed)
    assert page.url == link
    page = send(visitor, page, urlsplit(link).path)
    assert {one["kind"] for one in whoami(visitor, bridge)["authenticated_by"]} == {"password", "twilio"}
    page = visitor.get(f"{bridge.url}/w/kicks/users", timeout=30)
    assert f'href="{parts.twilio}/console"' in page.text  # the switcher in the header leads back

    for cookie in [cookie for cookie in visitor.cookies if cookie.name == "bridge_session"]:
        visitor.cookies.clear(cookie.domain, cookie.path, cookie.name)
    before = len(parts.asked_at_twilio())
    page = visitor.get(f"{parts.twilio}/switch/segment", timeout=30)
    assert page.url == f"{bridge.url}/w/kicks/users"  # straight into the last workspace
    assert [one["kind"] for one in whoami(visitor, bridge)["authenticated_by"]] == ["twilio"]
    seen = parts.asked_at_twilio()[before:]
    assert seen
    assert all(
        not {"password", "code"} & set(line["fields"])
        for line in seen
        if line["method"] == "POST" and not line["route"].startswith("/oauth2/token")
    )
    passed = [urlsplit(one.url).path for one in (*page.history, page) if one.url.startswith(bridge.url)]
    assert passed == ["/twilio/login", "/twilio/callback", "/", "/w/kicks", "/w/kicks/users"]
    assert all(one.request.method == "GET" for one in page.history)

    page = visitor.get(f"{parts.twilio}/console/profile", timeout=30)  # a name that is changed there arrives here
    visitor.submit(page, "/console/profile/name", given_name="Priya", family_name="Ramanathan")
    until(lambda: whoami(visitor, bridge)["user"]["name"] == "Priya Ramanathan")

    page = visitor.get(f"{parts.twilio}/console/profile", timeout=30)  # and so does an address that was proved there
    visitor.submit(page, "/console/profile/email", email="priya@home.example", password=PASSWORD)
    inbox = visitor.get(f"{parts.twilio}/simulated/inbox", timeout=30)
    confirm = re.findall(r"/confirm-email/[\w-]+", inbox.text)[0]
    page = visitor.get(f"{parts.twilio}{confirm}", timeout=30)
    visitor.post(page.url, data=Form(page.text).forms[0][1], timeout=30)
    until(lambda: whoami(visitor, bridge)["user"]["email"] == "priya@home.example")

    page = visitor.get(f"{parts.twilio}/console/security", timeout=30)  # closing it unlinks, and deletes nothing
    visitor.submit(page, "/console/close", email="priya@home.example", password=PASSWORD)
    until(lambda: whoami(visitor, bridge) is None)
    again = Visitor()
    page = again.get(f"{bridge.url}/login?way=password", timeout=30)
    send(again, page, "/login", email="priya@home.example", password="a-sentence-for-priya", way="password")
    assert [one["slug"] for one in whoami(again, bridge)["workspaces"]] == ["kicks"]
