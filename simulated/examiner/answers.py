"""What is wrong with one answer, whatever it was that was asked: status, headers, form (RFC 7644).

Pure: an Exchange in, findings out. A finding's `why` names no person, so that each kind is told once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulated.dialects.scim_client import Exchange

_PATH = re.compile(r"/(Users|Groups)(/[^/?]+)?/?(?:\?.*)?$")
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_JSON_TYPES = ("application/scim+json", "application/json")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was expected and what came, why that is wrong, and by which paragraph."""

    expected: str
    got: str
    why: str
    standard: str


def check_answer(exchange: Exchange) -> Iterator[Finding]:
    """All that is wrong with an answer, as far as it can be told from the request alone."""
    status = exchange.status
    if status is None:
        return
    body = _parse(exchange.answer)
    if status >= 500:
        got = f"{status}, {_cut(exchange.answer)}"
        why = f"A {exchange.method} that an IdP sends every day was answered {status}: the server failed by itself."
        yield Finding("a success, or a 4xx with its reason", got, why, "RFC 7644 3.12")
    elif status >= 400:
        yield from _check_error(exchange, status, body)
    elif status < 300:
        yield from _check_success(exchange, status, body)


def not_by_scim(exchange: Exchange) -> str | None:
    """What the first answer was, if no SCIM server gives such a one (RFC 7644 3.4.2, 3.12): the address is wrong."""
    status, body = exchange.status or 0, _parse(exchange.answer)
    if 300 <= status < 400:
        return f"was sent elsewhere ({status}), to {exchange.location or 'nowhere'}"
    if body is None:
        kind = exchange.content_type.partition(";")[0].strip() or "no type"
        return f"was answered {status} with {kind if exchange.answer else 'nothing'}"
    if status == 404 and not (isinstance(body, dict) and _ERROR in _schemas(body)):
        return "was answered 404, and not in SCIM's form"
    return None


def _check_error(exchange: Exchange, status: int, body: Any) -> Iterator[Finding]:
    said = body if isinstance(body, dict) else {}
    if _ERROR not in _schemas(said):
        expected = f'{{"schemas": ["{_ERROR}"], "status": "{status}", "detail": …}}'
        why = f"The body of a {status} isn't a SCIM error, so that an IdP can't show its admin what was wrong."
        yield Finding(expected, _cut(exchange.answer) or "no body", why, "RFC 7644 3.12")
    elif said.get("status") != str(status):
        why = "The status in the body of an error isn't the answer's status as a string."
        yield Finding(f'"status": "{status}"', f'"status": {json.dumps(said.get("status"))}', why, "RFC 7644 3.12")


def _check_success(exchange: Exchange, status: int, body: Any) -> Iterator[Finding]:
    found = _PATH.search(exchange.address)
    if found is None:
        return
    kind, is_one = found[1], found[2] is not None
    yield from _check_status(exchange.method, status)
    if exchange.method == "DELETE" or (exchange.method == "PATCH" and not exchange.answer):
        return
    if exchange.answer:
        yield from _check_type(exchange)
    if not isinstance(body, dict):
        why = f"The answer to a {exchange.method} that succeeded isn't a JSON object."
        yield Finding("a JSON object", _cut(exchange.answer) or "no body", why, "RFC 7644 3.8")
    elif exchange.method == "GET" and not is_one:
        yield from _check_list(body)
    else:
        yield from _check_resource(exchange, kind, body)


def _check_status(method: str, status: int) -> Iterator[Finding]:
    wanted, paragraph = {
        "GET": ((200,), "3.4"),
        "POST": ((201,), "3.3"),
        "PUT": ((200,), "3.5.1"),
        "PATCH": ((200, 204), "3.5.2"),
        "DELETE": ((204,), "3.6"),
    }[method]
    if status not in wanted:
        expected = " or ".join(map(str, wanted))
        why = f"A {method} that succeeded was answered {status}, not {expected}."
        yield Finding(expected, str(status), why, f"RFC 7644 {paragraph}")


def _check_type(exchange: Exchange) -> Iterator[Finding]:
    kind = exchange.content_type.partition(";")[0].strip().lower()
    if kind not in _JSON_TYPES:
        why = "A success isn't marked as JSON, so that an IdP may not read it."
        yield Finding("Content-Type: application/scim+json", f"Content-Type: {kind or 'none'}", why, "RFC 7644 3.8")


def _check_list(body: Mapping[str, Any]) -> Iterator[Finding]:
    if _LIST not in _schemas(body):
        got = f'"schemas": {json.dumps(body.get("schemas"))}'
        yield Finding(f'"schemas": ["{_LIST}"]', got, "A list doesn't say that it is one.", "RFC 7644 3.4.2")
    total, listed = body.get("totalResults"), body.get("Resources", [])
    if isinstance(total, bool) or not isinstance(total, int):
        got = f'"totalResults": {json.dumps(total)}'
        yield Finding("totalResults, a number", got, "A list doesn't say how many there are.", "RFC 7644 3.4.2")
    elif not isinstance(listed, list) or any(not isinstance(one, dict) for one in listed):
        why = "Resources in a list isn't an array of resources."
        yield Finding("an array of objects", _cut(json.dumps(listed)), why, "RFC 7644 3.4.2")
    elif total < len(listed):
        why = "A list holds more than it says there are."
        yield Finding(f"totalResults of at least {len(listed)}", str(total), why, "RFC 7644 3.4.2")


def _check_resource(exchange: Exchange, kind: str, body: Mapping[str, Any]) -> Iterator[Finding]:
    one = kind.removesuffix("s")
    if not isinstance(body.get("id"), str) or not body["id"]:
        why = f"The {one} in the answer to a {exchange.method} has no id."
        yield Finding('"id", a string', f'"id": {json.dumps(body.get("id"))}', why, "RFC 7643 3.1")
    if f"urn:ietf:params:scim:schemas:core:2.0:{one}" not in _schemas(body):
        got = f'"schemas": {json.dumps(body.get("schemas"))}'
        why = f"A {one} doesn't name its schema."
        yield Finding(f"urn:ietf:params:scim:schemas:core:2.0:{one} in schemas", got, why, "RFC 7643 3")
    if "password" in body:
        why = "A password that was sent came back."
        yield Finding("no password", '"password" in the answer', why, "RFC 7643 4.1.1")
    if exchange.method == "POST":
        yield from _check_location(exchange, body)


def _check_location(exchange: Exchange, body: Mapping[str, Any]) -> Iterator[Finding]:
    meta = body.get("meta")
    told = meta.get("location") if isinstance(meta, dict) else None
    if not exchange.location:
        why = "The answer to a POST has no Location header."
        yield Finding("Location: the address of what was made", "no Location", why, "RFC 7644 3.3")
    elif told != exchange.location:
        why = "The answer to a POST has another address in meta.location than in its Location header."
        yield Finding(f'"location": "{exchange.location}"', json.dumps(told), why, "RFC 7644 3.3, RFC 7643 3.1")


def _schemas(body: Mapping[str, Any]) -> list[str]:
    given = body.get("schemas")
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _cut(text: str, length: int = 200) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else f"{flat[:length]} …"
