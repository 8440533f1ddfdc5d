"""What this server can do, told by the server: ServiceProviderConfig, ResourceTypes, Schemas (RFC 7643 5 to 7).

Everything is rendered from the data in `scim.schemas` and from the Capabilities that the web layer states, so that
nothing is announced that isn't there. `base_url` is the address of the SCIM endpoints, such as
https://bridge.example/scim/v2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scim.errors import NotFound
from scim.schemas import RESOURCE_TYPES, Attribute, ResourceType, Schema

SERVICE_PROVIDER_CONFIG_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"


@dataclass(frozen=True, slots=True)
class BulkLimits:
    """How much one Bulk request may hold (RFC 7644 3.7.4)."""

    max_operations: int
    max_payload_size: int


@dataclass(frozen=True, slots=True)
class Pagination:
    """How lists are paged, by index unless a cursor is asked for (RFC 9865 4); `cursor_timeout` in seconds."""

    default_page_size: int
    max_page_size: int
    cursor_timeout: int


@dataclass(frozen=True, slots=True)
class AuthenticationScheme:
    """A way to authenticate (RFC 7643 5); the first of several is the preferred one."""

    type: str
    name: str
    description: str
    spec_uri: str


BEARER_TOKEN = AuthenticationScheme(
    "oauthbearertoken",
    "Bearer token",
    "A provisioning token of one connection, made by an owner of the workspace.",
    "https://www.rfc-editor.org/info/rfc6750",
)

CLIENT_CREDENTIALS = AuthenticationScheme(
    "oauth2",
    "OAuth 2.0 client credentials",
    "An OAuth client of one connection asks the token endpoint for bearer tokens by its id and secret.",
    "https://www.rfc-editor.org/info/rfc6749",
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What of SCIM the server offers. PATCH and filters are always there; passwords can never be changed."""

    max_results: int
    sort: bool = False
    etag: bool = False
    bulk: BulkLimits | None = None
    pagination: Pagination | None = None
    authentication_schemes: tuple[AuthenticationScheme, ...] = (BEARER_TOKEN,)
    documentation_uri: str | None = None


def render_service_provider_config(capabilities: Capabilities, base_url: str) -> dict[str, Any]:
    """The ServiceProviderConfig (RFC 7643 5)."""
    bulk = capabilities.bulk or BulkLimits(0, 0)
    config: dict[str, Any] = {
        "schemas": [SERVICE_PROVIDER_CONFIG_SCHEMA],
        "patch": {"supported": True},
        "bulk": {
            "supported": capabilities.bulk is not None,
            "maxOperations": bulk.max_operations,
            "maxPayloadSize": bulk.max_payload_size,
        },
        "filter": {"supported": True, "maxResults": capabilities.max_results},
        "changePassword": {"supported": False},
        "sort": {"supported": capabilities.sort},
        "etag": {"supported": capabilities.etag},
        "authenticationSchemes": _render_schemes(capabilities.authentication_schemes),
        "meta": _render_meta("ServiceProviderConfig", f"{base_url}/ServiceProviderConfig"),
    }
    if capabilities.pagination is not None:
        config["pagination"] = _render_pagination(capabilities.pagination)
    if capabilities.documentation_uri is not None:
        config["documentationUri"] = capabilities.documentation_uri
    return config


def render_resource_types(base_url: str) -> list[dict[str, Any]]:
    """Every ResourceType (RFC 7643 6)."""
    return [_render_resource_type(each, base_url) for each in RESOURCE_TYPES]


def render_resource_type(name: str, base_url: str) -> dict[str, Any]:
    """The ResourceType of that name. Raises NotFound."""
    for each in RESOURCE_TYPES:
        if each.name == name:
            return _render_resource_type(each, base_url)
    raise NotFound(f"There is no resource type {name[:100]!r}.")


def render_schemas(base_url: str) -> list[dict[str, Any]]:
    """Every Schema (RFC 7643 7)."""
    return [_render_schema(each, base_url) for each in _schemas()]


def render_schema(urn: str, base_url: str) -> dict[str, Any]:
    """The Schema with that URN, in any case. Raises NotFound."""
    for each in _schemas():
        if each.id.lower() == urn.lower():
            return _render_schema(each, base_url)
    raise NotFound(f"There is no schema {urn[:100]!r}.")


def _schemas() -> Iterator[Schema]:
    for resource_type in RESOURCE_TYPES:
        yield resource_type.schema
        yield from resource_type.extensions


def _render_pagination(pagination: Pagination) -> dict[str, Any]:
    return {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": pagination.default_page_size,
        "maxPageSize": pagination.max_page_size,
        "cursorTimeout": pagination.cursor_timeout,
    }


def _render_schemes(schemes: tuple[AuthenticationScheme, ...]) -> list[dict[str, Any]]:
    return [
        {
            "type": each.type,
            "name": each.name,
            "description": each.description,
            "specUri": each.spec_uri,
            "primary": each is schemes[0],
        }
        for each in schemes
    ]


def _render_meta(resource_type: str, location: str) -> dict[str, str]:
    return {"resourceType": resource_type, "location": location}


def _render_resource_type(resource_type: ResourceType, base_url: str) -> dict[str, Any]:
    return {
        "schemas": [RESOURCE_TYPE_SCHEMA],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": [{"schema": each.id, "required": False} for each in resource_type.extensions],
        "meta": _render_meta("ResourceType", f"{base_url}/ResourceTypes/{resource_type.name}"),
    }


def _render_schema(schema: Schema, base_url: str) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA_SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": [_render_attribute(each) for each in schema.attributes],
        "meta": _render_meta("Schema", f"{base_url}/Schemas/{schema.id}"),
    }


def _render_attribute(attribute: Attribute) -> dict[str, Any]:
    """An attribute's characteristics; those that its type doesn't have are left out (RFC 7643 7)."""
    rendered: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
    }
    if attribute.canonical_values:
        rendered["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        rendered["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        rendered["subAttributes"] = [_render_attribute(sub) for sub in attribute.sub_attributes]
    return rendered
