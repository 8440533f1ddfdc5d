"""A provider that answers slowly, and more who sign in by it than a server has threads: all others go on."""

import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.running import Bridge, running
from tests.web.provider import CLIENT_ID, SECRET, after, json_answer, running_provider

pytestmark = pytest.mark.long

MANY, SECONDS = 48, 8.0


def sign_in_again_and_again(bridge: Bridge, until: float, answered: Counter[int]) -> None:
    """Each time with an answer of Twilio's, which has to be asked what it means."""
    while time.monotonic() < until:
        with requests.Session() as browser:
            there = browser.get(f"{bridge.url}/twilio/login", allow_redirects=False, timeout=60).headers["Location"]
            answer = {"code": "some", "state": parse_qs(urlsplit(there).query)["state"][0]}
            told = browser.get(f"{bridge.url}/twilio/callback", params=answer, allow_redirects=False, timeout=60)
            answered[told.status_code] += 1
            time.sleep(0.1 if told.status_code == 429 else 0)


def test_more_logins_than_threads_at_a_slow_provider_hold_up_nobody_else(tmp_path: Path) -> None:
    with running_provider() as provider:
        provider.answers["/token"] = after(1.5, json_answer({"error": "invalid_grant"}, 400))
        known = {"ISSUER": provider.url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET}
        more = {f"BRIDGE_TWILIO_{name}": value for name, value in known.items()}
        with running(tmp_path, workers=1, more=more) as bridge:
            requests.get(f"{bridge.url}/twilio/login", allow_redirects=False, timeout=60)  # its discovery document
            until, answered, took = time.monotonic() + SECONDS, Counter[int](), []
            args = (bridge, until, answered)
            people = [threading.Thread(target=sign_in_again_and_again, args=args) for _ in range(MANY)]
            for one in people:
                one.start()
            time.sleep(1)
            while time.monotonic() < until - 1:
                began = time.monotonic()
                requests.get(f"{bridge.url}/healthz", timeout=60).raise_for_status()
                took.append(time.monotonic() - began)
            for one in people:
                one.join()
    assert median(took) < 1, took
    assert answered[403] >= SECONDS, "turns are used meanwhile, as many as there are"
    assert set(answered) == {403, 429}
