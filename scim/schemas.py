"""RFC 7643 as data: the attributes of User, EnterpriseUser and Group, and how a name finds one of them.

Attributes are compared by identity: each exists once, here. That makes a parsed filter cheap to compare and to
cache, and means that nobody builds an Attribute anywhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_SCHEMA = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

AttributeType = Literal["string", "boolean", "dateTime", "reference", "binary", "complex"]
Mutability = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
Returned = Literal["always", "never", "default", "request"]
Uniqueness = Literal["none", "server", "global"]


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute and its characteristics (RFC 7643 2.2 and 7)."""

    name: str
    type: AttributeType = "string"
    multi_valued: bool = False
    case_exact: bool = False
    mutability: Mutability = "readWrite"
    returned: Returned = "default"
    uniqueness: Uniqueness = "none"
    required: bool = False
    sub_attributes: "tuple[Attribute, ...]" = ()
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    description: str = ""

    def find(self, name: str) -> "Attribute | None":
        """The sub-attribute of that name, in any case."""
        return _by_name(self.sub_attributes).get(name.lower())

    def __repr__(self) -> str:
        return f"<Attribute {self.name}>"


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A named set of attributes (RFC 7643 7)."""

    id: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    def find(self, name: str) -> Attribute | None:
        """The attribute of that name, in any case."""
        return _by_name(self.attributes).get(name.lower())

    def __repr__(self) -> str:
        return f"<Schema {self.id}>"


@dataclass(frozen=True, slots=True)
class AttributePath:
    """Where a value stands: an attribute of a schema, and perhaps one of its sub-attributes (RFC 7644 3.10)."""

    attribute: Attribute
    sub: Attribute | None
    schema: str

    @property
    def leaf(self) -> Attribute:
        """The attribute whose type and case the value has."""
        return self.sub or self.attribute

    @property
    def in_extension(self) -> bool:
        """Whether the attribute lives under its schema's URN in the document."""
        return self.schema not in (USER_SCHEMA, GROUP_SCHEMA)

    def __str__(self) -> str:
        name = self.attribute.name if self.sub is None else f"{self.attribute.name}.{self.sub.name}"
        return f"{self.schema}:{name}" if self.in_extension else name


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """A kind of resource: its endpoint, its schema and the schemas that extend it (RFC 7643 6)."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()

    def find(self, path: str) -> AttributePath | None:
        """The attribute that `name`, `name.sub` or `URN:name.sub` leads to, in any case (RFC 7644 3.10)."""
        urn, _, dotted = path.rpartition(":")
        schema = self.find_schema(urn) if urn else self.schema
        return None if schema is None else self._find_in(schema, dotted)

    def find_schema(self, urn: str) -> Schema | None:
        """This type's own schema or extension with that URN, in any case."""
        wanted = urn.lower()
        return next((each for each in (self.schema, *self.extensions) if each.id.lower() == wanted), None)

    def paths(self) -> Iterator[AttributePath]:
        """Every attribute, then its sub-attributes, the common ones first."""
        for schema, attribute in self._all_attributes():
            yield AttributePath(attribute, None, schema.id)
            for sub in attribute.sub_attributes:
                yield AttributePath(attribute, sub, schema.id)

    def _find_in(self, schema: Schema, dotted: str) -> AttributePath | None:
        name, dot, sub_name = dotted.partition(".")
        attribute = schema.find(name)
        if attribute is None and schema is self.schema:
            attribute = _by_name(COMMON_ATTRIBUTES).get(name.lower())
        if attribute is None:
            return None
        sub = attribute.find(sub_name) if dot else None
        return None if dot and sub is None else AttributePath(attribute, sub, schema.id)

    def _all_attributes(self) -> Iterator[tuple[Schema, Attribute]]:
        for attribute in COMMON_ATTRIBUTES:
            yield self.schema, attribute
        for schema in (self.schema, *self.extensions):
            for attribute in schema.attributes:
                yield schema, attribute

    def __repr__(self) -> str:
        return f"<ResourceType {self.name}>"


def fold_case(text: str) -> str:
    """The form in which strings without caseExact are compared, looked up and kept unique.

    Full case folding: unlike lower(), it does not depend on a letter's neighbours, so that `sw`, `co` and `ew`
    agree with `eq`.
    """
    return text.casefold()


@cache
def _by_name(attributes: tuple[Attribute, ...]) -> dict[str, Attribute]:
    return {attribute.name.lower(): attribute for attribute in attributes}


def _plural(name: str, description: str, *types: str, value: Attribute | None = None) -> Attribute:
    """A multi-valued attribute with the usual sub-attributes (RFC 7643 2.4)."""
    return Attribute(
        name,
        "complex",
        multi_valued=True,
        description=description,
        sub_attributes=(
            value or Attribute("value", description="The value itself."),
            Attribute("display", description="A name for people to read."),
            Attribute("type", canonical_values=types, description="What this value is for."),
            Attribute("primary", "boolean", description="Whether this is the preferred value; true at most once."),
        ),
    )


ID = Attribute(
    "id",
    case_exact=True,
    mutability="readOnly",
    returned="always",
    uniqueness="server",
    description="The bridge's identifier of the resource; never reused.",
)
EXTERNAL_ID = Attribute(
    "externalId", case_exact=True, description="The identity provider's identifier of the resource."
)
SCHEMAS = Attribute(
    "schemas",
    "reference",
    multi_valued=True,
    case_exact=True,
    returned="always",
    required=True,
    reference_types=("uri",),
    description="The URNs of the schemas that the resource uses.",
)
META = Attribute(
    "meta",
    "complex",
    mutability="readOnly",
    description="What the server knows about the resource itself.",
    sub_attributes=(
        Attribute("resourceType", case_exact=True, mutability="readOnly", description="User or Group."),
        Attribute("created", "dateTime", mutability="readOnly", description="When the resource was created."),
        Attribute("lastModified", "dateTime", mutability="readOnly", description="When it last changed."),
        Attribute(
            "location",
            "reference",
            case_exact=True,
            mutability="readOnly",
            reference_types=("uri",),
            description="The URI of the resource.",
        ),
        Attribute("version", case_exact=True, mutability="readOnly", description="The ETag of this state."),
    ),
)
COMMON_ATTRIBUTES = (SCHEMAS, ID, EXTERNAL_ID, META)
"""What every resource has without its schema saying so (RFC 7643 3.1)."""

_USER_ATTRIBUTES = (
    Attribute(
        "userName",
        uniqueness="server",
        required=True,
        description="The name by which the identity provider knows the person; unique in the connection.",
    ),
    Attribute(
        "name",
        "complex",
        description="The parts of the person's name.",
        sub_attributes=(
            Attribute("formatted", description="The whole name, as shown."),
            Attribute("familyName", description="The family name."),
            Attribute("givenName", description="The given name."),
            Attribute("middleName", description="The middle names."),
            Attribute("honorificPrefix", description="Titles before the name, such as Dr."),
            Attribute("honorificSuffix", description="Suffixes after the name, such as III."),
        ),
    ),
    Attribute("displayName", description="The person's name as shown."),
    Attribute("nickName", description="What the person is casually called."),
    Attribute(
        "profileUrl",
        "reference",
        case_exact=True,
        reference_types=("external",),
        description="A page about the person.",
    ),
    Attribute("title", description="The person's job title."),
    Attribute("userType", description="The person's relation to the company, such as Employee."),
    Attribute("preferredLanguage", description="The person's language, as in Accept-Language."),
    Attribute("locale", description="How numbers and dates are written for the person."),
    Attribute("timezone", description="The person's time zone, such as Europe/Berlin."),
    Attribute("active", "boolean", description="Whether the person may work; false suspends them."),
    Attribute(
        "password",
        case_exact=True,
        mutability="writeOnly",
        returned="never",
        description="Accepted and discarded: a provisioning token never sets a password.",
    ),
    _plural("emails", "The person's e-mail addresses.", "work", "home", "other"),
    _plural("phoneNumbers", "The person's phone numbers.", "work", "home", "mobile", "fax", "pager", "other"),
    _plural("ims", "The person's messaging addresses.", "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
    _plural(
        "photos",
        "Pictures of the person.",
        "photo",
        "thumbnail",
        value=Attribute(
            "value",
            "reference",
            case_exact=True,
            reference_types=("external",),
            description="The address of the picture.",
        ),
    ),
    Attribute(
        "addresses",
        "complex",
        multi_valued=True,
        description="The person's postal addresses.",
        sub_attributes=(
            Attribute("formatted", description="The whole address, as shown."),
            Attribute("streetAddress", description="Street and number."),
            Attribute("locality", description="City."),
            Attribute("region", description="State or region."),
            Attribute("postalCode", description="Postal code."),
            Attribute("country", description="Country, two letters of ISO 3166-1."),
            Attribute("type", canonical_values=("work", "home", "other"), description="What it is for."),
            Attribute("primary", "boolean", description="Whether this is the preferred address."),
        ),
    ),
    Attribute(
        "groups",
        "complex",
        multi_valued=True,
        mutability="readOnly",
        description="The groups that hold the person; changed by changing the group.",
        sub_attributes=(
            Attribute("value", case_exact=True, mutability="readOnly", description="The group's id."),
            Attribute(
                "$ref",
                "reference",
                case_exact=True,
                mutability="readOnly",
                reference_types=("Group",),
                description="The group's URI.",
            ),
            Attribute("display", mutability="readOnly", description="The group's name."),
            Attribute(
                "type",
                mutability="readOnly",
                canonical_values=("direct",),
                description="Always direct: groups do not nest here.",
            ),
        ),
    ),
    _plural("entitlements", "What the person is entitled to, in the identity provider's words."),
    _plural("roles", "The person's roles, in the identity provider's words."),
    _plural(
        "x509Certificates",
        "The person's certificates.",
        value=Attribute("value", "binary", case_exact=True, description="The certificate, DER in base64."),
    ),
)

MANAGER = Attribute(
    "manager",
    "complex",
    description="The person's manager.",
    sub_attributes=(
        Attribute("value", case_exact=True, description="The manager's id."),
        Attribute("$ref", "reference", case_exact=True, reference_types=("User",), description="The manager's URI."),
        Attribute("displayName", mutability="readOnly", description="The manager's name."),
    ),
)
_ENTERPRISE_ATTRIBUTES = (
    Attribute("employeeNumber", description="The person's number in the company."),
    Attribute("costCenter", description="The person's cost centre."),
    Attribute("organization", description="The person's organization."),
    Attribute("division", description="The person's division."),
    Attribute("department", description="The person's department."),
    MANAGER,
)

_GROUP_ATTRIBUTES = (
    Attribute("displayName", required=True, description="The group's name; need not be unique."),
    Attribute(
        "members",
        "complex",
        multi_valued=True,
        description="The people in the group. Groups do not nest here.",
        sub_attributes=(
            Attribute("value", case_exact=True, mutability="immutable", description="The person's id."),
            Attribute(
                "$ref",
                "reference",
                case_exact=True,
                mutability="immutable",
                reference_types=("User",),
                description="The person's URI.",
            ),
            Attribute("display", mutability="readOnly", description="The person's name."),
            Attribute("type", mutability="immutable", canonical_values=("User",), description="Always User."),
        ),
    ),
)

USER = ResourceType(
    "User",
    "/Users",
    "A person whom the identity provider pushes.",
    Schema(USER_SCHEMA, "User", "User Account", _USER_ATTRIBUTES),
    (Schema(ENTERPRISE_SCHEMA, "EnterpriseUser", "Enterprise User", _ENTERPRISE_ATTRIBUTES),),
)
GROUP = ResourceType(
    "Group",
    "/Groups",
    "A group that the identity provider pushes.",
    Schema(GROUP_SCHEMA, "Group", "Group", _GROUP_ATTRIBUTES),
)
ENTERPRISE_USER = USER.extensions[0]
RESOURCE_TYPES = (USER, GROUP)
