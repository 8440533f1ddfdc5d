"""The company of the story: its IdP as a process, its admin's console as calls, its people as browsers."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

STORY = Path(__file__).with_name("company.json")
PASSWORD = json.loads(STORY.read_text())["password"]


@dataclass(frozen=True, slots=True)
class Company:
    """A simulated IdP that runs."""

    url: str

    def call(self, method: str, path: str, **body: Any) -> Any:
        """One action of its admin. Whatever the bridge refused of it fails here."""
        answer = requests.request(method, f"{self.url}/api{path}", json=body or None, timeout=60)
        assert answer.ok, answer.text
        said = answer.json()
        for push in [said.get("push"), *said.get("pushes", [])]:
            assert push is None or push.get("problem") is None, push
        return said

    def push_all(self) -> list[dict[str, Any]]:
        """Push everybody and every group. Returns what failed."""
        answer = requests.post(f"{self.url}/api/push", timeout=300)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert lines[-1]["finished"], lines[-1]
        failures: list[dict[str, Any]] = lines[-1]["failures"]
        return failures


@contextmanager
def running_company(folder: Path) -> Iterator[Company]:
    """The company's IdP, for the length of a block."""
    command = [sys.executable, "-m", "simulated.company_idp", "--port", "0", "--state", str(folder / "company")]
    process = subprocess.Popen([*command, "--story", str(STORY)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        yield Company(found[0])
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


class Person:
    """Somebody with a browser: follows redirects, fills in forms, keeps cookies."""

    def __init__(self, bridge_url: str) -> None:
        self.bridge_url = bridge_url
        self.browser = requests.Session()

    def sign_in(self, login_url: str, email: str) -> requests.Response:
        """Go to the bridge's login address, sign in at the IdP, come back. Returns the page that was reached."""
        page = self.browser.get(login_url, timeout=60)
        if 'name="password"' in page.text:
            page = self._submit(page, email=email, password=PASSWORD)
        assert "SAMLResponse" in page.text, (page.status_code, page.text[:2000])
        return self._submit(page)

    def _submit(self, page: requests.Response, **typed: str) -> requests.Response:
        """Send the page's first form as a browser would: hidden fields and what was typed."""
        form = re.search(r"<form[^>]*>.*?</form>", page.text, re.DOTALL)
        assert form, page.text[:2000]
        action = re.search(r'action="([^"]*)"', form[0])
        hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
        fields = {name: unescape(value) for name, value in hidden} | typed
        target = urljoin(page.url, unescape(action[1]) if action else "")
        origin = "/".join(page.url.split("/")[:3])
        return self.browser.post(target, data=fields, headers={"Origin": origin}, timeout=60)

    def session(self) -> dict[str, Any] | None:
        """What `/session` says of this browser, None when signed out."""
        answer = self.browser.get(f"{self.bridge_url}/session", timeout=60)
        assert answer.status_code in (200, 401), answer.text
        said: dict[str, Any] | None = answer.json() if answer.ok else None
        return said
