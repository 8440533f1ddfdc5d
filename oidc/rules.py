"""What an ID token's, and a logout token's, claims must say, paragraph by paragraph, over bytes whose signature is
good.

"Core" is OpenID Connect Core 1.0, "Back-Channel" OpenID Connect Back-Channel Logout 1.0. A rule looks at a `Proof` and
raises a `Refused`; what is absent is refused as what is wrong is, unless the paragraph says that it may be.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from oidc import toolkit
from oidc.client import Client
from oidc.errors import (
    DisagreeingLibrary,
    Expired,
    MalformedClaim,
    MissingSubject,
    MissingTime,
    MissingTokenId,
    NobodyToSignOut,
    NotALogoutToken,
    NotAnIdToken,
    NotFresh,
    NotYetValid,
    TooOld,
    WrongAudience,
    WrongHostedDomain,
    WrongIssuer,
    WrongNonce,
    WrongTenant,
    WrongTokenHash,
)
from oidc.provider import Provider
from oidc.token import Verified

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_NAME = 255  # Core 2: sub is at most 255 ASCII characters
_MOST_AUDIENCES = 50
_OLDEST = timedelta(hours=1)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_ENTRA_ISSUER = re.compile(
    r"https://(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)/"
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/v2\.0|/)?"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A token with a good signature, and what it is held against. `max_age` is in seconds, None if it wasn't asked
    for."""

    token: Verified
    provider: Provider
    client: Client
    now: datetime
    nonce: str = ""
    access_token: str = ""
    max_age: int | None = None

    @property
    def skew(self) -> timedelta:
        """How far a clock may be off."""
        return timedelta(seconds=self.client.clock_skew)

    def get(self, claim: str) -> object:
        """A claim, None if it is absent."""
        return self.token.claims.get(claim)


# -- who and to whom --------------------------------------------------------------------------------------------------


def issuer_is_the_provider(proof: Proof) -> None:
    """`iss` is the configured issuer, exactly."""
    if proof.get("iss") != proof.provider.issuer:
        raise WrongIssuer(proof.provider.issuer, proof.get("iss"))


def tenant_is_the_issuers(proof: Proof) -> None:
    """Entra ID's `tid`, where given, is the tenant that its issuer names."""
    named = _ENTRA_ISSUER.fullmatch(proof.provider.issuer)
    if named and "tid" in proof.token.claims and proof.get("tid") != named[1]:
        raise WrongTenant(proof.get("tid"))


def audience_is_ours(proof: Proof) -> None:
    """`aud` is our client ID, or a list of texts that holds it."""
    audiences = _audiences(proof)
    if not audiences or len(audiences) > _MOST_AUDIENCES or not all(isinstance(one, str) for one in audiences):
        raise WrongAudience(proof.client.client_id, None)
    if proof.client.client_id not in audiences:
        raise WrongAudience(proof.client.client_id, audiences[0])


def authorized_party_is_ours(proof: Proof) -> None:
    """`azp`, where given, is our client ID; with several audiences it is given."""
    azp = proof.get("azp")
    several = len(set(map(str, _audiences(proof)))) > 1
    if azp != proof.client.client_id and ("azp" in proof.token.claims or several):
        raise WrongAudience(proof.client.client_id, azp)


def _audiences(proof: Proof) -> list[object]:
    found = proof.get("aud")
    return found if isinstance(found, list) else [] if found is None else [found]


# -- whom it names ----------------------------------------------------------------------------------------------------


def subject_is_named(proof: Proof) -> None:
    """`sub` is a text of 1 to 255 characters that can be shown."""
    if not _is_name(proof.get("sub")):
        raise MissingSubject


def session_is_named_by_text(proof: Proof) -> None:
    """`sid`, where given, is a text, so that a logout token can name it."""
    if "sid" in proof.token.claims and not _is_name(proof.get("sid")):
        raise MalformedClaim("sid", "a text")


def hosted_domain_is_ours(proof: Proof) -> None:
    """Google's `hd` is the domain that the connection is for."""
    wanted, found = proof.client.hosted_domain, proof.get("hd")
    if wanted is not None and (not isinstance(found, str) or found.lower() != wanted.lower()):
        raise WrongHostedDomain(wanted, found)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable() and value.strip() != ""


# -- when -------------------------------------------------------------------------------------------------------------


def has_not_expired(proof: Proof) -> None:
    """`exp` is given, and to come."""
    ends = instant(proof, "exp")
    if ends is None:
        raise MissingTime("exp")
    if ends <= proof.now - proof.skew:
        raise Expired(ends, proof.now)


def is_not_from_the_future(proof: Proof) -> None:
    """`iat` is given, and past."""
    if instant(proof, "iat") is None:
        raise MissingTime("iat")
    _check_begin(proof, "iat")


def was_made_for_this_sign_in(proof: Proof) -> None:
    """`iat` is at most an hour ago: the token was made after the request, which is kept for less."""
    issued = instant(proof, "iat")
    if issued is not None and issued < proof.now - proof.skew - _OLDEST:
        raise TooOld(issued, proof.now)


def is_valid_already(proof: Proof) -> None:
    """`nbf`, where given, is past."""
    _check_begin(proof, "nbf")


def authenticated_already(proof: Proof) -> None:
    """`auth_time`, where given, is past."""
    _check_begin(proof, "auth_time")


def authenticated_recently(proof: Proof) -> None:
    """`auth_time` is given where max_age was asked for, and no longer ago than that."""
    if proof.max_age is None:
        return
    signed_in = instant(proof, "auth_time")
    if signed_in is None or signed_in + timedelta(seconds=proof.max_age) < proof.now - proof.skew:
        raise NotFresh


def _check_begin(proof: Proof, claim: str) -> None:
    begins = instant(proof, claim)
    if begins is not None and begins > proof.now + proof.skew:
        raise NotYetValid(claim, begins, proof.now)


def instant(proof: Proof, claim: str) -> datetime | None:
    """A NumericDate as an instant (RFC 7519 2), None if it is absent. Raises `MalformedClaim`."""
    if claim not in proof.token.claims:
        return None
    seconds = proof.get(claim)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _LATEST:
        raise MalformedClaim(claim, "a time in seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC)


# -- which request ----------------------------------------------------------------------------------------------------


def nonce_is_ours(proof: Proof) -> None:
    """`nonce` is that of the request: the token was made for this sign-in of this browser."""
    if not proof.nonce or proof.get("nonce") != proof.nonce:
        raise WrongNonce


def access_token_belongs_to_it(proof: Proof) -> None:
    """`at_hash`, where given, is the hash of the access token that came with it."""
    wanted = toolkit.half_hash(proof.access_token, proof.token.algorithm)
    if "at_hash" in proof.token.claims and proof.get("at_hash") != wanted:
        raise WrongTokenHash


def is_no_logout_token(proof: Proof) -> None:
    """It has no logout event: a token for one end is never taken for another."""
    events = proof.get("events")
    if isinstance(events, dict) and LOGOUT_EVENT in events:
        raise NotAnIdToken


def library_agrees(proof: Proof) -> None:
    """Authlib, a second reader by others, finds no fault in the claims."""
    agrees = toolkit.agrees(
        proof.token.header,
        proof.token.claims,
        now=int(proof.now.timestamp()),
        leeway=proof.client.clock_skew + 1,  # it counts whole seconds
        issuer=proof.provider.issuer,
        client_id=proof.client.client_id,
        nonce=proof.nonce,
        access_token=proof.access_token,
        max_age=proof.max_age,
    )
    if not agrees:
        raise DisagreeingLibrary


# -- signing out ------------------------------------------------------------------------------------------------------


def is_a_logout(proof: Proof) -> None:
    """`events` is an object with the back-channel logout event, itself an object."""
    events = proof.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise NotALogoutToken


def has_no_nonce(proof: Proof) -> None:
    """`nonce` is absent, so that no ID token is taken for a logout token."""
    if "nonce" in proof.token.claims:
        raise NotALogoutToken


def has_an_id(proof: Proof) -> None:
    """`jti` is a text by which a replay can be told."""
    if not _is_name(proof.get("jti")):
        raise MissingTokenId


def names_somebody(proof: Proof) -> None:
    """`sub`, `sid` or both, each a text."""
    given = [proof.get(claim) for claim in ("sub", "sid") if claim in proof.token.claims]
    if not given or not all(_is_name(value) for value in given):
        raise NobodyToSignOut
