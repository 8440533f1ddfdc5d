"""Pages of the directory: what each IdP says, what comes of it, and why there is nothing yet."""

from tests.flows.test_picture import sign_in
from tests.web.browsing import Surfer
from tests.web.pages.conftest import Acme
from tests.web.pages.test_mapping import LABELLED, add_rule, text_of
from tests.world import World

DIRECTORY = "/w/acme/directory"


def test_an_empty_directory_says_how_it_fills(olga: Surfer, acme: Acme) -> None:
    assert "eng-mobile" in olga.get(DIRECTORY).text
    assert "No group called “nonsense”" in olga.get(f"{DIRECTORY}?q=nonsense").text
    assert "No person like this" in olga.get(f"{DIRECTORY}/people?kind=suspended").text


def test_a_group_leads_to_its_people_its_rules_and_the_picture(olga: Surfer, acme: Acme) -> None:
    rule = add_rule(acme, "glob", "eng-*", LABELLED)
    page = olga.get(f"{DIRECTORY}/groups/{acme.eng.id}")
    assert "Okta pushes this group by SCIM" in page.text
    assert "mirrored" in page.text
    assert f"/w/acme/mapping/rules/{rule}" in page.text
    assert f"/w/acme/mapping/picture?follow=idp:{acme.eng.id}" in page.text
    assert "Priya Raman" in page.text
    assert "Nobody called “zzz”" in olga.get(f"{DIRECTORY}/groups/{acme.eng.id}?q=zzz").text


def test_an_asserted_group_is_shown_as_one(olga: Surfer, acme: Acme) -> None:
    sign_in(acme.world, "eve@acme.example", "eng-web")
    listed = olga.get(f"{DIRECTORY}?kind=asserted").text
    assert "named at sign-ins" in listed
    href = listed.partition('href="/w/acme/directory/groups/')[2].partition('"')[0]
    page = text_of(olga.get(f"{DIRECTORY}/groups/{href}").text)
    assert "Counts until" in page
    assert "Named at sign-ins, not pushed" in page
    assert "Link to a User Group" not in page


def test_a_record_is_shown_as_it_was_sent(olga: Surfer, acme: Acme) -> None:
    page = olga.get(f"{DIRECTORY}/people/{acme.priya.id}").text
    assert "&#34;displayName&#34;: &#34;Priya Raman&#34;" in page
    assert "eng-mobile" in page
    acme.world.push("ghost", name="<i>Gil</i>")
    people = olga.get(f"{DIRECTORY}/people?kind=no_account").text
    assert "&lt;i&gt;Gil&lt;/i&gt;" in people
    href = people.partition('href="/w/acme/directory/people/')[2].partition('"')[0]
    assert "This record has no account" in olga.get(f"{DIRECTORY}/people/{href}").text


def test_what_is_odd_in_an_address_is_no_fault(olga: Surfer) -> None:
    for odd in ("page=0", "page=99999", "kind=%00", "connection=nonsense", "q=%25", "kind=idle&q=_"):
        assert olga.get(f"{DIRECTORY}?{odd}").status_code == 200, odd
        assert olga.get(f"{DIRECTORY}/people?{odd}").status_code == 200, odd


def test_another_workspaces_directory_is_not_there(olga: Surfer, other: World) -> None:
    theirs = other.push("t@other.example")
    group = other.push_group("theirs", theirs)
    assert olga.get(f"{DIRECTORY}/people/{theirs.id}").status_code == 404
    assert olga.get(f"{DIRECTORY}/groups/{group.id}").status_code == 404
