"""Calls to companies' providers: no redirect, the address rules of `fetch`, one time limit, and few at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bridge.domain.web_calls import WebCall
from bridge.outside.calls import OF_ONE, SLOTS, Calls, TooBusy
from bridge.outside.web import FetchFailed
from tests.web.provider import Provider, after, json_answer, running_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


def test_a_form_is_posted_and_any_status_is_an_answer(provider: Provider) -> None:
    with Calls().turn() as ask:
        reply = ask(WebCall(f"{provider.url}/token", {"Accept": "application/json"}, b"code=c"))
    assert (reply.status, reply.content_type) == (400, "application/json")
    assert b"invalid_grant" in reply.body
    said = provider.requests["/token"]
    assert (said["code"], said["Content-Type"]) == ("c", "application/x-www-form-urlencoded")


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("form", [None, b"code=c"])
def test_no_redirect_is_followed(provider: Provider, status: int, form: bytes | None) -> None:
    provider.answers["/token"] = lambda: (status, "text/plain", b"/elsewhere")
    with Calls().turn() as ask, pytest.raises(FetchFailed, match="redirects"):
        ask(WebCall(f"{provider.url}/token", {}, form))
    assert provider.seen["/elsewhere"] == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "https://name:word@idp.example/", "ftp://idp.example", "http://["]
)
def test_only_the_web_is_called(url: str) -> None:
    with Calls().turn() as ask, pytest.raises(FetchFailed):
        ask(WebCall(url))


def test_private_addresses_only_where_the_operator_allows_them(provider: Provider) -> None:
    with Calls(allow_private=False).turn() as ask, pytest.raises(FetchFailed, match="private"):
        ask(WebCall(f"{provider.url}/keys"))
    assert provider.seen["/keys"] == 0


def test_all_calls_of_a_turn_share_one_time_limit(provider: Provider) -> None:
    provider.answers["/keys"] = after(0.3, json_answer({}))
    began = time.monotonic()
    with Calls(longest=0.5).turn() as ask:
        ask(WebCall(f"{provider.url}/keys"))
        with pytest.raises(FetchFailed):
            ask(WebCall(f"{provider.url}/keys"))
    assert time.monotonic() - began < 2


def test_an_answer_has_a_largest_size(provider: Provider) -> None:
    provider.answers["/keys"] = lambda: (200, "application/json", b"a" * (2**20 + 1))
    with Calls().turn() as ask, pytest.raises(FetchFailed, match="larger"):
        ask(WebCall(f"{provider.url}/keys"))


def test_a_call_says_nothing_secret_of_itself() -> None:
    call = WebCall("https://idp.example/token", {"Authorization": "Basic c2VjcmV0"}, b"code=secret")
    assert "c2VjcmV0" not in repr(call)
    assert "secret" not in repr(call)


# -- Turns -------------------------------------------------------------------------------------------


def test_who_comes_when_all_turns_are_taken_waits_for_one() -> None:
    calls, taken = Calls(), ExitStack()
    for number in range(SLOTS):
        taken.enter_context(calls.turn(f"{number}"))
    threading.Timer(0.1, taken.close).start()
    began = time.monotonic()
    with calls.turn():
        assert 0.05 < time.monotonic() - began < 1


def test_but_not_behind_a_turn_that_lasts_long() -> None:
    calls = Calls(slow=0.1)
    with ExitStack() as taken:
        for number in range(SLOTS):
            taken.enter_context(calls.turn(f"{number}"))
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(TooBusy), calls.turn():
                pass
        assert time.monotonic() - began < 1
    with calls.turn():
        pass


def test_a_turn_ends_also_by_a_failure() -> None:
    calls = Calls()
    for _ in range(SLOTS + 1):
        with pytest.raises(ValueError, match="whatever"), calls.turn():
            raise ValueError("whatever")
    with calls.turn():
        pass


def test_one_company_leaves_a_turn_to_the_others() -> None:
    calls = Calls(slow=0.1)
    with ExitStack() as taken:
        for _ in range(OF_ONE):
            taken.enter_context(calls.turn("silent"))
        with pytest.raises(TooBusy), calls.turn("silent"):
            pass
        began = time.monotonic()
        for _ in range(3):
            with calls.turn("good"):
                pass
        assert time.monotonic() - began < 0.1


def test_who_finds_all_turns_taken_waits_while_one_of_them_may_end_soon() -> None:
    calls, other = Calls(slow=0.3), ExitStack()
    with ExitStack() as taken:
        for _ in range(OF_ONE):
            taken.enter_context(calls.turn("silent"))
        time.sleep(0.3)
        other.enter_context(calls.turn("good"))
        threading.Timer(0.1, other.close).start()
        with calls.turn("another"):
            pass
