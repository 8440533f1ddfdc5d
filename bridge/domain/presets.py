"""Each vendor's words for what a connection needs: where in that console, and what the fields are called there.

Data alone: pages, guides and commands tell it. A field's `value` names one of our addresses, which only who shows it
knows; its `text` is the same for everybody. Names of menus and fields are written as the consoles write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from bridge.domain.errors import Invalid

ConnectionKind = Literal["saml", "oidc"]
Ours = Literal[
    "acs_url",
    "acs_pattern",
    "sp_entity_id",
    "sp_metadata_url",
    "login_url",
    "slo_url",
    "redirect_uri",
    "backchannel_logout_uri",
    "oidc_login_url",
]


@dataclass(frozen=True, slots=True)
class ConsoleField:
    """A field of that console and what goes in: one of our addresses, or a fixed text."""

    label: str
    value: Ours | None = None
    text: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleClaim:
    """What the IdP should say of a person: by which name, from which source of that console, and for what use."""

    name: str
    source: str
    use: str


@dataclass(frozen=True, slots=True)
class ConsoleStep:
    """One thing to do in that console."""

    title: str
    text: str = ""
    fields: tuple[ConsoleField, ...] = ()
    claims: tuple[ConsoleClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """One vendor by one protocol. `bring` says where in its console the things are that the bridge needs from it.

    `example` is what an address of its metadata, or its issuer, looks like; empty where it has none. `guide` is a page
    of docs/guides.
    """

    key: str
    kind: ConnectionKind
    name: str
    help: str
    steps: tuple[ConsoleStep, ...]
    bring: str
    example: str = ""
    guide: str = ""


_EMAIL, _NAME = "who this is; needed", "shown in lists"
_GROUPS = "group mapping; leave it out where groups are pushed by SCIM"
_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


def _assign(what: str) -> ConsoleStep:
    return ConsoleStep(
        "Let one person in, for a start",
        f"{what} Take yourself: the test signs in as whoever is signed in there, and signs nobody in here.",
    )


_OKTA = Preset(
    "okta",
    "saml",
    "Okta",
    "An app integration of your own",
    (
        ConsoleStep(
            "In the Okta Admin Console, make the app",
            "Applications › Applications › Create App Integration › SAML 2.0. Give it a name; Next.",
        ),
        ConsoleStep(
            "Under Configure SAML, paste these",
            "The names on the left are the ones Okta shows.",
            (
                ConsoleField(
                    "Single sign-on URL", "acs_url", help="Tick “Use this for Recipient URL and Destination URL”"
                ),
                ConsoleField("Audience URI (SP Entity ID)", "sp_entity_id", help="No slash at the end"),
                ConsoleField("Default RelayState", text="leave it empty"),
                ConsoleField("Name ID format", text="Persistent", help="A changed email is then still the same person"),
                ConsoleField("Application username", text="Okta username"),
            ),
        ),
        ConsoleStep(
            "Add these attribute statements",
            "",
            (),
            (
                ConsoleClaim("email", "user.email", _EMAIL),
                ConsoleClaim("firstName", "user.firstName", _NAME),
                ConsoleClaim("lastName", "user.lastName", _NAME),
                ConsoleClaim("groups", "Group Attribute Statements: Matches regex .*", _GROUPS),
            ),
        ),
        _assign("Finish; then Assignments › Assign."),
    ),
    "In Okta: Sign On › Metadata details › Metadata URL, Copy.",
    "https://kicks.okta.com/app/exk1abc/sso/saml/metadata",
    "connect-okta",
)
_ENTRA = Preset(
    "entra",
    "saml",
    "Entra ID",
    "An enterprise app that isn’t in the gallery",
    (
        ConsoleStep(
            "In the Microsoft Entra admin center, make the app",
            "Enterprise apps › New application › Create your own application › Integrate any other application you "
            "don’t find in the gallery (Non-gallery). Then Single sign-on › SAML.",
        ),
        ConsoleStep(
            "Basic SAML Configuration › Edit: paste these",
            "The names on the left are the ones Entra shows.",
            (
                ConsoleField("Identifier (Entity ID)", "sp_entity_id", help="Delete any other, and mark it as default"),
                ConsoleField("Reply URL (Assertion Consumer Service URL)", "acs_url"),
                ConsoleField("Sign on URL", "login_url", help="My Apps then starts the sign-in here"),
                ConsoleField("Relay State", text="leave it empty"),
            ),
        ),
        ConsoleStep(
            "Attributes & Claims: look at these",
            "The first three are there already. Add a group claim: Groups assigned to the application, source "
            "attribute Group ID. With more than 150 groups Entra sends none; pushing by SCIM has no such limit.",
            (),
            (
                ConsoleClaim(f"{_SOAP}/emailaddress", "user.mail", _EMAIL),
                ConsoleClaim(f"{_SOAP}/givenname", "user.givenname", _NAME),
                ConsoleClaim(f"{_SOAP}/surname", "user.surname", _NAME),
                ConsoleClaim("…/claims/groups", "Group ID", _GROUPS),
            ),
        ),
        _assign("Users and groups › Add user/group."),
    ),
    "In Entra: Single sign-on › SAML Certificates › App Federation Metadata Url, or download Federation Metadata XML.",
    "https://login.microsoftonline.com/TENANT/federationmetadata/2007-06/federationmetadata.xml?appid=APP",
    "connect-entra",
)
_GOOGLE = Preset(
    "google",
    "saml",
    "Google Workspace",
    "A custom SAML app",
    (
        ConsoleStep(
            "In the Google Admin console, make the app",
            "Apps › Web and mobile apps › Add app › Add custom SAML app. Give it a name; Continue. On the next page "
            "Download metadata: you need the file below. Continue.",
        ),
        ConsoleStep(
            "Service provider details: paste these",
            "The names on the left are the ones Google shows.",
            (
                ConsoleField("ACS URL", "acs_url"),
                ConsoleField("Entity ID", "sp_entity_id"),
                ConsoleField("Start URL", text="leave it empty"),
                ConsoleField("Signed response", text="tick it", help="Without it Google signs the assertion alone"),
                ConsoleField("Name ID format", text="EMAIL"),
                ConsoleField("Name ID", text="Basic Information › Primary email"),
            ),
        ),
        ConsoleStep(
            "Attribute mapping: add these",
            "App attributes are the names on the left. Under Group membership (optional) choose the groups to be told.",
            (),
            (
                ConsoleClaim("email", "Primary email", _EMAIL),
                ConsoleClaim("firstName", "First name", _NAME),
                ConsoleClaim("lastName", "Last name", _NAME),
                ConsoleClaim("groups", "Group membership", _GROUPS),
            ),
        ),
        _assign("Finish; then User access › ON for everyone, or for one organizational unit. It may take an hour."),
    ),
    "In the Google Admin console: the app › Download metadata. Google gives a file, no address.",
    "",
    "connect-google",
)
_ONELOGIN = Preset(
    "onelogin",
    "saml",
    "OneLogin",
    "SAML Custom Connector (Advanced)",
    (
        ConsoleStep(
            "In the OneLogin administration, make the app",
            "Applications › Applications › Add App. Search for SAML Custom Connector (Advanced); Save.",
        ),
        ConsoleStep(
            "Configuration: paste these",
            "The names on the left are the ones OneLogin shows.",
            (
                ConsoleField("Audience (EntityID)", "sp_entity_id"),
                ConsoleField("Recipient", "acs_url"),
                ConsoleField("ACS (Consumer) URL Validator", "acs_pattern", help="A regular expression"),
                ConsoleField("ACS (Consumer) URL", "acs_url"),
                ConsoleField("Login URL", "login_url"),
                ConsoleField("SAML initiator", text="Service Provider"),
                ConsoleField("SAML nameID format", text="Email"),
                ConsoleField("SAML signature element", text="Both"),
            ),
        ),
        ConsoleStep(
            "Parameters: add these, each with “Include in SAML assertion” ticked",
            "Under SSO choose the SAML Signature Algorithm SHA-256. Save.",
            (),
            (
                ConsoleClaim("email", "Email", _EMAIL),
                ConsoleClaim("firstName", "First Name", _NAME),
                ConsoleClaim("lastName", "Last Name", _NAME),
                ConsoleClaim("groups", "User Roles, Multi-value parameter ticked", _GROUPS),
            ),
        ),
        _assign("Users › the person › Applications › +."),
    ),
    "In OneLogin: the app › More Actions › SAML Metadata downloads the file. SSO › Issuer URL is its address.",
    "https://app.onelogin.com/saml/metadata/1a2b3c",
    "connect-onelogin",
)
_JUMPCLOUD = Preset(
    "jumpcloud",
    "saml",
    "JumpCloud",
    "A custom application with SAML",
    (
        ConsoleStep(
            "In the JumpCloud Admin Portal, make the app",
            "SSO Applications › Add New Application › Custom Application › Manage Single Sign-On (SSO) › Configure "
            "SSO with SAML.",
        ),
        ConsoleStep(
            "On its SSO tab, paste these",
            "The names on the left are the ones JumpCloud shows.",
            (
                ConsoleField("IdP Entity ID", text="a name of your own, such as jumpcloud-kicks"),
                ConsoleField("SP Entity ID", "sp_entity_id"),
                ConsoleField("ACS URLs, default URL", "acs_url"),
                ConsoleField("SAMLSubject NameID", text="email"),
                ConsoleField("Signature Algorithm", text="RSA-SHA256"),
                ConsoleField("Sign", text="Response, or Assertion and Response"),
                ConsoleField("Declare Redirect Endpoint", text="tick it"),
            ),
        ),
        ConsoleStep(
            "Attributes: add these",
            "Names on the left go into Service Provider Attribute Name. For groups tick Include group attribute.",
            (),
            (
                ConsoleClaim("email", "email", _EMAIL),
                ConsoleClaim("firstname", "firstname", _NAME),
                ConsoleClaim("lastname", "lastname", _NAME),
                ConsoleClaim("memberOf", "Include group attribute", _GROUPS),
            ),
        ),
        _assign("Save; then User Groups: tick a group that you are in."),
    ),
    "In JumpCloud: the app › SSO › JumpCloud Metadata › Export Metadata, or Copy Metadata URL.",
    "https://sso.jumpcloud.com/saml2/metadata/APP",
)
_PING = Preset(
    "ping",
    "saml",
    "PingOne",
    "A SAML application",
    (
        ConsoleStep(
            "In the PingOne admin console, make the app",
            "Applications › Applications › +. Give it a name, choose SAML Application, Configure › Manually Enter.",
        ),
        ConsoleStep(
            "SAML Configuration: paste these",
            "The names on the left are the ones PingOne shows.",
            (
                ConsoleField("ACS URLs", "acs_url"),
                ConsoleField("Entity ID", "sp_entity_id"),
                ConsoleField("Sign", text="Sign Assertion & Response", help="Under Configuration, after saving"),
                ConsoleField("Signing Algorithm", text="RSA_SHA256"),
                ConsoleField("Subject NameID Format", text="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
            ),
        ),
        ConsoleStep(
            "Attribute Mappings: add these",
            "saml_subject stays User ID.",
            (),
            (
                ConsoleClaim("email", "Email Address", _EMAIL),
                ConsoleClaim("givenName", "Given Name", _NAME),
                ConsoleClaim("familyName", "Family Name", _NAME),
                ConsoleClaim("memberOf", "Group Names", _GROUPS),
            ),
        ),
        _assign("Switch the app on by its toggle; Access says which groups may use it."),
    ),
    "In PingOne: the app › Configuration › IDP Metadata URL, or Download Metadata.",
    "https://auth.pingone.eu/ENVIRONMENT/saml20/metadata/APP",
)
_ADFS = Preset(
    "adfs",
    "saml",
    "AD FS",
    "Active Directory Federation Services",
    (
        ConsoleStep(
            "In AD FS Management, make a Relying Party Trust",
            "Relying Party Trusts › Add Relying Party Trust… › Claims aware › Enter data about the relying party "
            "manually. Once this connection is made, its metadata can also be imported, certificate and all.",
        ),
        ConsoleStep(
            "In the wizard, paste these",
            "The names on the left are the ones AD FS shows.",
            (
                ConsoleField(
                    "Relying party SAML 2.0 SSO service URL",
                    "acs_url",
                    help="Tick “Enable support for the SAML 2.0 WebSSO protocol”",
                ),
                ConsoleField("Relying party trust identifier", "sp_entity_id"),
                ConsoleField("Secure hash algorithm", text="SHA-256", help="Properties › Advanced"),
            ),
        ),
        ConsoleStep(
            "Edit Claim Issuance Policy › Add Rule: these",
            "First Send LDAP Attributes as Claims, then Transform an Incoming Claim: UPN into Name ID, format "
            "Persistent Identifier.",
            (),
            (
                ConsoleClaim("E-Mail Address", "E-Mail-Addresses", _EMAIL),
                ConsoleClaim("Given Name", "Given-Name", _NAME),
                ConsoleClaim("Surname", "Surname", _NAME),
                ConsoleClaim("Group", "Token-Groups - Unqualified Names", _GROUPS),
            ),
        ),
        _assign("Edit Access Control Policy: Permit everyone, or a group that you are in."),
    ),
    "At its own host, under this path; the browser downloads it where the bridge can’t reach the host.",
    "https://adfs.kicks.example/FederationMetadata/2007-06/FederationMetadata.xml",
)
_GENERIC = Preset(
    "generic",
    "saml",
    "SAML",
    "Any other IdP that speaks SAML 2.0",
    (
        ConsoleStep(
            "In your IdP, make a service provider",
            "It may be called application, relying party or client there.",
            (
                ConsoleField("Assertion consumer service (ACS)", "acs_url", help="Binding HTTP-POST"),
                ConsoleField("Entity ID, or audience", "sp_entity_id"),
                ConsoleField("Signature", text="RSA-SHA256 or ECDSA-SHA256, of the response, the assertion or both"),
                ConsoleField("Name ID", text="persistent, or the email address"),
            ),
        ),
        ConsoleStep(
            "Have it send these attributes",
            "Other names will do: say them under Settings once the connection is made.",
            (),
            (
                ConsoleClaim("email", "the person’s email address", _EMAIL),
                ConsoleClaim("displayName", "their name", _NAME),
                ConsoleClaim("groups", "their groups, one value each", _GROUPS),
            ),
        ),
        _assign("Give one person the application."),
    ),
    "Most IdPs publish their metadata at an address, or let you download it.",
    "https://idp.kicks.example/metadata",
)

SAML: Mapping[str, Preset] = MappingProxyType(
    {one.key: one for one in (_OKTA, _ENTRA, _GOOGLE, _ONELOGIN, _JUMPCLOUD, _PING, _ADFS, _GENERIC)}
)


_REDIRECT = "exactly as it stands here"
_OKTA_OIDC = Preset(
    "okta",
    "oidc",
    "Okta",
    "A web application of your own",
    (
        ConsoleStep(
            "In the Okta Admin Console, make the app",
            "Applications › Applications › Create App Integration › OIDC - OpenID Connect › Web Application. Grant "
            "type: Authorization Code, no other.",
        ),
        ConsoleStep(
            "Under General Settings, paste these",
            "The names on the left are the ones Okta shows.",
            (
                ConsoleField("Sign-in redirect URIs", "redirect_uri", help=_REDIRECT),
                ConsoleField("Back-channel logout URI", "backchannel_logout_uri", help="Optional; under Logout"),
            ),
        ),
        ConsoleStep(
            "Sign On › OpenID Connect ID Token: groups",
            "Only where groups are not pushed by SCIM.",
            (),
            (ConsoleClaim("groups", "Groups claim type Filter, Matches regex .*", _GROUPS),),
        ),
        _assign("Save; then Assignments › Assign."),
    ),
    "In Okta: General › Client Credentials. The issuer is the organization’s own address.",
    "https://kicks.okta.com",
    "connect-by-openid-connect",
)
_ENTRA_OIDC = Preset(
    "entra",
    "oidc",
    "Entra ID",
    "An app registration",
    (
        ConsoleStep(
            "In the Microsoft Entra admin center, register the app",
            "App registrations › New registration › Accounts in this organizational directory only.",
            (ConsoleField("Redirect URI, platform Web", "redirect_uri", help=_REDIRECT),),
        ),
        ConsoleStep(
            "Certificates & secrets › New client secret",
            "Copy its Value, not its Secret ID, and note when it expires.",
        ),
        ConsoleStep(
            "Token configuration: add these",
            "With more than 200 groups Entra sends none; pushing by SCIM has no such limit.",
            (),
            (
                ConsoleClaim("email", "Add optional claim › ID › email", "who this is; else the sign-in name"),
                ConsoleClaim(
                    "xms_edov",
                    "Manifest › optionalClaims › idToken",
                    "that the address is the tenant’s own; without it, who was here before proves the account once",
                ),
                ConsoleClaim("groups", "Add groups claim › Groups assigned to the application", _GROUPS),
            ),
        ),
        _assign("Enterprise apps › the app › Users and groups › Add user/group."),
    ),
    "In Entra: Overview › Application (client) ID and Directory (tenant) ID. The issuer holds that tenant’s ID.",
    "https://login.microsoftonline.com/TENANT/v2.0",
    "connect-by-openid-connect",
)
_GOOGLE_OIDC = Preset(
    "google",
    "oidc",
    "Google Workspace",
    "An OAuth client; no groups come by it",
    (
        ConsoleStep(
            "In the Google Cloud console, make the client",
            "APIs & Services › Credentials › Create credentials › OAuth client ID › Web application, with the consent "
            "screen Internal.",
            (ConsoleField("Authorized redirect URIs", "redirect_uri", help=_REDIRECT),),
        ),
        ConsoleStep(
            "Nobody has to be let in there",
            "Everybody of the Workspace can sign in, and nobody else: the account’s own domain is checked each time.",
        ),
    ),
    "In Google: the client’s page shows its Client ID and Client secret.",
    "https://accounts.google.com",
    "connect-by-openid-connect",
)
_GENERIC_OIDC = Preset(
    "generic",
    "oidc",
    "OpenID Connect",
    "Any other provider with discovery",
    (
        ConsoleStep(
            "At your provider, register a client",
            "It may be called application there: confidential, web, authorization code flow.",
            (
                ConsoleField("Redirect URI, or callback URL", "redirect_uri", help=_REDIRECT),
                ConsoleField("Back-channel logout URI", "backchannel_logout_uri", help="Optional"),
            ),
        ),
        ConsoleStep(
            "Have it send these claims",
            "",
            (),
            (
                ConsoleClaim("email", "the person’s email address", _EMAIL),
                ConsoleClaim("name", "their name", _NAME),
                ConsoleClaim("groups", "their groups, a list", _GROUPS),
            ),
        ),
        _assign("Give one person the application."),
    ),
    "Its issuer is an address under which .well-known/openid-configuration can be read.",
    "https://idp.kicks.example",
    "connect-by-openid-connect",
)
OIDC: Mapping[str, Preset] = MappingProxyType(
    {one.key: one for one in (_OKTA_OIDC, _ENTRA_OIDC, _GOOGLE_OIDC, _GENERIC_OIDC)}
)

#: By protocol, then by key, in the order in which they are offered.
PRESETS: Mapping[ConnectionKind, Mapping[str, Preset]] = MappingProxyType({"saml": SAML, "oidc": OIDC})


def get_preset(key: str, kind: ConnectionKind = "saml") -> Preset:
    """The preset of a vendor by a protocol. Raises Invalid."""
    found = PRESETS[kind].get(key)
    if found is None:
        raise Invalid(f"There is no preset {key[:40]!r}.", field="preset")
    return found


def find_preset(key: str, kind: ConnectionKind = "saml") -> Preset:
    """The same; the words for any other IdP where there is no such preset."""
    return PRESETS[kind].get(key) or PRESETS[kind]["generic"]
