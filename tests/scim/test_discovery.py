"""RFC 7643 5 to 7: the server says what it can, no more and no less."""

from typing import Any

import pytest
from scim2_models import ResourceType, Schema, ServiceProviderConfig

from scim.discovery import (
    BulkLimits,
    Capabilities,
    Pagination,
    render_resource_type,
    render_resource_types,
    render_schema,
    render_schemas,
    render_service_provider_config,
)
from scim.errors import NotFound
from scim.schemas import ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA

BASE = "https://bridge.example/scim/v2"


def attributes_of(urn: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in render_schema(urn, BASE)["attributes"]}


def test_the_least_is_announced_by_default() -> None:
    config = render_service_provider_config(Capabilities(max_results=1000), BASE)
    supported = {name: config[name]["supported"] for name in ("patch", "filter", "bulk", "sort", "etag")}
    assert supported == {"patch": True, "filter": True, "bulk": False, "sort": False, "etag": False}
    assert config["changePassword"] == {"supported": False}
    assert config["filter"]["maxResults"] == 1000


def test_what_is_offered_is_announced_with_its_limits() -> None:
    config = render_service_provider_config(
        Capabilities(100, sort=True, etag=True, bulk=BulkLimits(500, 1_000_000), documentation_uri="https://x"), BASE
    )
    assert config["sort"]["supported"]
    assert config["etag"]["supported"]
    assert config["bulk"] == {"supported": True, "maxOperations": 500, "maxPayloadSize": 1_000_000}
    assert config["documentationUri"] == "https://x"


def test_how_lists_are_paged_is_announced() -> None:
    config = render_service_provider_config(Capabilities(100, pagination=Pagination(20, 100, 60)), BASE)
    assert config["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 20,
        "maxPageSize": 100,
        "cursorTimeout": 60,
    }
    assert "pagination" not in render_service_provider_config(Capabilities(100), BASE)


def test_the_configuration_is_valid_to_scim2_models() -> None:
    config = render_service_provider_config(Capabilities(max_results=10), BASE)
    read = ServiceProviderConfig.model_validate(config)
    assert read.authentication_schemes is not None
    assert read.authentication_schemes[0].type == "oauthbearertoken"


def test_resource_types_lead_to_their_schemas() -> None:
    user, group = render_resource_types(BASE)
    assert (user["endpoint"], user["schema"]) == ("/Users", USER_SCHEMA)
    assert user["schemaExtensions"] == [{"schema": ENTERPRISE_SCHEMA, "required": False}]
    assert (group["endpoint"], group["schema"]) == ("/Groups", GROUP_SCHEMA)
    assert group["meta"]["location"] == f"{BASE}/ResourceTypes/Group"


def test_resource_types_and_schemas_are_valid_to_scim2_models() -> None:
    for resource_type in render_resource_types(BASE):
        assert ResourceType.model_validate(resource_type).id == resource_type["name"]
    for schema in render_schemas(BASE):
        assert Schema.model_validate(schema).id == schema["id"]


def test_a_schema_shows_its_attributes_as_they_are() -> None:
    attributes = attributes_of(USER_SCHEMA)
    assert attributes["password"]["returned"] == "never"
    assert attributes["userName"]["uniqueness"] == "server"
    assert [each["name"] for each in attributes["name"]["subAttributes"]][:2] == ["formatted", "familyName"]
    assert not {"id", "meta", "schemas", "externalId"} & set(attributes)


def test_a_group_says_that_it_holds_people_only() -> None:
    members = {each["name"]: each for each in attributes_of(GROUP_SCHEMA)["members"]["subAttributes"]}
    assert members["$ref"]["referenceTypes"] == ["User"]
    assert members["type"]["canonicalValues"] == ["User"]


def test_one_is_found_by_its_name_and_others_are_not_there() -> None:
    assert render_resource_type("Group", BASE)["id"] == "Group"
    assert render_schema(USER_SCHEMA.upper(), BASE)["id"] == USER_SCHEMA
    with pytest.raises(NotFound):
        render_resource_type("Device", BASE)
    with pytest.raises(NotFound):
        render_schema("urn:x", BASE)
