"""What clients hear of a person's changes: Security Event Tokens (RFC 8417), pushed (RFC 8935), from an outbox."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
import responses

from simulated.openid_provider.outbox import LOGOUT_EVENT, Post
from simulated.twilio import changes, events
from simulated.twilio.accounts import Account
from simulated.twilio.messages import Link
from simulated.twilio.site import Site, open_site
from tests.simulated.twilio.browser import URL, Browser
from tests.simulated.twilio.conftest import PERSON, Clock
from tests.simulated.twilio.relying_party import CLIENT, RelyingParty

LogIn = Callable[[Browser], Browser]
ENDPOINT = CLIENT["event_endpoint"]


@pytest.fixture
def priya(visitor: Browser, rp: RelyingParty, log_in: LogIn, site: Site) -> Account:
    """Priya, who has entered the client."""
    rp.tokens(log_in(visitor).get(rp.request()))
    found = site.accounts.find_by_email(PERSON["email"])
    assert found
    return found


def receive(rp: RelyingParty, calls: Any) -> list[dict[str, Any]]:
    """The claims of the tokens that were pushed, as a client reads them."""
    for call in calls:
        assert call.request.headers["Content-Type"] == "application/secevent+jwt"
        assert call.request.headers["Accept"] == "application/json"
        assert call.request.headers["Authorization"] == "Bearer e-token"
    read = [rp.read(call.request.body.decode()) for call in calls]
    assert all(token.header["typ"] == "secevent+jwt" for token in read)
    return [token.claims for token in read]


def change_email(site: Site, account: Account, email: str) -> None:
    changes.confirm_email(site, site.messages.new_link(Link("email", account.id, {"email": email})))


def user(account: Account) -> dict[str, str]:
    return {"format": "iss_sub", "iss": URL, "sub": account.id}


CAEP = {"event_timestamp", "initiating_entity"}
Change = Callable[[Site, Account], object]
CHANGES: dict[str, tuple[Change, str, dict[str, Any]]] = {
    "name": (
        lambda site, account: changes.rename(site, account, " Priya  M. ", "Ráman"),
        events.PROFILE_CHANGED,
        {"claims": {"name": "Priya M. Ráman", "given_name": "Priya M.", "family_name": "Ráman"}},
    ),
    "password": (
        lambda site, account: changes.reset_password(
            site, site.messages.new_link(Link("reset", account.id, {})), "another good phrase"
        ),
        events.CREDENTIAL_CHANGE,
        {"credential_type": "password", "change_type": "update"},
    ),
    "second factor": (
        lambda site, account: changes.set_factor(site, account, "app", "K" * 32),
        events.CREDENTIAL_CHANGE,
        {"credential_type": "app", "change_type": "update"},
    ),
    "disabled": (
        lambda site, account: changes.set_active(site, account.email, active=False),
        events.ACCOUNT_DISABLED,
        {},
    ),
    "enabled": (
        lambda site, account: changes.set_active(site, account.email, active=True),
        events.ACCOUNT_ENABLED,
        {},
    ),
    "closed": (changes.close, events.ACCOUNT_PURGED, {}),
}


@pytest.mark.parametrize("what", CHANGES)
@responses.activate
def test_a_change_is_told_to_a_client_that_the_person_has_entered(
    priya: Account, site: Site, rp: RelyingParty, clock: Clock, what: str
) -> None:
    change, event_type, told = CHANGES[what]
    calls = responses.post(ENDPOINT, status=202).calls
    responses.post(CLIENT["backchannel_logout_uri"])
    change(site, priya)
    site.provider.outbox.deliver_due()
    claims = receive(rp, calls)[0]
    event = claims["events"][event_type]
    assert {name: value for name, value in event.items() if name not in CAEP} == told
    assert claims["sub_id"] == user(priya)
    assert (claims["iss"], claims["aud"], claims["iat"]) == (URL, "segment", int(clock.now))
    assert {"sub", "exp"} & set(claims) == set()


@responses.activate
def test_a_new_address_is_told_by_the_old_one(priya: Account, site: Site, rp: RelyingParty) -> None:
    calls = responses.post(ENDPOINT, status=202).calls
    change_email(site, priya, "priya@new.example")
    site.provider.outbox.deliver_due()
    (claims,) = receive(rp, calls)
    assert claims["sub_id"] == {"format": "email", "email": PERSON["email"]}
    event = claims["events"][events.IDENTIFIER_CHANGED]
    assert event == {"new-value": "priya@new.example", "email_verified": True, "account": user(priya)}


@responses.activate
def test_an_ended_session_is_told_as_event_and_as_logout(priya: Account, site: Site, rp: RelyingParty) -> None:
    (session,) = site.sessions.of(priya.id)
    changes.end_sessions(site, priya, [session.sid])
    event, logout = (notice.claims for notice in reversed(site.provider.outbox.latest()))
    whole = {"format": "complex", "user": user(priya), "session": {"format": "opaque", "id": session.sid}}
    assert (event["sub_id"], list(event["events"])) == (whole, [events.SESSION_REVOKED])
    assert (logout["sid"], list(logout["events"])) == (session.sid, [LOGOUT_EVENT])


def test_a_closed_account_ends_its_sessions_and_says_so_first(priya: Account, site: Site) -> None:
    changes.close(site, priya)
    kinds = [notice.kind for notice in reversed(site.provider.outbox.latest())]
    assert kinds == ["logout", "event"]
    assert site.provider.grants.linked(priya.id) == []


def test_a_client_that_the_person_never_entered_hears_nothing(site: Site) -> None:
    found = site.accounts.find_by_email(PERSON["email"])
    assert found
    changes.rename(site, found, "P", "R")
    assert site.provider.outbox.latest() == []


def test_a_client_without_addresses_for_it_hears_nothing(priya: Account, site: Site) -> None:
    deaf = {name: value for name, value in CLIENT.items() if name not in ("event_endpoint", "backchannel_logout_uri")}
    site.provider.clients.register(deaf)
    changes.close(site, priya)
    assert site.provider.outbox.latest() == []


def test_a_change_that_fails_tells_nothing(priya: Account, site: Site) -> None:
    site.accounts.create("mei@kicks.example", "Mei", "Tanaka", google_subject="1")
    with pytest.raises(changes.Invalid):
        change_email(site, priya, "MEI@kicks.example")
    assert site.provider.outbox.latest() == []


# -- How it is delivered -----------------------------------------------------------------------------------------


@responses.activate
def test_what_comes_later_waits_for_what_is_retried(priya: Account, site: Site, rp: RelyingParty, clock: Clock) -> None:
    calls = responses.post(ENDPOINT, status=500).calls
    for name in ("One", "Two"):
        changes.rename(site, priya, name, "Raman")
    for pause in (1, 2, 4, 8):
        assert site.provider.outbox.deliver_due() == 1
        clock.now += pause - 0.5
        assert site.provider.outbox.deliver_due() == 0
        clock.now += 0.5
    responses.replace(responses.POST, ENDPOINT, status=202)
    assert site.provider.outbox.deliver_due() == 2
    names = [one["events"][events.PROFILE_CHANGED]["claims"]["given_name"] for one in receive(rp, calls)]
    assert names == ["One"] * 4
    assert [notice.state for notice in site.provider.outbox.latest()] == ["delivered"] * 2


@responses.activate
def test_a_retry_after_a_rotation_is_signed_with_the_new_key_under_the_same_jti(
    priya: Account, site: Site, rp: RelyingParty, clock: Clock
) -> None:
    calls = responses.post(ENDPOINT, status=500).calls
    changes.rename(site, priya, "One", "Raman")
    site.provider.outbox.deliver_due()
    site.provider.keys.rotate()
    clock.now += 10
    site.provider.outbox.deliver_due()
    first, second = (rp.read(call.request.body.decode()) for call in calls)
    assert first.header["kid"] != second.header["kid"]
    assert first.claims == second.claims


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"json": {"err": "invalid_audience", "description": "not me"}}, "400 invalid_audience: not me"),
        ({"body": b"\xff"}, "400, without a reason."),
        ({"json": ["err"]}, "400, without a reason."),
    ],
    ids=["with-err", "no-json", "odd-json"],
)
@responses.activate
def test_a_refusal_is_final_and_kept(priya: Account, site: Site, clock: Clock, answer: Any, said: str) -> None:
    responses.post(ENDPOINT, status=400, **answer)
    changes.rename(site, priya, "One", "Raman")
    site.provider.outbox.deliver_due()
    clock.now += 9999
    assert site.provider.outbox.deliver_due() == 0
    (notice,) = site.provider.outbox.latest()
    assert (notice.state, notice.said) == ("refused", said)


@pytest.mark.parametrize("status", [200, 204, 301, 401, 404, 429, 503])
@responses.activate
def test_anything_else_is_tried_again(priya: Account, site: Site, status: int) -> None:
    responses.post(ENDPOINT, status=status, headers={"Location": "http://localhost:8000/elsewhere"})
    changes.rename(site, priya, "One", "Raman")
    site.provider.outbox.deliver_due()
    assert site.provider.outbox.latest()[0].state == "waiting"


@responses.activate
def test_a_silent_client_keeps_nobody_else_waiting(priya: Account, site: Site) -> None:
    site.provider.clients.register({**CLIENT, "client_id": "other", "event_endpoint": "http://localhost:9/events"})
    with site.file.transaction() as db:
        db.execute("INSERT INTO linked VALUES (?, 'other', 0, 0)", (priya.id,))
    responses.post(ENDPOINT, status=202)
    responses.post("http://localhost:9/events", body=requests.ConnectTimeout())
    changes.rename(site, priya, "One", "Raman")
    site.provider.outbox.deliver_due()
    states = {notice.client_id: notice.state for notice in site.provider.outbox.latest()}
    assert states == {"segment": "delivered", "other": "waiting"}


@responses.activate
def test_what_waits_survives_a_restart(priya: Account, site: Site, tmp_path: Path, clock: Clock) -> None:
    changes.rename(site, priya, "One", "Raman")
    site.close()
    calls = responses.post(ENDPOINT, status=202).calls
    again = open_site(tmp_path / "state", URL, clock, durable=False)
    assert again.provider.outbox.deliver_due() == 1
    assert len(calls) == 1
    again.close()


def test_the_post_goes_on_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    tried = Event()
    outcomes = iter([RuntimeError("once")])

    class Stumbling:
        def deliver_due(self) -> int:
            for failure in outcomes:
                raise failure
            tried.set()
            return 0

    post = Post(Stumbling(), pause=0.01)
    assert tried.wait(5)
    post.close()
    assert "RuntimeError: once" in capsys.readouterr().err
