"""HTTP to an address that somebody else named: with limits on time, size, redirects and where it may lead.

A name is resolved once, and the connection goes to the very address that was checked; Host, SNI and the certificate's
name stay those of the URL. Proxies, .netrc and cookies play no part.
"""

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bridge.domain.errors import OutsideFailed
from bridge.domain.web_calls import WebCall, WebReply

MOST_REDIRECTS: Final = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "bridge"}
#: IPv6 addresses that stand for the IPv4 address in their last 32 bits: compatible, mapped, NAT64 (RFC 6052).
_IPV4_INSIDE = [ipaddress.IPv6Network(network) for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96")]

#: A host and port to IP addresses, best first. Raises OSError.
Resolve = Callable[[str, int], list[str]]
_Answers = queue.SimpleQueue[list[str] | OSError | UnicodeError]


class FetchFailed(OutsideFailed):
    """Nothing was fetched; the text says why to the person who named the address."""


class WrongAnswer(FetchFailed):
    """The server was reached and answered, but nothing that could be taken."""


def resolve_by_dns(host: str, port: int) -> list[str]:
    """The addresses of `host`, as this machine finds them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch(
    url: str,
    *,
    timeout: float,
    max_bytes: int,
    allow_private: bool,
    ca_file: str | None = None,
    resolve: Resolve = resolve_by_dns,
    inside: str | None = None,
) -> bytes:
    """The body of a 200 answer to GET `url`, following at most 3 redirects, each checked like `url` itself.

    `timeout` is in seconds and for all of it: names, connections, answers. Without `allow_private` only public
    addresses are connected to. `ca_file` replaces the certificate authorities to trust. `inside` is a domain that no
    redirect may leave. Raises FetchFailed; of what a server did answer, WrongAnswer.
    """
    with (
        Door(allow_private, timeout, resolve) as door,
        _open_session(door, ca_file) as session,
        _explained(url, door),
    ):
        return _follow(session, url, door, max_bytes, inside)


def ask(
    call: WebCall,
    *,
    timeout: float,
    max_bytes: int,
    allow_private: bool,
    ca_file: str | None = None,
    resolve: Resolve = resolve_by_dns,
) -> WebReply:
    """The answer to one call, whatever its status, by the same rules as `fetch`; no redirect is followed.

    What is sent may hold secrets, so it goes to the address that was named and to no other. Raises FetchFailed.
    """
    with (
        Door(allow_private, timeout, resolve) as door,
        _open_session(door, ca_file) as session,
        _explained(call.url, door),
    ):
        return _send(session, call, door, max_bytes)


def _send(session: requests.Session, call: WebCall, door: "Door", max_bytes: int) -> WebReply:
    _check_url(call.url)
    method, headers = "GET" if call.form is None else "POST", dict(call.headers)
    if call.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    options: dict[str, Any] = {"stream": True, "allow_redirects": False, "timeout": door.seconds_left()}
    with session.request(method, call.url, data=call.form, headers=headers, **options) as answer:
        door.check_time()
        if answer.status_code in _REDIRECTS:
            raise FetchFailed(f"{_shorten(call.url)} redirects elsewhere, which isn't followed.")
        body = _read_body(answer, call.url, door, max_bytes)
        return WebReply(answer.status_code, answer.headers.get("Content-Type", ""), body)


@contextmanager
def _explained(url: str, door: "Door") -> Iterator[None]:
    """Whatever goes wrong with `url` inside, as a FetchFailed that says so."""
    try:
        yield
    except (requests.RequestException, OSError, ValueError) as error:
        door.check_time()
        if isinstance(error, requests.exceptions.SSLError):
            raise FetchFailed(f"There is no trusted connection to {_shorten(url)}: {_innermost(error)}.") from error
        raise FetchFailed(f"{_shorten(url)} can't be read: {_innermost(error)}.") from error


def _follow(session: requests.Session, url: str, door: "Door", max_bytes: int, inside: str | None) -> bytes:
    for _ in range(1 + MOST_REDIRECTS):
        _check_url(url)
        with session.get(url, stream=True, allow_redirects=False, timeout=door.seconds_left()) as answer:
            door.check_time()
            if answer.status_code not in _REDIRECTS:
                return _read(answer, url, door, max_bytes)
            url = _next_url(url, answer.headers.get("Location"))
            _check_inside(url, inside)
    raise WrongAnswer(f"{_shorten(url)} is behind more than {MOST_REDIRECTS} redirects.")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        raise FetchFailed(f"{_shorten(url)} is no address that begins with https:// or http://.")
    if parts.username is not None:
        raise FetchFailed("An address with a user name or password in it isn't fetched.")


def _next_url(url: str, location: str | None) -> str:
    if not location:
        raise WrongAnswer(f"{_shorten(url)} redirects to nowhere.")
    following = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(following).scheme == "http":
        raise WrongAnswer(f"{_shorten(url)} redirects to {_shorten(following)}, which isn't encrypted.")
    return following


def _check_inside(url: str, inside: str | None) -> None:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if inside is not None and host != inside and not host.endswith(f".{inside}"):
        raise WrongAnswer(f"It redirects to {_shorten(url)}, which is outside {inside}.")


def _read(answer: requests.Response, url: str, door: "Door", max_bytes: int) -> bytes:
    if answer.status_code != 200:
        raise WrongAnswer(f"{_shorten(url)} answered with status {answer.status_code} instead of 200.")
    return _read_body(answer, url, door, max_bytes)


def _read_body(answer: requests.Response, url: str, door: "Door", max_bytes: int) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise WrongAnswer(f"{_shorten(url)} answered compressed, which wasn't asked for.")
    body = bytearray()
    for chunk in answer.iter_content(64 * 1024):
        body += chunk
        if len(body) > max_bytes:
            raise WrongAnswer(f"{_shorten(url)} is larger than {max_bytes:,} bytes.")
    door.check_time()  # a connection cut at the deadline may look like a body's end
    return bytes(body)


def _shorten(url: str) -> str:
    return url if len(url) <= 200 else f"{url[:200]}…"


def _innermost(error: BaseException) -> str:
    """What went wrong first, without the layers around it: `Connection refused`."""
    while isinstance(inner := error.__cause__ or error.__context__, BaseException):
        error = inner
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


# -- The way out ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Door:
    """Opens connections to allowed addresses, and cuts them all when the time is over.

    A limit on each read wouldn't do: a server that sends a byte now and then never reaches it.
    """

    allow_private: bool
    timeout: float
    resolve: Resolve
    opened: list[socket.socket] = field(default_factory=list)
    deadline: float = field(init=False)
    alarm: threading.Timer = field(init=False)

    def __enter__(self) -> Self:
        self.deadline = time.monotonic() + self.timeout
        self.alarm = threading.Timer(self.timeout, self._cut)
        self.alarm.daemon = True
        self.alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.alarm.cancel()
        for handle in self.opened:
            handle.close()

    def seconds_left(self) -> float:
        """Seconds until the deadline, more than none. Raises FetchFailed."""
        self.check_time()
        return max(0.001, self.deadline - time.monotonic())

    def check_time(self) -> None:
        """Raise FetchFailed when the time is over."""
        if self.is_shut():
            raise FetchFailed(f"It took longer than {self.timeout:g} seconds.")

    def is_shut(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.deadline

    def open(self, host: str, port: int) -> socket.socket:
        """A connection to the first address of `host` that takes one. Raises FetchFailed, OSError."""
        refusal: OSError | None = None
        for address in self._allowed_addresses(host, port):
            try:
                connection = socket.create_connection((address, port), timeout=self.seconds_left())
            except OSError as error:
                refusal = error
                continue
            # A second handle on the same connection: TLS takes the first one away.
            self.opened.append(connection.dup())
            return connection
        raise refusal or OSError(f"{host} has no address")

    def _allowed_addresses(self, host: str, port: int) -> list[str]:
        addresses = self._resolve_in_time(host.strip("[]"), port)
        if not self.allow_private and not all(map(is_public, addresses)):
            raise FetchFailed(f"{host} is in a private network, which the operator doesn't allow.")
        return addresses

    def _resolve_in_time(self, host: str, port: int) -> list[str]:
        # The system's resolver takes no time limit; a thread that it holds up ends when it gives up.
        answers: _Answers = queue.SimpleQueue()
        threading.Thread(target=self._resolve_into, args=[host, port, answers], daemon=True).start()
        try:
            answer = answers.get(timeout=self.seconds_left())
        except queue.Empty:
            raise FetchFailed(f"It took longer than {self.timeout:g} seconds to find {host}.") from None
        if isinstance(answer, UnicodeError):
            raise FetchFailed(f"{host[:100]!r} is no name of a host.") from answer
        if isinstance(answer, OSError):
            raise FetchFailed(f"There is no host {host}: {answer.strerror or answer}.") from answer
        return answer

    def _resolve_into(self, host: str, port: int, answers: _Answers) -> None:
        try:
            answers.put(self.resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    def _cut(self) -> None:
        for connection in list(self.opened):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet: not private, loopback, link-local, multicast or reserved."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _IPV4_INSIDE):
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        else:
            ip = ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast


def _open_session(door: Door, ca_file: str | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(_HEADERS)
    session.verify = ca_file or True
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(door))
    return session


class _Adapter(HTTPAdapter):
    """Connects through a door only."""

    def __init__(self, door: Door) -> None:
        self.door = door
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self.door)


def _pools(door: Door) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return door.open(self.host, self.port)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return door.open(self.host, self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
