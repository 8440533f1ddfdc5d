"""SecurityEvent: the provider's word of something that happened to a person there (Security Event Token, RFC 8417).
Only `validate` makes one.

Its times are those of RFC 8417: `iat` is given, `exp` isn't (2.2 advises against it), so what bounds its age is that
`jti` counts once for as long as an old one may still come.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from oidc import rules, token
from oidc.checks import Check, Stage, run
from oidc.claims import is_email
from oidc.client import Client
from oidc.errors import MalformedToken, NotASecurityEvent, TooOld
from oidc.keys import Keys
from oidc.provider import Provider
from oidc.rules import Proof
from oidc.token import Envelope

#: For how long a provider may go on trying to deliver; an older one is refused.
OLDEST: Final = timedelta(days=30)
_SEAL: Final = object()
_TYPES = ("secevent+jwt",)
_LONGEST = 255


def type_is_a_security_events(envelope: Envelope) -> None:
    """`typ` is given, and secevent+jwt: no ID token, logout token or access token is ever taken for one."""
    if "typ" not in envelope.header:
        raise NotASecurityEvent


def has_no_claims_of_other_tokens(proof: Proof) -> None:
    """No `nonce`, `exp`, `at_hash` or `sub` at the top: what an ID token has, an event doesn't."""
    if {"nonce", "exp", "at_hash", "c_hash", "sub"} & proof.token.claims.keys():
        raise NotASecurityEvent


def has_one_event(proof: Proof) -> None:
    """`events` is an object with one member, itself an object, and not a logout."""
    events = proof.get("events")
    if not isinstance(events, dict) or len(events) != 1 or rules.LOGOUT_EVENT in events:
        raise NotASecurityEvent
    if not all(isinstance(one, dict) for one in events.values()):
        raise NotASecurityEvent


def is_not_too_old(proof: Proof) -> None:
    """`iat` is within the time for which ids are remembered."""
    issued = rules.instant(proof, "iat")
    if issued is not None and issued < proof.now - OLDEST:
        raise TooOld(issued, proof.now)


CHECKS: tuple[Check, ...] = (
    *token.GATE,
    Check("type-is-a-security-events", Stage.HEADER, "RFC 8417 2.3, 4.5", type_is_a_security_events),
    Check("issuer-is-the-provider", Stage.CLAIMS, "RFC 8417 2.2", rules.issuer_is_the_provider),
    Check("audience-is-ours", Stage.CLAIMS, "RFC 8417 2.2, RFC 8935 2", rules.audience_is_ours),
    Check("is-not-from-the-future", Stage.CLAIMS, "RFC 8417 2.2", rules.is_not_from_the_future),
    Check("is-not-too-old", Stage.CLAIMS, "RFC 8417 2.2", is_not_too_old),
    Check("has-an-id", Stage.CLAIMS, "RFC 8417 2.2", rules.has_an_id),
    Check("has-no-claims-of-other-tokens", Stage.CLAIMS, "RFC 8417 4.5, 4.6", has_no_claims_of_other_tokens),
    Check("has-one-event", Stage.CLAIMS, "RFC 8417 2.2", has_one_event),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent:
    """One event of one person. `subject` is theirs at this provider, None where the event names nobody by it;
    `session_id` the provider's session that it is about. `email`, verified, and `name` are what it says is new.

    `id` is to be remembered until `until`, so that the event isn't taken twice.
    """

    type: str
    id: str
    at: datetime
    until: datetime
    subject: str | None
    session_id: str | None
    email: str | None
    name: str | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only oidc.security_event.validate makes a SecurityEvent")


def validate(
    text: str,
    provider: Provider,
    keys: Keys,
    client: Client,
    *,
    now: datetime,
    checks: tuple[Check, ...] = CHECKS,
) -> SecurityEvent:
    """The verified event (RFC 8417 2.2, RFC 8935 2). Raises a `Refused`; on `UnknownKey` the caller reads the
    provider's keys anew and tries once more. Whether it came before is the flow's to know."""
    verified = token.verify(text, provider.algorithms, _TYPES, keys, checks)
    proof = Proof(verified, provider, client, now)
    run(checks, Stage.CLAIMS, proof)
    issued = rules.instant(proof, "iat")
    if issued is None:  # never, unless a check is switched off
        raise MalformedToken
    ((kind, said),) = verified.claims["events"].items()
    about = verified.claims.get("sub_id")
    return SecurityEvent(
        type=kind,
        id=str(proof.get("jti")),
        at=issued.astimezone(UTC),
        until=issued + OLDEST + proof.skew,
        subject=_subject(provider.issuer, about) or _subject(provider.issuer, said.get("account")),
        session_id=_session(about),
        email=_email(said),
        name=_name(said),
        seal=_SEAL,
    )


# -- What it is about (RFC 9493) ----------------------------------------------------------------------


def _subject(issuer: str, identifier: object) -> str | None:
    """The `sub` of an identifier of the formats iss_sub and complex, where its issuer is this provider."""
    if not isinstance(identifier, Mapping):
        return None
    if identifier.get("format") == "complex":
        return _subject(issuer, identifier.get("user"))
    own = identifier.get("format") == "iss_sub" and identifier.get("iss") == issuer
    return _text(identifier.get("sub")) if own else None


def _session(identifier: object) -> str | None:
    session = identifier.get("session") if isinstance(identifier, Mapping) else None
    opaque = isinstance(session, Mapping) and session.get("format") == "opaque"
    return _text(session.get("id")) if opaque and isinstance(session, Mapping) else None


def _email(said: Mapping[str, Any]) -> str | None:
    """The new address (RISC 2.5), if the provider says that it verified it."""
    email = said.get("new-value")
    verified = said.get("email_verified") is True
    return email if verified and isinstance(email, str) and is_email(email) else None


def _name(said: Mapping[str, Any]) -> str | None:
    claims = said.get("claims")
    return _text(claims.get("name")) if isinstance(claims, Mapping) else None


def _text(value: object) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable() and value.strip()
    return str(value) if fits else None
