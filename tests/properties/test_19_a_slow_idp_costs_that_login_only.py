"""19. A slow or dead IdP costs that one request only, with a time limit and a clear message."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from bridge.outside.calls import LONGEST, SLOW
from tests.running import Bridge, running
from tests.web.provider import CLIENT_ID, SECRET, Provider, after, json_answer, running_provider

#: Of each of two companies: more than a process has threads.
AT_ONCE = 6
#: Seconds: who had to wait for a silent provider would wait for at least so long.
SILENT = LONGEST - 1

pytestmark = pytest.mark.long


@dataclass
class Company:
    """A company's provider, and where its people begin."""

    provider: Provider
    login_url: str

    def begin(self) -> tuple[requests.Session, str]:
        """A browser, and where the bridge sends it."""
        browser = requests.Session()
        return browser, browser.get(self.login_url, allow_redirects=False, timeout=30).headers["Location"]

    def finish(self, begun: tuple[requests.Session, str]) -> requests.Response:
        """The browser comes back."""
        browser, location = begun
        return browser.get(self.provider.consent(location), allow_redirects=False, timeout=60)


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with running(tmp_path, workers=1) as bridge:  # each process learns for itself who is silent
        yield bridge


@pytest.fixture
def companies(bridge: Bridge) -> Iterator[list[Company]]:
    """Three, of which two have providers that are silent once a code is to be changed for tokens."""
    given = ("--kind", "oidc", "--client-id", CLIENT_ID, "--client-secret-stdin")
    with ExitStack() as running_providers:
        made = []
        for slug in ("kicks", "boots", "shirts"):
            provider = running_providers.enter_context(running_provider())
            bridge.run("workspace", "create", slug, "--name", slug, "--owner", f"olga@{slug}.example")
            connection = bridge.run("connection", "create", slug, *given, "--issuer", provider.url, stdin=SECRET)
            made.append(Company(provider, connection["connection"]["login_url"]))
        for silent in made[:2]:
            silent.provider.answers["/token"] = after(30, json_answer({}))
        yield made


def test_others_are_served_while_two_providers_are_silent(bridge: Bridge, companies: list[Company]) -> None:
    *silent, good = companies
    begun = [(one, one.begin()) for _ in range(AT_ONCE) for one in silent]
    with ThreadPoolExecutor(2 * AT_ONCE) as browsers:
        waiting = [browsers.submit(one.finish, each) for one, each in begun]
        time.sleep(0.5)
        began = time.monotonic()
        assert good.finish(good.begin()).status_code == 303
        assert time.monotonic() - began < SILENT  # who waits for a turn has a thread for a moment
        for path in ("/healthz", "/login", "/readyz") * 5:
            asked = time.monotonic()
            assert requests.get(f"{bridge.url}{path}", timeout=30).ok
            assert time.monotonic() - asked < SLOW
        for _ in range(3):
            assert good.finish(good.begin()).status_code == 303
        assert not all(one.done() for one in waiting)  # so all of it took less than one silent call
        told = [one.result() for one in waiting]
    assert {one.status_code for one in told} <= {403, 429}
    assert all('id="reference"' in one.text or "One moment" in one.text for one in told)
    began = time.monotonic()
    assert silent[0].finish(silent[0].begin()).status_code == 429  # it rests, and nobody waits for it
    assert time.monotonic() - began < SILENT
