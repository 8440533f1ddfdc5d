"""Logging out: asked for by a client (RP-Initiated Logout 1.0), here, and told to clients (Back-Channel Logout 1.0)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import responses

from simulated.twilio.people import load_people
from simulated.twilio.site import Site
from tests.simulated.twilio.browser import PASSWORD, URL, Browser
from tests.simulated.twilio.conftest import PERSON, Clock
from tests.simulated.twilio.relying_party import CLIENT, HOME, RelyingParty

LogIn = Callable[[Browser], Browser]
BACKCHANNEL = CLIENT["backchannel_logout_uri"]


@pytest.fixture
def tokens(visitor: Browser, rp: RelyingParty, log_in: LogIn) -> dict[str, Any]:
    """What the client got for a browser that is logged in here and there."""
    return rp.tokens(log_in(visitor).get(rp.request()))


def logout(**asked: str) -> str:
    return f"/oauth2/logout?{urlencode(asked)}"


def is_logged_in(visitor: Browser) -> bool:
    return visitor.get("/console").way == []


def told(rp: RelyingParty, calls: Any) -> list[dict[str, Any]]:
    """The claims of the logout tokens that were posted."""
    found = [parse_qs(call.request.body.decode())["logout_token"][0] for call in calls]
    read = [rp.read(token) for token in found]
    assert all(token.header["typ"] == "logout+jwt" for token in read)
    return [token.claims for token in read]


def test_a_client_with_its_id_token_logs_out_at_once(visitor: Browser, tokens: dict[str, Any]) -> None:
    bye = f"{HOME}/bye"
    visitor.get(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=bye, state="s&1"))
    assert visitor.way == [f"{bye}?state=s%261"]
    assert not is_logged_in(visitor)


def test_an_expired_id_token_is_still_a_hint(visitor: Browser, tokens: dict[str, Any], clock: Clock) -> None:
    clock.now += 6 * 3600
    visitor.get(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=f"{HOME}/bye"))
    assert visitor.way == [f"{HOME}/bye"]


@pytest.mark.parametrize("address", ["https://evil.example/", f"{HOME}/bye/", f"{HOME}/bye?x=1"], ids=str)
def test_it_leads_to_registered_addresses_alone(visitor: Browser, tokens: dict[str, Any], address: str) -> None:
    visitor.get(logout(id_token_hint=tokens["id_token"], post_logout_redirect_uri=address))
    assert (visitor.way, visitor.status) == ([], 200)
    assert not is_logged_in(visitor)


def test_without_a_hint_the_person_is_asked(visitor: Browser, tokens: dict[str, Any]) -> None:
    visitor.get(logout(client_id="segment", post_logout_redirect_uri=f"{HOME}/bye"))
    assert visitor.shows("Segment")
    assert is_logged_in(visitor)
    visitor.get(logout(client_id="segment")).send("/oauth2/logout/confirmed")
    assert visitor.shows("You are logged out")
    assert not is_logged_in(visitor)


def test_who_was_asked_and_said_yes_is_led_to_a_registered_address(
    visitor: Browser, tokens: dict[str, Any], log_in: LogIn
) -> None:
    visitor.get(logout(client_id="segment", post_logout_redirect_uri=f"{HOME}/bye", state="s 1"))
    visitor.send("/oauth2/logout/confirmed")
    assert (visitor.way, is_logged_in(visitor)) == ([f"{HOME}/bye?state=s+1"], False)
    log_in(visitor).get(logout(client_id="segment", post_logout_redirect_uri="https://evil.example/"))
    visitor.send("/oauth2/logout/confirmed")
    assert (visitor.way, is_logged_in(visitor)) == ([], False)
    visitor.get(logout(client_id="segment", post_logout_redirect_uri=f"{HOME}/bye"))
    assert visitor.way == []  # nobody was asked


def test_a_hint_of_another_session_asks_the_person(
    visitor: Browser, tokens: dict[str, Any], new_browser: Callable[[], Browser], log_in: LogIn
) -> None:
    other = log_in(new_browser())
    assert other.get(logout(id_token_hint=tokens["id_token"])).shows("Log out of Twilio?")
    assert is_logged_in(other)
    assert is_logged_in(visitor)


@pytest.mark.parametrize("hint", ["x", "e30.e30.e30"], ids=str)
def test_a_hint_that_isn_t_ours_does_nothing(visitor: Browser, tokens: dict[str, Any], hint: str) -> None:
    assert visitor.get(logout(id_token_hint=hint)).status == 400
    assert is_logged_in(visitor)


def test_a_hint_of_another_client_does_nothing(visitor: Browser, tokens: dict[str, Any], site: Site) -> None:
    site.provider.clients.register({**CLIENT, "client_id": "other"})
    assert visitor.get(logout(id_token_hint=tokens["id_token"], client_id="other")).status == 400
    assert is_logged_in(visitor)


def test_the_confirmation_carries_a_form_s_token(visitor: Browser, tokens: dict[str, Any]) -> None:
    assert visitor.client.post("/oauth2/logout/confirmed", base_url=URL).status_code == 400
    assert is_logged_in(visitor)


# -- What clients are told ---------------------------------------------------------------------------------------


@responses.activate
def test_a_client_is_told_of_the_end_of_a_session_that_entered_it(
    visitor: Browser, tokens: dict[str, Any], rp: RelyingParty, site: Site, clock: Clock
) -> None:
    calls = responses.post(BACKCHANNEL).calls
    visitor.get("/console").send("/logout")
    assert site.provider.outbox.deliver_due() == 1
    (claims,) = told(rp, calls)
    id_token = rp.read(tokens["id_token"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (URL, "segment", id_token["sub"])
    assert claims["sid"] == id_token["sid"]
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["exp"] - claims["iat"] == 120
    assert "nonce" not in claims
    assert rp.userinfo(tokens["access_token"]).status_code == 401


@responses.activate
def test_it_is_told_again_until_it_answers_and_with_one_jti(
    visitor: Browser, tokens: dict[str, Any], rp: RelyingParty, site: Site, clock: Clock
) -> None:
    calls = responses.post(BACKCHANNEL, status=503).calls
    visitor.get("/console").send("/logout")
    for _ in range(3):
        assert site.provider.outbox.deliver_due() == 1
        assert site.provider.outbox.deliver_due() == 0
        clock.now += 10
    claims = told(rp, calls)
    assert len({one["jti"] for one in claims}) == 1
    assert [one["iat"] - claims[0]["iat"] for one in claims] == [0, 10, 20]
    responses.replace(responses.POST, BACKCHANNEL, status=200)
    site.provider.outbox.deliver_due()
    clock.now += 9999
    assert site.provider.outbox.deliver_due() == 0
    assert site.provider.outbox.latest()[0].state == "delivered"


@responses.activate
def test_a_refused_logout_isn_t_repeated(visitor: Browser, tokens: dict[str, Any], site: Site, clock: Clock) -> None:
    responses.post(BACKCHANNEL, status=400)
    visitor.get("/console").send("/logout")
    site.provider.outbox.deliver_due()
    clock.now += 9999
    assert site.provider.outbox.deliver_due() == 0
    assert site.provider.outbox.latest()[0].state == "refused"


def test_who_never_entered_a_client_isn_t_told_there(visitor: Browser, log_in: LogIn, site: Site) -> None:
    log_in(visitor).get("/console").send("/logout")
    assert site.provider.outbox.latest() == []


def test_somebody_else_in_the_same_browser_ends_the_session_before(
    visitor: Browser, tokens: dict[str, Any], rp: RelyingParty, site: Site
) -> None:
    mei = {**PERSON, "email": "mei.tanaka@kicks.example", "phone": "+14155550101"}
    load_people(site, [mei])
    visitor.get(rp.request(prompt="login")).send("/login", email=mei["email"], password=PASSWORD)
    visitor.send("/second-factor", code=site.messages.latest("sms")[0].text[:6])
    other = rp.read(rp.tokens(visitor.get(visitor.link("/oauth2/authorize")))["id_token"]).claims
    assert other["email"] == mei["email"]
    (notice,) = site.provider.outbox.latest()
    assert notice.claims["sid"] == rp.read(tokens["id_token"]).claims["sid"] != other["sid"]
