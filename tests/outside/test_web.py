"""Fetching what a stranger's address names: limits on time, size, redirects, and where it may lead."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bridge.outside import web
from bridge.outside.web import FetchFailed, is_public
from tests.certificate import Certificate

Answer = Callable[["Request"], object]


class Request(BaseHTTPRequestHandler):
    """One request to the stranger's server; what it answers stands in the server's `answers`."""

    protocol_version = "HTTP/1.1"
    server: "Stranger"

    def do_GET(self) -> None:
        self.server.seen.append(self)
        self.server.answers[self.path](self)

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Stranger(ThreadingHTTPServer):
    """Somebody else's web server."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.answers: dict[str, Answer] = {}
        self.seen: list[Request] = []

    def handle_error(self, *_: Any) -> None:
        pass  # clients that give up are what is tested

    def url(self, path: str, *, host: str = "idp.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}{path}"


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with Stranger() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def encrypted_stranger(stranger: Stranger, certificate: Certificate) -> Stranger:
    stranger.socket = certificate.for_server().wrap_socket(stranger.socket, server_side=True)
    return stranger


def fetch(url: str, **options: Any) -> bytes:
    """Fetch with limits that a test can wait for; every name is this machine, unless it says otherwise."""
    limits: dict[str, Any] = {
        "timeout": 5,
        "max_bytes": 1000,
        "allow_private": True,
        "resolve": lambda host, port: ["127.0.0.1"],
    }
    return web.fetch(url, **(limits | options))


def redirecting(location: str, status: int = 302) -> Answer:
    return lambda request: request.answer(status=status, Location=location)


# -- Answers -------------------------------------------------------------------------------------------------------


def test_a_page_is_fetched(stranger: Stranger) -> None:
    stranger.answers["/metadata"] = lambda request: request.answer(b"<EntityDescriptor/>")
    assert fetch(stranger.url("/metadata")) == b"<EntityDescriptor/>"


def test_the_request_names_the_host_and_carries_nothing_of_ours(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    stranger.answers["/"] = lambda request: request.answer(b"-")
    fetch(stranger.url("/"))
    sent = dict(stranger.seen[0].headers)
    assert sent.pop("Host") == f"idp.example:{stranger.server_port}"
    assert set(sent) == {"Accept", "Accept-Encoding", "User-Agent"}


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_anything_but_200_is_a_failure_that_says_so(stranger: Stranger, status: int) -> None:
    stranger.answers["/"] = lambda request: request.answer(status=status)
    with pytest.raises(FetchFailed, match=f"answered with status {status}"):
        fetch(stranger.url("/"))


def test_a_compressed_answer_is_refused_since_nobody_asked(stranger: Stranger) -> None:
    stranger.answers["/"] = lambda request: request.answer(b"...", Content_Encoding="gzip")
    with pytest.raises(FetchFailed, match="compressed"):
        fetch(stranger.url("/"))


def test_an_answer_that_is_no_http_is_a_failure(stranger: Stranger) -> None:
    stranger.answers["/"] = lambda request: request.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    with pytest.raises(FetchFailed, match="can't be read"):
        fetch(stranger.url("/"))


def test_a_body_cut_short_is_a_failure(stranger: Stranger) -> None:
    def cut(request: Request) -> None:
        request.answer(b"half", Content_Length="8")
        request.close_connection = True

    stranger.answers["/"] = cut
    with pytest.raises(FetchFailed, match="can't be read"):
        fetch(stranger.url("/"))


def test_nobody_listening_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(FetchFailed, match="Connection refused"):
        fetch(f"http://idp.example:{port}/")


def test_an_unknown_host_is_said_plainly() -> None:
    with pytest.raises(FetchFailed, match=r"There is no host nowhere\.invalid"):
        fetch("http://nowhere.invalid/", resolve=web.resolve_by_dns)


def test_of_several_addresses_the_first_that_answers_is_taken(stranger: Stranger) -> None:
    stranger.answers["/"] = lambda request: request.answer(b"here")
    assert fetch(stranger.url("/"), resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"]) == b"here"


# -- Size and time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "is_taken"), [(1000, True), (1001, False), (5_000_000, False)])
def test_a_body_is_taken_up_to_the_limit(stranger: Stranger, size: int, is_taken: bool) -> None:
    stranger.answers["/"] = lambda request: request.answer(b"x" * size)
    if is_taken:
        assert len(fetch(stranger.url("/"))) == size
    else:
        with pytest.raises(FetchFailed, match="larger than 1,000 bytes"):
            fetch(stranger.url("/"))


def test_a_body_without_end_is_given_up_at_the_limit(stranger: Stranger) -> None:
    def pour(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 10_000)

    stranger.answers["/"] = pour
    with pytest.raises(FetchFailed, match="larger than"):
        fetch(stranger.url("/"))


def silence(request: Request) -> None:
    time.sleep(3)


def drip_headers(request: Request) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(60):
        request.wfile.write(b"X-%d: slow\r\n" % number)
        time.sleep(0.05)


def drip_body(request: Request) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(60):
        request.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("slowness", [silence, drip_headers, drip_body])
def test_a_slow_server_costs_the_time_limit_and_no_more(stranger: Stranger, slowness: Answer) -> None:
    stranger.answers["/"] = slowness
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"longer than 0\.3 seconds"):
        fetch(stranger.url("/"), timeout=0.3)
    assert time.monotonic() - began < 2.5


def test_a_slow_handshake_costs_the_time_limit_and_no_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(FetchFailed, match=r"longer than 0\.3 seconds"):
            fetch(f"https://idp.example:{mute.getsockname()[1]}/", timeout=0.3)
        assert time.monotonic() - began < 2.5


def test_a_slow_name_server_costs_the_time_limit_and_no_more() -> None:
    released = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        released.wait(5)
        return ["127.0.0.1"]

    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"longer than 0\.3 seconds to find idp\.example"):
        fetch("http://idp.example/", timeout=0.3, resolve=resolve)
    assert time.monotonic() - began < 2.5
    released.set()


def test_the_time_limit_is_for_all_redirects_together(stranger: Stranger) -> None:
    def slow_redirect(request: Request) -> None:
        time.sleep(0.2)
        request.answer(status=302, Location="/")

    stranger.answers["/"] = slow_redirect
    with pytest.raises(FetchFailed, match=r"longer than 0\.3 seconds"):
        fetch(stranger.url("/"), timeout=0.3)


# -- Redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(stranger: Stranger, status: int) -> None:
    stranger.answers["/old"] = redirecting("/new", status)
    stranger.answers["/new"] = lambda request: request.answer(b"moved here")
    assert fetch(stranger.url("/old")) == b"moved here"


def test_three_redirects_are_followed_and_no_fourth(stranger: Stranger) -> None:
    for number in range(4):
        stranger.answers[f"/{number}"] = redirecting(f"/{number + 1}")
    stranger.answers["/4"] = lambda request: request.answer(b"the end")
    assert fetch(stranger.url("/1")) == b"the end"
    with pytest.raises(FetchFailed, match="more than 3 redirects"):
        fetch(stranger.url("/0"))


def test_a_redirect_to_nowhere_is_a_failure(stranger: Stranger) -> None:
    stranger.answers["/"] = lambda request: request.answer(status=302)
    with pytest.raises(FetchFailed, match="redirects to nowhere"):
        fetch(stranger.url("/"))


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://idp.example/", "javascript:alert(1)", "http://user:word@idp.example/"]
)
def test_a_redirect_is_checked_like_the_address_itself(stranger: Stranger, location: str) -> None:
    stranger.answers["/"] = redirecting(location)
    with pytest.raises(FetchFailed):
        fetch(stranger.url("/"))
    assert len(stranger.seen) == 1


def test_a_redirect_never_leaves_encryption(encrypted_stranger: Stranger, certificate: Certificate) -> None:
    encrypted_stranger.answers["/"] = redirecting("http://idp.example/")
    with pytest.raises(FetchFailed, match="isn't encrypted"):
        fetch(encrypted_stranger.url("/", scheme="https"), ca_file=str(certificate.path))


# -- Where it may lead ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://idp.example/",
        "gopher://idp.example/",
        "idp.example/metadata",
        "http://",
        "http:///path",
        "http://idp.example:99999/",
        "http://[::1",
        "",
    ],
)
def test_only_addresses_of_the_web_are_fetched(url: str) -> None:
    with pytest.raises(FetchFailed, match="no address that begins with https://"):
        fetch(url)


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(FetchFailed) as failure:
        fetch("http://user:hidden@idp.example/")
    assert "hidden" not in str(failure.value)


PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_no_spelling_of_this_machine_is_reached_unless_allowed(stranger: Stranger, host: str) -> None:
    with pytest.raises(FetchFailed):
        fetch(stranger.url("/", host=host), allow_private=False, resolve=web.resolve_by_dns)
    assert not stranger.seen


def test_a_public_name_for_a_private_address_is_refused(stranger: Stranger) -> None:
    with pytest.raises(FetchFailed, match=r"idp\.example is in a private network"):
        fetch(stranger.url("/"), allow_private=False)
    assert not stranger.seen


def test_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(FetchFailed, match="private network"):
        fetch("http://idp.example/", allow_private=False, resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])


def test_a_redirect_into_a_private_network_is_refused(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    stranger.answers["/"] = redirecting(stranger.url("/", host="inside.example"))
    addresses = {"idp.example": ["127.0.0.1"], "inside.example": ["127.0.0.2"]}
    with pytest.raises(FetchFailed, match=r"inside\.example is in a private network"):
        fetch(stranger.url("/"), allow_private=False, resolve=lambda host, port: addresses[host])
    assert len(stranger.seen) == 1


def test_a_name_is_resolved_once_and_used_as_resolved(stranger: Stranger) -> None:
    stranger.answers["/"] = lambda request: request.answer(b"first")
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    assert fetch(stranger.url("/"), resolve=lambda host, port: next(answers)) == b"first"
    assert next(answers) == ["127.0.0.2"]


# -- Encryption ----------------------------------------------------------------------------------------------------


def test_the_certificate_is_checked_for_the_name_though_the_address_is_pinned(
    encrypted_stranger: Stranger, certificate: Certificate
) -> None:
    encrypted_stranger.answers["/"] = lambda request: request.answer(b"encrypted")
    trusted = {"ca_file": str(certificate.path)}
    assert fetch(encrypted_stranger.url("/", scheme="https"), **trusted) == b"encrypted"
    with pytest.raises(FetchFailed, match=r"no trusted connection.*other\.example"):
        fetch(encrypted_stranger.url("/", scheme="https", host="other.example"), **trusted)


def test_an_unknown_certificate_is_refused(encrypted_stranger: Stranger) -> None:
    with pytest.raises(FetchFailed, match="no trusted connection"):
        fetch(encrypted_stranger.url("/", scheme="https"))


# -- Inside one domain ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["idp.example", "www.idp.example", "IDP.example", "idp.example."])
def test_a_redirect_inside_the_domain_is_followed(stranger: Stranger, host: str) -> None:
    stranger.answers["/"] = redirecting(stranger.url("/home", host=host))
    stranger.answers["/home"] = lambda request: request.answer(b"home")
    assert fetch(stranger.url("/"), inside="idp.example") == b"home"


@pytest.mark.parametrize(
    "host", ["other.example", "notidp.example", "idp.example.evil.example", "example", "127.0.0.1"]
)
def test_a_redirect_out_of_the_domain_is_not(stranger: Stranger, host: str) -> None:
    stranger.answers["/"] = redirecting(stranger.url("/home", host=host))
    stranger.answers["/home"] = lambda request: request.answer(b"home")
    with pytest.raises(web.WrongAnswer, match=r"outside idp\.example"):
        fetch(stranger.url("/"), inside="idp.example")
    assert len(stranger.seen) == 1
