"""Asking the provider to sign somebody in: the authorization code flow, always with PKCE S256, state and nonce (OpenID
Connect Core 3.1.2.1, RFC 7636, RFC 9700 2.1)."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from oidc.client import Client
from oidc.errors import InvalidRequest
from oidc.provider import Provider
from oidc.toolkit import code_challenge

SCOPES = ("openid", "email", "profile")

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,512}", re.ASCII)
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_LONGEST_HINT = 320


def build(
    provider: Provider,
    client: Client,
    *,
    state: str,
    nonce: str,
    code_verifier: str,
    login_hint: str | None = None,
    max_age: int | None = None,
    prompt: str | None = None,
    scopes: Sequence[str] = SCOPES,
) -> str:
    """The address to send the browser to.

    `state`, `nonce` and `code_verifier` are random, made for this sign-in alone: letters that need no escaping, 43 to
    128 of them for the verifier. `max_age` is in seconds; an answer to it must say auth_time. Raises `InvalidRequest`.
    """
    if not _VERIFIER.fullmatch(code_verifier) or not all(_TOKEN.fullmatch(one) for one in (state, nonce)):
        raise InvalidRequest("State, nonce and code verifier must be random texts of letters, digits and -._~.")
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": _scope(scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": code_challenge(code_verifier),
        "code_challenge_method": "S256",
        "login_hint": login_hint if login_hint and len(login_hint) <= _LONGEST_HINT else None,
        "max_age": None if max_age is None else str(max_age),
        "prompt": prompt,
        "hd": client.hosted_domain,
    }
    return with_query(provider.authorization_endpoint, asked)


def with_query(address: str, asked: dict[str, str | None]) -> str:
    """`address` with parameters added to those that it has (RFC 6749 3.1); those that are None are left out."""
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    return address + ("&" if "?" in address else "?") + query


def is_scope(written: str) -> bool:
    """Whether it can be one scope: RFC 6749 3.3, scope-token."""
    return _SCOPE.fullmatch(written) is not None


def _scope(scopes: Sequence[str]) -> str:
    """The scopes, each once, openid first."""
    if not all(map(is_scope, scopes)):
        raise InvalidRequest("A scope is a word without spaces, quotation marks or backslashes.")
    return " ".join(dict.fromkeys(("openid", *scopes)))
