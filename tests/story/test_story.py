"""Issue "the main job": an operator sets up, the IdP pushes, people sign in, access follows from facts."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.running import Bridge, running
from tests.story.company import Company, Person, running_company

WORKSPACE = "small"
OWNER, OWNER_PASSWORD = "olga@owners.example", "a password for the story"


@dataclass(frozen=True, slots=True)
class Story:
    """A workspace that was set up with the commands, and its company."""

    bridge: Bridge
    company: Company
    connection: dict[str, Any]

    def roles(self, email: str) -> set[str]:
        """The roles that a person has, Minimal Workspace Access aside, as `bridge access show` says."""
        shown = self.bridge.run("access", "show", WORKSPACE, email)["permissions"]
        return {each["role"] for each in shown} - {"Minimal Workspace Access"}

    def person(self, email: str) -> Person:
        """Somebody who has just signed in."""
        person = Person(self.bridge.url)
        person.sign_in(self.connection["login_url"], email)
        return person


def set_up(bridge: Bridge, company: Company, dialect: str) -> Story:
    """What an operator types."""
    owner = ["--owner", OWNER, "--owner-password-stdin"]
    made = bridge.run("workspace", "create", WORKSPACE, "--name", "Small", *owner, stdin=OWNER_PASSWORD)
    assert made["workspace"]["plan"] == "business"
    connection = bridge.run(
        *("connection", "create", WORKSPACE, "--kind", "saml", "--preset", "okta"),
        *("--idp-metadata", f"{company.url}/metadata"),
    )["connection"]
    token = bridge.run("scim-token", "create", WORKSPACE, "--connection", connection["id"])
    bridge.run("resource", "add", WORKSPACE, "source", "iOS Prod", "--id", "ios", "--label", "environment:prod")
    bridge.run("resource", "add", WORKSPACE, "source", "iOS Dev", "--id", "ios-dev", "--label", "environment:dev")
    bridge.run("user-group", "create", WORKSPACE, "Production Engineering")
    bridge.run("grant", "add", WORKSPACE, "--user-group", "Production Engineering", "--role", "Warehouse Read-only")
    rule = ["mapping", "add", WORKSPACE, "--connection", connection["id"]]
    bridge.run(*rule, "--pattern", "eng-*", "--gives-role", "Source Admin", "--on", "label:environment:prod")
    bridge.run(*rule, "--group", "eng-prod", "--gives-user-group", "Production Engineering")
    company.call(
        "PUT",
        "/settings",
        service_provider={"entity_id": connection["sp_entity_id"], "acs_url": connection["acs_url"]},
        provisioning={"url": token["base_url"], "token": token["token"], "dialect": dialect},
    )
    return Story(bridge, company, connection)


@pytest.fixture(
    params=[
        "okta",
        pytest.param("entra", marks=pytest.mark.long),
        pytest.param("entra-compliant", marks=pytest.mark.long),
    ]
)
def story(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Story]:
    with running(tmp_path, database_url=database_url) as bridge, running_company(tmp_path) as company:
        yield set_up(bridge, company, request.param)


def test_the_main_job(story: Story) -> None:
    bridge, company = story.bridge, story.company
    assert company.push_all() == []
    _people_are_there(story)
    ann = story.person("ann@small.example")
    _session_reaches_only(ann, story)
    _access_follows_from_facts(story)
    _one_not_pushed_is_made_just_in_time(story)

    company.call("POST", "/groups/eng-prod/members", remove=["ann@small.example"])
    assert story.roles("ann@small.example") == set()
    company.call("POST", "/groups/eng-prod/members", add=["ann@small.example"])
    assert story.roles("ann@small.example") == {"Source Admin", "Warehouse Read-only"}

    company.call("PATCH", "/groups/eng-prod", name="ops-prod")
    assert story.roles("ben@small.example") == set()
    company.call("PATCH", "/groups/ops-prod", name="eng-prod")
    assert story.roles("ben@small.example") == {"Source Admin", "Warehouse Read-only"}

    company.call("PATCH", "/people/ann@small.example", active=False)
    assert ann.session() is None, "deactivated: gone at the next request, session included"
    assert story.roles("ann@small.example") == set()
    company.call("PATCH", "/people/ann@small.example", active=True)
    assert story.roles("ann@small.example") == {"Source Admin", "Warehouse Read-only"}
    assert ann.session() is None, "an ended session stays ended"

    company.call("PATCH", "/people/ben@small.example", family_name="Odell")
    rule = _pattern_rule(bridge)
    lost = bridge.run("mapping", "preview", WORKSPACE, "--delete", rule["id"])["loses"]
    assert {each["email"] for each in lost["people"]} == {"ann@small.example", "ben@small.example"}
    assert lost["count"] == 2
    bridge.run("mapping", "delete", WORKSPACE, rule["id"])
    assert story.roles("ben@small.example") == {"Warehouse Read-only"}

    company.call("DELETE", "/groups/eng-prod")
    assert story.roles("ben@small.example") == set()
    company.call("DELETE", "/people/cyd@small.example")
    assert statuses(bridge)["ben@small.example"] == "active"
    # Okta never deletes: it deactivates. Entra does both.
    assert statuses(bridge).get("cyd@small.example") in (None, "suspended")


def _pattern_rule(bridge: Bridge) -> dict[str, Any]:
    rules = bridge.run("mapping", "list", WORKSPACE)["mappings"]
    found: dict[str, Any] = next(each for each in rules if each["match"]["value"] == "eng-*")
    return found


def _people_are_there(story: Story) -> None:
    everyone = {f"{name}@small.example": "active" for name in ("ann", "ben", "cyd")}
    assert statuses(story.bridge) == {OWNER: "active", **everyone}


def statuses(bridge: Bridge) -> dict[str, str]:
    """Everybody's status, from the CSV that an owner downloads."""
    rows = csv.DictReader(bridge.run_text("users", "export", WORKSPACE).splitlines())
    return {row["email"]: row["status"] for row in rows}


def _session_reaches_only(ann: Person, story: Story) -> None:
    said = ann.session()
    assert said is not None
    assert said["user"]["email"] == "ann@small.example"
    assert [each["slug"] for each in said["workspaces"]] == [WORKSPACE]
    assert not said["workspaces"][0]["owner"]
    (proof,) = said["authenticated_by"]
    assert (proof["kind"], proof["connection"]) == ("saml", story.connection["id"])


def _access_follows_from_facts(story: Story) -> None:
    assert story.roles("ann@small.example") == {"Source Admin", "Warehouse Read-only"}
    assert story.roles("cyd@small.example") == set()
    yes = story.bridge.run("access", "check", WORKSPACE, "ann@small.example", "edit", "source:ios")
    assert yes["allowed"]
    assert yes["because"][0]["kind"] == "mapping"
    no = story.bridge.run("access", "check", WORKSPACE, "ann@small.example", "edit", "source:ios-dev")
    assert not no["allowed"]


def _one_not_pushed_is_made_just_in_time(story: Story) -> None:
    noor = story.person("noor@small.example")
    said = noor.session()
    assert said is not None
    assert said["user"]["name"] == "Noor Haddad"
    assert story.roles("noor@small.example") == set()
