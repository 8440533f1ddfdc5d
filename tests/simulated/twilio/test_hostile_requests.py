"""Whatever is sent: an answer that isn't an error of ours, never a way to another site, and nothing changed."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from simulated.openid_provider.endpoints import seat
from simulated.twilio.site import EXTENSION, open_site
from tests.simulated.twilio.browser import URL
from tests.simulated.twilio.relying_party import HOME, SECRET

ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "openid", "code", "segment", SECRET, f"{HOME}/callback", "S256", "none", "login", "a" * 43, "9" * 5000]
    ),
)
NAMES = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age", "resumed"),
    *("code_challenge", "code_challenge_method", "request", "response_mode", "login_hint", "id_token_hint"),
    *("post_logout_redirect_uri", "grant_type", "code", "code_verifier", "client_secret", "continue", "saved"),
)
GOOD = {
    "response_type": "code",
    "client_id": "segment",
    "redirect_uri": f"{HOME}/callback",
    "scope": "openid",
    "code_challenge": "a" * 43,
    "code_challenge_method": "S256",
    "grant_type": "authorization_code",
    "client_secret": SECRET,
}
QUERIES = st.builds(
    lambda good, odd: good | odd,
    st.dictionaries(st.sampled_from(sorted(GOOD)), st.none()).map(
        lambda left_out: {name: value for name, value in GOOD.items() if name not in left_out}
    ),
    st.dictionaries(st.sampled_from(NAMES), ODD, max_size=5),
)
PATHS = st.sampled_from(
    [
        *("/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo", "/oauth2/logout"),
        *("/login", "/sign-up", "/google/callback"),
    ]
)
PROOFS = ("Basic x", "Basic c2VnbWVudA==", "Basic 4pyT", "Bearer", "Bearer x y", "Bearer \xe9", "Digest a")
HEADERS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}), st.sampled_from(PROOFS).map(lambda proof: {"Authorization": proof})
)


@pytest.fixture(scope="module")
def app_of_its_own(shared_app: Flask, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over a site that all examples share."""
    state = tmp_path_factory.mktemp("hostile") / "state"
    shutil.copytree(prepared, state)
    site = open_site(state, URL, time.time, durable=False)
    shared_app.extensions[EXTENSION] = site
    seat(shared_app, site.provider)
    yield shared_app
    site.close()


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/authorize", "/oauth2/logout", "/login", "/sign-up"])
def test_more_than_it_takes_is_a_413(app_of_its_own: Flask, path: str) -> None:
    sent = app_of_its_own.test_client().post(path, data={"client_id": "x" * 70_000}, base_url=URL)
    assert sent.status_code == 413


@given(path=PATHS, query=QUERIES, method=st.sampled_from(["GET", "POST"]), headers=HEADERS)
def test_no_request_makes_an_error_of_ours_or_leads_away(
    app_of_its_own: Flask, path: str, query: dict[str, str], method: str, headers: dict[str, str]
) -> None:
    encoded = urlencode(query, errors="surrogatepass")
    client = app_of_its_own.test_client()
    if method == "GET":
        answer = client.get(f"{path}?{encoded}", headers=headers, base_url=URL)
    else:
        form = "application/x-www-form-urlencoded"
        answer = client.post(path, data=encoded, headers=headers, content_type=form, base_url=URL)
    assert answer.status_code < 500
    if 300 <= answer.status_code < 400:
        target = urlsplit(answer.location)
        assert f"{target.scheme}://{target.netloc}" in ("://", URL, HOME)
        assert (target.netloc != urlsplit(HOME).netloc) or target.path in ("/callback", "/other", "/bye")
