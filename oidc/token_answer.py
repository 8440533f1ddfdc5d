"""What the token endpoint answered (RFC 6749 5.1, 5.2; OpenID Connect Core 3.1.3.3)."""

from dataclasses import dataclass, field

from oidc.errors import BadTokenAnswer, MissingIdToken, ProviderSaidNo, TooLarge
from oidc.json_text import Members, NotJson, TooMuch, parse_object

LARGEST_ANSWER = 600_000  # bytes
_LONGEST_TOKEN = 100_000  # characters of an access token
_LONGEST_ERROR, _LONGEST_DESCRIPTION = 200, 500


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The tokens of one sign-in, neither of them looked into yet."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def parse(status: int, content_type: str | None, body: bytes) -> TokenAnswer:
    """The tokens of an answer with this HTTP status, Content-Type and body.

    Raises `ProviderSaidNo`, `BadTokenAnswer`, `MissingIdToken` or `TooLarge`.
    """
    if status != 200:
        raise _error(status, content_type, body)
    if media_type(content_type) != "application/json":
        raise BadTokenAnswer("The provider's token endpoint didn't answer with JSON. Check the connection's issuer.")
    found = _parse(body)
    if "error" in found:
        raise _error(status, content_type, body)
    return TokenAnswer(_id_token(found), _access_token(found))


def media_type(content_type: str | None) -> str:
    """A Content-Type without its parameters, in small letters (RFC 9110 8.3.1)."""
    return (content_type or "").partition(";")[0].strip().lower()


def _parse(body: bytes) -> Members:
    try:
        return parse_object(body, most_bytes=LARGEST_ANSWER)
    except TooMuch:
        raise TooLarge from None
    except NotJson:
        raise BadTokenAnswer from None


def _error(status: int, content_type: str | None, body: bytes) -> ProviderSaidNo | BadTokenAnswer:
    """The error that the provider names, else only its status."""
    try:
        found = parse_object(body, most_bytes=LARGEST_ANSWER)
    except (NotJson, TooMuch):
        found = {}
    error, description = found.get("error"), found.get("error_description")
    if not isinstance(error, str) or not 0 < len(error) <= _LONGEST_ERROR or not error.isprintable():
        return BadTokenAnswer(f"The provider's token endpoint answered with status {status} instead of tokens.")
    return ProviderSaidNo(error, description[:_LONGEST_DESCRIPTION] if isinstance(description, str) else None)


def _id_token(found: Members) -> str:
    token = found.get("id_token")
    if token is None or token == "":
        raise MissingIdToken
    if not isinstance(token, str):
        raise BadTokenAnswer("The provider's token endpoint gave an ID token that isn't text.")
    return token


def _access_token(found: Members) -> str:
    """The access token, a bearer's (RFC 6750): the only kind that needs no proof of ours."""
    token, kind = found.get("access_token"), found.get("token_type", "Bearer")
    if not isinstance(token, str) or not 0 < len(token) <= _LONGEST_TOKEN:
        raise BadTokenAnswer("The provider's token endpoint gave no usable access token.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise BadTokenAnswer("The provider's token endpoint gave an access token with forbidden characters.")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BadTokenAnswer("The provider's token endpoint gave an access token that isn't a bearer token.")
    return token
