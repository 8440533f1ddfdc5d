"""What a workspace's file may say: every key with its kind and its meaning, in one place.

The reader checks files by it (`as_code_reading`), and the JSON Schema and the reference page are written of it
(`as_code_schema`), so that none of them says anything else.
"""

from dataclasses import dataclass

from bridge.domain.labels import LONGEST_DESCRIPTION
from bridge.domain.roles import PLANS, RESOURCE_TYPES, ROLES


@dataclass(frozen=True, slots=True)
class Text:
    """A text, however it looks: `no` and `1e3` are texts where a text belongs. `least` is what editors are told."""

    longest: int = 4_000
    least: int = 1


@dataclass(frozen=True, slots=True)
class Word:
    """One of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of one kind; a single text may stand for a list of one where `or_one`."""

    of: "Kind"
    or_one: bool = False


@dataclass(frozen=True, slots=True)
class OrNone:
    """The kind, or `null`."""

    of: "Kind"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record: what it is called, what it takes, and what it says."""

    name: str
    kind: "Kind"
    text: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Keys with values. Of each of the groups in `one_of` exactly one key stands there."""

    keys: tuple[Key, ...]
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TextOr:
    """A text, which stands for the record with nothing but that under its first key; or the record."""

    of: Record

    @property
    def key(self) -> Key:
        """What the text alone says."""
        return self.of.keys[0]


@dataclass(frozen=True, slots=True)
class Variants:
    """A record whose other keys depend on the word under the key `by`."""

    by: str
    of: tuple[tuple[str, Record], ...]


Kind = Text | Word | Switch | Whole | Listed | OrNone | Record | TextOr | Variants

_TEXTS = Listed(Text())
_PEM = Listed(Text(20_000))
_ROLE_NAMES = tuple(role.name for role in ROLES)

GRANT = Record(
    (
        Key("role", Text(100), "The role by its name: " + ", ".join(_ROLE_NAMES) + ".", required=True),
        Key(
            "scope",  # not `on`: to YAML 1.1 that is true, as a key too
            Listed(Text(300), or_one=True),
            "Where it holds: `all` (as without this key), or a list of `TYPE:ID`, which widen, or of "
            "`label:KEY:VALUE`, which narrow.",
        ),
    )
)
_WAS = Key("was", Text(200), "The name that it had until now, where it is renamed; once that is done, it says nothing.")
SETTINGS = Record(
    (
        Key("require_sso", Switch(), "Whether people come by single sign-on alone."),
        Key("require_second_factor", Switch(), "Whether who doesn't come by single sign-on shows a second factor."),
        Key("mailed_codes", Switch(), "Whether a code by mail stands in for a second factor."),
        Key("hipaa", Switch(), "Whether it closes to sessions that aren't used for 15 minutes."),
    )
)
LABEL = Record(
    (
        Key("label", Text(200), "`KEY:VALUE`.", required=True),
        Key(
            "description",
            Text(1_000, least=0),
            f"What it is for, in at most {LONGEST_DESCRIPTION} characters; without this key it stays.",
        ),
    )
)
RESOURCE = Record(
    (
        Key("type", Word(tuple(RESOURCE_TYPES)), "What it is.", required=True),
        Key("id", Text(200), "The application's own id of it. It never changes.", required=True),
        Key("name", Text(200), "What people call it.", required=True),
        Key("labels", _TEXTS, "All labels that it carries, each `KEY:VALUE`; without this key they stay."),
    )
)
IDP = Record(
    (
        Key("entity_id", Text(1_024), "How the IdP calls itself; with metadata: which one, where that has several."),
        Key("metadata_url", Text(), "Where its metadata stands. It is read again each day."),
        Key(
            "metadata_file", Text(), "A file with its metadata, as seen from this file. It is read when it is applied."
        ),
        Key("metadata", Text(500_000), "Its metadata itself."),
        Key("sso_redirect_url", OrNone(Text()), "Without metadata: where it takes requests by Redirect."),
        Key("sso_post_url", OrNone(Text()), "Without metadata: where it takes requests by POST."),
        Key("slo_url", OrNone(Text()), "Without metadata: where it takes logout messages."),
        Key("slo_by_post", Switch(), "Without metadata: whether it takes those by POST."),
        Key("slo_answer_url", OrNone(Text()), "Without metadata: where it takes answers to its own logout requests."),
        Key("certificates", _PEM, "Without metadata: the certificates (PEM) by which it signs."),
        Key("name_id_format", Text(), "Without metadata: the NameID format that it gives, a URI."),
        Key("want_requests_signed", Switch(), "Without metadata: whether it wants requests signed."),
        Key("signed_by", _PEM, "Certificates (PEM) by one of which metadata must be signed."),
    )
)
SECRET = Record(
    (
        Key("env", Text(200), "The environment variable that holds it, where the command runs."),
        Key("file", Text(), "The file that holds it, as seen from this file."),
        Key("keep", Switch(), "true: what stands is kept. What it is can't be known, and isn't compared."),
    ),
    one_of=(("env", "file", "keep"),),
)
_EVERY_CONNECTION = (
    Key("name", Text(100), "What people call it: no two have one name, without case.", required=True),
    _WAS,
    Key("enabled", Switch(), "Off closes it: its sign-ins, its SCIM, and what its groups give."),
    Key("allow_idp_initiated", Switch(), "Whether sign-in may begin at the IdP."),
    Key("jit", Switch(), "Whether a first sign-in makes an account."),
    Key("mirror_groups", Switch(), "Whether a pushed group gets a User Group."),
    Key("force_authn", Switch(), "Whether the IdP must ask anew at each sign-in."),
    Key("clock_skew", Whole(0, 300), "By how many seconds clocks may differ."),
    Key("asserted_days", Whole(1, 30), "How many days groups named at a sign-in count."),
)
_PRESET = Key("preset", Text(40), "Whose names of attributes, such as okta; generic otherwise. Can't be changed later.")
SAML = Record(
    (
        *_EVERY_CONNECTION,
        _PRESET,
        Key("idp", IDP, "What is trusted of the IdP: its metadata, or the addresses and certificates themselves."),
        Key("sign_requests", Switch(), "Whether requests to the IdP are signed."),
        Key("requests_by_post", Switch(), "Whether the IdP is asked by POST where it takes both that and Redirect."),
        Key("authn_context", _TEXTS, "How the IdP must ask: URIs, of which it meets one."),
        Key("name_id_format", OrNone(Text()), "persistent, email, transient, unspecified or its URI; null: the IdP's."),
        Key("email_attributes", _TEXTS, "Where the email is, in order; none: the preset's."),
        Key("name_attributes", _TEXTS, "Where the name is."),
        Key("groups_attributes", _TEXTS, "Where the groups are."),
    )
)
OIDC = Record(
    (
        *_EVERY_CONNECTION,
        _PRESET,
        Key("issuer", Text(), "The provider's issuer; another issuer is another connection.", required=True),
        Key("client_id", Text(1_000), "Our client id there.", required=True),
        Key("client_secret", SECRET, "Where our secret there is to be found; never the secret itself."),
        Key(
            "token_auth",
            Word(("client_secret_basic", "client_secret_post", "private_key_jwt")),
            "How we show who we are; with private_key_jwt a key is made, and there is no secret.",
        ),
        Key("scopes", _TEXTS, "What to ask for."),
        Key("hosted_domain", OrNone(Text(253)), "Google: the domain that people must be of."),
        Key("trust_email", Switch(), "Whether addresses count that the provider doesn't say it verified."),
        Key("logout_return", Switch(), "Whether the provider knows our address for who has signed out there."),
        Key("email_claims", _TEXTS, "Where the email is, in order; none: the preset's."),
        Key("name_claims", _TEXTS, "Where the name is."),
        Key("groups_claims", _TEXTS, "Where the groups are."),
    )
)
DOMAIN = Record(
    (
        Key(
            "name", Text(253), "The domain. Claiming it says how to prove it; the proof is made outside.", required=True
        ),
        Key("connection", OrNone(Text(100)), "The connection that its people are sent to; null: to a choice of all."),
    )
)
USER_GROUP = Record(
    (
        Key("name", Text(), "What people call it: no two have one name, without case.", required=True),
        _WAS,
        Key(
            "mirror", Switch(), "true: the IdP's group of this name decides who is in it. It is made by the push alone."
        ),
        Key("members", _TEXTS, "The addresses of those who are in it by hand."),
        Key("grants", Listed(GRANT), "What everybody in it gets."),
    )
)
MEMBER = Record(
    (
        Key("email", Text(320), "The address of somebody who is a member.", required=True),
        Key("grants", Listed(GRANT), "What they get by hand; ownership is the role Workspace Owner.", required=True),
    )
)
IDP_GROUPS = Record(
    (
        Key("name", Text(255), "The group of exactly this name, without case."),
        Key("pattern", Text(255), "Every group of a name like this: `*` and `?`."),
        Key("external_id", Text(255), "The group of this id of the IdP's."),
        Key(
            "pushed", Text(255), "The one group that was pushed by this name: tied by its id, so that a rename follows."
        ),
        Key("id", Text(255), "The group of this id of the bridge's, where its name isn't the only one."),
    ),
    one_of=(("name", "pattern", "external_id", "pushed", "id"),),
)
GIVES = Record(
    (
        Key("user_groups", _TEXTS, "They join these User Groups,"),
        Key("roles", Listed(GRANT), "and get these roles."),
    )
)
MAPPING = Record(
    (
        Key("connection", Text(100), "Whose groups.", required=True),
        Key("groups", IDP_GROUPS, "Which of them.", required=True),
        Key("gives", GIVES, "What their people get.", required=True),
        Key("enabled", Switch(), "Whether it counts; true otherwise."),
        Key("link", Switch(), "true: ties a pushed group to one User Group in place of its mirror."),
    )
)
WORKSPACE_FILE = Record(
    (
        Key("version", Whole(1, 1), "The version of this format: 1.", required=True),
        Key("workspace", Text(63), "The workspace's slug.", required=True),
        Key("name", Text(200), "What people call the workspace."),
        Key("plan", Word(PLANS), "Its plan. Shown, and refused to be changed: that is the operator's."),
        Key("settings", SETTINGS, "Its switches."),
        Key(
            "labels",
            Listed(TextOr(LABEL)),
            "Labels of resources, each `KEY:VALUE`, or these keys. Those that a resource here carries are made anyway.",
        ),
        Key("resources", Listed(RESOURCE), "What roles are given on."),
        Key("connections", Listed(Variants("kind", (("saml", SAML), ("oidc", OIDC)))), "Links to IdPs."),
        Key("domains", Listed(DOMAIN), "Domains of addresses that it claims."),
        Key("user_groups", Listed(USER_GROUP), "User Groups, with whom and what was put into them by hand."),
        Key("members", Listed(MEMBER), "People who were given something by hand. Nobody joins or leaves by this."),
        Key("mappings", Listed(MAPPING), "Rules: what the people in IdP groups get."),
    )
)
