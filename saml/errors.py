"""Why SAML was refused: one class a reason.

Every error has a `code`, a stable word for logs and tests, and a `text`, plain words that say what is wrong
and what to fix. A `text` never quotes bytes that nobody signed: what it names comes from our own
configuration or from a verified assertion, cut and cleaned by `quoted`.
"""

from datetime import datetime
from typing import ClassVar

_LONGEST_QUOTE = 200


class SamlError(Exception):
    """Base of everything this package raises."""

    code: ClassVar[str] = "saml-error"
    text: str = "The SAML exchange failed."

    def __init__(self, text: str | None = None) -> None:
        if text is not None:
            self.text = text
        super().__init__(self.text)


def quoted(value: str | None) -> str:
    """`value` in quotation marks, at most 200 printable characters of it; "nothing" for None or an empty
    string."""
    if not value:
        return "nothing"
    printable = value
    if not value.isprintable():
        printable = "".join(character if character.isprintable() else "?" for character in value)
    cut = printable if len(printable) <= _LONGEST_QUOTE else printable[:_LONGEST_QUOTE] + "…"
    return f"“{cut}”"


def clock(instant: datetime) -> str:
    """An instant as people read it, in UTC to the second."""
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC")


class InvalidMetadata(SamlError):
    """What was given as an IdP's metadata, or as one of its fields, can't be used."""

    code = "invalid-metadata"
    text = "This isn't SAML metadata of an identity provider."


class SeveralIdentityProviders(InvalidMetadata):
    """The metadata is a federation's, or a server's with several IdPs, and nobody said which is meant.

    `found` are all of them in the order of the file, each with its entity ID and its name, "" where it has none.
    """

    code = "several-identity-providers"

    def __init__(self, text: str, found: tuple[tuple[str, str], ...]) -> None:
        super().__init__(text)
        self.found = found


class InvalidRequest(SamlError):
    """An AuthnRequest can't be built for this identity provider, e.g. it has no address for the chosen
    binding."""

    code = "invalid-request"
    text = "The identity provider has no sign-in address for this way of sending a request."


class Refused(SamlError):
    """A response that isn't accepted. Subclasses name the reason; nothing of the response may be used.

    `check` is the name of the gate's item or the rule that refused it, "" where it was neither.
    """

    code = "refused"
    text = "The identity provider's answer was refused."
    check: str = ""


# -- What a message must be before anything in it is looked at (saml.gate) --------------------------------------------


class MissingResponse(Refused):
    """The form has no SAMLResponse (SAML Bindings 3.5.4)."""

    code = "missing-response"
    text = "No answer from the identity provider arrived with this request. Start again from the sign-in page."


class MalformedMessage(Refused):
    """Not base64, not UTF-8, not XML, not a samlp:Response, or not what the SAML schema allows."""

    code = "malformed-message"
    text = (
        "The answer isn't a well-formed SAML response. Start again; if it stays so, have whoever runs the identity "
        "provider look at what it sends."
    )


class TooLarge(Refused):
    """Over a limit of size, depth or number of elements."""

    code = "too-large"
    text = "The answer is larger or more deeply nested than the bridge accepts. Send fewer attributes or groups."


class ForbiddenDoctype(MalformedMessage):
    """A document type declaration: the door to entity bombs and external files."""

    code = "forbidden-doctype"
    text = (
        "The answer has a document type declaration (DOCTYPE), which SAML messages never have. Have whoever runs the "
        "identity provider leave it out."
    )


class ForbiddenAlgorithm(Refused):
    """A signature, digest, transform, canonicalization or encryption algorithm off the allow-list."""

    code = "forbidden-algorithm"
    text = (
        "The answer is signed or encrypted with an algorithm that the bridge doesn't accept. At the "
        "identity provider choose RSA or ECDSA signatures with SHA-256 or stronger; for encryption, AES "
        "(GCM or CBC) with RSA-OAEP."
    )


class ForbiddenSignature(Refused):
    """A signature in an unexpected place or shape: signature wrapping, foreign references, key tricks."""

    code = "forbidden-signature"
    text = (
        "The answer has a signature where none belongs, or one that doesn't cover the element it stands in. Have the "
        "identity provider sign the assertion or the response as a whole, and nothing else."
    )


class ForbiddenEncryption(Refused):
    """Encryption in an unexpected place or shape: references to elsewhere, encrypted attributes."""

    code = "forbidden-encryption"
    text = (
        "The message is encrypted in a way that the bridge doesn't accept. At the identity provider encrypt "
        "the whole assertion, or its name identifier, not single attributes."
    )


class DuplicateId(Refused):
    """Two elements of one message with the same ID (XSW)."""

    code = "duplicate-id"
    text = (
        "Two elements of the answer have the same ID, so it can't be told which one was signed. Have whoever runs the "
        "identity provider give each an ID of its own."
    )


class NotOneAssertion(Refused):
    """No assertion, or more than one."""

    code = "not-one-assertion"
    text = (
        "The answer must contain exactly one assertion, as a direct child of the response. Have whoever runs the "
        "identity provider send one."
    )


class SplitText(Refused):
    """A comment or processing instruction inside a value (CVE-2017-11427 and its family)."""

    code = "split-text"
    text = (
        "A value in the answer is interrupted by an XML comment or a processing instruction. Have whoever runs the "
        "identity provider leave those out."
    )


class IdpSaidNo(Refused):
    """The response's status isn't Success (SAML Core 3.2.2.2). `status` is the innermost code's last word.

    `idp_message` is the IdP's own StatusMessage: it is not signed, so it is for the log and never for a page.
    """

    code = "idp-said-no"

    def __init__(self, status: str, idp_message: str | None = None) -> None:
        self.status = status
        self.idp_message = idp_message
        super().__init__(
            _STATUS_TEXTS.get(
                status,
                "The identity provider ended the sign-in without signing anybody in. Start again; if it stays so, its "
                "log says why.",
            )
        )


_STATUS_TEXTS = {
    "AuthnFailed": (
        "The identity provider couldn't sign this person in. Start again; if it stays so, its log says why."
    ),
    "InvalidNameIDPolicy": (
        "The identity provider can't send the name identifier format that the bridge asks for. "
        "Set the connection's format to unspecified, or choose the same one at the identity provider."
    ),
    "NoAuthnContext": (
        "The identity provider can't offer the way of signing in that the bridge asks for. Remove the "
        "requested authentication context from the connection, or allow that way at the identity provider."
    ),
    "NoPassive": (
        "The identity provider wanted to ask the person something, but was told not to. Sign in there first, then "
        "start again."
    ),
    "RequestDenied": (
        "The identity provider denied the request. Check that this person is assigned to the application there."
    ),
    "Requester": (
        "The identity provider found the bridge's request faulty. Check the entity ID, the ACS address and "
        "the request signing certificate there."
    ),
    "Responder": "The identity provider had a fault of its own. Start again; if it stays so, its log says which.",
}


# -- Who signed, and for whom it can be read (saml.toolkit, saml.encryption) ------------------------------------------


class NoCertificate(Refused):
    """The connection has no certificate of its IdP, so nobody gets in by it."""

    code = "no-certificate"
    text = (
        "This connection has no signing certificate of its identity provider. Import its metadata or add "
        "the certificate."
    )


class NotSigned(Refused):
    """Neither the response nor the assertion is signed."""

    code = "not-signed"
    text = "The answer isn't signed. Switch on signing of the assertion or of the response at the identity provider."


class BadSignature(Refused):
    """Signed, but by no key that this connection trusts, or changed after signing."""

    code = "bad-signature"
    text = (
        "The answer's signature doesn't match any certificate of this connection. If the identity provider "
        "has a new certificate, import its metadata again."
    )


class DecryptionFailed(Refused):
    """What was encrypted gave no assertion with a good signature, or no name. One text for every cause: no oracle."""

    code = "decryption-failed"
    text = (
        "The encrypted assertion, or name, can't be used: it wasn't encrypted for this connection's certificate, or "
        "what it holds isn't an assertion signed by this identity provider, or one name. Import the bridge's metadata "
        "there, and the identity provider's here."
    )


# -- What the assertion says (saml.rules) -----------------------------------------------------------------------------


class WrongIssuer(Refused):
    """Response or assertion issued by somebody else."""

    code = "wrong-issuer"

    def __init__(self, expected: str, found: str | None) -> None:
        super().__init__(
            f"The answer names {quoted(found)} as its issuer; this connection expects {quoted(expected)}. "
            "Import the identity provider's metadata again, or correct its entity ID."
        )


class WrongDestination(Refused):
    """Response/@Destination isn't our assertion consumer service."""

    code = "wrong-destination"

    def __init__(self, expected: str) -> None:
        super().__init__(
            "The answer was addressed to another address than this one. At the identity provider set the "
            f"ACS (sign-on, reply) URL to {quoted(expected)}, exactly."
        )


class WrongLogoutDestination(Refused):
    """LogoutRequest/@Destination or LogoutResponse/@Destination isn't our single logout service."""

    code = "wrong-logout-destination"

    def __init__(self, expected: str | None) -> None:
        super().__init__(
            "The logout message was addressed to another address than this one. At the identity provider set the "
            f"single logout URL, and that for its responses, to {quoted(expected)}, exactly."
        )


class WrongRecipient(Refused):
    """No bearer confirmation whose Recipient is our assertion consumer service."""

    code = "wrong-recipient"

    def __init__(self, expected: str, found: str | None) -> None:
        super().__init__(
            f"The assertion's recipient is {quoted(found)}; ours is {quoted(expected)}. "
            "At the identity provider set the recipient or ACS URL to ours, exactly."
        )


class WrongAudience(Refused):
    """An audience restriction that doesn't name us, or none at all."""

    code = "wrong-audience"

    def __init__(self, expected: str, found: tuple[str, ...]) -> None:
        audiences = ", ".join(quoted(audience) for audience in found[:5]) or "nobody"
        super().__init__(
            f"The answer was meant for {audiences}; we are {quoted(expected)}. "
            "At the identity provider set the audience (SP entity ID) to ours, exactly; mind a slash at the "
            "end."
        )


class WrongSubjectQualifier(Refused):
    """The NameID was made for another service provider (SAML Core 2.2.2)."""

    code = "wrong-subject-qualifier"
    text = (
        "The name identifier in the answer was made for another service provider. At the identity provider set the "
        "audience (SP entity ID), and SPNameQualifier where it is set apart, to ours."
    )


class Expired(Refused):
    """A NotOnOrAfter or SessionNotOnOrAfter lies in the past."""

    code = "expired"

    def __init__(self, what: str, ended: datetime, now: datetime) -> None:
        super().__init__(
            f"{what} ended at {clock(ended)}; it is {clock(now)} here. Start again; if it stays so, one of "
            "the two clocks is wrong."
        )


class MissingExpiry(Refused):
    """A time limit that the profile demands is absent: taken as expired, never as endless."""

    code = "missing-expiry"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"The answer sets no time limit ({where} has no NotOnOrAfter). Have the identity provider set a lifetime "
            "for its assertions."
        )


class NotYetValid(Refused):
    """A NotBefore, IssueInstant or AuthnInstant lies in the future."""

    code = "not-yet-valid"

    def __init__(self, what: str, begins: datetime, now: datetime) -> None:
        super().__init__(
            f"{what} begins at {clock(begins)}; it is only {clock(now)} here. One of the two clocks is "
            "wrong: have both set by a time server."
        )


class NeverValid(Refused):
    """A NotBefore that isn't before the NotOnOrAfter beside it (SAML Core 2.4.1.2, 2.5.1.2)."""

    code = "never-valid"
    text = (
        "The answer's time of validity ends before it begins. Check the clock and lifetimes at the identity provider."
    )


class InResponseToMismatch(Refused):
    """Response and assertion name different requests, or only one of them names one."""

    code = "in-response-to-mismatch"
    text = (
        "The response and the signed assertion in it don't belong to the same request. Start again; if it stays so, "
        "have whoever runs the identity provider name the request in both (InResponseTo), or in neither."
    )


class Unsolicited(Refused):
    """Nobody here asked for it (IdP-initiated), and this connection doesn't take such answers."""

    code = "unsolicited"
    text = (
        "This sign-in was started at the identity provider, which this connection doesn't allow. Start from "
        "the bridge's sign-in page, or let an owner allow IdP-initiated sign-in on the connection."
    )


class UnknownRequest(Refused):
    """InResponseTo names no pending request of this browser and connection. Raised by the flow that keeps
    them."""

    code = "unknown-request"
    text = (
        "This answer belongs to no sign-in that was started in this browser, or to one that took too long. Start again."
    )


class Replayed(Refused):
    """This assertion was used before. Raised by the flow that remembers them until
    `Assertion.not_on_or_after`."""

    code = "replayed"
    text = "This answer was used before. Start again from the sign-in page."


class MissingSubject(Refused):
    """No NameID, an empty one, or none confirmed for a bearer."""

    code = "missing-subject"
    text = "The answer names nobody: it has no usable name identifier (NameID). Set one at the identity provider."


class NotConfirmed(Refused):
    """No subject confirmation by the bearer method (SAML Profiles 4.1.4.2)."""

    code = "not-confirmed"
    text = (
        "The assertion isn't one for signing in with a browser: it has no bearer confirmation of its subject. Have the "
        "identity provider use its profile for sign-in in a browser (Web Browser SSO)."
    )


class NotOneAuthentication(Refused):
    """No AuthnStatement, or several."""

    code = "not-one-authentication"
    text = (
        "The assertion must say exactly once how and when the person signed in (AuthnStatement). Have the identity "
        "provider put one into it."
    )


class WrongAuthnContext(Refused):
    """Signed in otherwise than the connection asks for (SAML Core 3.3.2.2.1)."""

    code = "wrong-authn-context"

    def __init__(self, asked: tuple[str, ...], found: str | None) -> None:
        wanted = ", ".join(quoted(one) for one in asked[:5])
        super().__init__(
            f"The person signed in by {quoted(found)}; this connection asks for {wanted}. Have the identity provider "
            "demand it of this application, or change the connection's authentication context."
        )


class UnusableSessionIndex(Refused):
    """A SessionIndex that is too long or can't be printed."""

    code = "unusable-session-index"
    text = (
        "The identity provider's name for its session (SessionIndex) is longer than 1,024 characters, or unprintable. "
        "Have whoever runs it choose a shorter one."
    )


class UnknownCondition(Refused):
    """A condition that isn't understood makes an assertion's validity indeterminate (SAML Core 2.5.1)."""

    code = "unknown-condition"
    text = (
        "The assertion is bound to a condition that the bridge doesn't understand, or doesn't state its conditions "
        "once. Have the identity provider send no others than times, audience, one-time use and proxy restriction."
    )


class WrongVersion(Refused):
    """Not SAML 2.0."""

    code = "wrong-version"
    text = "The answer isn't SAML 2.0. Choose SAML 2.0 at the identity provider."


# -- What it gives (saml.attributes) ----------------------------------------------------------------------------------


class MissingEmail(Refused):
    """No email: neither an attribute of the mapping nor a name identifier that is one."""

    code = "missing-email"

    def __init__(self, names: tuple[str, ...], *, transient: bool = False) -> None:
        wanted = quoted(names[0]) if names else "email"
        why = " The name identifier is transient, so it can't stand in." if transient else ""
        super().__init__(
            f"The answer gives no email address.{why} At the identity provider add the attribute {wanted}, "
            "or choose the name identifier format emailAddress."
        )


class MalformedEmail(Refused):
    """An email that isn't one."""

    code = "malformed-email"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The answer gives {quoted(found)} as the email address, which isn't one. Correct it at the "
            "identity provider."
        )
