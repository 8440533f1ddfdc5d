"""The provider's code flow, seen by a client and a browser (OpenID Connect Core 3.1, RFC 6749, 7636, 9207)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from flask import Flask

from simulated.twilio.site import Site
from tests.simulated.twilio.browser import URL, Browser, json_of
from tests.simulated.twilio.conftest import Clock
from tests.simulated.twilio.relying_party import CLIENT, HOME, RelyingParty

LogIn = Callable[[Browser], Browser]


@pytest.fixture
def arrived(visitor: Browser, rp: RelyingParty, log_in: LogIn) -> Browser:
    """A browser was logged in, sent here by the client, and sent back."""
    return log_in(visitor).get(rp.request())


def test_a_login_ends_at_the_client_with_code_state_and_issuer(
    visitor: Browser, rp: RelyingParty, type_in: LogIn
) -> None:
    type_in(visitor.get(rp.request()))
    assert visitor.shows("Segment")
    arrived = visitor.get(visitor.link("/oauth2/authorize"))
    assert arrived.way[-1].startswith(f"{HOME}/callback?")
    assert {name: arrived.arrived[name] for name in ("state", "iss")} == {"state": "s t&ate", "iss": URL}


def test_the_code_gives_an_id_token_of_that_login(arrived: Browser, rp: RelyingParty, site: Site, clock: Clock) -> None:
    given = rp.tokens(arrived)
    token = rp.read(given["id_token"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": site.provider.keys.current().kid}
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (URL, "segment", "n0nce")
    assert (claims["email"], claims["email_verified"], claims["name"]) == (
        "priya.raman@kicks.example",
        True,
        "Priya Raman",
    )
    assert claims["auth_time"] == int(clock.now)
    assert claims["amr"] == ["pwd", "sms", "mfa"]
    assert claims["sid"]
    assert claims["at_hash"]


def test_the_access_token_is_a_jwt_that_opens_userinfo(arrived: Browser, rp: RelyingParty) -> None:
    given = rp.tokens(arrived)
    token = rp.read(given["access_token"])
    assert token.header["typ"] == "at+jwt"
    told = json_of(rp.userinfo(given["access_token"]))
    assert told["sub"] == token.claims["sub"] == rp.read(given["id_token"]).claims["sub"]
    assert told["email"] == "priya.raman@kicks.example"


def test_userinfo_tells_what_the_scope_names(visitor: Browser, rp: RelyingParty, log_in: LogIn) -> None:
    given = rp.tokens(log_in(visitor).get(rp.request(scope="openid address")))
    assert set(json_of(rp.userinfo(given["access_token"]))) == {"sub"}
    assert given["scope"] == "openid"


def test_a_second_request_asks_for_nothing(arrived: Browser, rp: RelyingParty) -> None:
    arrived.get(rp.request())
    assert len(arrived.way) == 1
    assert rp.tokens(arrived)["id_token"]


def test_a_code_works_once_and_its_second_use_takes_back_the_token(arrived: Browser, rp: RelyingParty) -> None:
    given = rp.tokens(arrived)
    again = rp.redeem(arrived.arrived["code"])
    assert (again.status_code, json_of(again)["error"]) == (400, "invalid_grant")
    assert rp.userinfo(given["access_token"]).status_code == 401


def test_of_many_who_bring_one_code_at_once_one_gets_tokens(arrived: Browser, app: Flask) -> None:
    code = arrived.arrived["code"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: RelyingParty(app).redeem(code).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_a_code_is_over_after_a_minute(arrived: Browser, rp: RelyingParty, clock: Clock) -> None:
    clock.now += 60
    assert json_of(rp.redeem(arrived.arrived["code"]))["error"] == "invalid_grant"


Changed = dict[str, str | None]
REFUSED: dict[str, tuple[Changed, str]] = {
    "another verifier": ({"code_verifier": "w" * 43}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "another redirect_uri": ({"redirect_uri": f"{HOME}/other?fixed=1"}, "invalid_grant"),
    "no redirect_uri": ({"redirect_uri": None}, "invalid_grant"),
    "a wrong secret": ({"client_secret": "x"}, "invalid_client"),
    "no secret": ({"client_secret": None}, "invalid_client"),
    "another client": ({"client_id": "nobody"}, "invalid_client"),
    "another grant": ({"grant_type": "password"}, "unsupported_grant_type"),
    "no code": ({"code": None}, "invalid_request"),
    "a code of nobody": ({"code": "é\x00"}, "invalid_grant"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_token_endpoint_refuses(arrived: Browser, rp: RelyingParty, name: str) -> None:
    changed, error = REFUSED[name]
    answer = rp.redeem(arrived.arrived["code"], **changed)
    assert answer.status_code in (400, 401)
    assert json_of(answer)["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_code_of_another_client_is_refused(arrived: Browser, rp: RelyingParty, site: Site) -> None:
    site.provider.clients.register({**CLIENT, "client_id": "other"})
    assert json_of(rp.redeem(arrived.arrived["code"], client_id="other"))["error"] == "invalid_grant"
    assert rp.tokens(arrived)


def test_a_failed_guess_at_the_verifier_spends_the_code(arrived: Browser, rp: RelyingParty) -> None:
    rp.redeem(arrived.arrived["code"], code_verifier="w" * 43)
    assert rp.redeem(arrived.arrived["code"]).status_code == 400


TOLD_TO_THE_CLIENT: dict[str, tuple[Changed, str]] = {
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "a plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method, which would be plain": ({"code_challenge_method": None}, "invalid_request"),
    "no openid": ({"scope": "profile"}, "invalid_request"),
    "another response_type": ({"response_type": "token"}, "unsupported_response_type"),
    "a request object": ({"request": "x"}, "request_not_supported"),
    "another response_mode": ({"response_mode": "fragment"}, "invalid_request"),
    "a max_age that is none": ({"max_age": "-1"}, "invalid_request"),
    "a login that may not be asked for": ({"prompt": "none"}, "login_required"),
    "none and login": ({"prompt": "none login"}, "invalid_request"),
}


@pytest.mark.parametrize("name", TOLD_TO_THE_CLIENT)
def test_a_bad_request_is_told_to_the_client_with_state_and_issuer(
    visitor: Browser, rp: RelyingParty, name: str
) -> None:
    changed, error = TOLD_TO_THE_CLIENT[name]
    visitor.get(rp.request(**changed))
    told = visitor.arrived
    assert (told["error"], told["state"], told["iss"]) == (error, "s t&ate", URL)


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{HOME}/callback/../evil"},
        {"redirect_uri": f"{HOME}/cällback"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "nobödy"},
    ],
    ids=["foreign", "longer", "not-ascii", "missing", "unknown-client", "no-client", "odd-client"],
)
def test_a_request_of_nobody_known_leads_nowhere(
    visitor: Browser, rp: RelyingParty, changed: dict[str, str | None]
) -> None:
    visitor.get(rp.request(**changed))
    assert (visitor.status, visitor.way) == (400, [])


def test_prompt_login_asks_again_and_keeps_the_session_s_name(
    arrived: Browser, rp: RelyingParty, type_in: LogIn, clock: Clock
) -> None:
    before = rp.read(rp.tokens(arrived)["id_token"]).claims
    clock.now += 100
    arrived.get(rp.request(prompt="login"))
    assert urlsplit(arrived.way[-1]).path == "/login"
    type_in(arrived)
    after = rp.read(rp.tokens(arrived.get(arrived.link("/oauth2/authorize")))["id_token"]).claims
    assert after["auth_time"] == before["auth_time"] + 100
    assert after["sid"] == before["sid"]


@pytest.mark.parametrize(("max_age", "asks"), [("100", False), ("99", True), ("0", True)], ids=str)
def test_max_age_asks_again_when_the_login_is_older(
    arrived: Browser, rp: RelyingParty, clock: Clock, max_age: str, asks: bool
) -> None:
    clock.now += 100
    arrived.get(rp.request(max_age=max_age))
    assert (urlsplit(arrived.way[-1]).path == "/login") == asks


def test_a_login_hint_fills_in_the_address(visitor: Browser, rp: RelyingParty) -> None:
    assert visitor.get(rp.request(login_hint='a"b@kicks.example')).shows('value="a&#34;b@kicks.example"')


def test_a_post_is_served_as_the_get_is(visitor: Browser, rp: RelyingParty) -> None:
    path, _, query = rp.request().partition("?")
    answer = visitor.client.post(path, data=query, content_type="application/x-www-form-urlencoded", base_url=URL)
    assert (answer.status_code, answer.location) == (303, f"{path}?{query}")


def test_an_old_key_stays_published_until_nothing_it_signed_lives(
    arrived: Browser, rp: RelyingParty, site: Site, clock: Clock
) -> None:
    given = rp.tokens(arrived)
    site.provider.keys.rotate()
    assert rp.read(given["id_token"]).claims["sub"]
    new = rp.tokens(arrived.get(rp.request()))
    assert rp.read(new["id_token"]).header["kid"] != rp.read(given["id_token"]).header["kid"]
    clock.now += 24 * 3600 + 1
    assert len(rp.keys().keys) == 1


def test_a_disabled_account_gets_no_token_and_tells_nothing(arrived: Browser, rp: RelyingParty, site: Site) -> None:
    given = rp.tokens(arrived)
    code = arrived.get(rp.request()).arrived["code"]
    found = site.accounts.find_by_email("priya.raman@kicks.example")
    assert found
    site.accounts.change(found.id, active=0)
    assert rp.userinfo(given["access_token"]).status_code == 401
    assert rp.redeem(code).status_code == 400
    assert urlsplit(arrived.get(rp.request()).way[-1]).path == "/login"


def test_discovery_names_its_own_endpoints(rp: RelyingParty) -> None:
    told = json_of(rp.http.get("/.well-known/openid-configuration", base_url=URL))
    assert told["issuer"] == URL
    assert all(told[name].startswith(f"{URL}/oauth2/") for name in told if name.endswith(("_endpoint", "jwks_uri")))


def test_discovery_says_where_a_product_s_header_can_lead(visitor: Browser, rp: RelyingParty, log_in: LogIn) -> None:
    told = json_of(rp.http.get("/.well-known/openid-configuration", base_url=URL))
    places = [told["twilio_console"], *told["twilio_account"].values()]
    places += [product["url"] for product in told["twilio_products"]]
    log_in(visitor)
    assert [visitor.get(place).status for place in places] == [200] * 5


def test_a_hint_of_who_is_logged_in_asks_nothing_and_another_asks_for_a_login(
    arrived: Browser, rp: RelyingParty, site: Site
) -> None:
    hint = rp.tokens(arrived)["id_token"]
    assert "code" in arrived.get(rp.request(id_token_hint=hint, prompt="none")).arrived
    other = site.provider.keys.sign({"iss": URL, "sub": "USother", "aud": "segment"}, "JWT")
    for wrong in (other, "x.y.z"):
        assert arrived.get(rp.request(id_token_hint=wrong, prompt="none")).arrived["error"] == "login_required"


def test_a_login_made_for_one_request_doesn_t_count_for_another(
    visitor: Browser, rp: RelyingParty, log_in: LogIn, clock: Clock
) -> None:
    visitor.get(rp.request(max_age="0"))
    waiting = visitor.way[-1].partition("continue=")[2]
    log_in(visitor)
    clock.now += 5
    assert "code" in visitor.get(rp.request(max_age="0") + f"&resumed={waiting}").arrived
    visitor.get(rp.request(max_age="0", scope="openid") + f"&resumed={waiting}")
    assert urlsplit(visitor.way[-1]).path == "/login"


def test_prompt_create_leads_to_the_sign_up_with_the_hint(arrived: Browser, rp: RelyingParty) -> None:
    arrived.get(rp.request(prompt="create", login_hint="new@kicks.example"))
    assert urlsplit(arrived.way[-1]).path == "/sign-up"
    assert arrived.shows("Segment")
    assert arrived.shows('value="new@kicks.example"')
