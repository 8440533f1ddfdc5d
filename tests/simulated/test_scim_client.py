"""The SCIM client: headers, patience, and failures in plain words."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread

import pytest

from simulated.dialects import scim_client
from simulated.dialects.scim_client import (
    Exchange,
    ScimClient,
    ScimMalformed,
    ScimRefused,
    ScimUnreachable,
    quote,
)
from tests.simulated.scim_server import ScimServer


class Waits(list[float]):
    """Notes the seconds it was asked to sleep."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def client(scim: ScimServer, waits: Waits, exchanges: list[Exchange]) -> ScimClient:
    return ScimClient(scim.url + "/", "s3cret", user_agent="Acme/1", sleep=waits, on_exchange=exchanges.append)


def test_every_call_carries_token_agent_and_type(client: ScimClient, scim: ScimServer) -> None:
    client.create("Users", {"userName": "a"})
    sent = scim.calls[0].headers
    assert sent["Authorization"] == "Bearer s3cret"
    assert sent["User-Agent"] == "Acme/1"
    assert sent["Content-Type"] == "application/scim+json"
    assert "application/scim+json" in sent["Accept"]


def test_it_waits_as_long_as_it_is_asked_to(client: ScimClient, scim: ScimServer, waits: Waits) -> None:
    scim.plan(429, Retry_After="7")
    scim.plan(503, Retry_After="2")
    assert client.create("Users", {"userName": "a"}) == "u1"
    assert waits == [7.0, 2.0]
    assert len(scim.calls) == 3


def test_retry_after_may_be_a_date(client: ScimClient, scim: ScimServer, waits: Waits) -> None:
    scim.plan(503, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True))
    client.call("GET", "Users")
    assert 17 < waits[0] <= 20


@pytest.mark.parametrize("nonsense", ["", "soon", "-3"])
def test_without_a_usable_retry_after_it_waits_longer_each_time(
    client: ScimClient, scim: ScimServer, waits: Waits, nonsense: str
) -> None:
    for _ in range(4):
        scim.plan(503, Retry_After=nonsense)
    client.call("GET", "Users")
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_it_never_waits_over_a_minute_or_before_the_past(client: ScimClient, scim: ScimServer, waits: Waits) -> None:
    scim.plan(429, Retry_After="86400")
    scim.plan(429, Retry_After=format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True))
    client.call("GET", "Users")
    assert waits == [60.0, 0.0]


def test_it_gives_up_after_five_tries(client: ScimClient, scim: ScimServer, waits: Waits) -> None:
    for _ in range(6):
        scim.plan(429, Retry_After="1")
    with pytest.raises(ScimRefused, match="429: It wants fewer calls"):
        client.call("GET", "Users")
    assert len(scim.calls) == 5
    assert len(waits) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 500, 502])
def test_other_refusals_are_not_tried_again(client: ScimClient, scim: ScimServer, status: int) -> None:
    scim.plan(status, {"detail": "So it is.", "scimType": "invalidValue"})
    with pytest.raises(ScimRefused) as refused:
        client.call("GET", "Users")
    assert (refused.value.status, refused.value.scim_type, refused.value.detail) == (
        status,
        "invalidValue",
        "So it is.",
    )
    assert len(scim.calls) == 1


@pytest.mark.parametrize(
    ("status", "words"), [(401, "doesn't accept the token"), (500, "in trouble itself"), (418, "It refused")]
)
def test_a_refusal_without_words_gets_ours(client: ScimClient, scim: ScimServer, status: int, words: str) -> None:
    scim.plan(status)
    with pytest.raises(ScimRefused, match=words):
        client.call("GET", "Users")


def test_a_redirect_is_a_refusal_and_the_token_stays_here(client: ScimClient, scim: ScimServer) -> None:
    scim.plan(302, Location="http://127.0.0.1:9/elsewhere")
    with pytest.raises(ScimRefused, match="302"):
        client.call("GET", "Users")


@pytest.mark.parametrize("body", [[1], "text", {"Resources": "none"}, {"Resources": [1]}])
def test_a_list_that_is_none_is_malformed(client: ScimClient, scim: ScimServer, body: object) -> None:
    scim.plan(200, body)
    with pytest.raises(ScimMalformed):
        client.find("Users", "userName eq 1")


def test_nobody_there_is_said_with_the_address(exchanges: list[Exchange]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/scim/v2"
        client = ScimClient(address, "t", user_agent="x", on_exchange=exchanges.append)
        with pytest.raises(ScimUnreachable, match=f"Nobody answers at {address}"):
            client.call("GET", "Users")
    assert exchanges[0].status is None


@contextmanager
def mute(*, hangs: bool) -> Iterator[str]:
    """Takes every connection, and says nothing: keeps the line open, or closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    line.recv(4096)
                    kept.append(line)
                    if not hangs:
                        kept.pop().close()

        thread = Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/scim/v2"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for line in kept:
            line.close()


@pytest.mark.parametrize(
    ("hangs", "words"), [(True, r"gave no answer within 0\.2 seconds"), (False, "closed the line without an answer")]
)
def test_a_server_without_an_answer_is_told_as_it_is(hangs: bool, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scim_client, "TIMEOUT", (5, 0.2))
    with mute(hangs=hangs) as url, pytest.raises(ScimUnreachable, match=f"{url} took a call, and {words}"):
        ScimClient(url, "t", user_agent="x").call("GET", "Users")


def test_a_name_that_no_host_has_is_told() -> None:
    with pytest.raises(ScimUnreachable, match="there is no host of that name"):
        ScimClient("http://nobody.invalid/scim/v2", "t", user_agent="x").call("GET", "Users")


def test_plain_http_where_tls_was_expected_is_told(scim: ScimServer) -> None:
    url = scim.url.replace("http://", "https://")
    with pytest.raises(ScimUnreachable, match="nobody speaks TLS"):
        ScimClient(url, "t", user_agent="x").call("GET", "Users")


def test_every_exchange_is_shown_without_the_token(
    client: ScimClient, scim: ScimServer, exchanges: list[Exchange]
) -> None:
    scim.plan(503, Retry_After="0")
    client.create("Users", {"userName": "a"})
    assert [(one.method, one.address, one.status) for one in exchanges] == [
        ("POST", "/scim/v2/Users", 503),
        ("POST", "/scim/v2/Users", 201),
    ]
    assert exchanges[1].sent == {"userName": "a"}
    assert '"id": "u1"' in exchanges[1].answer
    assert "s3cret" not in repr(exchanges)


def test_a_missing_resource_reads_as_none(client: ScimClient) -> None:
    assert client.read("Users/nobody") is None


def test_what_is_quoted_can_hold_quotes_backslashes_and_any_letter() -> None:
    assert quote('a"b\\c') == '"a\\"b\\\\c"'
    assert quote("Núñez’s") == '"Núñez’s"'
