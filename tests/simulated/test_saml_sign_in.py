"""Signing in at the simulated IdP; python3-saml, another implementation, judges its answers."""

from base64 import b64encode

import pytest
from flask.testing import FlaskClient
from lxml import etree
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from simulated.company_idp.company import Company
from simulated.company_idp.safe_xml import NS
from simulated.company_idp.signing_key import SigningKey
from tests.simulated.conftest import PUBLIC_URL, SP
from tests.simulated.saml_peer import (
    SSO,
    authn_request,
    document_of,
    form_of,
    judge,
    redirect_query,
    signed_request,
    sp_metadata,
)

Keys = dict[str, SigningKey]


def begin(client: FlaskClient, request: bytes | None = None, **more: str) -> str:
    """Sends a request by Redirect; answers the login page's pending id."""
    answer = client.get("/sso?" + redirect_query(request or authn_request(), **more))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix("/sso/")


def log_in(client: FlaskClient, pending: str, email: str = "ana@acme.example", password: str = "acme-demo") -> str:
    """Logs in by email and password; answers the page."""
    return client.post("/login", data={"pending": pending, "email": email, "password": password}).text


def test_python3_saml_accepts_the_answer(client: FlaskClient, keys: Keys) -> None:
    accepted = judge(log_in(client, begin(client)), keys["idp"])
    assert accepted.get_nameid() == "00uana"
    assert accepted.get_nameid_format() == "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    assert accepted.get_audiences() == [SP["entity_id"]]
    assert accepted.get_session_index()
    assert accepted.get_session_not_on_or_after()
    assert accepted.get_attributes() == {
        "email": ["ana@acme.example"],
        "firstName": ["Ana"],
        "lastName": ["Costa"],
        "displayName": ["Ana Costa"],
        "name": ["Ana Costa"],
        "groups": ["eng-prod", "everyone"],
    }


def test_the_answer_is_valid_by_the_schema(client: FlaskClient) -> None:
    document = document_of(log_in(client, begin(client)))
    judged = OneLogin_Saml2_XML.validate_xml(document, "saml-schema-protocol-2.0.xsd", False)
    assert not isinstance(judged, str), judged


def test_the_answer_names_request_recipient_and_destination(client: FlaskClient) -> None:
    document = document_of(log_in(client, begin(client, authn_request(id_="_seven"))))
    assert document.get("InResponseTo") == "_seven"
    assert document.get("Destination") == SP["acs_url"]
    confirmed = document.find(".//saml:SubjectConfirmationData", NS)
    assert confirmed is not None
    assert (confirmed.get("InResponseTo"), confirmed.get("Recipient")) == ("_seven", SP["acs_url"])
    assert confirmed.get("NotOnOrAfter")


def test_python3_saml_refuses_it_for_another_request(client: FlaskClient, keys: Keys) -> None:
    page = log_in(client, begin(client))
    with pytest.raises(AssertionError, match="InResponseTo"):
        judge(page, keys["idp"], request_id="_another")


def test_python3_saml_refuses_it_by_another_certificate(client: FlaskClient, keys: Keys) -> None:
    with pytest.raises(AssertionError, match="Signature validation failed"):
        judge(log_in(client, begin(client)), keys["stranger"])


def test_the_relay_state_comes_back_as_it_was(client: FlaskClient) -> None:
    page = log_in(client, begin(client, relay_state="/w/demo?tab=1&x=<>"))
    assert form_of(page)["RelayState"] == "/w/demo?tab=1&amp;x=&lt;&gt;"
    assert "RelayState" not in form_of(log_in(client, begin(client)))


def test_the_answer_goes_to_the_registered_address_by_a_page_without_inline_script(client: FlaskClient) -> None:
    answer = client.post("/login", data={"pending": begin(client), "person": "00uana"})
    assert form_of(answer.text)["action"] == SP["acs_url"]
    assert '<script src="/static/post.js"></script>' in answer.text
    assert '<button class="main">Continue</button>' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action http://localhost:8000;" in policy
    assert "unsafe" not in policy


def test_a_request_by_post_is_kept_and_goes_on_as_a_get(client: FlaskClient, keys: Keys) -> None:
    form = {"SAMLRequest": b64encode(authn_request()).decode(), "RelayState": "r"}
    answer = client.post("/sso", data=form, headers={"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8000"})
    assert answer.status_code == 303
    page = log_in(client, answer.headers["Location"].removeprefix("/sso/"))
    judge(page, keys["idp"])


def test_who_has_a_session_is_answered_at_once(client: FlaskClient, keys: Keys) -> None:
    log_in(client, begin(client))
    page = client.get("/sso/" + begin(client, authn_request(id_="_second"))).text
    judge(page, keys["idp"], request_id="_second")


def test_a_forced_login_asks_even_who_has_a_session(client: FlaskClient) -> None:
    log_in(client, begin(client))
    page = client.get("/sso/" + begin(client, authn_request('ForceAuthn="true"'))).text
    assert "Sign in to Acme" in page


def test_a_request_is_answered_once(client: FlaskClient) -> None:
    pending = begin(client)
    log_in(client, pending)
    assert "answered already" in client.get(f"/sso/{pending}").text


def test_without_a_request_the_answer_names_none(client: FlaskClient, keys: Keys) -> None:
    client.post("/login", data={"person": "00uana"})
    page = client.post("/apps/bridge").text
    assert document_of(page).get("InResponseTo") is None
    judge(page, keys["idp"], request_id=None)


@pytest.mark.parametrize("signs", ["both", "assertion", "response"])
def test_it_signs_what_it_was_told_to(client: FlaskClient, company: Company, keys: Keys, signs: str) -> None:
    company.change_settings({"sign_in": {"signs": signs}})
    page = log_in(client, begin(client))
    wants = {"wantAssertionsSigned": signs != "response", "wantMessagesSigned": signs != "assertion"}
    judge(page, keys["idp"], **wants)
    assert len(document_of(page).findall(".//ds:Signature", NS)) == (2 if signs == "both" else 1)


def test_the_name_id_may_be_the_email(client: FlaskClient, company: Company, keys: Keys) -> None:
    company.change_settings({"sign_in": {"name_id": "emailAddress", "send_groups": False}})
    accepted = judge(log_in(client, begin(client)), keys["idp"])
    assert accepted.get_nameid() == "ana@acme.example"
    assert "groups" not in accepted.get_attributes()


def test_an_encrypted_assertion_opens_with_the_providers_key_only(
    client: FlaskClient, company: Company, keys: Keys
) -> None:
    company.change_settings({"service_provider": {"metadata": sp_metadata(keys["sp"])}})
    company.change_settings({"sign_in": {"encrypt_assertions": True}})
    page = log_in(client, begin(client))
    assert b"ana@acme.example" not in etree.tostring(document_of(page))
    accepted = judge(page, keys["idp"], sp_key=keys["sp"], wantAssertionsEncrypted=True)
    assert accepted.get_attributes()["email"] == ["ana@acme.example"]
    with pytest.raises(Exception, match="decrypt"):
        judge(page, keys["idp"], sp_key=keys["stranger"])


def test_no_two_answers_share_an_id(client: FlaskClient) -> None:
    documents = [document_of(log_in(client, begin(client))) for _ in range(2)]
    ids = [element.get("ID") for document in documents for element in document.iter() if element.get("ID")]
    assert len(ids) == 4
    assert len(set(ids)) == 4


def test_python3_saml_reads_the_metadata(client: FlaskClient, keys: Keys) -> None:
    document = client.get("/metadata").data
    read = OneLogin_Saml2_IdPMetadataParser.parse(document)["idp"]
    assert read["entityId"] == f"{PUBLIC_URL}/metadata"
    assert read["singleSignOnService"]["url"] == SSO
    assert read["x509cert"] == keys["idp"].certificate_base64
    judged = OneLogin_Saml2_XML.validate_xml(document, "saml-schema-metadata-2.0.xsd", False)
    assert not isinstance(judged, str), judged


# -- who is refused ---------------------------------------------------------------------------------------------------


def test_a_wrong_password_signs_nobody_in(client: FlaskClient) -> None:
    answer = client.post("/login", data={"email": "ana@acme.example", "password": "no"})
    assert answer.status_code == 403
    assert "belong together" in answer.text
    assert "company_idp_session" not in answer.headers.get("Set-Cookie", "")


def test_one_click_is_for_the_people_of_the_list_only(client: FlaskClient) -> None:
    assert client.post("/login", data={"person": "00uben"}).status_code == 403
    assert client.post("/login", data={"person": "00uana"}).status_code == 303


def test_who_is_deactivated_is_told_so(client: FlaskClient) -> None:
    assert "Dee Gone is deactivated here" in log_in(client, begin(client), "dee@acme.example")


def test_a_deactivation_ends_the_session(client: FlaskClient, company: Company) -> None:
    log_in(client, begin(client))
    company.provisioner.set_active("00uana", False)
    assert client.get("/apps").headers["Location"] == "/login"
    company.provisioner.set_active("00uana", True)
    assert client.get("/apps").headers["Location"] == "/login", "the session stays ended"


def test_logging_out_ends_the_session(client: FlaskClient) -> None:
    log_in(client, begin(client))
    assert "Ana Costa" in client.get("/apps").text
    client.post("/logout")
    assert client.get("/apps").status_code == 302


def test_the_session_cookie_is_its_own_and_out_of_reach_of_scripts(client: FlaskClient) -> None:
    cookie = client.post("/login", data={"person": "00uana"}).headers["Set-Cookie"]
    assert cookie.startswith("company_idp_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


# -- requests that aren't answered ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (authn_request(issuer="https://stranger.example"), "isn’t registered|isn&#39;t registered"),
        (authn_request('AssertionConsumerServiceURL="https://stranger.example/acs"'), "another address"),
        (authn_request('Destination="https://stranger.example/sso"'), "another address"),
        (authn_request('ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"'), "POST binding only"),
        (b"<a/>", "AuthnRequest"),
        (b"no XML", "XML"),
        (b'<!DOCTYPE a [<!ENTITY e "e">]><a>&e;</a>', "DOCTYPE"),
        (b"<a>" + b"x" * 70_000 + b"</a>", "64 KB"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(client: FlaskClient, request_: bytes, reason: str) -> None:
    answer = client.get("/sso?" + redirect_query(request_))
    assert answer.status_code == 400
    assert any(one in answer.text for one in reason.split("|")), answer.text


@pytest.mark.parametrize("query", ["", "SAMLRequest=%%%", "SAMLRequest=AAAA", "RelayState=x", "SAMLRequest=%FF"])
def test_what_is_no_request_at_all_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/sso?{query}").status_code == 400


def test_nobody_is_answered_before_a_provider_is_registered(client: FlaskClient, company: Company) -> None:
    company.change_settings({"service_provider": None})
    assert client.get("/sso?" + redirect_query(authn_request())).status_code == 400


def test_a_signed_request_is_checked_by_the_registered_certificate(
    client: FlaskClient, company: Company, keys: Keys
) -> None:
    company.change_settings({"service_provider": {"metadata": sp_metadata(keys["sp"])}})
    good = redirect_query(authn_request(), "state", keys["sp"])
    assert client.get(f"/sso?{good}").status_code == 303
    assert client.get("/sso?" + redirect_query(authn_request(), "state", keys["stranger"])).status_code == 400
    assert client.get("/sso?" + good.replace("RelayState=state", "RelayState=other")).status_code == 400


def test_a_signed_request_by_post_is_checked_too(client: FlaskClient, company: Company, keys: Keys) -> None:
    company.change_settings({"service_provider": {"metadata": sp_metadata(keys["sp"])}})

    def status(document: bytes) -> int:
        return client.post("/sso", data={"SAMLRequest": b64encode(document).decode()}).status_code

    good = signed_request(keys["sp"])
    assert status(good) == 303
    assert status(signed_request(keys["stranger"])) == 400
    assert status(good.replace(b"2026-01-01", b"2026-01-02")) == 400
    assert status(good.replace(b'ID="_request1"', b'ID="_request2"')) == 400
