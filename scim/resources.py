"""Users and Groups between the wire and what is kept: parse, render, and select the attributes asked for.

A *document* is a User as the IdP wrote it, in canonical form: names in the schema's case, the enterprise extension
under its URN, and without id, meta, groups, schemas and password, which are not the IdP's to keep here. A Group has no
document: its members are rows, so its body is a GroupBody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from scim import dialects
from scim.errors import InvalidValue
from scim.messages import named
from scim.moments import render_date_time
from scim.schemas import (
    COMMON_ATTRIBUTES,
    ENTERPRISE_SCHEMA,
    ENTERPRISE_USER,
    EXTERNAL_ID,
    GROUP,
    USER,
    Attribute,
    AttributePath,
    ResourceType,
)
from scim.values import canonical_element, canonical_value

Document = dict[str, Any]

MAX_DOCUMENT = 2**19
"""Bytes of a User's document as JSON: room for certificates and a picture, and for a page of such people in memory."""


#: Nested groups are refused aloud (RFC 7643 4.2 lets a server say which types of members it takes).
NO_GROUPS_IN_GROUPS = "A group cannot be a member of a group here: push its people instead."


@dataclass(frozen=True, slots=True)
class GroupBody:
    """A Group as the IdP wrote it: its members by id, each once, in the order given."""

    display_name: str
    external_id: str | None
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Another resource as one of a User's groups or a Group's members: its id, URI and name."""

    value: str
    ref: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Meta:
    """What the server knows about a resource (RFC 7643 3.1); `version` is an ETag such as W/"3", if there are any."""

    resource_type: str
    created: datetime
    last_modified: datetime
    location: str
    version: str | None = None

    def render(self) -> dict[str, str]:
        """The `meta` attribute, moments in RFC 3339 with Z."""
        created = render_date_time(self.created)
        rendered = {
            "resourceType": self.resource_type,
            "created": created,
            "lastModified": created if self.last_modified == self.created else render_date_time(self.last_modified),
            "location": self.location,
        }
        return rendered if self.version is None else {**rendered, "version": self.version}

    def as_it_is(self) -> dict[str, Any]:
        """The same for a writer of JSON that knows moments: these must be in UTC."""
        known = {
            "resourceType": self.resource_type,
            "created": self.created,
            "lastModified": self.last_modified,
            "location": self.location,
        }
        return known if self.version is None else {**known, "version": self.version}


def parse_user(body: Mapping[str, Any]) -> Document:
    """The document of a new User; one that doesn't say `active` is active.

    Unknown and readOnly attributes are ignored (RFC 7644 3.3), as is `password`. Raises InvalidValue, naming the
    attribute.
    """
    document = parse_document(body)
    document.setdefault("active", True)
    return document


def replace_user(present: Mapping[str, Any], body: Mapping[str, Any]) -> Document:
    """The document after a PUT (RFC 7644 3.5.1): all of it is the body's, but for `active`.

    Absent is not false, and not true either: a PUT without `active` neither suspends nor brings back.
    """
    document = parse_document(body)
    if "active" in present:
        document.setdefault("active", present["active"])
    return document


def parse_group(body: Mapping[str, Any]) -> GroupBody:
    """A Group from a POST or PUT. Raises InvalidValue, also for a member that is a Group."""
    _check_schemas(body, GROUP)
    display_name = _read_text(body, _GROUP_NAME)
    if display_name is None:
        raise InvalidValue("displayName is required.")
    return GroupBody(display_name, _read_text(body, EXTERNAL_ID), parse_members(named(body, "members")))


def parse_members(value: object) -> tuple[str, ...]:
    """Ids of people from a list of members, each once; JumpCloud gives nothing but `value`.

    One object alone is taken as a list of it. Raises InvalidValue.
    """
    members = dialects.onelogin_single_value(value)
    if members in (None, ""):
        return ()
    if not isinstance(members, list):
        raise InvalidValue("members must be a list.")
    return tuple(dict.fromkeys(_parse_member(member) for member in members))


def render_user(document: Mapping[str, Any], id: str, meta: Meta, groups: Iterable[Reference] = ()) -> Document:  # noqa: A002
    """A User as answered (RFC 7643 4.1)."""
    extensions = [urn for urn in (ENTERPRISE_SCHEMA,) if urn in document]
    rendered = {"schemas": [USER.schema.id, *extensions], "id": id, **document, "meta": meta.render()}
    if groups and (shown := [render_reference(group, "direct") for group in groups]):
        rendered["groups"] = shown
    return rendered


def render_user_json(document: str, id: str, meta: Meta, groups: Iterable[Reference] = ()) -> orjson.Fragment:  # noqa: A002
    """A User with all that is answered when nothing is selected, put together from the text of a document.

    No part of it is looked into: a document holds nothing that is never answered (`_parse_attribute`), and its
    extension stands under its URN as in an answer.
    """
    if "{}" in document or "[]" in document:  # perhaps an attribute without a value, which is not answered
        whole = render_user(orjson.loads(document), id, meta, groups)
        return orjson.Fragment(orjson.dumps(select_attributes(whole, (), (), USER)))
    schemas = _EXTENDED_USER if _EXTENSION in document else _PLAIN_USER
    around: Document = {"schemas": schemas, "id": id, "meta": meta.as_it_is()}
    if groups and (shown := [render_reference(group, "direct") for group in groups]):
        around["groups"] = shown
    # orjson writes moments in UTC as `render_date_time` does.
    return orjson.Fragment(orjson.dumps(around, option=orjson.OPT_UTC_Z)[:-1] + b"," + document[1:].encode())


_EXTENSION = f'"{ENTERPRISE_SCHEMA}":{{'
"""A name followed by an object. In a value its quotes would be escaped."""
_PLAIN_USER = [USER.schema.id]
_EXTENDED_USER = [USER.schema.id, ENTERPRISE_SCHEMA]


def render_group(
    display_name: str,
    external_id: str | None,
    id: str,  # noqa: A002
    meta: Meta,
    members: Iterable[Reference] | None = (),
) -> Document:
    """A Group as answered (RFC 7643 4.2); `members` None leaves the attribute out, as when it was not asked for."""
    rendered: Document = {"schemas": [GROUP.schema.id], "id": id, "displayName": display_name}
    if external_id is not None:
        rendered["externalId"] = external_id
    if members is not None:
        rendered["members"] = [render_reference(member, "User") for member in members]
    return {**rendered, "meta": meta.render()}


def select_attributes(
    resource: Mapping[str, Any], attributes: tuple[str, ...], excluded: tuple[str, ...], resource_type: ResourceType
) -> Document:
    """What of a rendered resource is answered (RFC 7644 3.9).

    `attributes` names all that is wanted, `excluded` what is not; each may be `name`, `name.sub`, qualified by a URN,
    or an extension's URN. What is always returned stays, what is never returned goes, unknown names say nothing.
    """
    return _selection(tuple(attributes), tuple(excluded), resource_type).of_resource(resource)


def wants_attribute(
    name: str, attributes: tuple[str, ...], excluded: tuple[str, ...], resource_type: ResourceType
) -> bool:
    """Whether an answer shows any of that core attribute, so that what nobody asked for need not be read."""
    return name in _selection(tuple(attributes), tuple(excluded), resource_type).core


_GROUP_NAME, _MEMBERS = GROUP.schema.attributes


def _check_schemas(body: Mapping[str, Any], resource_type: ResourceType) -> None:
    """Refuse a body that says it is something else; one that says nothing is what the endpoint is about."""
    urns = named(body, "schemas")
    if urns is None:
        return
    if not isinstance(urns, list) or not all(isinstance(urn, str) for urn in urns):
        raise InvalidValue("schemas must be a list of URNs.")
    if dialects.foreign_schemas_only(urns, resource_type.schema.id):
        raise InvalidValue(f"schemas must name {resource_type.schema.id}.")


def parse_document(body: Mapping[str, Any]) -> Document:
    """A User's document as the body says it: without `active` where it says none. Raises InvalidValue."""
    _check_schemas(body, USER)
    document: Document = {}
    extension: Document = {}
    for key, value in body.items():
        if ":" in key and USER.find_schema(dialects.enterprise_urn(key)) is ENTERPRISE_USER:
            extension |= _parse_extension(value)
        elif (attribute := USER.schema.find(key) or _common_attribute(key)) is not None:
            document |= _parse_attribute(attribute, value)
        elif key.lower() == "manager":
            extension |= _parse_extension({key: value})
    if "userName" not in document:
        raise InvalidValue("userName is required.")
    return check_size({**document, ENTERPRISE_SCHEMA: extension} if extension else document)


def check_size(document: Document) -> Document:
    """The document, if it is no larger than is kept. Raises InvalidValue."""
    if len(orjson.dumps(document)) > MAX_DOCUMENT:
        raise InvalidValue(f"A User holds at most {MAX_DOCUMENT} bytes.")
    return document


def _common_attribute(name: str) -> Attribute | None:
    """externalId, the one common attribute that is the client's."""
    return EXTERNAL_ID if name.lower() == "externalid" else None


def _parse_extension(value: object) -> Document:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidValue(f"{ENTERPRISE_SCHEMA} must be an object.")
    extension: Document = {}
    for key, given in value.items():
        if (attribute := ENTERPRISE_USER.find(key)) is not None:
            extension |= _parse_attribute(attribute, given)
    return extension


def _parse_attribute(attribute: Attribute, value: object) -> Document:
    """The attribute alone in a document; an empty one if it is unassigned, or not the client's to write."""
    if attribute.mutability == "readOnly":
        return {}
    canonical = canonical_value(attribute, value)
    return {} if canonical is None or attribute.mutability == "writeOnly" else {attribute.name: canonical}


def _read_text(body: Mapping[str, Any], attribute: Attribute) -> str | None:
    text: str | None = canonical_value(attribute, named(body, attribute.name))
    return text


def _parse_member(member: object) -> str:
    element = canonical_element(_MEMBERS, member)
    if element is None or "value" not in element:
        raise InvalidValue("Every member must have a value, the id of a person.")
    if element.get("type", "User").lower() != "user" or "/Groups/" in element.get("$ref", ""):
        raise InvalidValue(NO_GROUPS_IN_GROUPS)
    member_id: str = element["value"]
    return member_id


def render_reference(reference: Reference, type_: str) -> dict[str, str]:
    """One of a User's groups or a Group's members, as answered; `type_` is direct or User."""
    rendered = {"value": reference.value, "$ref": reference.ref, "type": type_}
    return rendered if reference.display is None else {**rendered, "display": reference.display}


_Parts = frozenset[str]
_WHOLE: _Parts = frozenset({""})
"""All of an attribute; all that there is of one without sub-attributes."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """What is shown, by the key it stands under: the parts of each attribute, without those that show none."""

    core: Mapping[str, _Parts]
    extensions: Mapping[str, Mapping[str, _Parts]]

    def of_resource(self, resource: Mapping[str, Any]) -> Document:
        selected = _select(resource, self.core)
        for urn, names in self.extensions.items():
            if shown := _select(resource.get(urn, {}), names):
                selected[urn] = shown
        return selected


def _select(values: Mapping[str, Any], names: Mapping[str, _Parts]) -> Document:
    # A loop, and whole values as they are: this is done for each resource of a page.
    shown: Document = {}
    for name, value in values.items():
        parts = names.get(name)
        if parts is not None:
            narrowed = value if parts is _WHOLE else _narrow(value, parts)
            if narrowed != [] and narrowed != {}:
                shown[name] = narrowed
    return shown


def _narrow(value: Any, parts: _Parts) -> Any:
    if isinstance(value, list):
        return [narrowed for each in value if (narrowed := _narrow(each, parts))]
    return {name: each for name, each in value.items() if name in parts}


@lru_cache(maxsize=256)
def _selection(attributes: tuple[str, ...], excluded: tuple[str, ...], resource_type: ResourceType) -> _Selection:
    named_parts = _named_parts(attributes or excluded, resource_type)

    def shown(of: Iterable[Attribute]) -> dict[str, _Parts]:
        parts = {each: _shown_parts(each, named_parts.get(each, frozenset()), bool(attributes)) for each in of}
        return {each.name: _WHOLE if some == _parts(each) else some for each, some in parts.items() if some}

    core = shown((*COMMON_ATTRIBUTES, *resource_type.schema.attributes))
    return _Selection(core, {each.id: shown(each.attributes) for each in resource_type.extensions})


def _shown_parts(attribute: Attribute, named_parts: _Parts, are_wanted: bool) -> _Parts:
    """Which parts are answered, given those that were named and whether naming them meant wanting them."""
    if attribute.returned == "never":
        return frozenset()
    if attribute.returned == "always":
        return _parts(attribute)
    return named_parts if are_wanted else _parts(attribute) - named_parts


def _parts(attribute: Attribute) -> _Parts:
    return frozenset(sub.name for sub in attribute.sub_attributes) or _WHOLE


def _named_parts(names: tuple[str, ...], resource_type: ResourceType) -> dict[Attribute, _Parts]:
    named_parts: dict[Attribute, _Parts] = {}
    for path in (path for name in names for path in _paths_named(name, resource_type)):
        parts = _parts(path.attribute) if path.sub is None else frozenset({path.sub.name})
        named_parts[path.attribute] = named_parts.get(path.attribute, frozenset()) | parts
    return named_parts


def _paths_named(name: str, resource_type: ResourceType) -> list[AttributePath]:
    """The attribute of that name, or all of the schema of that URN, or nothing."""
    if (schema := resource_type.find_schema(name)) is not None:
        return [AttributePath(each, None, schema.id) for each in schema.attributes]
    path = resource_type.find(name)
    return [] if path is None else [path]
