"""Where each IdP's console keeps what a sign-in depends on: data, by protocol, by preset and by setting.

A place is a path below the application, `_at` a path elsewhere in that vendor's consoles, `_no` what to do where we
know of no such setting there. Each console answers for every setting of its protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

#: What an administrator of the IdP can set.
SamlSetting = Literal[
    "audience",
    "acs",
    "name_id",
    "signing",
    "algorithm",
    "certificate",
    "encryption",
    "email",
    "groups",
    "assignment",
    "profile",
    "method",
    "lifetime",
    "fresh",
    "logout",
]
OidcSetting = Literal[
    "client",
    "issuer",
    "token_algorithm",
    "token_encryption",
    "email_claim",
    "email_verified",
    "groups",
    "assignment",
    "profile",
    "fresh",
]
IdpSetting = SamlSetting | OidcSetting
Protocol = Literal["saml", "oidc"]


@dataclass(frozen=True, slots=True)
class Place:
    """`path` is where the setting is, in whole; "" where that console has none, and `instead` what to do then."""

    path: str
    instead: str = ""


def _at(path: str) -> Place:
    return Place(path)


def _no(vendor: str, instead: str) -> Place:
    return Place("", f"We know of no setting for it in {vendor}’s console: {instead}")


def _console(application: str, places: Mapping[IdpSetting, str | Place]) -> Mapping[str, Place]:
    """A console's places in whole: what is a text stands below the application."""
    return MappingProxyType(
        {
            setting: place if isinstance(place, Place) else Place(f"{application} › {place}")
            for setting, place in places.items()
        }
    )


_SUPPORT = "show its support the decoded answer."
_ANEW = "signing out there and starting again makes it ask."
_LIMITS = "show its support the decoded answer, which has to say until when it holds."
_KINDS = "take the kinds of sign-in off the connection’s Settings, here, or ask its support which one it names."
_RS256 = "show its support the answer; RS256, the usual one, would be taken."
_PLAIN = "show its support the answer."

# -- SAML -------------------------------------------------------------------------------------------------------------

_OKTA_SAML = "General › SAML Settings › Edit › Configure SAML"
_OKTA_ADVANCED = f"{_OKTA_SAML} › Show Advanced Settings"
_OKTA_PERSON = _at("Directory › People › the person › Profile › Primary email")
_ENTRA_CLAIMS = "Single sign-on › Attributes & Claims"
_ENTRA_SIGNING = "Single sign-on › SAML Certificates › Token signing certificate › Edit"
_ENTRA_PERSON = _at("Users › the person › Properties › Contact information › Email")
_ONELOGIN_PERSON = _at("Users › Users › the person › User Info › Email")
_GOOGLE_PERSON = _at("Google Admin console › Directory › Users › the person › Email")
_JUMPCLOUD_PERSON = _at("Users › the person › Details › Company Email")
_PING_PERSON = _at("Directory › Users › the person › Profile › Email")
_ADFS = "AD FS Management › Relying Party Trusts › your trust"
_SHELL = "PowerShell: Set-AdfsRelyingPartyTrust"

SAML_CONSOLES: Mapping[str, Mapping[str, Place]] = MappingProxyType(
    {
        "okta": _console(
            "Applications › Applications › your application",
            {
                "audience": f"{_OKTA_SAML} › Audience URI (SP Entity ID)",
                "acs": f"{_OKTA_SAML} › Single sign-on URL; tick “Use this for Recipient URL and Destination URL”",
                "name_id": f"{_OKTA_SAML} › Name ID format and Application username",
                "signing": f"{_OKTA_ADVANCED} › Response and Assertion Signature: Signed",
                "algorithm": f"{_OKTA_ADVANCED} › Signature Algorithm and Digest Algorithm",
                "certificate": "Sign On › Metadata details › Metadata URL",
                "encryption": f"{_OKTA_ADVANCED} › Assertion Encryption, Encryption Algorithm, Key Transport Algorithm",
                "email": "Sign On › Attribute statements: email = user.email",
                "groups": f"{_OKTA_SAML} › Group Attribute Statements: a narrower filter",
                "assignment": "Assignments",
                "profile": _OKTA_PERSON,
                "method": f"{_OKTA_ADVANCED} › Authentication context class",
                "lifetime": _no("Okta", _LIMITS),
                "fresh": f"{_OKTA_ADVANCED} › Honor Force Authentication: Yes",
                "logout": f"{_OKTA_ADVANCED} › Enable Single Logout › Single Logout URL",
            },
        ),
        "entra": _console(
            "Enterprise applications › your application",
            {
                "audience": "Single sign-on › Basic SAML Configuration › Identifier (Entity ID)",
                "acs": "Single sign-on › Basic SAML Configuration › Reply URL (Assertion Consumer Service URL)",
                "name_id": f"{_ENTRA_CLAIMS} › Unique User Identifier (Name ID)",
                "signing": f"{_ENTRA_SIGNING} › Signing Option",
                "algorithm": f"{_ENTRA_SIGNING} › Signing Algorithm",
                "certificate": "Single sign-on › SAML Certificates › App Federation Metadata Url",
                "encryption": "Security › Token encryption",
                "email": f"{_ENTRA_CLAIMS} › emailaddress = user.mail",
                "groups": f"{_ENTRA_CLAIMS} › the group claim › Groups assigned to the application",
                "assignment": "Users and groups",
                "profile": _ENTRA_PERSON,
                "method": "Security › Conditional Access, a policy that grants access by that strength",
                "lifetime": _no("Entra ID", _LIMITS),
                "fresh": _no("Entra ID", _ANEW),
                "logout": "Single sign-on › Basic SAML Configuration › Logout Url (Optional)",
            },
        ),
        "onelogin": _console(
            "Applications › Applications › your application",
            {
                "audience": "Configuration › Audience (EntityID)",
                "acs": "Configuration › ACS (Consumer) URL, Recipient, and ACS (Consumer) URL Validator",
                "name_id": "Configuration › SAML nameID format; Parameters › NameID value",
                "signing": "Configuration › SAML signature element",
                "algorithm": "SSO › SAML Signature Algorithm",
                "certificate": "More Actions › SAML Metadata",
                "encryption": "Configuration › Encrypt assertion, SAML encryption method",
                "email": "Parameters › email, with “Include in SAML assertion” ticked",
                "groups": "Parameters › groups",
                "assignment": "Users, or Access › Roles",
                "profile": _ONELOGIN_PERSON,
                "method": _no("OneLogin", _KINDS),
                "lifetime": "Configuration › SAML notOnOrAfter",
                "fresh": _no("OneLogin", _ANEW),
                "logout": "Configuration › Single Logout URL",
            },
        ),
        "google": _console(
            "Apps › Web and mobile apps › your application",
            {
                "audience": "Service provider details › Entity ID",
                "acs": "Service provider details › ACS URL",
                "name_id": "Service provider details › Name ID format and Name ID",
                "signing": "Service provider details › Signed response",
                "algorithm": "Service provider details › Certificate (its key is RSA with SHA-256)",
                "certificate": "Download metadata",
                "encryption": Place("", "Google signs and doesn’t encrypt: something on the way changes its answer."),
                "email": "SAML attribute mapping › Primary email = email",
                "groups": "SAML attribute mapping › Group membership (optional): fewer groups",
                "assignment": "User access: ON for everyone, or for the person’s organizational unit or group",
                "profile": _GOOGLE_PERSON,
                "method": _no("Google", _KINDS),
                "lifetime": _no("Google", _LIMITS),
                "fresh": _no("Google", _ANEW),
                "logout": _no("Google", _SUPPORT),
            },
        ),
        "jumpcloud": _console(
            "SSO Applications › your application",
            {
                "audience": "SSO › SP Entity ID",
                "acs": "SSO › ACS URLs",
                "name_id": "SSO › SAMLSubject NameID and SAMLSubject NameID Format",
                "signing": "SSO › Sign › Assertion, Response, or both",
                "algorithm": "SSO › Signature Algorithm",
                "certificate": "SSO › JumpCloud Metadata › Copy Metadata URL",
                "encryption": "SSO › SP Certificate and Encrypt Assertion",
                "email": "SSO › Attributes › User Attribute Mapping: email = email",
                "groups": "SSO › Attributes › Include group attribute; User Groups: fewer of them",
                "assignment": "User Groups",
                "profile": _JUMPCLOUD_PERSON,
                "method": _no("JumpCloud", _KINDS),
                "lifetime": _no("JumpCloud", _LIMITS),
                "fresh": _no("JumpCloud", _ANEW),
                "logout": _no("JumpCloud", _SUPPORT),
            },
        ),
        "ping": _console(
            "Applications › Applications › your application",
            {
                "audience": "Configuration › Entity ID",
                "acs": "Configuration › ACS URLs",
                "name_id": "Configuration › Subject NameID Format; Attribute Mappings › saml_subject",
                "signing": "Configuration › Signing Key › Sign Assertion, Response, or both",
                "algorithm": "Configuration › Signing Key › Signing Algorithm",
                "certificate": "Configuration › Download Metadata, or IDP Metadata URL",
                "encryption": "Configuration › Enable Encryption, its algorithm and certificate",
                "email": "Attribute Mappings › email = Email Address",
                "groups": "Attribute Mappings › memberOf",
                "assignment": "Access",
                "profile": _PING_PERSON,
                "method": "Policies",
                "lifetime": "Configuration › Assertion Validity Duration",
                "fresh": _no("PingOne", _ANEW),
                "logout": "Configuration › SLO Endpoint and SLO Response Endpoint",
            },
        ),
        "adfs": _console(
            _ADFS,
            {
                "audience": "Properties › Identifiers › Relying party identifiers",
                "acs": "Properties › Endpoints › SAML Assertion Consumer Endpoints (POST)",
                "name_id": "Edit Claim Issuance Policy › the rule that gives the Name ID",
                "signing": _at(f"{_SHELL} -SamlResponseSignature MessageAndAssertion"),
                "algorithm": "Properties › Advanced › Secure hash algorithm: SHA-256",
                "certificate": _at(
                    "AD FS Management › Service › Certificates › Token-signing, and "
                    "FederationMetadata/2007-06/FederationMetadata.xml"
                ),
                "encryption": "Properties › Encryption",
                "email": "Edit Claim Issuance Policy › the rule that gives E-Mail Address",
                "groups": "Edit Claim Issuance Policy › the rule that gives Group: fewer of them",
                "assignment": "Edit Access Control Policy",
                "profile": _at("Active Directory Users and Computers › the person › General › E-mail"),
                "method": "Edit Access Control Policy: one that requires MFA",
                "lifetime": _at(f"{_SHELL} -TokenLifetime 60"),
                "fresh": _at(f"{_SHELL} -AlwaysRequireAuthentication $true"),
                "logout": "Properties › Endpoints › SAML Logout Endpoints",
            },
        ),
    }
)

# -- OpenID Connect ---------------------------------------------------------------------------------------------------

_ENTRA_TOKENS = "Token configuration › Add optional claim › ID"
_ENTRA_ASSIGN = _at("Enterprise applications › your application › Users and groups")
_GOOGLE_CLIENT = "Google Cloud console › APIs & Services › Credentials › your OAuth client"
_GOOGLE_PLATFORM = "Google Cloud console › Google Auth Platform"
_AUTH0_PERSON = "User Management › Users › the person"
_KEYCLOAK = "Clients › your client"
_KEYCLOAK_FINE = "Advanced › Fine grain OpenID Connect configuration"

OIDC_CONSOLES: Mapping[str, Mapping[str, Place]] = MappingProxyType(
    {
        "okta": _console(
            "Applications › Applications › your application",
            {
                "client": "General › Client Credentials",
                "issuer": "Sign On › OpenID Connect ID Token › Issuer",
                "token_algorithm": _no("Okta", _RS256),
                "token_encryption": "General › Client Credentials › Public Keys › ID Token Encryption",
                "email_claim": _OKTA_PERSON,
                "email_verified": _OKTA_PERSON,
                "groups": "Sign On › OpenID Connect ID Token › Groups claim filter",
                "assignment": "Assignments",
                "profile": _OKTA_PERSON,
                "fresh": _no("Okta", _ANEW),
            },
        ),
        "entra": _console(
            "App registrations › your application",
            {
                "client": "Certificates & secrets; Overview › Application (client) ID",
                "issuer": "Overview › Directory (tenant) ID, and Endpoints › OpenID Connect metadata document",
                "token_algorithm": _no("Entra ID", _RS256),
                "token_encryption": _no("Entra ID", _PLAIN),
                "email_claim": f"{_ENTRA_TOKENS} › email",
                "email_verified": "Manifest › optionalClaims › idToken: xms_edov",
                "groups": "Token configuration › the groups claim › Groups assigned to the application",
                "assignment": _ENTRA_ASSIGN,
                "profile": _ENTRA_PERSON,
                "fresh": f"{_ENTRA_TOKENS} › auth_time",
            },
        ),
        "onelogin": _console(
            "Applications › Applications › your application",
            {
                "client": "SSO › Client ID, Client Secret, Token Endpoint",
                "issuer": "SSO › OpenID Provider Configuration Information",
                "token_algorithm": _no("OneLogin", _RS256),
                "token_encryption": _no("OneLogin", _PLAIN),
                "email_claim": _ONELOGIN_PERSON,
                "email_verified": _ONELOGIN_PERSON,
                "groups": "Parameters › Groups",
                "assignment": "Users, or Access › Roles",
                "profile": _ONELOGIN_PERSON,
                "fresh": _no("OneLogin", _ANEW),
            },
        ),
        "google": _console(
            _GOOGLE_CLIENT,
            {
                "client": _at(_GOOGLE_CLIENT),
                "issuer": Place("", "Google has one issuer for everybody: it is https://accounts.google.com."),
                "token_algorithm": _no("Google", _RS256),
                "token_encryption": _no("Google", _PLAIN),
                "email_claim": _at(f"{_GOOGLE_PLATFORM} › Data Access › the scope email"),
                "email_verified": _GOOGLE_PERSON,
                "groups": _no("Google", _PLAIN),
                "assignment": _at(f"{_GOOGLE_PLATFORM} › Audience › User type: Internal"),
                "profile": _GOOGLE_PERSON,
                "fresh": _at(f"{_GOOGLE_PLATFORM} › Settings › Advanced Settings › Session age claims"),
            },
        ),
        "jumpcloud": _console(
            "SSO Applications › your application",
            {
                "client": "SSO › Client Authentication Type",
                "issuer": _no(
                    "JumpCloud", "it is https://oauth.id.jumpcloud.com/, with the slash, or that of your region."
                ),
                "token_algorithm": _no("JumpCloud", _RS256),
                "token_encryption": _no("JumpCloud", _PLAIN),
                "email_claim": "SSO › Attribute Mapping › Standard Scopes: Email",
                "email_verified": _JUMPCLOUD_PERSON,
                "groups": "SSO › Attribute Mapping › Group Attributes; User Groups: fewer of them",
                "assignment": "User Groups",
                "profile": _JUMPCLOUD_PERSON,
                "fresh": _no("JumpCloud", _ANEW),
            },
        ),
        "ping": _console(
            "Applications › Applications › your application",
            {
                "client": "Configuration › Client ID and Client Secret; Token Endpoint Authentication Method",
                "issuer": "Configuration › URLs › Issuer",
                "token_algorithm": _no("PingOne", _RS256),
                "token_encryption": _no("PingOne", _PLAIN),
                "email_claim": "Resources › Allowed Scopes: email; Attribute Mappings › email = Email Address",
                "email_verified": _PING_PERSON,
                "groups": "Attribute Mappings › the groups’ attribute: fewer of them",
                "assignment": "Access",
                "profile": _PING_PERSON,
                "fresh": _no("PingOne", _ANEW),
            },
        ),
        "auth0": _console(
            "Applications › Applications › your application",
            {
                "client": "Settings › Basic Information; Credentials › Authentication Methods",
                "issuer": "Settings › Basic Information › Domain: the issuer is https://, the domain, and a slash",
                "token_algorithm": "Settings › Advanced Settings › OAuth › JSON Web Token Signature Algorithm: RS256",
                "token_encryption": _no("Auth0", _PLAIN),
                "email_claim": _at(f"{_AUTH0_PERSON} › Email"),
                "email_verified": _at(f"{_AUTH0_PERSON} › Email › Verified"),
                "groups": _at("Actions › Triggers › post-login: the action that adds the groups"),
                "assignment": "Connections: the one that the person signs in by",
                "profile": _at(f"{_AUTH0_PERSON} › Email"),
                "fresh": _no("Auth0", _ANEW),
            },
        ),
        "keycloak": _console(
            _KEYCLOAK,
            {
                "client": "Settings › Capability config; Credentials › Client Authenticator, Client Secret",
                "issuer": _at("Realm settings › General › Endpoints › OpenID Endpoint Configuration"),
                "token_algorithm": f"{_KEYCLOAK_FINE} › ID token signature algorithm: RS256",
                "token_encryption": f"{_KEYCLOAK_FINE} › ID token encryption key management algorithm: none",
                "email_claim": "Client scopes › email: Default",
                "email_verified": _at("Users › the person › Details › Email verified: On"),
                "groups": "Client scopes › the dedicated scope › the groups’ mapper",
                "assignment": _at("Users › the person › Enabled: On"),
                "profile": _at("Users › the person › Details › Email"),
                "fresh": _no("Keycloak", _ANEW),
            },
        ),
    }
)

CONSOLES: Mapping[Protocol, Mapping[str, Mapping[str, Place]]] = MappingProxyType(
    {"saml": SAML_CONSOLES, "oidc": OIDC_CONSOLES}
)
