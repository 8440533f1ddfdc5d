"""Users: everyone in the workspace, searched, counted, summarised and downloaded."""

import csv
import io
import re

import pytest

from bridge.flows.give_roles import give_to_member
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.members import remove_member
from bridge.flows.roles_given import parse_role_in_scope
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, OLGA, PRIYA, Acme, Send

HTMX = {"HX-Request": "true"}


def names(html: str) -> list[str]:
    """The people of the table, in order."""
    return re.findall(r'<span class="b-person">.*?<(?:a[^>]*|b)>([^<]+)<', html.partition("<tbody>")[2])


def total(html: str) -> str:
    found = re.search(r'<span class="b-num">([^<]+)</span>', html)
    return found[1] if found else ""


def crowd(acme: Acme, count: int) -> None:
    for n in range(count):
        acme.world.push(f"p{n:03}@acme.example", name=f"Person {n:03}")


def test_everybody_is_listed_with_access_and_where_it_comes_from(acme: Acme, olga: Surfer) -> None:
    give_to_member(
        acme.world.context,
        acme.actor,
        "acme",
        acme.member_id(PRIYA),
        parse_role_in_scope("Source Admin", ["source:website"]),
        acme.world.now,
    )
    html = olga.get("/w/acme/users").text
    assert names(html) == ["kim@acme.example", "Olga Owner", "Priya Raman"]
    assert "Source Admin (1)" in html
    assert "Workspace Owner" in html
    assert total(html) == "1–3 of 3"


def test_search_finds_by_name_and_address_and_says_when_nobody_is_found(acme: Acme, olga: Surfer) -> None:
    assert names(olga.get("/w/acme/users", q="raman").text) == ["Priya Raman"]
    assert names(olga.get("/w/acme/users", q="KIM@").text) == ["kim@acme.example"]
    nobody = olga.get("/w/acme/users", q="pryia", membership="owner").text
    assert "Nobody called “pryia”" in nobody
    assert "1 filter is set" in nobody


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"membership": "owner"}, ["Olga Owner"]),
        ({"membership": "member"}, ["kim@acme.example", "Priya Raman"]),
        ({"membership": "suspended"}, []),
        ({"from": "hand"}, ["Olga Owner"]),
        ({"role": "workspace_owner"}, ["Olga Owner"]),
        ({"membership": "nonsense"}, ["kim@acme.example", "Olga Owner", "Priya Raman"]),
    ],
)
def test_filters_narrow(acme: Acme, olga: Surfer, query: dict[str, str], found: list[str]) -> None:
    assert names(olga.get("/w/acme/users", **query).text) == found


def test_from_an_idp_are_those_it_knows(acme: Acme, olga: Surfer) -> None:
    assert names(olga.get("/w/acme/users", **{"from": acme.world.connection.id}).text) == ["Priya Raman"]


def test_fifty_a_page_and_the_rest_behind_next(acme: Acme, olga: Surfer) -> None:
    crowd(acme, 60)
    first = olga.get("/w/acme/users", q="acme")
    assert (len(names(first.text)), total(first.text)) == (50, "1–50 of 63")
    [onward] = re.findall(r'href="([^"]+)">Next<', first.text)
    second = olga.get(onward.replace("&amp;", "&"))
    assert (len(names(second.text)), total(second.text)) == (13, "51–63 of 63")
    assert not set(names(first.text)) & set(names(second.text))


def test_invited_come_after_the_last_member_across_pages(acme: Acme, olga: Surfer) -> None:
    crowd(acme, 46)
    emails = tuple(f"new{n}@acme.example" for n in range(4))
    invite(acme.world.context, acme.actor, "acme", InviteDraft(emails), acme.world.now)
    first, second = (olga.get("/w/acme/users", page=page).text for page in ("1", "2"))
    assert names(first)[-1].startswith("new")
    assert (total(first), total(second)) == ("1–50 of 53", "51–53 of 53")
    invited = [name for name in (*names(first), *names(second)) if name.startswith("new")]
    assert sorted(invited) == sorted(emails)
    assert len(names(olga.get("/w/acme/users", membership="invited").text)) == 4
    assert not any(name.startswith("new") for name in names(olga.get("/w/acme/users", role="pii_access").text))


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "99999999", "٣", ""])
def test_any_page_number_is_answered(acme: Acme, olga: Surfer, page: str) -> None:
    assert olga.get("/w/acme/users", page=page).status_code == 200


@pytest.mark.parametrize("text", ["\0", "%", "_", "'", "\ud800", "a" * 100_000, "<script>alert(1)</script>"])
def test_any_search_is_answered_and_shown_as_text(acme: Acme, olga: Surfer, text: str) -> None:
    told = olga.client.get("/w/acme/users", query_string={"q": text.encode("utf-8", "surrogatepass")})
    assert told.status_code == 200
    assert "<script>alert" not in told.text


def test_summary_is_a_fragment_for_htmx_and_a_page_for_others(acme: Acme, olga: Surfer) -> None:
    path = f"{acme.page_of(PRIYA)}/summary"
    fragment = olga.client.get(path, headers=HTMX)
    assert "<html" not in fragment.text
    assert "Priya Raman" in fragment.text
    whole = olga.get(path)
    assert whole.status_code == 303
    page = olga.get(whole.headers["Location"])
    assert 'class="is-selected"' in page.text
    assert '<tr class="is-selected">' in page.text
    again = olga.client.get(path, headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert again.status_code == 303


def test_somebody_elses_id_selects_nobody(acme: Acme, olga: Surfer) -> None:
    page = olga.get("/w/acme/users", selected="not-an-id")
    assert page.status_code == 200
    assert "Choose a person" in page.text


def test_removed_people_are_found_by_their_filter(acme: Acme, olga: Surfer) -> None:
    remove_member(acme.world.context, acme.actor, "acme", acme.member_id(PRIYA), acme.world.now)
    assert "Priya Raman" not in names(olga.get("/w/acme/users").text)
    assert names(olga.get("/w/acme/users", membership="removed").text) == ["Priya Raman"]


def test_only_you_leads_to_inviting(acme: Acme, olga: Surfer) -> None:
    for email in (KIM, PRIYA):
        remove_member(acme.world.context, acme.actor, "acme", acme.member_id(email), acme.world.now)
    assert "Only you so far" in olga.get("/w/acme/users").text


def test_csv_has_a_row_a_person_and_no_formula(acme: Acme, olga: Surfer) -> None:
    acme.world.push("eve@acme.example", name='=HYPERLINK("http://evil.example")')
    told = olga.get("/w/acme/users.csv")
    assert told.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert told.headers["Content-Disposition"] == 'attachment; filename="acme-users.csv"'
    assert told.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(told.text)))
    assert {row["email"] for row in rows} == {OLGA, KIM, PRIYA, "eve@acme.example"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_member_who_is_no_owner_is_told_whom_to_ask(acme: Acme, kim: Surfer) -> None:
    for path in ("/w/acme/users", "/w/acme/users.csv", f"{acme.page_of(PRIYA)}/summary"):
        told = kim.get(path)
        assert told.status_code == 403
        assert "Ask Olga Owner." in told.text
        assert PRIYA not in told.text


def test_inviting_puts_people_into_the_list(acme: Acme, olga: Surfer, send: Send) -> None:
    told = send("/w/acme/invitations/new", emails="lucia@acme.example, femi@acme.example", role="", scope="all")
    assert told.headers["Location"] == "/w/acme/users?membership=invited"
    html = olga.get(told.headers["Location"]).text
    assert sorted(names(html)) == ["femi@acme.example", "lucia@acme.example"]
    assert "Invited, expires in 3 days" in html
    assert "Invited (2)" in html
