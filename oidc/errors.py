"""Why OpenID Connect was refused: one class a reason.

Every error has a `code`, a stable word for logs and tests, and a `text`, plain words that say what is wrong
and what to fix. What a `text` names comes from our own configuration, from what the provider itself told us over TLS
or from a verified token, cut and cleaned by `quoted`; never from what a browser brought, and never a secret or a token.
"""

import re
from datetime import datetime
from typing import ClassVar

_LONGEST_QUOTE = 200
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


class OidcError(Exception):
    """Base of everything this package raises.

    `check` is the name of the check that refused, "" where it was none of a table.
    """

    code: ClassVar[str] = "oidc-error"
    text: str = "The exchange with the OpenID provider failed."
    check: str = ""

    def __init__(self, text: str | None = None) -> None:
        if text is not None:
            self.text = text
        super().__init__(self.text)


def quoted(value: object) -> str:
    """`value` in quotation marks, at most 200 printable characters of it; "nothing" for None or an empty
    text."""
    if value is None or value == "":
        return "nothing"
    whole = value if isinstance(value, str) else type(value).__name__
    printable = "".join(character if character.isprintable() else "?" for character in whole[: _LONGEST_QUOTE + 1])
    cut = printable if len(printable) <= _LONGEST_QUOTE else printable[:_LONGEST_QUOTE] + "…"
    return f"“{cut}”"


def clock(instant: datetime) -> str:
    """An instant as people read it, in UTC to the second."""
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC")


# -- What a connection is set up with (oidc.provider, oidc.client) ----------------------------------------------------


class InvalidProvider(OidcError):
    """A discovery document, or an issuer, that can't be used."""

    code = "invalid-provider"
    text = (
        "This isn't the discovery document of an OpenID provider. Check the issuer: its address and "
        "/.well-known/openid-configuration lead there."
    )


class IssuerMismatch(InvalidProvider):
    """The discovery document is another issuer's (OpenID Connect Discovery 4.3)."""

    code = "issuer-mismatch"

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(
            f"The provider calls itself {quoted(found)}, the connection {quoted(expected)}. If that is your "
            "provider, set the connection's issuer to its own spelling, exactly; mind a slash at the end."
        )


class TemplateIssuer(InvalidProvider):
    """The issuer is a template for every tenant: it would let all of Entra ID in."""

    code = "template-issuer"
    text = (
        "This is the address that all tenants of Entra ID, or all personal accounts, share: it can't say whose "
        "people "
        "they are. Use your "
        "tenant's own issuer: https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0, from the app "
        "registration's overview."
    )


class InvalidKeys(OidcError):
    """What the provider published as its keys is no JWK Set (RFC 7517 5)."""

    code = "invalid-keys"
    text = (
        "The provider's keys can't be read: what stands at its jwks_uri isn't a JWK Set. Have whoever runs the "
        "provider look at that address."
    )


class InvalidRequest(OidcError):
    """A request can't be built from what it was asked for, e.g. a client without its secret."""

    code = "invalid-request"
    text = (
        "The request to the provider can't be made. Check the connection's client ID, its secret and the way of "
        "authenticating."
    )


class Refused(OidcError):
    """An answer or a token that isn't accepted. Subclasses name the reason; nothing of it may be used."""

    code = "refused"
    text = "The provider's answer was refused."


# -- What came back to the browser (oidc.authorization_answer) --------------------------------------------------------


class MalformedAnswer(Refused):
    """A parameter twice, too long, or not there (RFC 6749 3.1, 4.1.2)."""

    code = "malformed-answer"
    text = "The provider's answer isn't one that the bridge can read. Start again from the sign-in page."


class MissingCode(Refused):
    """Neither a code nor an error (RFC 6749 4.1.2)."""

    code = "missing-code"
    text = "No answer from the provider arrived with this request. Start again from the sign-in page."


class MissingState(Refused):
    """No state: nobody can tell which sign-in this answers (RFC 6749 4.1.2, 10.12)."""

    code = "missing-state"
    text = "The answer doesn't say which sign-in it belongs to. Start again from the sign-in page."


class MixedUp(Refused):
    """The answer comes from another provider than the one that was asked (RFC 9207)."""

    code = "mixed-up"

    def __init__(self, expected: str) -> None:
        super().__init__(
            f"The answer doesn't say that it comes from {quoted(expected)}, which was asked. Start again; if it "
            "stays "
            "so, check the connection's issuer."
        )


class ProviderSaidNo(Refused):
    """The provider answered with an error (RFC 6749 4.1.2.1, 5.2; OpenID Connect Core 3.1.2.6).

    `error` is its code word; `description` is its own text, cut: for the log, and for a page only escaped. `state`
    is the answer's own, None at the token endpoint.
    """

    code = "provider-said-no"

    def __init__(self, error: str, description: str | None = None, state: str | None = None) -> None:
        self.error = error
        self.description = description
        self.state = state
        said = f"the error {quoted(error)}" if _WORD.fullmatch(error) else "an error that the bridge doesn't know"
        super().__init__(
            _ERROR_TEXTS.get(
                error, f"The provider ended the sign-in with {said}. Start again; if it stays so, its log says why."
            )
        )


_ERROR_TEXTS = {
    "access_denied": (
        "The provider denied the sign-in, or it was cancelled there. Check that this person is assigned to the "
        "application there."
    ),
    "account_selection_required": "The provider wanted to ask which account to use, but was told not to. Sign "
    "in there first, then start again.",
    "consent_required": "The provider wants somebody's consent. Let an administrator grant it there for everybody.",
    "interaction_required": "The provider wanted to ask the person something, but was told not to. Sign in "
    "there first, then start again.",
    "invalid_client": (
        "The provider doesn't accept the bridge's credentials. Check the client ID, the client secret (has it "
        "expired?) and the way of authenticating (token_auth)."
    ),
    "invalid_grant": (
        "The provider doesn't accept the code that it gave: it was used before, has expired, or belongs to another "
        "redirect URI or client. Start again; if it stays so, check the redirect URI at the provider."
    ),
    "invalid_request": (
        "The provider found the bridge's request faulty. Check the client ID, and that the redirect URI there is ours."
    ),
    "invalid_scope": "The provider doesn't know a scope that the connection asks for. Take it off the connection.",
    "login_required": "The provider wanted the person to sign in, but was told not to ask. Sign in there "
    "first, then start again.",
    "server_error": "The provider had a fault of its own. Its log says which.",
    "temporarily_unavailable": "The provider is overloaded or under maintenance. Try again in a while.",
    "unauthorized_client": (
        "The provider doesn't let this client sign people in this way. Allow the authorization code grant there."
    ),
    "unsupported_response_type": (
        "The provider doesn't let this client use the authorization code flow (response_type=code). Allow it there."
    ),
}


# -- What the token endpoint answered (oidc.token_answer) -------------------------------------------------------------


class BadTokenAnswer(Refused):
    """No 200, not JSON, or not what RFC 6749 5.1 asks for."""

    code = "bad-token-answer"
    text = (
        "The provider's token endpoint gave an answer that can't be read. Start again; if it stays so, its log "
        "says why."
    )


class MissingIdToken(Refused):
    """An answer of plain OAuth: nobody is signed in by it (OpenID Connect Core 3.1.3.3)."""

    code = "missing-id-token"
    text = (
        "The provider gave no ID token. Check that the connection's scopes contain openid, and that the provider is "
        "one of OpenID Connect."
    )


# -- What a token must be before anything in it is believed (oidc.token) ----------------------------------------------


class MalformedToken(Refused):
    """Not a compact JWS of JSON: other parts, other letters, duplicate members, a wrong type, NUL, NaN."""

    code = "malformed-token"
    text = "The provider's token isn't a well-formed JWT. Have whoever runs the provider look at what it sends."


class TooLarge(Refused):
    """Over a limit of size, depth or number."""

    code = "too-large"
    text = "The provider's answer is larger or more deeply nested than the bridge accepts. Send fewer claims or groups."


class EncryptedToken(Refused):
    """A JWE (RFC 7516). The bridge has no key that a provider could encrypt for."""

    code = "encrypted-token"
    text = (
        "The provider's token is encrypted, which the bridge doesn't read. Switch encryption off there; keep signing."
    )


class ForbiddenAlgorithm(Refused):
    """An algorithm off the allow-list, or one that the provider doesn't announce (RFC 8725 3.1)."""

    code = "forbidden-algorithm"
    text = (
        "The provider's token isn't signed with an algorithm that the bridge accepts. Choose one with a public key "
        "there: RS256, PS256, ES256 or stronger, or EdDSA; never none or HS256."
    )


class ForbiddenExtension(Refused):
    """`crit` or `b64`: rules that the bridge doesn't know, yet would have to (RFC 7515 4.1.11, RFC 7797)."""

    code = "forbidden-extension"
    text = (
        "The provider's token demands an extension of JWS that the bridge doesn't know. Have whoever runs the "
        "provider leave out crit and b64."
    )


class WrongType(Refused):
    """`typ` or `cty` says that this is another kind of token (RFC 8725 3.11)."""

    code = "wrong-type"

    text = (
        "The provider sent a token of another kind than belongs here (its typ or cty). Have whoever runs the "
        "provider name the kind rightly, or leave it out."
    )


class UnknownKey(Refused):
    """Signed with a key that isn't among those the provider published when they were last read.

    The caller reads the keys anew, once, and tries again.
    """

    code = "unknown-key"
    text = (
        "The token is signed with a key that the provider doesn't publish at its jwks_uri. Try again in a few "
        "minutes: its keys may just be changing."
    )


class UnfitKey(Refused):
    """The named key isn't for this algorithm, or not for verifying (RFC 7517 4.2–4.4, RFC 8725 3.1)."""

    code = "unfit-key"
    text = (
        "The token's signature and the published key that it names don't fit: another algorithm, type or use. "
        "Choose a key at the provider that fits the algorithm, of 2048 bits or more for RSA."
    )


class BadSignature(Refused):
    """Changed after signing, or signed by somebody else."""

    code = "bad-signature"
    text = (
        "The token's signature isn't good under the provider's published key. Start again; if it stays so, check "
        "the connection's issuer."
    )


# -- What a token says (oidc.id_token, oidc.logout_token) -------------------------------------------------------------


class MalformedClaim(Refused):
    """A claim of a wrong type."""

    code = "malformed-claim"

    def __init__(self, claim: str, wanted: str) -> None:
        super().__init__(
            f"The provider's token is faulty: its claim {claim} isn't {wanted}. Have whoever runs the provider "
            "correct it."
        )


class WrongIssuer(Refused):
    """Issued by somebody else."""

    code = "wrong-issuer"

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(
            f"The token was issued by {quoted(found)}; this connection expects {quoted(expected)}. Correct the "
            "connection's issuer, or choose the provider's newer endpoint (Entra ID: v2.0)."
        )


class WrongTenant(Refused):
    """Entra ID's `tid` isn't the tenant of the issuer."""

    code = "wrong-tenant"

    def __init__(self, found: object) -> None:
        super().__init__(
            f"The token is from another tenant of Entra ID, {quoted(found)}, than the connection's issuer. Sign "
            "in by the account of that tenant, or correct the connection's issuer."
        )


class WrongAudience(Refused):
    """For another client, or for several without saying whose it is (OpenID Connect Core 3.1.3.7)."""

    code = "wrong-audience"

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(
            f"The token was issued to {quoted(found)}; we are {quoted(expected)}. Check the connection's client ID."
        )


class MissingSubject(Refused):
    """No `sub`, an empty one, one over 255 characters or with characters that can't be shown."""

    code = "missing-subject"
    text = (
        "The provider's token names nobody: it has no usable subject (sub). Have whoever runs the provider look at "
        "what it sends."
    )


class Expired(Refused):
    """`exp` is past."""

    code = "expired"

    def __init__(self, ended: datetime, now: datetime) -> None:
        super().__init__(
            f"The token was valid until {clock(ended)}; it is {clock(now)} here. Start again; if it stays so, one of "
            "the two clocks is wrong."
        )


class MissingTime(Refused):
    """`exp` or `iat` is absent: taken as wrong, never as endless."""

    code = "missing-time"

    def __init__(self, claim: str) -> None:
        super().__init__(
            f"The provider's token doesn't say when it begins or ends: it has no {claim}. Have whoever runs the "
            "provider set it."
        )


class TooOld(Refused):
    """`iat` is from before any sign-in that can still be pending."""

    code = "too-old"

    def __init__(self, issued: datetime, now: datetime) -> None:
        super().__init__(
            f"The token was made at {clock(issued)}, long before this sign-in; it is {clock(now)} here. Start again; "
            "if it stays so, one of the two clocks is wrong."
        )


class NotYetValid(Refused):
    """`iat`, `nbf` or `auth_time` is to come."""

    code = "not-yet-valid"

    def __init__(self, claim: str, begins: datetime, now: datetime) -> None:
        super().__init__(
            f"The token's time {claim} is {clock(begins)}; it is only {clock(now)} here. One of the two clocks is "
            "wrong: have both set by a time server."
        )


class WrongNonce(Refused):
    """Not made for the request of this sign-in (OpenID Connect Core 3.1.3.7)."""

    code = "wrong-nonce"
    text = "The token belongs to another sign-in than the one that was started in this browser. Start again."


class WrongTokenHash(Refused):
    """`at_hash` isn't that of the access token beside it (OpenID Connect Core 3.1.3.8)."""

    code = "wrong-token-hash"
    text = (
        "The ID token and the access token in the provider's answer don't belong together. Start again; if it "
        "stays so, have whoever runs the provider look at what it sends."
    )


class NotFresh(Refused):
    """The person signed in at the provider longer ago than was asked for, or it doesn't say when."""

    code = "not-fresh"
    text = (
        "The provider didn't ask the person to sign in anew, or doesn't say when it did (auth_time). Sign out there "
        "and start again."
    )


class WrongHostedDomain(Refused):
    """Google's `hd` isn't the connection's domain, or absent: somebody else's or a private account."""

    code = "wrong-hosted-domain"

    def __init__(self, expected: str | None, found: object) -> None:
        wanted = quoted(expected) if expected else "a Google Workspace"
        super().__init__(
            f"This Google account belongs to {quoted(found)}, the connection is for {wanted}. Choose the work account."
        )


class NotAnIdToken(Refused):
    """A logout token where an ID token belongs (Back-Channel Logout 2.4)."""

    code = "not-an-id-token"
    text = (
        "The provider sent a token for signing out where one for signing in belongs. Have whoever runs the "
        "provider look at what it sends."
    )


class DisagreeingLibrary(Refused):
    """Authlib, the second reader, finds a fault where our own checks found none."""

    code = "disagreeing-library"
    text = (
        "The provider's token is faulty: one of its claims has a type or value that OpenID Connect doesn't allow. "
        "Have whoever runs the provider look at what it sends."
    )


class NotASecurityEvent(Refused):
    """Not a Security Event Token with one event (RFC 8417 2.2, 4.5)."""

    code = "not-a-security-event"
    text = (
        "What the provider pushed isn't a Security Event Token with one event. Have whoever runs the provider look "
        "at what it sends."
    )


class NotALogoutToken(Refused):
    """No back-channel logout event, or a nonce (Back-Channel Logout 2.4, 2.6)."""

    code = "not-a-logout-token"
    text = (
        "This isn't a logout token: it has no logout event, or it has a nonce, as only ID tokens do. Have whoever "
        "runs the provider look at what it sends."
    )


class MissingTokenId(Refused):
    """No `jti`, so that a replay couldn't be told (Back-Channel Logout 2.4)."""

    code = "missing-token-id"
    text = "The logout token has no usable identifier (jti). Have whoever runs the provider set one."


class NobodyToSignOut(Refused):
    """Neither `sub` nor `sid` (Back-Channel Logout 2.4)."""

    code = "nobody-to-sign-out"
    text = (
        "The logout token says neither who is to be signed out (sub) nor of which session (sid). Have whoever runs "
        "the provider set one of them."
    )


class Replayed(Refused):
    """This token was used before. Raised by the flow that remembers them until `LogoutToken.until`."""

    code = "replayed"
    text = "This token was used before. Send a new one."


# -- What it gives (oidc.userinfo, oidc.claims) -----------------------------------------------------------------------


class BadUserinfo(Refused):
    """Not JSON and no JWT."""

    code = "bad-userinfo"
    text = (
        "The provider's userinfo endpoint gave an answer that can't be read. Start again; if it stays so, its log "
        "says why."
    )


class WrongUserinfoSubject(Refused):
    """Userinfo about somebody else (OpenID Connect Core 5.3.2)."""

    code = "wrong-userinfo-subject"
    text = (
        "The provider's userinfo is about another person than its ID token. Nothing of it was used. Have whoever "
        "runs the provider look at what it sends."
    )


class MissingEmail(Refused):
    """No email in any claim of the mapping."""

    code = "missing-email"

    def __init__(self, names: tuple[str, ...]) -> None:
        wanted = quoted(names[0]) if names else "email"
        super().__init__(
            f"The provider gives no email address. Add the scope email to the connection, and the claim {wanted} to "
            "the application at the provider."
        )


class MalformedEmail(Refused):
    """An email that isn't one."""

    code = "malformed-email"

    def __init__(self, found: object) -> None:
        super().__init__(
            f"The provider gives {quoted(found)} as the email address, which isn't one. Correct it at the provider."
        )


class EmailNotVerified(Refused):
    """The provider says that it never verified the email, or doesn't say that it did where it always does."""

    code = "email-not-verified"
    text = (
        "The provider doesn't vouch for this person's email address (email_verified isn't true). Let the person "
        "verify it there."
    )
