"""What a refused sign-in means, whose turn it is and what to change, where in that IdP's console: data, by code.

`EXPLANATIONS` says for each code what happened, in a title, and which setting it is about, `_TODO` what one does about
a setting and `_TURNS` who does it; `bridge.domain.sign_in_consoles` where each IdP keeps it. A code that isn't in a
table is explained by its own text alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bridge.domain.sign_in_consoles import CONSOLES, IdpSetting, Place
from bridge.domain.sign_in_log import AttemptKind

#: What it is about: something that the IdP's administrator sets, or else by whom it is mended. "software" and
#: "provider" are what the IdP's own program does, SAML and OpenID Connect.
Setting = IdpSetting | Literal["clock", "software", "provider", "again", "bridge", "people", "person"]

#: Who has to act: the IdP's administrator, whoever makes or runs the IdP, an owner of the workspace here, the person
#: who wants to sign in, or whoever runs the servers of either side.
Turn = Literal["idp", "vendor", "bridge", "person", "servers"]

#: Our value that belongs into a setting: a key of the connection's addresses.
VALUE_OF: Mapping[str, str] = {"audience": "sp_entity_id", "acs": "acs_url", "logout": "slo_url"}


class Reason(NamedTuple):
    """`title` and `todo` may hold {idp}, the connection's name. Without a `todo` the setting's own is said."""

    title: str
    setting: Setting
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`title` heads the page. `turn` is who has to act, `todo` says what to do, and `where` the path in the IdP's
    console; None where nothing is to be changed there, or its console has no such setting, which `todo` then says.
    `value`: which of our addresses to copy into it.
    """

    title: str
    setting: Setting
    turn: Turn
    todo: str
    where: str | None = None
    value: str | None = None


#: What one does about a setting.
_TODO: Mapping[Setting, str] = {
    "audience": "Set the audience (entity ID) at {idp} to ours, exactly: mind a slash at the end.",
    "acs": "Set the sign-on, reply or ACS address at {idp} to ours, exactly.",
    "name_id": "Choose a name identifier at {idp} that stays the same: the email address, or a persistent one.",
    "signing": "Have {idp} sign the assertion or the response, as a whole.",
    "algorithm": "Choose SHA-256 or stronger at {idp}, for signature and digest.",
    "certificate": "Take {idp}’s present metadata and import it into the connection here.",
    "encryption": "Have {idp} encrypt the whole assertion for our present certificate (AES, RSA-OAEP), or not at all.",
    "email": "Have {idp} send the email address as an attribute.",
    "groups": "Have {idp} send fewer groups and attributes: only those that rules here need. Pushing by SCIM has no "
    "such limit.",
    "assignment": "Assign the person to the application at {idp}, directly or by a group.",
    "profile": "Correct the person’s email address at {idp}.",
    "method": "Have {idp} demand that kind of sign-in for this application, or change the kinds of sign-in under the "
    "connection’s Settings here.",
    "lifetime": "Have {idp} set a time limit, NotOnOrAfter, that lies after the beginning: five minutes are usual.",
    "fresh": "Have {idp} ask for a new sign-in when told to, and say when it did; or switch off “Ask for a new sign-in "
    "each time” under the connection’s Settings here, where that is on.",
    "logout": "Set the single logout address at {idp}, and that for its responses, to ours, exactly.",
    "clock": "Have the clocks of both servers set by a time server. The connection’s clock skew, under its Settings "
    "here, says how much they may differ.",
    "client": "Compare client id, client secret (has it expired?), redirect URI and the way in which the client "
    "shows itself, here and at {idp}.",
    "issuer": "Compare the issuer in the connection here with the one that {idp} names, to the letter.",
    "token_algorithm": "Have {idp} sign ID tokens with RS256 or ES256, by a key of 2048 bits or more.",
    "token_encryption": "Switch the encryption of ID tokens off at {idp}; keep them signed.",
    "email_claim": "Have {idp} put the claim email into the ID token or userinfo: allow the scope email, and see that "
    "the person has an address there.",
    "email_verified": "Have the person’s address verified at {idp}, and have {idp} say so. Where only administrators "
    "write addresses there, the connection’s Settings here can believe every address.",
    "software": "{idp}’s own software builds the answer so, or something between it and the browser changes it. Show "
    "whoever runs it the decoded answer below.",
    "provider": "{idp}’s own software answers so, and nothing in the bridge changes it. Show whoever runs it the "
    "answer below.",
    "again": "Nothing is to be changed. Whoever it happened to starts again from the sign-in page.",
    "bridge": "It is decided here, in the bridge: look at the connection, its domains, and the person.",
    "people": "It is decided here, in the bridge, on the person’s page under Access Management.",
    "person": "Whoever it happened to starts again from the sign-in page.",
}

#: Whose turn it is, where it isn't that of the IdP's administrator.
_TURNS: Mapping[Setting, Turn] = {
    "clock": "servers",
    "software": "vendor",
    "provider": "vendor",
    "certificate": "bridge",
    "issuer": "bridge",
    "again": "person",
    "person": "person",
    "bridge": "bridge",
    "people": "bridge",
}

_NO_SETTING = Place("", "We know of no setting for it in its console.")

#: Which setting of OpenID Connect stands for one of SAML, where both refuse by one code.
_IN_OIDC: Mapping[Setting, Setting] = {
    "audience": "client",
    "acs": "client",
    "name_id": "provider",
    "signing": "token_algorithm",
    "algorithm": "token_algorithm",
    "certificate": "issuer",
    "encryption": "token_encryption",
    "method": "provider",
    "lifetime": "provider",
    "logout": "provider",
    "software": "provider",
}

#: By code: what happened, and which setting it is about.
EXPLANATIONS: Mapping[str, Reason] = {
    # saml.errors
    "missing-response": Reason(
        "No answer of {idp} arrived",
        "again",
        "Start again from the sign-in page. If it stays so, have {idp} answer by the binding HTTP-POST.",
    ),
    "malformed-message": Reason("What arrived isn’t a SAML response that can be read", "software"),
    "too-large": Reason("{idp}’s answer is larger than the bridge takes", "groups"),
    "forbidden-doctype": Reason("What arrived has a DOCTYPE, which no IdP sends", "software"),
    "forbidden-algorithm": Reason("{idp} signs or encrypts with an algorithm that isn’t accepted", "algorithm"),
    "forbidden-signature": Reason("A signature stands where none belongs", "software"),
    "forbidden-encryption": Reason("{idp} encrypts in a way that isn’t accepted", "encryption"),
    "duplicate-id": Reason("Two parts of the answer have one ID", "software"),
    "not-one-assertion": Reason("The answer has no assertion, or several", "software"),
    "split-text": Reason("A value of the answer is broken by a comment", "software"),
    "idp-said-no": Reason(
        "{idp} itself refused to sign them in",
        "assignment",
        "Follow the reason above. Where {idp} denied this person, assign them to the application there, directly or by "
        "a group.",
    ),
    "no-certificate": Reason("The connection has no certificate of {idp}", "certificate"),
    "not-signed": Reason("{idp}’s answer isn’t signed", "signing"),
    "bad-signature": Reason("{idp} signed with a certificate that this connection doesn’t know", "certificate"),
    "decryption-failed": Reason("{idp}’s encrypted assertion can’t be opened", "encryption"),
    "wrong-issuer": Reason("The answer is from another issuer than {idp}", "certificate"),
    "wrong-destination": Reason("{idp}’s answer was addressed elsewhere", "acs"),
    "wrong-logout-destination": Reason("{idp}’s logout message was addressed elsewhere", "logout"),
    "wrong-recipient": Reason("{idp}’s assertion was made for another address", "acs"),
    "wrong-audience": Reason("{idp}’s answer was meant for somebody else", "audience"),
    "wrong-subject-qualifier": Reason(
        "The name identifier was made for another service provider",
        "audience",
        "Set the audience (entity ID) at {idp} to ours, exactly; where it has an SPNameQualifier of its own, that too.",
    ),
    "expired": Reason("{idp}’s answer is too old", "clock"),
    "missing-expiry": Reason("{idp}’s answer sets no time limit", "lifetime"),
    "never-valid": Reason("{idp}’s answer ends before it begins", "lifetime"),
    "unusable-session-index": Reason("{idp}’s name for its session can’t be kept", "software"),
    "not-yet-valid": Reason("{idp}’s answer is from the future", "clock"),
    "in-response-to-mismatch": Reason("The answer’s two parts belong to different requests", "software"),
    "unsolicited": Reason(
        "It began at {idp}, which this connection doesn’t allow",
        "bridge",
        "Allow it under the connection’s Settings here, or have people start from the sign-in page of the bridge.",
    ),
    "unknown-request": Reason("It answers no request that is under way", "again"),
    "replayed": Reason("The same answer came twice", "again"),
    "missing-subject": Reason("{idp}’s answer names nobody", "name_id"),
    "not-confirmed": Reason(
        "The assertion isn’t one for signing in",
        "software",
        "Have {idp} give the assertion a SubjectConfirmation of the method bearer, as its profile for sign-in in a "
        "browser (Web Browser SSO) does.",
    ),
    "not-one-authentication": Reason(
        "The assertion doesn’t say once how they signed in",
        "software",
        "Have {idp} put exactly one AuthnStatement into the assertion. Show whoever runs it the decoded answer below.",
    ),
    "unknown-condition": Reason(
        "The assertion has a condition that the bridge doesn’t know",
        "software",
        "Have {idp} put one Conditions into the assertion, with no more than times, audience, OneTimeUse and "
        "ProxyRestriction. Show whoever runs it the decoded answer below.",
    ),
    "wrong-version": Reason(
        "The answer isn’t SAML 2.0",
        "software",
        "Choose SAML 2.0 at {idp}; an application made for SAML 1.1 or WS-Federation has to be made anew there.",
    ),
    "missing-email": Reason("{idp} sends no email address", "email"),
    "malformed-email": Reason("What {idp} sends as the email is none", "profile"),
    "wrong-authn-context": Reason("{idp} signed them in another way than was asked for", "method"),
    "invalid-request": Reason("The bridge has no address of {idp} to send them to", "certificate"),
    # bridge.domain.sign_in
    "sign_in_refused": Reason("They can’t sign in", "bridge"),
    "unknown_request": Reason("It answers no request that is under way", "again"),
    "logout_repeated": Reason("The same logout message came twice", "again", "Nothing is to be done: it counted once."),
    "unknown_logout": Reason(
        "It answers no logout that is under way", "again", "Nothing is to be done: whoever it was signs out again."
    ),
    "ended_at_idp": Reason("They signed out at {idp} after it made this answer", "again"),
    "ended_at_twilio": Reason("They signed out at Twilio after it gave this answer", "again"),
    "already_linked": Reason(
        "The account, or the Twilio user, is linked to another one",
        "person",
        "They sign in by what is linked already, or unlink that on their account page first.",
    ),
    "other_browser": Reason("It was begun in another browser", "again"),
    "not_fresh": Reason("{idp} didn’t ask them anew, as was demanded", "fresh"),
    "connection_off": Reason(
        "The connection is off", "bridge", "Enable the connection here; single sign-on has to be in the plan, too."
    ),
    "not_a_member": Reason(
        "They are no member, and the first sign-in makes no accounts",
        "people",
        "Invite them, have {idp} push them by SCIM, or let the connection’s Settings here make accounts at the first "
        "sign-in.",
    ),
    "membership_ended": Reason("Their membership has ended", "people"),
    "held_out": Reason(
        "{idp} says that they are deactivated",
        "assignment",
        "Reactivate the person at {idp}, or assign them to the application again. An owner can lift it here, on the "
        "person’s page under Access Management.",
    ),
    "another_connections_person": Reason("They belong to another connection", "people"),
    "account_closed": Reason("Their account was closed", "people", "Invite them anew, under Access Management here."),
    "unusable_identity": Reason("What {idp} says of them can’t be kept", "name_id"),
    "shared_email": Reason(
        "{idp} gives one email to two people", "profile", "Give each of the two an email address of their own at {idp}."
    ),
    "wrong_credentials": Reason(
        "The email or the password is wrong",
        "person",
        "They try again, or choose a new password by the sign-in page’s “Forgotten your password?”.",
    ),
    "wrong_factor": Reason(
        "The password was right, the second factor was wrong or was used already",
        "person",
        "They try again with a new code of their app, or with a recovery code. If it wasn’t them, they change the "
        "password.",
    ),
    "login_step_gone": Reason("The second factor came more than ten minutes after the password", "again"),
    "wrong_code": Reason(
        "The break-glass code is wrong, or was used",
        "person",
        "They use another of their codes. If nobody meant to, revoke their codes on the page Security here.",
    ),
    "login_too_old": Reason(
        "A break-glass code came without a fresh sign-in",
        "person",
        "They sign in with their own password first, then use the code.",
    ),
    "proof_expired": Reason("The proof of their account ran out, or was used", "again"),
    "not_that_account": Reason(
        "They proved another account",
        "person",
        "They prove the account that the page names, or sign in by another way.",
    ),
    "test_ticket_used": Reason("The address of a test was used twice", "bridge", "Begin a new test here."),
    "test_result_gone": Reason(
        "The result of a test isn’t shown any more", "bridge", "Read it in the sign-in log, or begin a new test here."
    ),
    "conflict": Reason("Somebody else was changing the same records", "again"),
    "last_owner": Reason(
        "It would leave the workspace without an owner who can sign in",
        "people",
        "Make somebody else an owner first, under Access Management here.",
    ),
}


#: The same for OpenID Connect, where it says something else by the same code, or has codes of its own (oidc.errors).
OIDC_EXPLANATIONS: Mapping[str, Reason] = {
    "invalid-provider": Reason("What {idp} says about itself can’t be used", "issuer"),
    "issuer-mismatch": Reason("{idp} says that it is another issuer", "issuer"),
    "template-issuer": Reason(
        "The issuer stands for any tenant",
        "issuer",
        "Set the issuer in the connection here to your own tenant’s: it holds the tenant’s ID.",
    ),
    "invalid-keys": Reason("{idp}’s keys can’t be read", "provider"),
    "invalid-request": Reason("The bridge has no address of {idp} to send them to", "issuer"),
    "malformed-answer": Reason("{idp}’s answer can’t be read", "provider"),
    "missing-code": Reason(
        "{idp}’s answer holds no code",
        "client",
        "Start again from the sign-in page. If it stays so, allow the client the authorization code flow at {idp}.",
    ),
    "missing-state": Reason("{idp}’s answer doesn’t say what it answers", "provider"),
    "mixed-up": Reason(
        "The answer is from another provider than {idp}",
        "issuer",
        "Start again from the sign-in page. If it stays so, compare the issuer in the connection here with the one "
        "that {idp} names, to the letter.",
    ),
    "provider-said-no": Reason(
        "{idp} itself refused to sign them in",
        "assignment",
        "Follow the reason above. Where {idp} denied this person, assign them to the application there, directly or by "
        "a group.",
    ),
    "token-refused": Reason("{idp} gave no tokens for the code", "client"),
    "bad-token-answer": Reason("{idp} gave no tokens for the code", "client"),
    "missing-id-token": Reason(
        "{idp} gave no ID token",
        "client",
        "See that the connection’s scopes, under its Settings here, hold openid, and that {idp} allows the client that "
        "scope.",
    ),
    "malformed-token": Reason("{idp}’s ID token can’t be read", "provider"),
    "too-large": Reason("{idp}’s answer is larger than the bridge takes", "groups"),
    "encrypted-token": Reason("{idp} encrypts its ID tokens", "token_encryption"),
    "forbidden-algorithm": Reason("{idp} signs ID tokens with an algorithm that isn’t accepted", "token_algorithm"),
    "forbidden-extension": Reason("{idp}’s ID token demands an extension that isn’t known", "provider"),
    "wrong-type": Reason("What came is another kind of token", "provider"),
    "unknown-key": Reason(
        "{idp} signed with a key that it doesn’t publish",
        "provider",
        "Try again in a few minutes: its keys may just be changing. If it stays so, show whoever runs {idp} the answer "
        "below.",
    ),
    "unfit-key": Reason("{idp}’s key is too weak, or of another kind", "token_algorithm"),
    "bad-signature": Reason("The ID token’s signature isn’t {idp}’s", "issuer"),
    "malformed-claim": Reason("A claim of {idp}’s ID token can’t be read", "provider"),
    "wrong-issuer": Reason("The ID token is from another issuer than {idp}", "issuer"),
    "wrong-tenant": Reason(
        "They signed in at another tenant",
        "issuer",
        "Have them choose the account of your tenant; if they did, set the issuer in the connection here to that "
        "tenant’s.",
    ),
    "wrong-audience": Reason("{idp}’s ID token was made for another client", "client"),
    "missing-subject": Reason("{idp}’s ID token names nobody", "provider"),
    "too-old": Reason("{idp}’s ID token was made long before", "clock"),
    "not_from_here": Reason(
        "It began at {idp}, which this connection doesn’t allow",
        "bridge",
        "Allow it under the connection’s Settings here, or have people start from the sign-in page of the bridge.",
    ),
    "provider_failed": Reason("{idp} gave no answer that the bridge can use", "provider"),
    "provider_silent": Reason(
        "{idp} didn’t answer somebody a moment before",
        "provider",
        "Try again in a minute. If it stays so, have whoever runs {idp} see that it is up and that the bridge can "
        "reach it.",
    ),
    "too_busy": Reason("Too many waited for identity providers at once", "again", "Try again in a minute."),
    "missing-time": Reason("{idp}’s ID token sets no time limit", "provider"),
    "wrong-nonce": Reason("The ID token belongs to another request", "again"),
    "wrong-token-hash": Reason("The tokens don’t belong together", "provider"),
    "not-fresh": Reason("{idp} didn’t ask them anew, as was demanded", "fresh"),
    "wrong-hosted-domain": Reason(
        "They signed in with an account outside of the company’s domain",
        "person",
        "They start again and choose the account of their work. If that was it, correct the domain under the "
        "connection’s Settings here.",
    ),
    "not-an-id-token": Reason("What came isn’t an ID token", "provider"),
    "disagreeing-library": Reason("The ID token could be read in two ways", "provider"),
    "bad-userinfo": Reason("{idp}’s userinfo can’t be read", "provider"),
    "wrong-userinfo-subject": Reason("{idp}’s userinfo is about somebody else", "provider"),
    "email-not-verified": Reason("{idp} says that their email isn’t verified", "email_verified"),
    "missing-email": Reason("{idp} sends no email address", "email_claim"),
}


def explain(code: str, preset: str, idp: str, kind: AttemptKind = "saml") -> Explanation | None:
    """What a refusal by this code means for a connection of that preset; None for a code that isn't known."""
    found = (OIDC_EXPLANATIONS.get(code) if kind == "oidc" else None) or EXPLANATIONS.get(code)
    if found is None:
        return None
    setting = _IN_OIDC.get(found.setting, found.setting) if kind == "oidc" else found.setting
    place = _place(setting, preset, kind)
    # What a code says of its own is about the setting it was written for.
    todo = found.todo if found.todo and setting == found.setting else _TODO[setting]
    todo = f"{todo} {place.instead}".rstrip()
    value = VALUE_OF.get(setting)
    turn = _TURNS.get(setting, "idp")
    return Explanation(_of(found.title, idp), setting, turn, _of(todo, idp), place.path or None, value)


def _place(setting: Setting, preset: str, kind: AttemptKind) -> Place:
    console = CONSOLES["oidc" if kind == "oidc" else "saml"].get(preset)
    if console is None:
        return Place("")
    return _NO_SETTING if setting == "software" else console.get(setting, Place(""))


def _of(text: str, idp: str) -> str:
    """A sentence about the connection of that name."""
    named = text.replace("{idp}", idp or "the identity provider")
    return named[0].upper() + named[1:]
