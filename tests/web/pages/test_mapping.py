"""Group mapping: the rules as sentences, one of them, and the picture of what they give."""

import re
from html import unescape

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope, parse_scope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER, get_role
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping, set_enabled
from tests.web.browsing import Surfer
from tests.web.pages.conftest import Acme
from tests.world import World

ADMIN, READ = get_role("Source Admin"), get_role("Source Read-only")
LABELLED = RoleInScope(READ, parse_scope(["label:environment:prod"], READ))
MAPPING, PICTURE = "/w/acme/mapping", "/w/acme/mapping/picture"


def add_rule(acme: Acme, kind: str, value: str, *roles: RoleInScope) -> str:
    draft = MappingDraft(acme.world.connection.id, GroupMatch(kind, value), (), roles)  # type: ignore[arg-type]
    return add_mapping(acme.world.context, OPERATOR, "acme", draft, acme.world.now).id


def text_of(html: str) -> str:
    """What is read on the page, without its marks."""
    main = html.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.fixture
def rule(acme: Acme) -> str:
    return add_rule(acme, "glob", "eng-*", LABELLED)


def test_without_rules_the_page_says_what_to_do_first(olga: Surfer, acme: Acme) -> None:
    page = text_of(olga.get(MAPPING).text)
    assert "No rules yet" in page
    assert "Okta brought 1 group." in page
    assert "Nothing to draw yet" in olga.get(PICTURE).text


def test_a_rule_is_a_sentence_with_whom_it_reaches(olga: Surfer, acme: Acme, rule: str) -> None:
    page = text_of(olga.get(MAPPING).text)
    wanted = (
        "People in Okta groups that match IdP group eng-* get Role Source Read-only on sources with environment:prod"
    )
    assert wanted in page
    assert "1 person" in page


def test_rules_are_filtered(olga: Surfer, acme: Acme, rule: str) -> None:
    off = add_rule(acme, "name", "eng-mobile", RoleInScope(ADMIN, EVERYWHERE))
    set_enabled(acme.world.context, OPERATOR, "acme", off, False, acme.world.now)
    page = text_of(olga.get(f"{MAPPING}?state=off").text)
    assert "would be 1" in page
    assert "eng-*" not in page
    assert "No rule with “nonsense”" in olga.get(f"{MAPPING}?q=nonsense").text
    assert "1–2 of 2" in olga.get(f"{MAPPING}?state=nonsense&connection=&page=0").text


def test_one_rule_names_its_groups_and_leads_to_the_picture(olga: Surfer, acme: Acme, rule: str) -> None:
    page = olga.get(f"{MAPPING}/rules/{rule}")
    assert "It also takes groups that Okta makes later" in page.text
    assert "IdP group eng-mobile 1 person" in text_of(page.text)
    assert f"{PICTURE}?follow=rule:{rule}" in page.text


def test_the_picture_draws_each_node_as_a_link_and_says_the_same_as_a_table(
    olga: Surfer, acme: Acme, rule: str
) -> None:
    html = olga.get(PICTURE).text
    links = re.findall(r'<a class="is-(\w+)" href="([^"]+)" aria-label="([^"]+)"', html)
    assert [kind for kind, _, _ in links] == ["idp", "rule", "role", "resource"]
    assert links[0][2] == "IdP group eng-mobile, pushed by Okta, 1 person"
    for _, href, _ in links:
        assert "Follow nothing" in olga.get(unescape(href)).text
    assert "style=" not in html.partition('<svg class="b-flow"')[2]
    row = text_of("<main" + html.partition("<tbody")[2])
    assert row.startswith("> IdP group eng-mobile rule: eng-* directly Source Read-only environment:prod sources (1) 1")


def test_a_search_in_the_picture_and_a_node_that_is_gone(olga: Surfer, acme: Acme, rule: str) -> None:
    assert "eng-mobile" in text_of(olga.get(f"{PICTURE}?q=mobile&kind=idp").text)
    assert "Nothing called “mobile”" in olga.get(f"{PICTURE}?q=mobile&kind=role").text
    assert "That is not in the picture" in olga.get(f"{PICTURE}?follow=idp:nobody").text
    for odd in ("follow=nonsense", "follow=:", "kind=pass", "follow=pass:x", "page=999", "alone=1", "q=%00"):
        assert olga.get(f"{PICTURE}?{odd}").status_code == 200, odd


def test_names_are_shown_as_they_are(olga: Surfer, acme: Acme) -> None:
    acme.world.push_group("<b>eng</b> & co", acme.priya)
    add_rule(acme, "name", "<b>eng</b> & co", RoleInScope(OWNER, EVERYWHERE))
    for path in (MAPPING, PICTURE):
        html = olga.get(path).text
        assert "&lt;b&gt;eng&lt;/b&gt; &amp; co" in html
        assert "<b>eng</b>" not in html


def test_rules_of_another_workspace_are_not_there(olga: Surfer, acme: Acme, other: World) -> None:
    draft = MappingDraft(other.connection.id, GroupMatch("name", "x"), (), (RoleInScope(ADMIN, EVERYWHERE),))
    theirs = add_mapping(other.context, OPERATOR, "other", draft, other.now).id
    assert olga.get(f"{MAPPING}/rules/{theirs}").status_code == 404


def test_only_owners_see_rules_and_the_picture(kim: Surfer) -> None:
    for path in (MAPPING, PICTURE):
        assert kim.get(path).status_code == 403
