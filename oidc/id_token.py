"""IdToken: what a verified ID token says. Only `validate` makes one (OpenID Connect Core 2, 3.1.3.7).

Whoever holds an `IdToken` holds proof: its signature, its addressee, its times and its nonce were checked. So that
this can't be got round by accident, the constructor asks for a seal that only `validate` holds, as `saml.assertion`
does it.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from oidc import rules, token
from oidc.checks import Check, Stage, run
from oidc.client import Client
from oidc.errors import MalformedToken
from oidc.keys import Keys
from oidc.provider import Provider
from oidc.token_answer import TokenAnswer

_SEAL: Final = object()
_TYPES = ("jwt", "id_token+jwt")

CHECKS: tuple[Check, ...] = (
    *token.GATE,
    Check("issuer-is-the-provider", Stage.CLAIMS, "Core 3.1.3.7", rules.issuer_is_the_provider),
    Check("tenant-is-the-issuers", Stage.CLAIMS, "Entra ID: tid", rules.tenant_is_the_issuers),
    Check("audience-is-ours", Stage.CLAIMS, "Core 3.1.3.7, 2", rules.audience_is_ours),
    Check("authorized-party-is-ours", Stage.CLAIMS, "Core 3.1.3.7, 2", rules.authorized_party_is_ours),
    Check("subject-is-named", Stage.CLAIMS, "Core 2", rules.subject_is_named),
    Check("session-is-named-by-text", Stage.CLAIMS, "Back-Channel 2.1", rules.session_is_named_by_text),
    Check("has-not-expired", Stage.CLAIMS, "Core 3.1.3.7, 2", rules.has_not_expired),
    Check("is-not-from-the-future", Stage.CLAIMS, "Core 3.1.3.7, 2", rules.is_not_from_the_future),
    Check("was-made-for-this-sign-in", Stage.CLAIMS, "Core 3.1.3.7", rules.was_made_for_this_sign_in),
    Check("is-valid-already", Stage.CLAIMS, "RFC 7519 4.1.5", rules.is_valid_already),
    Check("nonce-is-ours", Stage.CLAIMS, "Core 3.1.3.7, 15.5.2", rules.nonce_is_ours),
    Check("access-token-belongs-to-it", Stage.CLAIMS, "Core 3.1.3.8, 3.1.3.6", rules.access_token_belongs_to_it),
    Check("authenticated-already", Stage.CLAIMS, "Core 2", rules.authenticated_already),
    Check("authenticated-recently", Stage.CLAIMS, "Core 3.1.3.7, 3.1.2.1", rules.authenticated_recently),
    Check("hosted-domain-is-ours", Stage.CLAIMS, "Google: hd", rules.hosted_domain_is_ours),
    Check("is-no-logout-token", Stage.CLAIMS, "Back-Channel 2.4, RFC 8725 3.12", rules.is_no_logout_token),
    Check("library-agrees", Stage.CLAIMS, "Core 2, 3.1.3.7", rules.library_agrees),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """A verified ID token of the authorization code flow. All instants are aware, in UTC.

    `session_id` is its `sid`, by which a logout token may name the session. `claims` are all of its claims, as JSON
    has them. `text` is the token itself, for a logout request's id_token_hint.
    """

    issuer: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    authenticated_at: datetime | None
    session_id: str | None
    claims: Mapping[str, Any] = field(repr=False)
    text: str = field(repr=False)
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only oidc.id_token.validate makes an IdToken")


def validate(
    answer: TokenAnswer,
    provider: Provider,
    keys: Keys,
    client: Client,
    *,
    nonce: str,
    now: datetime,
    max_age: int | None = None,
    checks: tuple[Check, ...] = CHECKS,
) -> IdToken:
    """The verified ID token of a token endpoint's answer (OpenID Connect Core 3.1.3.7).

    `now` is an aware datetime; `nonce` and `max_age` (seconds) are those of the request. `checks` is the table to
    apply: all of it, but in tests. Raises a `Refused`, one class a reason; no token raises anything else. On
    `UnknownKey` the caller reads the provider's keys anew and tries once more.
    """
    verified = token.verify(answer.id_token, provider.algorithms, _TYPES, keys, checks)
    proof = rules.Proof(verified, provider, client, now, nonce, answer.access_token, max_age)
    run(checks, Stage.CLAIMS, proof)
    return _read(proof, answer.id_token)


def _read(proof: rules.Proof, text: str) -> IdToken:
    issued, expires, session = rules.instant(proof, "iat"), rules.instant(proof, "exp"), proof.get("sid")
    if issued is None or expires is None:  # never, unless a check is switched off
        raise MalformedToken
    return IdToken(
        issuer=proof.provider.issuer,
        subject=str(proof.get("sub")),
        issued_at=issued,
        expires_at=expires,
        authenticated_at=rules.instant(proof, "auth_time"),
        session_id=None if session is None else str(session),
        claims=MappingProxyType(dict(proof.token.claims)),
        text=text,
        seal=_SEAL,
    )
