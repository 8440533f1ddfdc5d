"""IdentityProvider: the company's side of a connection, and `parse_metadata`, which reads one from SAML
metadata."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from lxml import etree

from saml.certificates import parse_certificate
from saml.errors import InvalidMetadata, SeveralIdentityProviders, quoted
from saml.markup import (
    HTTP_POST,
    HTTP_REDIRECT,
    NAMESPACES,
    UNSPECIFIED,
    Element,
    children,
    parse,
    parse_duration,
    parse_instant,
    tag,
    text,
)
from saml.metadata_signature import signed_part

_LARGEST_METADATA = 4 * 1024 * 1024
_NAMED, _LONGEST_NAME = 5, 200
_ORGANIZATION = "md:Organization/md:OrganizationDisplayName"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An identity provider as the bridge trusts it: all of this is configuration, nothing comes from a
    message.

    `certificates` are PEM, in the order they were given; a signature by any of them is good, and with none of
    them everybody is refused. `name_id_format` is what an AuthnRequest asks for; `UNSPECIFIED` asks for
    nothing. `slo_url` takes logout messages, by Redirect unless `slo_by_post`; answers to its own requests go to
    `slo_answer_url` where there is one (SAML Metadata 2.2.2).
    """

    entity_id: str
    sso_redirect_url: str | None
    sso_post_url: str | None
    slo_url: str | None
    certificates: tuple[str, ...]
    name_id_format: str = UNSPECIFIED
    want_requests_signed: bool = False
    slo_by_post: bool = False
    slo_answer_url: str | None = None


def parse_metadata(
    xml: bytes, entity_id: str | None = None, now: datetime | None = None, signed_by: tuple[str, ...] = ()
) -> IdentityProvider:
    """The identity provider that `xml` describes (SAML Metadata 2.4.3).

    `xml` is an EntityDescriptor, or an EntitiesDescriptor, in which `entity_id` chooses when it holds several
    identity providers. With `now`, metadata whose validity is over is refused (2.3.1, 2.3.2, 2.4.1). With `signed_by`
    (PEM), it is read from what a signature by one of these covers (3), else whether it is signed or not. Raises
    `InvalidMetadata` with a text for the admin who gave it, `SeveralIdentityProviders` with those to choose from.
    """
    root = _root(xml)
    entity = _choose(_identity_providers(root), entity_id)
    if signed_by:
        entity = _choose(_identity_providers(signed_part(entity, signed_by)), _entity_id(entity))
    role = _role(entity)
    if now is not None:
        _check_still_valid(role, now)
    redirect, post = (
        _address(role, "SingleSignOnService", HTTP_REDIRECT),
        _address(role, "SingleSignOnService", HTTP_POST),
    )
    logout = _endpoint(role, "SingleLogoutService", HTTP_REDIRECT)
    by_post = _endpoint(role, "SingleLogoutService", HTTP_POST) if logout is None else None
    service = by_post if logout is None else logout
    if redirect is None and post is None:
        raise InvalidMetadata("The metadata gives no sign-in address by HTTP-Redirect or HTTP-POST.")
    return IdentityProvider(
        entity_id=_entity_id(entity),
        sso_redirect_url=redirect,
        sso_post_url=post,
        slo_url=_location(service, "Location"),
        certificates=_certificates(role),
        name_id_format=_only_name_id_format(role),
        want_requests_signed=role.get("WantAuthnRequestsSigned") in ("true", "1"),
        slo_by_post=by_post is not None,
        slo_answer_url=_location(service, "ResponseLocation"),
    )


def read_again_within(xml: bytes, entity_id: str, now: datetime) -> timedelta | None:
    """How soon good metadata wants to be read again: the least `cacheDuration` of the role and of what it stands in
    (SAML Metadata 2.3.1, 2.3.2, 2.4.1), and half of what is left until `validUntil`; None where it says neither."""
    role = _role(_choose(_identity_providers(_root(xml)), entity_id))
    said = [wait for element in (role, *role.iterancestors()) for wait in _waits(element, now)]
    return min(said, default=None)


def _waits(element: Element, now: datetime) -> Iterator[timedelta]:
    """What can't be read asks for nothing."""
    with suppress(ValueError):
        yield parse_duration(element.get("cacheDuration", ""))
    with suppress(ValueError):
        yield (parse_instant(element.get("validUntil", "")) - now) / 2


def _root(xml: bytes) -> Element:
    if len(xml) > _LARGEST_METADATA:
        raise InvalidMetadata("This is over 4 MB; one identity provider's metadata is a few kilobytes.")
    start = xml[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise InvalidMetadata(
            "This is a web page, not metadata. At the identity provider look for the link or file called "
            "metadata: it is XML and begins with EntityDescriptor."
        )
    if b"<!DOCTYPE" in xml:
        raise InvalidMetadata("The metadata has a document type declaration (DOCTYPE), which the bridge doesn't read.")
    try:
        return parse(xml)
    except (etree.XMLSyntaxError, ValueError):
        raise InvalidMetadata("This isn't XML. Give the identity provider's metadata file as it is.") from None


def _identity_providers(root: Element) -> list[Element]:
    if root.tag not in (tag("md:EntityDescriptor"), tag("md:EntitiesDescriptor")):
        name = quoted(etree.QName(root).localname)
        raise InvalidMetadata(f"This is XML, but not SAML metadata: it begins with {name} instead of EntityDescriptor.")
    entities = [entity for entity in root.iter(tag("md:EntityDescriptor")) if _roles(entity)]
    if not entities:
        raise InvalidMetadata(
            "The metadata describes no identity provider. If it is the bridge's own (a service provider's), "
            "it belongs into the identity provider; the connection needs the identity provider's."
        )
    return entities


def _choose(entities: list[Element], entity_id: str | None) -> Element:
    if entity_id is None and len(entities) == 1:
        return entities[0]
    named = [entity for entity in entities if _entity_id(entity) == entity_id]
    if len(named) == 1:
        return named[0]
    found = ", ".join(quoted(_entity_id(entity)) for entity in entities[:_NAMED])
    if len(entities) > _NAMED:
        found += f" and {len(entities) - _NAMED:,} more"
    if entity_id is None:
        text = f"The metadata describes several identity providers ({found}): say which by its entity ID."
        raise SeveralIdentityProviders(text, tuple((_entity_id(one), _display_name(one)) for one in entities))
    raise InvalidMetadata(f"The metadata doesn't describe {quoted(entity_id)} once, but {found}.")


def _display_name(entity: Element) -> str:
    """What people call it, in English where there is a choice: the login's name for it (Metadata Extensions for Login
    and Discovery User Interface 2.1.1), else its organization's (SAML Metadata 2.3.2.1); "" for none."""
    for path in ("md:IDPSSODescriptor/md:Extensions/mdui:UIInfo/mdui:DisplayName", _ORGANIZATION):
        names = {one.get(_LANGUAGE, ""): text(one) for one in entity.iterfind(path, NAMESPACES)}
        name = names.get("en") or next(iter(names.values()), "")
        if name.isprintable() and name:
            return name[:_LONGEST_NAME]
    return ""


def _check_still_valid(role: Element, now: datetime) -> None:
    """`validUntil` of the role and of all that it stands in."""
    for element in (role, *role.iterancestors()):
        written = element.get("validUntil")
        if written is None:
            continue
        try:
            is_over = parse_instant(written) <= now
        except ValueError:
            raise InvalidMetadata(f"The metadata says it is valid until {quoted(written)}, which is no time.") from None
        if is_over:
            raise InvalidMetadata(f"The metadata was valid until {quoted(written)} only.")


def _entity_id(entity: Element) -> str:
    entity_id = (entity.get("entityID") or "").strip()
    if not entity_id or len(entity_id) > 1024:  # SAML Metadata 2.2.1
        raise InvalidMetadata("The metadata gives no entity ID of at most 1,024 characters.")
    return entity_id


def _roles(entity: Element) -> list[Element]:
    return [
        role
        for role in children(entity, "md:IDPSSODescriptor")
        if NAMESPACES["samlp"] in (role.get("protocolSupportEnumeration") or "").split()
    ]


def _role(entity: Element) -> Element:
    roles = _roles(entity)
    if len(roles) > 1:
        raise InvalidMetadata("The metadata describes this identity provider twice.")
    return roles[0]


def _address(role: Element, service: str, binding: str) -> str | None:
    endpoint = _endpoint(role, service, binding)
    return None if endpoint is None else parse_address(endpoint.get("Location") or "")


def _endpoint(role: Element, service: str, binding: str) -> Element | None:
    return next((one for one in children(role, f"md:{service}") if one.get("Binding") == binding), None)


def _location(endpoint: Element | None, attribute: str) -> str | None:
    written = None if endpoint is None else endpoint.get(attribute)
    return None if written is None else parse_address(written)


def parse_address(written: str) -> str:
    """An http or https URL that a browser may be sent to; raises `InvalidMetadata` for others (`javascript:`,
    relative)."""
    url = written.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable:
        raise InvalidMetadata(f"The identity provider's address {quoted(url)} isn't an http or https URL.")
    return url


def _certificates(role: Element) -> tuple[str, ...]:
    written = [
        text(certificate)
        for key in children(role, "md:KeyDescriptor")
        if key.get("use") in (None, "signing")
        for certificate in key.iterfind("ds:KeyInfo/ds:X509Data/ds:X509Certificate", NAMESPACES)
    ]
    certificates = tuple(dict.fromkeys(parse_certificate(one) for one in written))
    if not certificates:
        raise InvalidMetadata(
            "The metadata has no signing certificate, so nothing this identity provider says could be checked."
        )
    return certificates


def _only_name_id_format(role: Element) -> str:
    """The NameID format if the metadata names exactly one: a list says what is possible, not what is set
    up."""
    formats = {text(one) for one in children(role, "md:NameIDFormat")} - {""}
    return formats.pop() if len(formats) == 1 else UNSPECIFIED
