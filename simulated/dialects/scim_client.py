"""A SCIM 2.0 client over real HTTP (RFC 7644): calls, retries, and what came back in plain words.

It knows nothing of vendors; their modules say what to send. Every call is handed to `on_exchange`, so that a caller can
show or judge it.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import RemoteDisconnected
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

Resource = dict[str, Any]

TRIES = 5
LONGEST_WAIT = 60.0
TIMEOUT = (5, 60)
SHOWN = 4000
_ADVICE = {
    401: "It doesn't accept the token: make a new one there, and paste it under Settings.",
    403: "It doesn't allow that.",
    404: "It has no such person or group (any more).",
    409: "It has that already.",
    413: "It was too much at once.",
    429: "It wants fewer calls, and kept saying so.",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer; `status` is None when nobody answered. The token isn't part of it.

    `location` and `content_type` are the answer's headers, None and "" where it has none.
    """

    method: str
    address: str
    sent: Any
    status: int | None
    answer: str
    seconds: float
    location: str | None = None
    content_type: str = ""


class ScimError(Exception):
    """The base. `str()` is a sentence that people may read."""


class ScimUnreachable(ScimError):
    """Nobody answered, or not in time."""


class ScimUntrusted(ScimUnreachable):
    """Somebody answers whose certificate no known CA has signed, or not for this name."""


class ScimRefused(ScimError):
    """The server said no (RFC 7644 3.12); `status`, `scim_type` and `detail` as it said them."""

    def __init__(self, status: int, detail: str, scim_type: str | None) -> None:
        self.status, self.detail, self.scim_type = status, detail, scim_type
        reason = f" ({scim_type})" if scim_type else ""
        advice = _ADVICE.get(status, "It is in trouble itself." if status >= 500 else "It refused.")
        super().__init__(f"The bridge answered {status}{reason}: {detail or advice}")


class ScimMalformed(ScimError):
    """The server said yes, but the answer isn't what the standard asks for."""


class ScimClient:
    """Calls to one SCIM server.

    `query` is put behind every address, as Entra does with what its tenant URL carries; `trailing_mark` ends every
    address with `?` or `&`, as OneLogin does. `sleep` waits between tries. `shown`: how many characters of an answer an
    Exchange holds. `ca_file`: certificates of CAs in PEM, instead of the public ones. `proxies`: an address by
    scheme.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        user_agent: str,
        content_type: str = "application/scim+json",
        query: str = "",
        trailing_mark: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        on_exchange: Callable[[Exchange], None] = lambda _: None,
        shown: int = SHOWN,
        ca_file: str | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._base, self._query, self._sleep, self._on_exchange = base_url.rstrip("/"), query, sleep, on_exchange
        self._shown = shown
        self._session = requests.Session()
        # The address is given by the admin, and a proxy or a .netrc of this machine has no say in it.
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._session.proxies.update(proxies or {})
        if trailing_mark:
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, _TrailingMark())
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/scim+json, application/json",
                "Content-Type": content_type,
                "User-Agent": user_agent,
            }
        )

    def find(self, kind: str, filter_: str, **parameters: str) -> Resource | None:
        """The first resource of `kind` (`Users`, `Groups`) that the filter finds (RFC 7644 3.4.2.2)."""
        answer = self.call("GET", kind, parameters={"filter": filter_, **parameters})
        found = answer.get("Resources", [])
        if not isinstance(found, list) or any(not isinstance(one, dict) for one in found):
            raise ScimMalformed("The server's list has no Resources that are objects.")
        return found[0] if found else None

    def read(self, path: str, **parameters: str) -> Resource | None:
        """One resource, or None if there is none (404)."""
        try:
            return self.call("GET", path, parameters=parameters)
        except ScimRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def create(self, kind: str, body: Resource) -> str:
        """POSTs a resource; answers the id it got."""
        made = self.call("POST", kind, body).get("id")
        if not isinstance(made, str) or not made:
            raise ScimMalformed("The server's answer to a POST has no id.")
        return made

    def call(
        self, method: str, path: str, body: Resource | None = None, parameters: Mapping[str, str] | None = None
    ) -> Resource:
        """One call, tried again while the server asks for patience (429, 503); {} for an empty answer.

        Raises ScimRefused, ScimUnreachable, ScimMalformed.
        """
        for tries_left in range(TRIES - 1, -1, -1):
            answer = self._send(method, path, body, parameters)
            if answer.status_code not in (429, 503) or not tries_left:
                break
            self._sleep(_patience(answer, TRIES - 1 - tries_left))
        return _read(answer)

    def _send(
        self, method: str, path: str, body: Resource | None, parameters: Mapping[str, str] | None
    ) -> requests.Response:
        url = f"{self._base}/{path}{self._query}"
        sent = None if body is None else json.dumps(body)
        started = time.monotonic()
        try:
            answer = self._session.request(
                method, url, data=sent, params=parameters, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            self._on_exchange(Exchange(method, url, body, None, type(error).__name__, time.monotonic() - started))
            raise _unreachable(error, self._base) from error
        seconds = time.monotonic() - started
        address = answer.request.path_url
        self._on_exchange(
            Exchange(
                method,
                address,
                body,
                answer.status_code,
                answer.text[: self._shown],
                seconds,
                answer.headers.get("Location"),
                answer.headers.get("Content-Type", ""),
            )
        )
        return answer


class _TrailingMark(HTTPAdapter):
    """Ends every address with an empty query, or with an empty part of it, which `requests` would drop."""

    def request_url(self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        url = super().request_url(request, proxies)
        return url + ("&" if "?" in url else "?")


def quote(text: str) -> str:
    """A string as filters write it: a JSON string (RFC 7644 3.4.2.2)."""
    return json.dumps(text, ensure_ascii=False)


def _unreachable(error: requests.RequestException, base: str) -> ScimUnreachable:
    """What became of a call without an answer, in a sentence."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ScimUntrusted(f"The certificate of {base} isn't trusted: {cause.verify_message}.")
    if isinstance(error, requests.exceptions.ProxyError):
        return ScimUnreachable(f"The proxy doesn't lead to {base}.")
    if isinstance(error, requests.exceptions.SSLError):
        return ScimUnreachable(f"At {base} nobody speaks TLS as it is spoken today.")
    if isinstance(error, requests.ConnectTimeout):
        return ScimUnreachable(f"Nobody answers at {base}: no connection within {TIMEOUT[0]} seconds.")
    if isinstance(error, requests.Timeout):
        return ScimUnreachable(f"{base} took a call, and gave no answer within {TIMEOUT[1]} seconds.")
    if any(isinstance(cause, RemoteDisconnected) for cause in causes):
        return ScimUnreachable(f"{base} took a call, and closed the line without an answer.")
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return ScimUnreachable(f"Nobody answers at {base}: there is no host of that name.")
    if not isinstance(error, requests.ConnectionError):
        return ScimUnreachable(f"The answer of {base} can't be read: {type(error).__name__}.")
    return ScimUnreachable(f"Nobody answers at {base}.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was made of, as far as requests and urllib3 tell."""
    while error is not None:
        yield error
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((one for one in inner if isinstance(one, BaseException)), None)


def _patience(answer: requests.Response, tried: int) -> float:
    """Seconds to wait: Retry-After (RFC 9110 10.2.3: seconds or a date), else 1, 2, 4, 8; at most a minute."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        seconds = float(asked)
    else:
        try:
            seconds = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            seconds = float(2**tried)
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _read(answer: requests.Response) -> Resource:
    try:
        body = answer.json() if answer.content else {}
    except ValueError:
        body = None
    if not 200 <= answer.status_code < 300:
        error = body if isinstance(body, dict) else {}
        detail, scim_type = error.get("detail"), error.get("scimType")
        raise ScimRefused(
            answer.status_code,
            detail if isinstance(detail, str) else "",
            scim_type if isinstance(scim_type, str) else None,
        )
    if not isinstance(body, dict):
        raise ScimMalformed("The server's answer isn't a JSON object.")
    return body
