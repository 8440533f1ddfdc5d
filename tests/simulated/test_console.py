"""The console's pages: every change is pushed at once, and the page says what came back."""

import re
import time
from html.parser import HTMLParser
from typing import get_args

import pytest
from flask.testing import FlaskClient

from simulated.company_idp.company import Company
from simulated.dialects.speaking import DialectName
from tests.simulated.saml_peer import sp_metadata
from tests.simulated.scim_server import ScimServer

PAGES = (
    "/console/people",
    "/console/people/00uana",
    "/console/groups",
    "/console/groups/00gprod",
    "/console/provisioning",
    "/console/settings",
    "/login",
)


class Markup(HTMLParser):
    """Collects what a page may not have, and what it must."""

    void = frozenset({"meta", "link", "input", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.headings = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in self.void:
            self.open.append(tag)
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        self.ids += [values["id"] or ""] if "id" in values else []
        self.labels |= {values["for"] or ""} if tag == "label" else set()
        self.headings += tag == "h1"
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden":
            self.fields.append(values)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def follow(client: FlaskClient, path: str, **form: str) -> str:
    """Posts a form; answers the page it leads to."""
    answer = client.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["Location"]).text


def said(page: str) -> str:
    """What the page says came back."""
    found = re.search(r'<section class="said[^"]*" role="status">\s*<p>(.*?)</p>', page, re.DOTALL)
    assert found, page
    return re.sub(r"<[^>]+>", "", found[1])


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_labelled_and_without_inline_code(
    client: FlaskClient, connected: Company, path: str
) -> None:
    connected.provisioner.set_active("00uana", True)
    answer = client.get(path)
    assert answer.status_code == 200
    markup = Markup(answer.text)
    assert markup.open == []
    assert markup.inline == []
    assert len(markup.ids) == len(set(markup.ids))
    assert markup.headings == 1
    assert [one for one in markup.fields if one.get("id") not in markup.labels] == []
    assert "Simulated company IdP" in answer.text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/", "/console", "/console/"])
def test_the_console_begins_with_the_people(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.location) == (302, "/console/people")


def test_people_are_searched_by_part_of_name_or_email(client: FlaskClient) -> None:
    assert "Cai O’Neill" in client.get("/console/people?q=neill").text
    assert "Cai O’Neill" in client.get("/console/people?q=cai@").text
    assert "Nobody called “%”" in client.get("/console/people?q=%25").text, "no wildcard of SQL's"


def test_many_people_are_paged(client: FlaskClient, company: Company) -> None:
    for number in range(30):
        client.post("/console/people", data={"email": f"p{number}@acme.example", "given_name": "P", "family_name": "Q"})
    first, second = client.get("/console/people").text, client.get("/console/people?page=2").text
    assert "Page 1 of 2" in first
    assert "Page 2 of 2" in second
    assert first.count("@acme.example") + second.count("@acme.example") == company.directory.search().total


def test_somebody_created_is_pushed_and_shown_with_the_calls(
    client: FlaskClient, connected: Company, scim: ScimServer
) -> None:
    page = follow(
        client, "/console/people", email="fay@acme.example", given_name="Fay", family_name="Adams", provisioned="on"
    )
    assert said(page) == "Created Fay Adams. The bridge accepted it: 201 to POST /scim/v2/Users, 2 calls."
    assert "GET /scim/v2/Users?filter=userName eq &#34;fay@acme.example&#34;" in page
    assert len(scim.resources["Users"]) == 1


def test_somebody_for_first_sign_in_only_is_not_pushed(
    client: FlaskClient, connected: Company, scim: ScimServer
) -> None:
    page = follow(client, "/console/people", email="fay@acme.example", given_name="Fay", family_name="Adams")
    assert "Not assigned to provisioning" in said(page)
    assert "Sign-in only" in page
    assert scim.calls == []


def test_leaving_and_coming_back(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    page = follow(client, "/console/people/00uana/deactivate")
    assert "Deactivated Ana Costa. The bridge accepted it" in said(page)
    assert "Reactivate Ana" in page
    page = follow(client, "/console/people/00uana/reactivate")
    assert "Deactivate Ana" in page
    assert scim.resources["Users"]["u1"]["active"] is True


def test_a_changed_profile_is_stored_and_pushed(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    form = {"email": "ana@acme.example", "given_name": "Ana", "family_name": "Lima", "title": "Lead", "department": ""}
    page = follow(client, "/console/people/00uana", **form)
    assert "<h1>Ana Lima</h1>" in page
    assert scim.resources["Users"]["u1"]["title"] == "Lead"


def test_somebody_deleted_is_gone(client: FlaskClient, connected: Company) -> None:
    assert "Deleted Ana Costa." in said(follow(client, "/console/people/00uana/delete"))
    assert client.get("/console/people/00uana").status_code == 404


def test_a_refused_deletion_leads_back_to_the_person(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    follow(client, "/console/people/00uana/reactivate")
    scim.refuse(409, "The last owner stays.", only="Users/")
    page = follow(client, "/console/people/00uana/delete")
    assert "The last owner stays." in said(page)
    assert "<h1>Ana Costa</h1>" in page
    assert "Push failed" in page


def test_members_come_and_go_on_the_groups_page(client: FlaskClient, connected: Company) -> None:
    page = follow(client, "/console/groups/00gprod/add", person="ben@acme.example")
    assert "Added Ben Ito to eng-prod." in said(page)
    assert "2 people" in page
    page = follow(client, "/console/groups/00gprod/remove", person="00uben")
    assert "Removed Ben Ito from eng-prod." in said(page)
    assert "1 person ·" in page


def test_a_group_left_on_a_persons_page_leads_back_there(client: FlaskClient, connected: Company) -> None:
    page = follow(client, "/console/groups/00gprod/remove", person="00uana", from_person="00uana")
    assert "<h1>Ana Costa</h1>" in page
    page = follow(client, "/console/groups/00gmob/add", person="00uana", from_person="00uana")
    assert 'aria-label="Remove Ana Costa from eng-mobile"' in page


@pytest.mark.parametrize("elsewhere", ["//evil.example", "../../evil", "https://evil.example/"])
def test_no_form_leads_to_another_site(client: FlaskClient, company: Company, elsewhere: str) -> None:
    form = {"person": "00uana", "from_person": elsewhere}
    assert (
        client.post("/console/groups/00gmob/add", data=form).headers["Location"].startswith("/console/groups/00gmob?")
    )


def test_groups_are_created_renamed_and_deleted(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    page = follow(client, "/console/groups", name="crew", description="On deck")
    assert "<h1>crew</h1>" in page
    group = connected.directory.get_group("crew")
    assert "<h1>deck</h1>" in follow(client, f"/console/groups/{group.id}/rename", name="deck")
    assert "Deleted the group deck." in said(follow(client, f"/console/groups/{group.id}/delete"))
    assert scim.resources["Groups"] == {}


def test_pushing_everything_is_shown_when_done(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    client.post("/console/provisioning/push")
    deadline = time.monotonic() + 20
    while "4 people and 3 groups, 0 refused." not in (page := client.get("/console/provisioning").text):
        assert time.monotonic() < deadline, page
        time.sleep(0.02)
    assert len(scim.resources["Users"]) == 4


def test_what_failed_is_listed(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    scim.refuse(400, "No name like that.", only="ben@")
    list(connected.provisioner.push_everything())
    page = client.get("/console/provisioning").text
    assert "What failed <small>1</small>" in page
    assert "The bridge answered 400: No name like that." in page


def test_progress_refreshes_the_page_without_script(client: FlaskClient, connected: Company) -> None:
    pushing = connected.provisioner.push_everything()
    next(pushing)
    page = client.get("/console/provisioning").text
    assert '<meta http-equiv="refresh" content="1">' in page
    assert "Pushing people: 1 of 4." in page
    pushing.close()
    assert "http-equiv" not in client.get("/console/provisioning").text


def test_the_connection_is_tested_by_a_button(client: FlaskClient, connected: Company) -> None:
    assert "Tested the connection. The bridge accepted it" in said(follow(client, "/console/provisioning/test"))


def test_every_dialect_can_be_chosen(client: FlaskClient, company: Company, scim: ScimServer) -> None:
    for name in get_args(DialectName):
        follow(client, "/console/settings/provisioning", url=scim.url, token="t", dialect=name)
        settings = company.settings.read()
        assert settings.provisioning is not None
        assert settings.provisioning.dialect == name
        assert f'<option value="{name}" selected' in client.get("/console/settings").text


def test_settings_are_taken_and_the_token_never_shown(client: FlaskClient, company: Company, scim: ScimServer) -> None:
    assert "Saved." in follow(client, "/console/settings/service-provider", metadata=sp_metadata())
    follow(client, "/console/settings/sign-in", name_id="emailAddress", signs="assertion", encrypt_assertions="on")
    page = follow(client, "/console/settings/provisioning", url=scim.url, token="t0p-secret", dialect="entra")
    assert "t0p-secret" not in page
    follow(client, "/console/settings/provisioning", url=scim.url, token="", dialect="okta")
    settings = company.settings.read()
    assert settings.provisioning is not None
    assert (settings.provisioning.token, settings.provisioning.dialect) == ("t0p-secret", "okta")
    assert (settings.sign_in.name_id, settings.sign_in.signs) == ("emailAddress", "assertion")
    assert (settings.sign_in.send_groups, settings.sign_in.encrypt_assertions) == (False, True)


def test_bad_input_is_a_page_that_says_so(client: FlaskClient, company: Company) -> None:
    answer = client.post("/console/people", data={"email": "ana@acme.example", "given_name": "A", "family_name": "B"})
    assert answer.status_code == 409
    assert "ana@acme.example is taken." in answer.text
    assert client.post("/console/settings/service-provider", data={"metadata": "<a/>"}).status_code == 422
    assert client.get("/console/people/nobody").status_code == 404
    assert client.get("/console/groups/nothing").status_code == 404
    assert client.get("/console/people?page=x&push=y").status_code == 200


# -- who may send forms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_change_anything(
    client: FlaskClient, company: Company, headers: dict[str, str]
) -> None:
    for path in ("/console/people/00uana/delete", "/login", "/logout"):
        assert client.post(path, headers=headers).status_code == 403
    assert client.delete("/api/people/00uana", headers=headers).status_code == 403
    assert company.directory.find_person("00uana")


def test_its_own_pages_can(client: FlaskClient) -> None:
    own = {"Origin": "http://127.0.0.1:8001", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/console/people/00uana/deactivate", headers=own).status_code == 303


def test_another_host_name_is_not_served(client: FlaskClient) -> None:
    assert client.get("/console/people", base_url="http://evil.example:8001").status_code == 421
    assert client.get("/console/people", base_url="http://localhost:8001").status_code == 200


def test_the_start_page_is_the_console(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/console/people"
    assert client.get("/healthz").json == {"status": "ok"}
