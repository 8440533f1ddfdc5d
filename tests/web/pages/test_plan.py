"""The page Plan: what it leaves out, by which grants, and what another one would move."""

import re

import pytest

from bridge.domain.group_mapping import GroupMatch
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import create_user_group
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, Acme


def rows(html: str) -> list[tuple[str, str, str]]:
    """Who has what: name, kind, role."""
    return re.findall(r"<tr><td><a [^>]*>([^<]+)</a><br><small [^>]*>([^<]+)</small></td><td>([^<]+)", html)


def on_plan(acme: Acme, plan: str) -> None:
    set_plan(acme.world.context, OPERATOR, "acme", plan, acme.world.now)


@pytest.fixture
def given(acme: Acme) -> None:
    """Kim has a role that small plans lack and one that they have; a User Group and a rule give two more."""
    context, now, member = acme.world.context, acme.world.now, acme.member_id(KIM)
    for role, *scope in (("Warehouse Admin", "warehouse:snowflake"), ("Source Admin",)):
        give_to_member(context, acme.actor, "acme", member, parse_role_in_scope(role, scope), now)
    made = create_user_group(context, acme.actor, "acme", "Data Guild", now)
    give_to_user_group(context, acme.actor, "acme", made.id, parse_role_in_scope("Source Read-only", []), now)
    roles = (parse_role_in_scope("PII Access", []),)
    add_mapping(
        context,
        acme.actor,
        "acme",
        MappingDraft(acme.world.connection.id, GroupMatch("glob", "eng-*"), (), roles),
        now,
    )


@pytest.mark.usefixtures("given")
def test_what_a_small_plan_leaves_out_is_listed_with_who_has_it(acme: Acme, olga: Surfer) -> None:
    on_plan(acme, "team")
    html = olga.get("/w/acme/plan").text
    assert rows(html) == [
        ("kim@acme.example", "Member", "Warehouse Admin"),
        ("Data Guild", "User Group", "Source Read-only"),
        ("eng-*", "Rule", "PII Access"),
    ]
    assert "<code>warehouse:snowflake</code>" in html
    assert "1 grant of Warehouse Admin" in html
    assert "Sign-in and SCIM by Okta" in html
    assert "grants of Minimal Workspace Access not listed" in html


@pytest.mark.usefixtures("given")
def test_on_the_largest_plan_nothing_is_left_out(acme: Acme, olga: Surfer) -> None:
    html = olga.get("/w/acme/plan").text
    assert "Nothing is left out" in html
    assert rows(html) == []


@pytest.mark.usefixtures("given")
def test_another_plan_shows_who_would_gain_and_lose_and_changes_nothing(acme: Acme, olga: Surfer) -> None:
    smaller = olga.get("/w/acme/plan/team").text
    assert re.findall(r'id="loses"><span[^>]*>([^<]+)', smaller) == ["2 lose"]
    assert "1 grant of Warehouse Admin" in smaller
    assert "Sign-in and SCIM by Okta" in smaller
    assert "bridge workspace set-plan acme team" in smaller
    assert '<form class="card' not in smaller
    on_plan(acme, "team")
    larger = olga.get("/w/acme/plan/business").text
    assert re.findall(r'id="gains"><span[^>]*>([^<]+)', larger) == ["2 gain"]
    assert "It leaves out what the present one does" in olga.get("/w/acme/plan/free").text


def test_what_is_no_plan_is_said(olga: Surfer) -> None:
    assert olga.get("/w/acme/plan/golden").status_code == 422
    assert olga.get("/w/acme/plan/business").headers["Location"] == "/w/acme/plan"


@pytest.mark.usefixtures("given")
def test_very_many_come_by_pages(acme: Acme, olga: Surfer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.plan_outlook.PAGE", 2)
    on_plan(acme, "team")
    first = olga.get("/w/acme/plan").text
    [following] = re.findall(r'href="([^"]+)">Next<', first)
    rest = olga.get(following.replace("&amp;", "&")).text
    assert [len(rows(first)), len(rows(rest))] == [2, 1]
    assert "From the first" in rest
