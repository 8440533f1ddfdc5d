"""Which attributes of an assertion give email, name and groups: presets as data, and `read`, which applies
one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from saml.assertion import Assertion
from saml.errors import MalformedEmail, MissingEmail
from saml.markup import EMAIL_ADDRESS, TRANSIENT, UNSPECIFIED


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """For each thing that is asserted the attribute names that may hold it; the first that has a value wins.

    Names compare exactly.
    """

    email: tuple[str, ...] = ()
    given_name: tuple[str, ...] = ()
    family_name: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssertedNames:
    """What an assertion says about a person, free of SAML.

    `subject` is stable within the connection; `email` is well-formed, as written by the IdP; `groups` are
    names or ids as the IdP sends them, in its order, each once. `groups_left_out`: Entra ID had more groups
    than it puts into an assertion (150) and sent none.
    """

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    groups_left_out: bool = False


_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT = "http://schemas.microsoft.com"
_ENTRA_GROUPS = f"{_MICROSOFT}/ws/2008/06/identity/claims/groups"
_ADFS_GROUPS = "http://schemas.xmlsoap.org/claims/Group"
_ENTRA_OVERAGE = (f"{_MICROSOFT}/claims/groups.link", f"{_ENTRA_GROUPS}.link")

_GENERIC = AttributeMapping(
    email=(
        "email",
        "mail",
        "emailAddress",
        "Email",
        "EmailAddress",
        "email_address",
        "User.email",
        "user.email",
        f"{_SOAP}/emailaddress",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "http://schemas.xmlsoap.org/claims/EmailAddress",  # AD FS 1.x and what followed its names
    ),
    given_name=("firstName", "givenName", "first_name", "FirstName", f"{_SOAP}/givenname", "urn:oid:2.5.4.42"),
    family_name=("lastName", "sn", "surname", "last_name", "LastName", f"{_SOAP}/surname", "urn:oid:2.5.4.4"),
    display_name=(
        "displayName",
        "name",
        "cn",
        f"{_MICROSOFT}/identity/claims/displayname",
        "urn:oid:2.16.840.1.113730.3.1.241",
    ),
    groups=(
        "groups",
        "group",
        "memberOf",
        "Groups",
        "Group",
        "member_of",
        "isMemberOf",
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",  # eduMember's isMemberOf
        _ENTRA_GROUPS,
        _ADFS_GROUPS,  # Auth0's, too
        f"{_MICROSOFT}/ws/2008/06/identity/claims/role",
    ),
)

# Each names what that console writes when its own guide is followed. An admin who chose other names sets a mapping.
PRESETS: Mapping[str, AttributeMapping] = MappingProxyType(
    {
        "generic": _GENERIC,
        "okta": AttributeMapping(
            email=("email", "user.email"),
            given_name=("firstName", "user.firstName"),
            family_name=("lastName", "user.lastName"),
            display_name=("displayName",),
            groups=("groups",),
        ),
        "entra": AttributeMapping(
            email=(f"{_SOAP}/emailaddress",),
            given_name=(f"{_SOAP}/givenname",),
            family_name=(f"{_SOAP}/surname",),
            display_name=(f"{_MICROSOFT}/identity/claims/displayname",),
            groups=(_ENTRA_GROUPS,),
        ),
        "onelogin": AttributeMapping(
            email=("User.email", "email"),
            given_name=("User.FirstName", "firstName"),
            family_name=("User.LastName", "lastName"),
            groups=("memberOf", "groups"),
        ),
        "google": AttributeMapping(
            email=("email",),
            given_name=("firstName", "first_name"),
            family_name=("lastName", "last_name"),
            groups=("groups",),
        ),
        "jumpcloud": AttributeMapping(
            email=("email",),
            given_name=("firstname", "firstName"),
            family_name=("lastname", "lastName"),
            display_name=("displayname", "displayName"),
            groups=("memberOf", "groups"),
        ),
        "ping": AttributeMapping(
            email=("email", "mail"),
            given_name=("givenName", "firstName"),
            family_name=("familyName", "lastName", "sn"),
            display_name=("formattedName", "displayName"),
            groups=("memberOf", "groups", "memberOfGroupNames"),
        ),
        "adfs": AttributeMapping(
            email=(f"{_SOAP}/emailaddress",),
            given_name=(f"{_SOAP}/givenname",),
            family_name=(f"{_SOAP}/surname",),
            display_name=(f"{_SOAP}/name",),
            groups=(_ADFS_GROUPS, _ENTRA_GROUPS),
        ),
    }
)

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    re.ASCII,
)
_LONGEST_EMAIL, _LONGEST_LOCAL_PART = 254, 64  # RFC 5321 4.5.3.1


def read(assertion: Assertion, mapping: AttributeMapping) -> AssertedNames:
    """What `assertion` says by `mapping`. Raises `MissingEmail` or `MalformedEmail`.

    The email comes from an attribute, else from a NameID of the format emailAddress, or of none in particular
    (Okta's default) when it is an email. The subject is the NameID; a transient one changes at each sign-in
    (SAML Core 8.3.8), so there the email, without case, stands in.
    """
    email = _email(assertion, mapping)
    given = _first(assertion, mapping.given_name)
    family = _first(assertion, mapping.family_name)
    whole = _first(assertion, mapping.display_name) or f"{given} {family}".strip()
    return AssertedNames(
        subject=email.lower() if assertion.name_id_format == TRANSIENT else assertion.name_id,
        email=email,
        name=whole or email.partition("@")[0],
        groups=_all(assertion, mapping.groups),
        groups_left_out=any(name in assertion.attributes for name in _ENTRA_OVERAGE),
    )


def is_email(written: str) -> bool:
    """Whether it is an address of plain ASCII with a dot in its domain: what mail systems take without
    exceptions."""
    return (
        len(written) <= _LONGEST_EMAIL
        and _EMAIL.fullmatch(written) is not None
        and len(written.partition("@")[0]) <= _LONGEST_LOCAL_PART
    )


def _email(assertion: Assertion, mapping: AttributeMapping) -> str:
    email = _first(assertion, mapping.email) or _email_in_name_id(assertion)
    if not email:
        raise MissingEmail(mapping.email, transient=assertion.name_id_format == TRANSIENT)
    if not is_email(email):
        raise MalformedEmail(email)
    return email


def _email_in_name_id(assertion: Assertion) -> str:
    if assertion.name_id_format == EMAIL_ADDRESS:
        return assertion.name_id
    if assertion.name_id_format == UNSPECIFIED and is_email(assertion.name_id):
        return assertion.name_id
    return ""


def _first(assertion: Assertion, names: tuple[str, ...]) -> str:
    return next((value for name in names for value in assertion.attributes.get(name, ())), "")


def _all(assertion: Assertion, names: tuple[str, ...]) -> tuple[str, ...]:
    """The values of the first of `names` that has any, each once."""
    found = (assertion.attributes[name] for name in names if assertion.attributes.get(name))
    return tuple(dict.fromkeys(next(found, ())))
