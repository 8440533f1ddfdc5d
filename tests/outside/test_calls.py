"""Calls to companies' providers: no redirect, the address rules of `fetch`, one time limit, and few at a time."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from bridge.domain.errors import Crowded, OutsideFailed
from bridge.domain.web_calls import WebCall
from bridge.outside.calls import MOST, OF_ONE, PATIENCE, SLOTS, WAITING, Calls, Silent, TooBusy
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
    provider.answers["/keys"] = after(0.5, json_answer({}))
    with Calls(longest=0.9).turn() as ask:
        ask(WebCall(f"{provider.url}/keys"))
        with pytest.raises(FetchFailed):
            ask(WebCall(f"{provider.url}/keys"))


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
    calls, taken = Calls(slow=5), ExitStack()
    for number in range(SLOTS):
        taken.enter_context(calls.turn(f"{number}"))
    threading.Timer(0.1, taken.close).start()
    began = time.monotonic()
    with calls.turn():
        assert 0.05 < time.monotonic() - began < PATIENCE


def test_but_not_behind_a_turn_that_lasts_long() -> None:
    calls = Calls(slow=0.1)
    with ExitStack() as taken:
        for number in range(MOST):
            taken.enter_context(calls.turn(f"{number}"))
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(TooBusy), calls.turn():
                pass
        assert time.monotonic() - began < PATIENCE
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
        assert time.monotonic() - began < PATIENCE


def test_one_provider_leaves_a_turn_to_another_of_the_same_company() -> None:
    calls = Calls(slow=0.1)
    with ExitStack() as taken:
        for _ in range(OF_ONE):
            taken.enter_context(calls.turn("kicks", "silent"))
        began = time.monotonic()
        with calls.turn("kicks", "good"), pytest.raises(TooBusy), calls.turn("kicks", "third"):
            pass
        for provider in ("silent", ""):
            with pytest.raises(TooBusy), calls.turn("kicks", provider):
                pass
        assert time.monotonic() - began < PATIENCE


def test_but_the_last_turn_is_another_companys() -> None:
    calls = Calls(slow=0.1, patience=0.2)
    with ExitStack() as taken:
        for whose in ("kicks", "boots"):
            for _ in range(OF_ONE):
                taken.enter_context(calls.turn(whose, f"{whose}'s silent one"))
                time.sleep(0.1)
        for whose in ("kicks", "boots"):
            with pytest.raises(TooBusy), calls.turn(whose, f"{whose}'s other"):
                pass
        with calls.turn("clogs", "good"):
            pass


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


def test_those_that_last_long_leave_turns_to_the_others() -> None:
    calls = Calls(slow=0.2)
    with ExitStack() as taken:
        for number in range(SLOTS):
            taken.enter_context(calls.turn(f"silent {number}"))
        began = time.monotonic()
        with calls.turn("good"):
            assert time.monotonic() - began < PATIENCE


def test_who_waits_in_vain_is_told_so_in_the_end() -> None:
    calls = Calls(slow=5, patience=0.1)
    with ExitStack() as taken:
        for number in range(SLOTS):
            taken.enter_context(calls.turn(f"{number}"))
        with pytest.raises(TooBusy), calls.turn():
            pass


def test_one_of_each_company_waits_three_in_all_and_who_else_comes_is_told_so_at_once() -> None:
    calls = Calls(slow=5)
    companies = [f"{number}" for number in range(SLOTS)]
    with ExitStack() as taken, ThreadPoolExecutor(WAITING) as threads:
        for whose in companies:
            taken.enter_context(calls.turn(whose))
        waiting = [threads.submit(_enter, calls, whose) for whose in companies]
        until = time.monotonic() + 5
        while len(calls._waiting) < WAITING and time.monotonic() < until:
            time.sleep(0.01)
        began = time.monotonic()
        for whose in (companies[0], "another"):
            with pytest.raises(Crowded), calls.turn(whose):
                pass
        assert time.monotonic() - began < PATIENCE / 2
        taken.close()
        assert [one.result() for one in waiting] == companies
    with calls.turn("another"):
        pass


def _enter(calls: Calls, whose: str) -> str:
    with calls.turn(whose):
        return whose


# -- A provider that is silent -----------------------------------------------------------------------


@contextmanager
def silent_host() -> Iterator[WebCall]:
    """A call to a machine that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield WebCall(f"http://127.0.0.1:{listener.getsockname()[1]}/token", {}, b"code=c")


def wait_in_vain(calls: Calls, call: WebCall, whose: str) -> None:
    """A login whose provider doesn't answer."""
    with calls.turn(whose, f"{whose}'s login") as ask, pytest.raises(FetchFailed):
        ask(call)


def test_nobody_waits_for_a_provider_that_was_silent_a_moment_ago() -> None:
    calls = Calls(longest=0.2, slow=0.1, rest=5)
    with silent_host() as call:
        wait_in_vain(calls, call, "kicks")
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(Silent), calls.turn("kicks", "kicks's login"):
            pass
    with calls.turn("kicks", "another login"), calls.turn("boots", "boots's login"):
        pass
    assert time.monotonic() - began < PATIENCE


def test_then_one_login_at_a_time_tries_until_it_answers(provider: Provider) -> None:
    calls = Calls(longest=1, slow=0.1, rest=0.1)
    with silent_host() as call:
        wait_in_vain(calls, call, "kicks")
    time.sleep(0.1)
    with calls.turn("kicks", "kicks's login") as ask:
        with pytest.raises(TooBusy), calls.turn("kicks", "kicks's login"):
            pass
        ask(WebCall(f"{provider.url}/keys"))
        with calls.turn("kicks", "kicks's login"):
            pass


def test_a_refusal_or_an_answer_that_is_none_is_no_silence(provider: Provider) -> None:
    calls = Calls(slow=5)
    provider.answers["/keys"] = lambda: (302, "text/plain", b"/elsewhere")
    wait_in_vain(calls, WebCall(f"{provider.url}/keys"), "kicks")
    wait_in_vain(calls, WebCall("http://127.0.0.1:1/"), "kicks")
    with calls.turn("kicks", "kicks's login"):
        pass


def test_who_was_left_no_time_by_other_calls_was_not_silent(provider: Provider) -> None:
    calls = Calls(longest=1, slow=0.9)
    provider.answers["/keys"] = after(0.6, json_answer({}))
    with calls.turn("kicks", "kicks's login") as ask:
        ask(WebCall(f"{provider.url}/keys"))
        with pytest.raises(FetchFailed):
            ask(WebCall(f"{provider.url}/keys"))
    with calls.turn("kicks", "kicks's login"):
        pass


def test_two_companies_dead_providers_keep_no_third_one_out(provider: Provider) -> None:
    """As many logins as a server has threads, of two companies; the third company's login goes on, again and again."""
    calls = Calls(longest=2, slow=0.2, patience=1.5)
    waits: list[float] = []
    with silent_host() as call, ThreadPoolExecutor(8) as threads:
        for whose in ("kicks", "boots") * 4:
            threads.submit(_try, calls, call, whose)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            began = time.monotonic()
            with calls.turn("shirts", "shirts's login") as ask:
                ask(WebCall(f"{provider.url}/keys"))
            waits.append(time.monotonic() - began)
    assert max(waits) < 1.2
    assert len(waits) > 3


def _try(calls: Calls, call: WebCall, whose: str) -> None:
    with suppress(OutsideFailed), calls.turn(whose, f"{whose}'s login") as ask:
        ask(call)
