"""What a refused sign-in means and what to change, where in that IdP's console: data, by code and by preset.

`EXPLANATIONS` says for each code what happened, in a title, and which setting it is about; `CONSOLES` where each IdP
keeps that setting. A code that isn't in the table is explained by its own text alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.domain.sign_in_log import AttemptKind

#: A setting at the IdP, or who has to act where it is none of the IdP's.
Setting = Literal[
    "audience",
    "acs",
    "name_id",
    "signing",
    "algorithm",
    "certificate",
    "encryption",
    "email",
    "assignment",
    "clock",
    "redirect",
    "client",
    "issuer",
    "provider",
    "token_algorithm",
    "email_claim",
    "again",
    "bridge",
    "people",
]

#: Our value that belongs into a setting: a key of the connection's addresses.
VALUE_OF: Mapping[str, str] = {"audience": "sp_entity_id", "acs": "acs_url", "redirect": "redirect_uri"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` heads the page. `todo` says what to do, in one sentence, and `where` the path in the IdP's console; None
    where nothing is to be changed there. `value`: which of our addresses to copy into it.
    """

    title: str
    setting: Setting
    todo: str
    where: str | None = None
    value: str | None = None


#: What one does about a setting.
_TODO: Mapping[Setting, str] = {
    "audience": "Set the audience (entity ID) to ours, exactly: mind a slash at the end.",
    "acs": "Set the sign-on, reply or ACS address to ours, exactly.",
    "name_id": "Choose a name identifier that stays the same: the email address, or a persistent one.",
    "signing": "Have the assertion or the response signed.",
    "algorithm": "Choose SHA-256 or stronger, for signature and digest.",
    "certificate": "Take its present metadata and import it into the connection here.",
    "encryption": "Have the whole assertion encrypted for our present certificate (AES, RSA-OAEP), or not at all.",
    "email": "Send the email address as an attribute.",
    "assignment": "Assign the person to the application, directly or by a group.",
    "clock": "Have both clocks set by a time server. The connection's clock skew says how much they may differ.",
    "redirect": "Set the redirect URI to ours, exactly.",
    "client": "Compare client id, client secret and the way in which the client shows them.",
    "issuer": "Compare the issuer in the connection with the one that its console names, to the letter.",
    "provider": "Nothing in the bridge changes it: show its administrator the answer below.",
    "token_algorithm": "Have ID tokens signed with RS256 or ES256, by a key of 2048 bits or more, and not encrypted.",
    "email_claim": "Have the ID token or userinfo hold the claim email: allow the scope email.",
    "again": "Nothing is to be changed. Whoever it happened to starts again from the sign-in page.",
    "bridge": "It is decided here, in the bridge: look at the connection, its domains, and the person.",
    "people": "It is decided here, in the bridge, on the person's page under Access Management.",
}

#: Where each IdP keeps a setting. What is the same for all of its settings stands once, in `_APPLICATIONS`.
_APPLICATIONS: Mapping[str, str] = {
    "okta": "Applications › Applications › your application",
    "entra": "Enterprise applications › your application",
    "onelogin": "Applications › Applications › your application",
    "google": "Apps › Web and mobile apps › your application",
    "jumpcloud": "SSO Applications › your application",
    "ping": "Applications › Applications › your application",
    "adfs": "AD FS Management › Relying Party Trusts › your trust",
}
_OKTA_SAML = "General › SAML Settings › Edit › Configure SAML"
_OKTA_ADVANCED = f"{_OKTA_SAML} › Show Advanced Settings"
_ENTRA_SAML = "Single sign-on"
CONSOLES: Mapping[str, Mapping[Setting, str]] = {
    "okta": {
        "audience": f"{_OKTA_SAML} › Audience URI (SP Entity ID)",
        "acs": f"{_OKTA_SAML} › Single sign-on URL, with “Use this for Recipient URL and Destination URL” ticked",
        "name_id": f"{_OKTA_SAML} › Name ID format and Application username",
        "signing": f"{_OKTA_ADVANCED} › Response and Assertion Signature: Signed",
        "algorithm": f"{_OKTA_ADVANCED} › Signature Algorithm and Digest Algorithm",
        "certificate": "Sign On › Metadata details › Metadata URL",
        "encryption": f"{_OKTA_ADVANCED} › Assertion Encryption, Encryption Algorithm, Key Transport Algorithm",
        "email": "Sign On › Attribute statements: email = user.email",
        "assignment": "Assignments",
        "redirect": "General › Login › Sign-in redirect URIs",
        "client": "General › Client Credentials",
    },
    "entra": {
        "audience": f"{_ENTRA_SAML} › Basic SAML Configuration › Identifier (Entity ID)",
        "acs": f"{_ENTRA_SAML} › Basic SAML Configuration › Reply URL (Assertion Consumer Service URL)",
        "name_id": f"{_ENTRA_SAML} › Attributes & Claims › Unique User Identifier (Name ID)",
        "signing": f"{_ENTRA_SAML} › SAML Certificates › Token signing certificate › Edit › Signing Option",
        "algorithm": f"{_ENTRA_SAML} › SAML Certificates › Token signing certificate › Edit › Signing Algorithm",
        "certificate": f"{_ENTRA_SAML} › SAML Certificates › App Federation Metadata Url",
        "encryption": "Security › Token encryption",
        "email": f"{_ENTRA_SAML} › Attributes & Claims › emailaddress = user.mail",
        "assignment": "Users and groups",
        "redirect": "App registrations › your application › Authentication › Web › Redirect URIs",
        "client": "App registrations › your application › Certificates & secrets",
    },
    "onelogin": {
        "audience": "Configuration › Audience (EntityID)",
        "acs": "Configuration › ACS (Consumer) URL, Recipient, and ACS (Consumer) URL Validator",
        "name_id": "Configuration › SAML nameID format; Parameters › NameID value",
        "signing": "Configuration › SAML signature element",
        "algorithm": "SSO › SAML Signature Algorithm",
        "certificate": "More Actions › SAML Metadata",
        "encryption": "Configuration › Encrypt assertion, SAML encryption method",
        "email": "Parameters › email, with “Include in SAML assertion” ticked",
        "assignment": "Users, or Access › Roles",
        "redirect": "Configuration › Redirect URI’s",
        "client": "SSO › Client ID, Client Secret, Token Endpoint",
    },
    "google": {
        "audience": "Service provider details › Entity ID",
        "acs": "Service provider details › ACS URL",
        "name_id": "Service provider details › Name ID format and Name ID",
        "signing": "Service provider details › Signed response",
        "algorithm": "Service provider details › Certificate (its key is RSA with SHA-256)",
        "certificate": "Download metadata",
        "encryption": "Google signs and doesn’t encrypt: something between it and the bridge changes the answer",
        "email": "SAML attribute mapping › Primary email = email",
        "assignment": "User access: ON for everyone, or for the person’s organizational unit or group",
        "redirect": "Google Cloud console › Credentials › your OAuth client › Authorized redirect URIs",
        "client": "Google Cloud console › Credentials › your OAuth client",
    },
    "jumpcloud": {
        "audience": "SSO › SP Entity ID",
        "acs": "SSO › ACS URLs",
        "name_id": "SSO › SAMLSubject NameID and SAMLSubject NameID Format",
        "signing": "SSO › Sign › Assertion, Response, or both",
        "algorithm": "SSO › Signature Algorithm",
        "certificate": "SSO › JumpCloud Metadata › Copy Metadata URL",
        "encryption": "SSO › SP Certificate and Encrypt Assertion",
        "email": "SSO › Attributes › User Attribute Mapping: email = email",
        "assignment": "User Groups",
        "redirect": "SSO › Redirect URIs",
        "client": "SSO › Client Authentication Type",
    },
    "ping": {
        "audience": "Configuration › Entity ID",
        "acs": "Configuration › ACS URLs",
        "name_id": "Configuration › Subject NameID Format; Attribute Mappings › saml_subject",
        "signing": "Configuration › Signing Key › Sign Assertion, Response, or both",
        "algorithm": "Configuration › Signing Key › Signing Algorithm",
        "certificate": "Configuration › Download Metadata, or IDP Metadata URL",
        "encryption": "Configuration › Enable Encryption, its algorithm and certificate",
        "email": "Attribute Mappings › email = Email Address",
        "assignment": "Access",
        "redirect": "Configuration › Redirect URIs",
        "client": "Configuration › Client ID and Client Secret; Token Endpoint Authentication Method",
    },
    "adfs": {
        "audience": "Properties › Identifiers › Relying party identifiers",
        "acs": "Properties › Endpoints › SAML Assertion Consumer Endpoints (POST)",
        "name_id": "Edit Claim Issuance Policy › the rule that gives the Name ID",
        "signing": "PowerShell: Set-AdfsRelyingPartyTrust -SamlResponseSignature MessageAndAssertion",
        "algorithm": "Properties › Advanced › Secure hash algorithm: SHA-256",
        "certificate": "Service › Certificates › Token-signing, and FederationMetadata/2007-06/FederationMetadata.xml",
        "encryption": "Properties › Encryption",
        "email": "Edit Claim Issuance Policy › the rule that gives E-Mail Address",
        "assignment": "Access Control Policies",
        "redirect": "Application Groups › your application › Redirect URI",
        "client": "Application Groups › your application › Application Credentials",
    },
}

#: By code: what happened, `{idp}` being the connection's name, and which setting it is about.
EXPLANATIONS: Mapping[str, tuple[str, Setting]] = {
    # saml.errors
    "missing-response": ("No answer of {idp} arrived", "again"),
    "malformed-message": ("What arrived isn’t a SAML response that can be read", "acs"),
    "too-large": ("{idp}’s answer is larger than the bridge takes", "email"),
    "forbidden-doctype": ("What arrived has a DOCTYPE, which no IdP sends", "bridge"),
    "forbidden-algorithm": ("{idp} signs or encrypts with an algorithm that isn’t accepted", "algorithm"),
    "forbidden-signature": ("A signature stands where none belongs", "signing"),
    "forbidden-encryption": ("{idp} encrypts in a way that isn’t accepted", "encryption"),
    "duplicate-id": ("Two parts of the answer have one ID", "bridge"),
    "not-one-assertion": ("The answer has no assertion, or several", "bridge"),
    "split-text": ("A value of the answer is broken by a comment", "bridge"),
    "idp-said-no": ("{idp} itself refused to sign them in", "assignment"),
    "no-certificate": ("The connection has no certificate of {idp}", "certificate"),
    "not-signed": ("{idp}’s answer isn’t signed", "signing"),
    "bad-signature": ("{idp} signed with a certificate that this connection doesn’t know", "certificate"),
    "decryption-failed": ("{idp}’s encrypted assertion can’t be opened", "encryption"),
    "wrong-issuer": ("The answer is from another issuer than {idp}", "certificate"),
    "wrong-destination": ("{idp}’s answer was addressed elsewhere", "acs"),
    "wrong-logout-destination": ("{idp}’s logout message was addressed elsewhere", "bridge"),
    "wrong-recipient": ("{idp}’s assertion was made for another address", "acs"),
    "wrong-audience": ("{idp}’s answer was meant for somebody else", "audience"),
    "wrong-subject-qualifier": ("The name identifier was made for another service provider", "audience"),
    "expired": ("{idp}’s answer is too old", "clock"),
    "missing-expiry": ("{idp}’s answer sets no time limit", "bridge"),
    "never-valid": ("{idp}’s answer ends before it begins", "clock"),
    "unusable-session-index": ("{idp}’s name for its session can’t be kept", "name_id"),
    "not-yet-valid": ("{idp}’s answer is from the future", "clock"),
    "in-response-to-mismatch": ("The answer’s two parts belong to different requests", "again"),
    "unsolicited": ("It began at {idp}, which this connection doesn’t allow", "bridge"),
    "unknown-request": ("It answers no request that is under way", "again"),
    "replayed": ("The same answer came twice", "again"),
    "missing-subject": ("{idp}’s answer names nobody", "name_id"),
    "not-confirmed": ("The assertion isn’t one for signing in", "acs"),
    "not-one-authentication": ("The assertion doesn’t say once how they signed in", "bridge"),
    "unknown-condition": ("The assertion has a condition that the bridge doesn’t know", "bridge"),
    "wrong-version": ("The answer isn’t SAML 2.0", "bridge"),
    "missing-email": ("{idp} sends no email address", "email"),
    "malformed-email": ("What {idp} sends as the email is none", "email"),
    "wrong-authn-context": ("{idp} signed them in another way than was asked for", "bridge"),
    "invalid-request": ("The bridge has no address of {idp} to send them to", "certificate"),
    # bridge.domain.sign_in
    "sign_in_refused": ("They can’t sign in", "bridge"),
    "unknown_request": ("It answers no request that is under way", "again"),
    "logout_repeated": ("The same logout message came twice", "again"),
    "unknown_logout": ("It answers no logout that is under way", "again"),
    "ended_at_idp": ("They signed out at {idp} after it made this answer", "again"),
    "ended_at_twilio": ("They signed out at Twilio after it gave this answer", "again"),
    "already_linked": ("The account, or the Twilio user, is linked to another one", "again"),
    "other_browser": ("It was begun in another browser", "again"),
    "not_fresh": ("{idp} didn’t ask them anew, as was demanded", "again"),
    "connection_off": ("The connection is off", "bridge"),
    "not_a_member": ("They are no member, and the first sign-in makes no accounts", "people"),
    "membership_ended": ("Their membership has ended", "people"),
    "held_out": ("{idp} says that they are deactivated", "assignment"),
    "another_connections_person": ("They belong to another connection", "people"),
    "account_closed": ("Their account was closed", "people"),
    "unusable_identity": ("What {idp} says of them can’t be kept", "name_id"),
    "shared_email": ("{idp} gives one email to two people", "email"),
    "wrong_credentials": ("The email or the password is wrong", "again"),
    "wrong_factor": ("The password was right, the second factor was wrong or was used already", "again"),
    "login_step_gone": ("The second factor came more than ten minutes after the password", "again"),
    "wrong_code": ("The break-glass code is wrong, or was used", "again"),
    "login_too_old": ("A break-glass code came without a fresh sign-in", "again"),
    "proof_expired": ("The proof of their account ran out, or was used", "again"),
    "not_that_account": ("They proved another account", "again"),
    "test_ticket_used": ("The address of a test was used twice", "again"),
    "test_result_gone": ("The result of a test isn’t shown any more", "again"),
    "conflict": ("Somebody else was changing the same records", "again"),
    "last_owner": ("It would leave the workspace without an owner who can sign in", "people"),
}


#: The same for OpenID Connect, where it says something else by the same code, or has codes of its own (oidc.errors).
OIDC_EXPLANATIONS: Mapping[str, tuple[str, Setting]] = {
    "invalid-provider": ("What {idp} says about itself can’t be used", "issuer"),
    "issuer-mismatch": ("{idp} says that it is another issuer", "issuer"),
    "template-issuer": ("The issuer stands for any tenant", "issuer"),
    "invalid-keys": ("{idp}’s keys can’t be read", "provider"),
    "invalid-request": ("The bridge has no address of {idp} to send them to", "issuer"),
    "malformed-answer": ("{idp}’s answer can’t be read", "provider"),
    "missing-code": ("{idp}’s answer holds no code", "client"),
    "missing-state": ("{idp}’s answer doesn’t say what it answers", "provider"),
    "unknown-state": ("It answers no request that is under way", "again"),
    "mixed-up": ("The answer is from another provider than {idp}", "again"),
    "provider-said-no": ("{idp} itself refused to sign them in", "assignment"),
    "token-refused": ("{idp} gave no tokens for the code", "client"),
    "bad-token-answer": ("{idp} gave no tokens for the code", "client"),
    "missing-id-token": ("{idp} gave no ID token", "client"),
    "malformed-token": ("{idp}’s ID token can’t be read", "provider"),
    "too-large": ("{idp}’s answer is larger than the bridge takes", "provider"),
    "encrypted-token": ("{idp} encrypts its ID tokens", "token_algorithm"),
    "forbidden-algorithm": ("{idp} signs ID tokens with an algorithm that isn’t accepted", "token_algorithm"),
    "forbidden-extension": ("{idp}’s ID token demands an extension that isn’t known", "provider"),
    "wrong-type": ("What came is another kind of token", "provider"),
    "unknown-key": ("{idp} signed with a key that it doesn’t publish", "provider"),
    "unfit-key": ("{idp}’s key is too weak, or of another kind", "token_algorithm"),
    "bad-signature": ("The ID token’s signature isn’t {idp}’s", "issuer"),
    "malformed-claim": ("A claim of {idp}’s ID token can’t be read", "provider"),
    "wrong-issuer": ("The ID token is from another issuer than {idp}", "issuer"),
    "wrong-tenant": ("They signed in at another tenant", "issuer"),
    "wrong-audience": ("{idp}’s ID token was made for another client", "client"),
    "missing-subject": ("{idp}’s ID token names nobody", "provider"),
    "too-old": ("{idp}’s ID token was made long before", "clock"),
    "not_from_here": ("It began at {idp}, which this connection doesn’t allow", "bridge"),
    "provider_failed": ("{idp} gave no answer that the bridge can use", "provider"),
    "provider_silent": ("{idp} didn’t answer somebody a moment before", "provider"),
    "too_busy": ("Too many waited for identity providers at once", "again"),
    "missing-time": ("{idp}’s ID token sets no time limit", "provider"),
    "wrong-nonce": ("The ID token belongs to another request", "again"),
    "wrong-token-hash": ("The tokens don’t belong together", "again"),
    "not-fresh": ("{idp} didn’t ask them anew, as was demanded", "again"),
    "wrong-hosted-domain": ("They signed in with an account outside of the company’s domain", "people"),
    "not-an-id-token": ("What came isn’t an ID token", "provider"),
    "disagreeing-library": ("The ID token could be read in two ways", "provider"),
    "bad-userinfo": ("{idp}’s userinfo can’t be read", "provider"),
    "wrong-userinfo-subject": ("{idp}’s userinfo is about somebody else", "provider"),
    "email-not-verified": ("{idp} says that their email isn’t verified", "email"),
    "missing-email": ("{idp} sends no email address", "email_claim"),
}


def explain(code: str, preset: str, idp: str, kind: AttemptKind = "saml") -> Explanation | None:
    """What a refusal by this code means for a connection of that preset; None for a code that isn't known."""
    found = (OIDC_EXPLANATIONS.get(code) if kind == "oidc" else None) or EXPLANATIONS.get(code)
    if found is None:
        return None
    title, setting = found
    named = title.replace("{idp}", idp or "The identity provider")
    path = CONSOLES.get(preset, {}).get(setting)
    alone = path is None or path.startswith(
        ("App registrations", "Google Cloud", "PowerShell", "Service ›", "Google signs")
    )
    where = path if alone else f"{_APPLICATIONS[preset]} › {path}"
    return Explanation(named[0].upper() + named[1:], setting, _TODO[setting], where, VALUE_OF.get(setting))
