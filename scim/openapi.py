"""The OpenAPI 3.1 document of the SCIM endpoints, made from the same data as Schemas and ServiceProviderConfig.

What goes out is described exactly: an answer has these attributes and no others. What comes in is described as the
standard has it; that more is understood (names in any case, vendors' spellings, unknown attributes) is for IdPs that
can't do otherwise, and no reason to send it. /Me isn't described, since it answers 501.
"""

from collections.abc import Mapping
from typing import Any

from scim.bulk import BULK_REQUEST_SCHEMA, BULK_RESPONSE_SCHEMA
from scim.discovery import Capabilities
from scim.errors import ERROR_SCHEMA, ScimError
from scim.messages import LIST_RESPONSE_SCHEMA, MEDIA_TYPE, PATCH_OP_SCHEMA, SEARCH_REQUEST_SCHEMA
from scim.schemas import COMMON_ATTRIBUTES, EXTERNAL_ID, RESOURCE_TYPES, SCHEMAS, Attribute, ResourceType

Json = dict[str, Any]

VERSION = "2.0"
_TEXT: Json = {"type": "string"}
_OBJECT: Json = {"type": "object"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_BULK_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def render_openapi(capabilities: Capabilities, base_url: str) -> Json:
    """The document. `base_url` is the address of the SCIM endpoints, such as https://bridge.example/scim/v2."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SCIM",
            "version": VERSION,
            "description": "SCIM 2.0 (RFC 7643, RFC 7644): a connection's IdP pushes its people and groups.",
        },
        "servers": [{"url": base_url}],
        "security": [{"bearer": []}],
        "paths": _paths(capabilities),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(capabilities),
            "parameters": _parameters(capabilities),
            "responses": {"Refused": _answer("Refused, and nothing was changed (RFC 7644 3.12).", _ref("Error"))},
        },
    }


# -- Addresses -----------------------------------------------------------------------------------------------------


def _paths(capabilities: Capabilities) -> Json:
    paths: Json = {
        "/": {"get": _search("People, then groups.", "Resources", _SEARCH)},
        "/.search": {"post": _search("People, then groups; the query in the body.", "Resources", body="SearchRequest")},
        "/ServiceProviderConfig": {"get": _read("What this server supports.", "ServiceProviderConfig")},
        "/ResourceTypes": {"get": _read("Which resources there are.", "Definitions")},
        "/ResourceTypes/{name}": _one_of("name", "One of them.", [each.name for each in RESOURCE_TYPES]),
        "/Schemas": {"get": _read("What the resources hold.", "Definitions")},
        "/Schemas/{urn}": _one_of("urn", "One schema.", [each.id for kind in RESOURCE_TYPES for each in _all_of(kind)]),
        "/openapi.json": {"get": _operation("This document.", {"200": _answer("It.", _OBJECT, "application/json")})},
    }
    for resource_type in RESOURCE_TYPES:
        paths |= _paths_of(resource_type)
    if capabilities.bulk is not None:
        answers = {"200": _answer("How each operation went.", _ref("BulkResponse"))}
        paths["/Bulk"] = {"post": _operation("Many operations in one request.", answers, body="BulkRequest")}
    return paths


def _paths_of(kind: ResourceType) -> Json:
    one, many, written = kind.name, f"{kind.name}List", f"{kind.name}ToWrite"
    whole = {"200": _answer(f"The {one} as it is now.", _ref(one), headers=_WITH_ETAG)}
    made = {"201": _answer(f"The new {one}.", _ref(one), headers=_WITH_LOCATION)}
    without_body = {"204": {"description": "Done.", "headers": _WITH_ETAG}}
    unless = ("ifMatch", "ifNoneMatch")
    return {
        kind.endpoint: {
            "get": _search(f"Look for {one}s.", many, _SEARCH),
            "post": _operation(f"Create a {one}.", made, _SELECTION, body=written),
        },
        f"{kind.endpoint}/.search": {"post": _search(f"Look for {one}s.", many, body="SearchRequest")},
        f"{kind.endpoint}/{{id}}": {
            "parameters": [_id_of(one)],
            "get": _operation(f"One {one}.", whole | _NOT_MODIFIED, (*_SELECTION, *unless)),
            "put": _operation(f"Replace a {one}.", whole, (*_SELECTION, *unless), body=written),
            "patch": _operation(
                f"Change parts of a {one}.", whole | without_body, (*_SELECTION, *unless), body="PatchOp"
            ),
            "delete": _operation(f"Delete a {one}.", {"204": {"description": "Gone."}}, unless),
        },
    }


def _operation(summary: str, answers: Json, parameters: tuple[str, ...] = (), *, body: str | None = None) -> Json:
    operation: Json = {
        "summary": summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
        "responses": {**answers, "4XX": {"$ref": "#/components/responses/Refused"}},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {MEDIA_TYPE: {"schema": _ref(body)}}}
    return operation


def _search(summary: str, found: str, parameters: tuple[str, ...] = (), *, body: str | None = None) -> Json:
    return _operation(summary, {"200": _answer("A page of what matches.", _ref(found))}, parameters, body=body)


def _read(summary: str, schema: str) -> Json:
    return _operation(summary, {"200": _answer("It.", _ref(schema))})


def _one_of(parameter: str, summary: str, names: list[str]) -> Json:
    described = {"name": parameter, "in": "path", "required": True, "schema": {"type": "string", "enum": names}}
    return {"parameters": [described], "get": _read(summary, "Definition")}


def _id_of(one: str) -> Json:
    about = f"The {one}'s id, as this server gave it out."
    return {"name": "id", "in": "path", "required": True, "description": about, "schema": _TEXT}


def _answer(description: str, schema: Json, media_type: str = MEDIA_TYPE, headers: Json | None = None) -> Json:
    answer: Json = {"description": description, "content": {media_type: {"schema": schema}}}
    return {**answer, "headers": headers} if headers else answer


_WITH_ETAG: Json = {"ETag": {"description": "The version (RFC 7644 3.14).", "schema": _TEXT}}
_WITH_LOCATION: Json = {
    **_WITH_ETAG,
    "Location": {"description": "Where it is.", "required": True, "schema": {"type": "string", "format": "uri"}},
}
_NOT_MODIFIED: Json = {"304": {"description": "It is as If-None-Match says.", "headers": _WITH_ETAG}}


# -- Parameters ----------------------------------------------------------------------------------------------------

_SELECTION = ("attributes", "excludedAttributes")
_SEARCH = ("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", *_SELECTION)


def _parameters(capabilities: Capabilities) -> Json:
    page = f"How many at most; {capabilities.max_results:,} are the most, 0 asks for the total alone."
    return {
        "filter": _query("filter", _TEXT, "Which (RFC 7644 3.4.2.2)."),
        "sortBy": _query("sortBy", _TEXT, "By which attribute to sort."),
        "sortOrder": _query("sortOrder", {"type": "string", "enum": ["ascending", "descending"]}, "Which way."),
        "startIndex": _query("startIndex", {"type": "integer"}, "The first of the page, from 1."),
        "count": _query("count", {"type": "integer"}, page),
        "cursor": _query("cursor", _TEXT, "Where to go on; empty for the first page (RFC 9865)."),
        "attributes": _query("attributes", _TEXT, "Only these attributes, comma-separated (RFC 7644 3.9)."),
        "excludedAttributes": _query("excludedAttributes", _TEXT, "All but these; not beside `attributes`."),
        "ifMatch": _header("If-Match", "Only if it is in one of these versions."),
        "ifNoneMatch": _header("If-None-Match", "Only if it is in none of these versions."),
    }


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": _TEXT}


# -- Bodies --------------------------------------------------------------------------------------------------------


def _schemas(capabilities: Capabilities) -> Json:
    schemas = _messages() | _definitions()
    for kind in RESOURCE_TYPES:
        schemas[kind.name] = _resource(kind)
        schemas[f"{kind.name}ToWrite"] = _resource_to_write(kind)
        schemas[f"{kind.name}List"] = _list_of(_ref(kind.name))
    schemas["Resources"] = _list_of({"anyOf": [_ref(each.name) for each in RESOURCE_TYPES]})
    return schemas if capabilities.bulk is None else schemas | _bulk(capabilities.bulk.max_operations)


def _messages() -> Json:
    scim_types = {"type": "string", "enum": sorted({each.scim_type for each in _refusals() if each.scim_type})}
    error = {"schemas": _only(ERROR_SCHEMA), "status": {"type": "string", "pattern": "^[45][0-9]{2}$"}, "detail": _TEXT}
    operation = {"op": {"type": "string", "enum": ["add", "remove", "replace"]}, "path": _TEXT, "value": {}}
    search = {name: _parameters_in_bodies()[name] for name in _SEARCH}
    return {
        "Error": _object({**error, "scimType": scim_types}, "schemas", "status", "detail"),
        "PatchOp": _object(
            {
                "schemas": _only(PATCH_OP_SCHEMA),
                "Operations": {"type": "array", "minItems": 1, "items": _object(operation, "op")},
            },
            "schemas",
            "Operations",
        ),
        "SearchRequest": _object({"schemas": _only(SEARCH_REQUEST_SCHEMA), **search}, "schemas"),
    }


def _parameters_in_bodies() -> Json:
    names = {"type": "array", "items": _TEXT}
    return {
        "filter": _TEXT,
        "sortBy": _TEXT,
        "cursor": _TEXT,
        "startIndex": {"type": "integer"},
        "count": {"type": "integer"},
        "attributes": names,
        "excludedAttributes": names,
        "sortOrder": {"type": "string", "enum": ["ascending", "descending"]},
    }


def _refusals() -> list[type[ScimError]]:
    return ScimError.__subclasses__()


def _definitions() -> Json:
    """The answers of discovery, which describe themselves in RFC 7643 5 to 7."""
    described = {"schemas": {"type": "array", "items": _TEXT}, "id": _TEXT, "meta": _OBJECT}
    one: Json = {"type": "object", "properties": described, "required": ["schemas", "meta"]}
    return {"ServiceProviderConfig": one, "Definition": one, "Definitions": _list_of(_ref("Definition"))}


def _bulk(most: int) -> Json:
    operation = {
        "method": {"type": "string", "enum": list(_BULK_METHODS)},
        "path": _TEXT,
        "bulkId": {"type": "string", "minLength": 1},
        "version": _TEXT,
        "data": _OBJECT,
    }
    told = {
        "method": _TEXT,
        "bulkId": _TEXT,
        "version": _TEXT,
        "location": {"type": "string", "format": "uri"},
        "status": _TEXT,
        "response": _OBJECT,
    }
    request = {
        "schemas": _only(BULK_REQUEST_SCHEMA),
        "failOnErrors": _COUNT,
        "Operations": {"type": "array", "minItems": 1, "maxItems": most, "items": _object(operation, "method", "path")},
    }
    answer = {
        "schemas": _only(BULK_RESPONSE_SCHEMA),
        "Operations": {"type": "array", "items": _object(told, "method", "status")},
    }
    return {
        "BulkRequest": _object(request, "schemas", "Operations"),
        "BulkResponse": _object(answer, "schemas", "Operations"),
    }


def _list_of(resource: Json) -> Json:
    page = {
        "schemas": _only(LIST_RESPONSE_SCHEMA),
        "totalResults": _COUNT,
        "itemsPerPage": _COUNT,
        "startIndex": {"type": "integer", "minimum": 1},
        "previousCursor": _TEXT,
        "nextCursor": _TEXT,
        "Resources": {"type": "array", "items": resource},
    }
    return _object(page, "schemas", "totalResults", "Resources")


# -- Resources -----------------------------------------------------------------------------------------------------


def _all_of(kind: ResourceType) -> tuple[Any, ...]:
    return (kind.schema, *kind.extensions)


def _resource(kind: ResourceType) -> Json:
    """An answer: what is shown of it is the client's choice, but for what is always returned."""
    shown = [each for each in (*COMMON_ATTRIBUTES, *kind.schema.attributes) if each.returned != "never"]
    properties = {each.name: _value(each) for each in shown}
    properties |= {each.id: _object({sub.name: _value(sub) for sub in each.attributes}) for each in kind.extensions}
    return _object(properties, *[each.name for each in shown if each.returned == "always"])


def _resource_to_write(kind: ResourceType) -> Json:
    """A body: what the client may say, and what it must; what it says beyond that is ignored (RFC 7644 3.3)."""
    written = [each for each in kind.schema.attributes if each.mutability != "readOnly"]
    properties = {each.name: _value(each) for each in (SCHEMAS, EXTERNAL_ID, *written)}
    for extension in kind.extensions:
        parts = {sub.name: _value(sub) for sub in extension.attributes if sub.mutability != "readOnly"}
        properties[extension.id] = {"type": "object", "properties": parts}
    properties["schemas"] = {**properties["schemas"], "contains": {"const": kind.schema.id}}
    required = ["schemas", *[each.name for each in written if each.required]]
    return {"type": "object", "properties": properties, "required": required}


_TYPES: Mapping[str, Json] = {
    "string": _TEXT,
    "boolean": {"type": "boolean"},
    "dateTime": {"type": "string", "format": "date-time"},
    "reference": _TEXT,
    "binary": {"type": "string", "contentEncoding": "base64"},
}


def _value(attribute: Attribute) -> Json:
    """What an attribute holds: one value, or a list of them."""
    one = _one_value(attribute)
    described: Json = {"type": "array", "items": one} if attribute.multi_valued else dict(one)
    described["description"] = attribute.description
    if attribute.mutability in ("readOnly", "writeOnly"):
        described[attribute.mutability] = True
    return described


def _one_value(attribute: Attribute) -> Json:
    if attribute.type == "complex":
        return _object({sub.name: _value(sub) for sub in attribute.sub_attributes})
    return {**_TYPES[attribute.type], **({"minLength": 1} if attribute.required else {})}


# -- Pieces --------------------------------------------------------------------------------------------------------


def _object(properties: Json, *required: str) -> Json:
    described: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**described, "required": list(required)} if required else described


def _only(urn: str) -> Json:
    return {"type": "array", "items": {"const": urn}, "minItems": 1, "maxItems": 1}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
