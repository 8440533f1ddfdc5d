"""19. A slow or dead IdP costs that one request only, with a time limit and a clear message."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.running import running
from tests.web.provider import CLIENT_ID, SECRET, after, json_answer, running_provider

AT_ONCE = 12


@pytest.mark.long
def test_others_are_served_while_a_provider_is_silent(tmp_path: Path) -> None:
    with running(tmp_path) as bridge, running_provider() as silent, running_provider() as good:
        given = ("--kind", "oidc", "--client-id", CLIENT_ID, "--client-secret-stdin")
        urls = {}
        for one, slug in ((silent, "silent"), (good, "good")):
            bridge.run("workspace", "create", slug, "--name", slug, "--owner", f"olga@{slug}.example")
            made = bridge.run("connection", "create", slug, *given, "--issuer", one.url, stdin=SECRET)
            urls[one.url] = made["connection"]["login_url"]
        silent.answers["/token"] = after(30, json_answer({}))

        def begin(url: str) -> tuple[requests.Session, str]:
            browser = requests.Session()
            return browser, browser.get(url, allow_redirects=False, timeout=30).headers["Location"]

        def sign_in(begun: tuple[requests.Session, str]) -> requests.Response:
            browser, location = begun
            return browser.get(silent.consent(location), allow_redirects=False, timeout=60)

        begun = [begin(urls[silent.url]) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as browsers:
            waiting = [browsers.submit(sign_in, one) for one in begun]
            time.sleep(3.5)
            for path in ("/healthz", "/login", "/readyz") * 5:
                asked = time.monotonic()
                assert requests.get(f"{bridge.url}{path}", timeout=30).ok
                assert time.monotonic() - asked < 1
            browser, location = begin(urls[good.url])
            assert browser.get(good.consent(location), allow_redirects=False, timeout=30).status_code == 303
            assert not all(one.done() for one in waiting)
            told = [one.result() for one in waiting]
        assert {one.status_code for one in told} <= {403, 429}
        assert all('id="reference"' in one.text for one in told)
