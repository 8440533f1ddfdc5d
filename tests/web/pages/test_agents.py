"""How a browser is called that names itself at length."""

import pytest

from bridge.web.pages.agents import browser_named

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Windows"),
        (f"{MOZILLA} (X11; Linux x86_64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.5 Safari/605.1", "Safari on macOS"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 17_5) {WEBKIT} CriOS/126.0 Safari/604", "Chrome on iPhone"),
        (f"{MOZILLA} (Linux; Android 14) {WEBKIT} SamsungBrowser/25.0 Chrome/121", "Samsung Internet on Android"),
        ("Firefox/1", "Firefox"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 300, "x" * 120),
        ("", ""),
    ],
    ids=["firefox", "chrome", "edge", "safari", "chrome-ios", "samsung", "alone", "curl", "long", "none"],
)
def test_a_browser_is_called_as_people_call_it(agent: str, name: str) -> None:
    assert browser_named(agent) == name
