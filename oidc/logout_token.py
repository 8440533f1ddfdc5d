"""LogoutToken: the provider's word that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0). Only
`validate` makes one."""

from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final

from oidc import rules, token
from oidc.checks import Check, Stage, run
from oidc.client import Client
from oidc.errors import MalformedToken
from oidc.keys import Keys
from oidc.provider import Provider

_SEAL: Final = object()
_TYPES = ("logout+jwt", "jwt")

CHECKS: tuple[Check, ...] = (
    *token.GATE,
    Check("issuer-is-the-provider", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.issuer_is_the_provider),
    Check("tenant-is-the-issuers", Stage.CLAIMS, "Entra ID: tid", rules.tenant_is_the_issuers),
    Check("audience-is-ours", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.audience_is_ours),
    Check("authorized-party-is-ours", Stage.CLAIMS, "Core 3.1.3.7, 2", rules.authorized_party_is_ours),
    Check("has-not-expired", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.has_not_expired),
    Check("is-not-from-the-future", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.is_not_from_the_future),
    Check("is-valid-already", Stage.CLAIMS, "RFC 7519 4.1.5", rules.is_valid_already),
    Check("is-a-logout", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.is_a_logout),
    Check("has-no-nonce", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.has_no_nonce),
    Check("has-an-id", Stage.CLAIMS, "Back-Channel 2.4", rules.has_an_id),
    Check("names-somebody", Stage.CLAIMS, "Back-Channel 2.4, 2.6", rules.names_somebody),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """Whom to sign out: the session `session_id` of the provider, if it is given, of `subject`, if that is given; at
    least one of them is.

    `at` is when the provider said so.
    `id` is to be remembered until `until`, clock skew included, so that the token isn't taken twice.
    """

    subject: str | None
    session_id: str | None
    id: str
    at: datetime
    until: datetime
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only oidc.logout_token.validate makes a LogoutToken")


def validate(
    text: str,
    provider: Provider,
    keys: Keys,
    client: Client,
    *,
    now: datetime,
    checks: tuple[Check, ...] = CHECKS,
) -> LogoutToken:
    """The verified logout token (Back-Channel Logout 2.6). Raises a `Refused`; on `UnknownKey` the caller reads the
    provider's keys anew and tries once more. Whether it was used before is the flow's to know."""
    verified = token.verify(text, provider.algorithms, _TYPES, keys, checks)
    proof = rules.Proof(verified, provider, client, now)
    run(checks, Stage.CLAIMS, proof)
    expires, issued = rules.instant(proof, "exp"), rules.instant(proof, "iat")
    subject, session = proof.get("sub"), proof.get("sid")
    if expires is None or issued is None:  # never, unless a check is switched off
        raise MalformedToken
    return LogoutToken(
        subject=None if subject is None else str(subject),
        session_id=None if session is None else str(session),
        id=str(proof.get("jti")),
        at=issued,
        until=expires + proof.skew,
        seal=_SEAL,
    )
