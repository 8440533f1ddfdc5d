"""The company IdP and the bridge's own SAML and SCIM packages, which share no code, understand each other."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from saml import authn_request, identity_provider, response, service_provider
from saml.assertion import Assertion
from scim.group_changes import group_changes
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_group, parse_user
from scim.schemas import GROUP, USER
from simulated.company_idp.company import Company
from simulated.company_idp.signing_key import SigningKey
from tests.simulated.conftest import SP
from tests.simulated.saml_peer import form_of

SEQUENCES = Path(__file__).parent / "sequences"
SCOPE = {"allow_unsolicited": False}


@pytest.fixture
def bridge(client: FlaskClient, keys: dict[str, SigningKey]) -> service_provider.ServiceProvider:
    """The bridge's side, registered at the company by its metadata."""
    sp = service_provider.ServiceProvider(
        entity_id=SP["entity_id"],
        acs_url=SP["acs_url"],
        slo_url=None,
        private_key_pem=keys["sp"].private_pem.decode(),
        certificates=(keys["sp"].certificate_pem.decode(),),
    )
    metadata = service_provider.render_metadata(sp).decode()
    assert client.put("/api/settings", json={"service_provider": {"metadata": metadata}}).status_code == 200
    return sp


@pytest.fixture
def company_at_bridge(client: FlaskClient) -> identity_provider.IdentityProvider:
    """The company as the bridge reads it from its metadata."""
    return identity_provider.parse_metadata(client.get("/metadata").data)


def log_in(client: FlaskClient, location: str) -> dict[str, str]:
    """Logs in at the page that a request led to; answers the form that goes to the bridge."""
    pending = location.removeprefix("/sso/")
    return form_of(client.post("/login", data={"pending": pending, "person": "00uana"}).text)


def sign_in(
    client: FlaskClient, bridge: service_provider.ServiceProvider, idp: identity_provider.IdentityProvider
) -> Assertion:
    """The whole way by Redirect, as the bridge judges it."""
    now = datetime.now(UTC)
    sent = authn_request.build(idp, bridge, "_request1", now, relay_state="state")
    answer = client.get(sent.url.removeprefix("http://127.0.0.1:8001"))
    assert answer.status_code == 303, answer.text
    form = log_in(client, answer.headers["Location"])
    assert form["RelayState"] == "state"
    return response.validate(form, idp, bridge, datetime.now(UTC), **SCOPE)


@pytest.mark.parametrize("signs", ["both", "assertion", "response"])
@pytest.mark.parametrize("encrypt", [False, True])
def test_the_bridge_accepts_a_sign_in(
    client: FlaskClient,
    company: Company,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
    signs: str,
    encrypt: bool,
) -> None:
    company.change_settings({"sign_in": {"signs": signs, "encrypt_assertions": encrypt}})
    assertion = sign_in(client, bridge, company_at_bridge)
    assert assertion.in_response_to == "_request1"
    assert assertion.attributes["email"] == ("ana@acme.example",)
    assert assertion.attributes["groups"] == ("eng-prod", "everyone")


def test_the_company_takes_the_bridges_request_by_post(
    client: FlaskClient,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
) -> None:
    sent = authn_request.build_form(company_at_bridge, bridge, "_request1", datetime.now(UTC), relay_state="state")
    answer = client.post("/sso", data=sent.fields)
    assert answer.status_code == 303, answer.text
    form = log_in(client, answer.headers["Location"])
    assert response.validate(form, company_at_bridge, bridge, datetime.now(UTC), **SCOPE).in_response_to == "_request1"


def understood(call: dict[str, Any]) -> object:
    """What the bridge's SCIM package makes of one recorded call; raises where it refuses."""
    method, path = call["call"].split(" ", 1)
    is_user = path.startswith("/Users")
    if method in ("POST", "PUT"):
        return parse_user(call["body"]) if is_user else parse_group(call["body"])
    if method == "PATCH":
        resource_id = path.split("/")[2].split("?")[0]
        patch = parse_patch(call["body"], USER if is_user else GROUP, resource_id)
        before = {"userName": "gil@acme.example", "active": False, "name": {"familyName": "Old"}}
        return apply_to_user(before, patch) if is_user else group_changes(patch)
    return None


@pytest.mark.parametrize("name", ["okta", "okta_wizard", "entra", "entra_compliant", "onelogin"])
def test_the_bridge_understands_all_that_a_vendor_sends(name: str) -> None:
    steps = json.loads((SEQUENCES / f"{name}.json").read_text(encoding="utf-8"))
    meant = {step["does"]: [understood(call) for call in step["sends"]][-1] for step in steps if step["sends"]}
    assert meant["push a person who is there already"]["active"] is True
    assert meant["push a person who is there already"]["name"]["familyName"] == "Adams"
    assert meant["change a name"]["displayName"] == "Fay Adams"
    assert meant["remove a member"] != meant["add a member"]
    assert "u1" in repr(meant["remove a member"])
    assert "crew" in repr(meant["rename the group"])
    assert meant["deactivate"]["active"] is False
    assert meant["reactivate"]["active"] is True
