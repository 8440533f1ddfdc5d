"""The provider's answer, brought by the browser to the redirect URI (RFC 6749 4.1.2, RFC 9207)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from oidc.errors import MalformedAnswer, MissingCode, MissingState, MixedUp, ProviderSaidNo
from oidc.provider import Provider

_LONGEST = {"code": 8_000, "state": 512, "iss": 2_000, "error": 200}
_LONGEST_DESCRIPTION = 500


class AuthorizationAnswer(NamedTuple):
    """A code to be changed for tokens, and the state of the sign-in that it claims to answer."""

    code: str
    state: str


def parse(params: Mapping[str, str] | Iterable[tuple[str, str]], provider: Provider) -> AuthorizationAnswer:
    """The code and state of the query's parameters; as pairs, so that one that comes twice is seen.

    Raises `MalformedAnswer`, `MissingState`, `MixedUp`, `ProviderSaidNo` (with its `state`) or `MissingCode`. Whether
    `state` is a pending sign-in of this browser is the flow's to find out, also for an error.
    """
    found = _once(params.items() if isinstance(params, Mapping) else params)
    state = found.get("state")
    if not state:
        raise MissingState
    _check_issuer(found.get("iss"), provider)
    if error := found.get("error"):
        raise ProviderSaidNo(error, found.get("error_description", "")[:_LONGEST_DESCRIPTION] or None, state)
    if not found.get("code"):
        raise MissingCode
    return AuthorizationAnswer(found["code"], state)


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters that matter, each of them once, of a bounded length and without control characters (RFC 6749
    3.1)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in (*_LONGEST, "error_description"):
            if name in found or len(value) > _LONGEST.get(name, len(value)):
                raise MalformedAnswer
            found[name] = value
    if not all(found[name].isprintable() for name in _LONGEST if name in found):
        raise MalformedAnswer
    return found


def _check_issuer(iss: str | None, provider: Provider) -> None:
    """`iss`, where it is given or promised, is the provider that was asked (RFC 9207 2.4)."""
    if iss != provider.issuer and (iss is not None or provider.names_itself):
        raise MixedUp(provider.issuer)
