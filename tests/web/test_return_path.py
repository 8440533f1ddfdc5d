"""Properties.md 9: no open redirect, whatever is asked for."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.web.return_path import HOME, safe_path

SITE = "https://bridge.example/login"


@pytest.mark.parametrize("path", ["/", "/w/acme", "/w/acme/users?q=a%20b&page=2", "/w/ü", "/a//b", "/a#b"])
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "asked",
    [None, "", "w", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example",
     "https:evil.example", "javascript:alert(1)", " /w", "/\t/evil.example", "/\r\n/evil.example", "/w\x00", "/w x",
     "/\x7f", "/\udcff", "//[", "/" * 3, "/" + "a" * 2000, "/" + "é" * 1000],
)  # fmt: skip
def test_anything_else_is_the_start_page(asked: str | None) -> None:
    assert safe_path(asked) == HOME


def as_browsers_read(path: str) -> str:
    """What the address bar shows after a redirect there (WHATWG URL: tabs and line breaks go, \\ is /)."""
    read = path.strip("\x00\x1f ").replace("\t", "").replace("\r", "").replace("\n", "").replace("\\", "/")
    return urljoin(SITE, read)


@given(asked=st.text(st.sampled_from("/\\:.@?#%\t\r\n evilhtps"), max_size=20) | st.text(max_size=30))
def test_a_browser_stays_on_this_site(asked: str) -> None:
    arrived = urlsplit(as_browsers_read(safe_path(asked)))
    assert (arrived.scheme, arrived.netloc) == ("https", "bridge.example")
