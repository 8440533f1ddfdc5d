"""The company IdP and the bridge's own SAML and SCIM packages, which share no code, understand each other."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from saml import authn_request, identity_provider, logout, response, service_provider
from saml.assertion import Assertion
from saml.bindings import PostForm, RedirectTo
from scim.group_changes import group_changes
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_group, parse_user
from scim.schemas import GROUP, USER
from simulated.company_idp.company import Company
from simulated.company_idp.signing_key import SigningKey
from tests.simulated.conftest import PUBLIC_URL, SP
from tests.simulated.saml_peer import form_of

SEQUENCES = Path(__file__).parent / "sequences"
SCOPE = {"allow_unsolicited": False}


@pytest.fixture
def bridge(client: FlaskClient, keys: dict[str, SigningKey]) -> service_provider.ServiceProvider:
    """The bridge's side, registered at the company by its metadata."""
    sp = service_provider.ServiceProvider(
        entity_id=SP["entity_id"],
        acs_url=SP["acs_url"],
        slo_url=SP["acs_url"].replace("/acs", "/slo"),
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


# -- Single logout -----------------------------------------------------------------------------------


def named(assertion: Assertion) -> logout.SessionName:
    """The session as the company named it."""
    return logout.SessionName(
        assertion.name_id,
        assertion.name_id_format,
        assertion.name_qualifier,
        assertion.sp_name_qualifier,
        assertion.session_index,
    )


def query_of(url: str, begins: str) -> bytes:
    """The query of an address that must begin so."""
    assert url.startswith(f"{begins}?"), url
    return urlsplit(url).query.encode()


@pytest.mark.parametrize("by_post", [False, True], ids=["by redirect", "by post"])
def test_signing_out_at_the_bridge_signs_out_at_the_company(
    client: FlaskClient,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
    by_post: bool,
) -> None:
    assertion = sign_in(client, bridge, company_at_bridge)
    assert client.get("/apps").status_code == 200
    idp, now = replace(company_at_bridge, slo_by_post=by_post), datetime.now(UTC)
    sent = logout.build_request(idp, bridge, "_logout1", now, named(assertion))
    if isinstance(sent, PostForm):
        told = client.post(sent.url.removeprefix(PUBLIC_URL), data=dict(sent.fields))
    else:
        told = client.get(sent.url.removeprefix(PUBLIC_URL))
    assert told.status_code == 303, told.text
    assert client.get("/apps").status_code == 302
    query = query_of(told.headers["Location"], str(bridge.slo_url))
    answer = logout.receive_query(query, company_at_bridge, bridge, datetime.now(UTC))
    assert answer == logout.LogoutResponse("_logout1", "success")


def test_another_session_of_the_person_goes_on(
    client: FlaskClient,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
) -> None:
    assertion = sign_in(client, bridge, company_at_bridge)
    other = replace(named(assertion), session_index="_another")
    sent = logout.build_request(company_at_bridge, bridge, "_logout1", datetime.now(UTC), other)
    assert isinstance(sent, RedirectTo)
    assert client.get(sent.url.removeprefix(PUBLIC_URL)).status_code == 303
    assert client.get("/apps").status_code == 200


def test_signing_out_at_the_company_tells_the_bridge(
    client: FlaskClient,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
) -> None:
    assertion = sign_in(client, bridge, company_at_bridge)
    policy = client.get("/apps").headers["Content-Security-Policy"]
    assert "form-action 'self' http://localhost:8000;" in policy
    told = client.post("/logout")
    assert client.get("/apps").status_code == 302
    query = query_of(told.headers["Location"], str(bridge.slo_url))
    asked = logout.receive_query(query, company_at_bridge, bridge, datetime.now(UTC))
    assert isinstance(asked, logout.LogoutRequest)
    assert (asked.name_id, asked.session_indexes) == (assertion.name_id, (assertion.session_index,))
    for status, page in (("success", "/signed-out"), ("failed", None)):
        sent = logout.build_response(company_at_bridge, bridge, "_a", datetime.now(UTC), asked, status)
        assert isinstance(sent, RedirectTo)
        answered = client.get(sent.url.removeprefix(PUBLIC_URL))
        assert (answered.status_code, answered.headers.get("Location")) == ((303, page) if page else (400, None))
    assert "Of Acme" in client.get("/signed-out").text


@pytest.mark.parametrize("what", ["AuthnRequest", "LogoutRequest"])
def test_an_unsigned_message_of_the_bridge_is_refused(
    client: FlaskClient,
    bridge: service_provider.ServiceProvider,
    company_at_bridge: identity_provider.IdentityProvider,
    what: str,
) -> None:
    """Its metadata says that it signs its requests; and logout messages always are."""
    assertion, now = sign_in(client, bridge, company_at_bridge), datetime.now(UTC)
    sent = (
        authn_request.build(company_at_bridge, bridge, "_r2", now, relay_state=None)
        if what == "AuthnRequest"
        else logout.build_request(company_at_bridge, bridge, "_r2", now, named(assertion))
    )
    assert isinstance(sent, RedirectTo)
    cut = client.get(sent.url.removeprefix(PUBLIC_URL).partition("&SigAlg=")[0])
    assert (cut.status_code, "isn’t signed" in cut.text or "isn&#39;t signed" in cut.text) == (400, True)
    assert client.get("/apps").status_code == 200


# -- Provisioning ------------------------------------------------------------------------------------


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
