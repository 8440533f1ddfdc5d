"""Labels on pages, and what a resource carries: each change with whom it moves, before it is made."""

import re

import pytest

from bridge.domain.access import parse_resource_ref
from bridge.domain.labels import parse_label
from bridge.domain.resources import Resource
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.resources import ResourceDraft, add_label, add_resource, list_labels, list_resources
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import create_user_group
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, Acme, Send, carried_by

IOS = "/w/acme/resources/labels?of=source:ios-prod"


def give(acme: Acme, role: str, *scope: str) -> None:
    given = parse_role_in_scope(role, scope)
    give_to_member(acme.world.context, acme.actor, "acme", acme.member_id(KIM), given, acme.world.now)


def labels(acme: Acme) -> dict[str, int]:
    return {str(label): count for label, count in list_labels(acme.world.context, "acme").items()}


def find(acme: Acme, ref: str) -> Resource | None:
    every = list_resources(acme.world.context, "acme")
    return next((one for one in every if one.ref == parse_resource_ref(ref)), None)


def carried(acme: Acme, ref: str) -> list[str]:
    found = find(acme, ref)
    assert found is not None
    return sorted(map(str, found.labels))


# -- The list ----------------------------------------------------------------------------------------


def test_labels_are_listed_with_what_uses_each(acme: Acme, olga: Surfer) -> None:
    give(acme, "Source Admin", "label:environment:prod")
    html = olga.get("/w/acme/labels").text
    [prod] = [row for row in re.findall(r"<tr><td>(.*?)</tr>", html, re.S) if "environment:prod" in row]
    assert re.findall(r'b-num[^>]*">(\d+)', prod) == ["1", "1"]
    assert "always there" in prod
    assert "environment:prod" not in olga.get("/w/acme/labels", q="dev").text
    assert "No label with “zzz”" in olga.get("/w/acme/labels", q="zzz").text


def test_very_many_come_by_pages(acme: Acme, olga: Surfer) -> None:
    for n in range(49):
        add_label(acme.world.context, acme.actor, "acme", parse_label(f"team:t{n}"), acme.world.now)
    first, rest = olga.get("/w/acme/labels").text, olga.get("/w/acme/labels", page="2").text
    assert first.count("<tr><td>") == 50
    assert rest.count("<tr><td>") == 1


def test_a_label_is_made_and_described(acme: Acme, olga: Surfer, send: Send) -> None:
    made = send("/w/acme/labels/new", label="team:web", description="The web team")
    assert made.headers["Location"] == "/w/acme/labels/team:web"
    assert "The web team" in olga.get("/w/acme/labels").text
    send("/w/acme/labels/team:web/describe", description="Nobody")
    assert "Nobody" in olga.get("/w/acme/labels/team:web").text
    assert acme.told()[-2:] == ["label.added", "label.described"]


@pytest.mark.parametrize(
    ("label", "status", "says"),
    [("team", 422, "is not a label"), ("environment:prod", 409, "already"), ("", 422, "is not a label")],
    ids=["no value", "there already", "nothing"],
)
def test_what_is_no_new_label_is_said_at_its_field(send: Send, label: str, status: int, says: str) -> None:
    told = send("/w/acme/labels/new", label=label)
    assert told.status_code == status
    assert says in re.findall(r'id="f-label-error">(.*?)</p>', told.text, re.S)[0]


def test_a_label_says_who_has_which_role_on_it(acme: Acme, olga: Surfer) -> None:
    give(acme, "Source Admin", "label:environment:prod")
    made = create_user_group(acme.world.context, acme.actor, "acme", "Data Guild", acme.world.now)
    given = parse_role_in_scope("Source Read-only", ["label:environment:prod"])
    give_to_user_group(acme.world.context, acme.actor, "acme", made.id, given, acme.world.now)
    html = olga.get("/w/acme/labels/environment:prod").text
    rows = re.findall(r'<tr><td><a [^>]*href="([^"]+)">([^<]+)</a><br><small [^>]*>([^<]+)', html)
    assert rows == [
        (f"/w/acme/users/{acme.member_id(KIM)}", "kim@acme.example", "Member"),
        (f"/w/acme/user-groups/{made.id}", "Data Guild", "User Group"),
    ]
    assert ">iOS Prod</a>" in html
    assert {olga.get(href).status_code for href, _, _ in rows} == {200}


def test_a_label_that_nothing_uses_goes(acme: Acme, olga: Surfer, send: Send) -> None:
    add_label(acme.world.context, acme.actor, "acme", parse_label("team:web"), acme.world.now)
    assert send("/w/acme/labels/team:web/delete").headers["Location"] == "/w/acme/labels"
    assert "team:web" not in labels(acme)
    assert olga.get("/w/acme/labels/team:web").status_code == 404


def test_a_label_in_use_stays_and_says_what_uses_it(acme: Acme, olga: Surfer, send: Send) -> None:
    add_label(acme.world.context, acme.actor, "acme", parse_label("team:web"), acme.world.now)
    shown = olga.get("/w/acme/labels/team:web/delete")
    give(acme, "Source Admin", "label:team:web")
    told = olga.submit("/w/acme/labels/team:web/delete", shown)
    assert told.status_code == 409
    assert "<code>team:web</code> is in use: Source Admin of the member kim@acme.example names it." in told.text
    assert "team:web" in labels(acme)
    assert olga.get("/w/acme/labels/team:web/delete").headers["Location"] == "/w/acme/labels/team:web"
    assert "Delete…" not in olga.get("/w/acme/labels/environment:dev").text


def test_labels_are_the_owners(kim: Surfer) -> None:
    assert kim.get("/w/acme/labels").status_code == 403
    assert 'href="/w/acme/labels"' not in kim.get("/w/acme/resources").text


# -- What a resource carries -------------------------------------------------------------------------


def test_relabelling_shows_who_loses_and_is_done_as_it_was_shown(acme: Acme, olga: Surfer) -> None:
    give(acme, "Source Admin", "label:environment:prod")
    first = olga.get(IOS)
    assert "Choose other labels" in first.text
    shown = olga.submit(IOS, first, do="preview", **{"key-environment": "dev"}, more="team:web")
    assert "Save: 1 loses" in shown.text
    assert "Source Admin" in shown.text
    assert carried(acme, "source:ios-prod") == ["environment:prod"]
    fields = {**carried_by(shown), "key-environment": "dev", "more": "team:web"}
    assert olga.submit(IOS, shown, do="save", **fields).status_code == 303
    assert carried(acme, "source:ios-prod") == ["environment:dev", "team:web"]


def test_other_labels_than_were_shown_are_not_saved(acme: Acme, olga: Surfer) -> None:
    shown = olga.submit(IOS, olga.get(IOS), do="preview", **{"key-environment": "dev"})
    told = olga.submit(IOS, shown, do="save", **carried_by(shown), more="team:web")
    assert "This isn’t what was counted" in told.text
    assert carried(acme, "source:ios-prod") == ["environment:prod"]


def test_relabelling_that_would_do_something_else_by_now_shows_that_first(acme: Acme, olga: Surfer) -> None:
    shown = olga.submit(IOS, olga.get(IOS), do="preview", **{"key-environment": "dev"})
    assert "Save: nobody gains or loses" in shown.text
    give(acme, "Source Admin", "label:environment:prod")
    told = olga.submit(IOS, shown, do="save", **carried_by(shown), **{"key-environment": "dev"})
    assert "Something changed while you were looking" in told.text
    assert "Save: 1 loses" in told.text
    assert carried(acme, "source:ios-prod") == ["environment:prod"]


@pytest.mark.parametrize("more", ["team", "environment:dev"], ids=["no label", "a second value"])
def test_what_no_resource_can_carry_is_said_at_its_field(acme: Acme, olga: Surfer, more: str) -> None:
    told = olga.submit(IOS, olga.get(IOS), do="save", more=more, **{"key-environment": "prod"})
    assert told.status_code == 422
    assert 'id="f-more-error"' in told.text
    half = olga.submit(IOS, olga.get(IOS), do="live", more=more, **{"key-environment": "prod"})
    assert half.status_code == 200
    assert 'id="f-more-error"' not in half.text


# -- It goes, and all of them ------------------------------------------------------------------------


def test_deleting_a_resource_shows_who_loses_and_what_ends(acme: Acme, olga: Surfer, send: Send) -> None:
    give(acme, "Source Admin", "source:website")
    give(acme, "Source Read-only", "source:website", "source:ios-prod")
    path = "/w/acme/resources/delete?of=source:website"
    html = olga.get(path).text
    assert "Delete it: 2 lose" in html
    assert "1 person loses what Workspace Owner gives there: edit the source Website" in html
    assert "1 role given on nothing else: ended for good" in html
    assert "1 role given on other resources, too: kept on those" in html
    assert send(path, seen="").status_code == 200
    assert find(acme, "source:website") is not None
    assert send(path).headers["Location"] == "/w/acme/resources"
    assert find(acme, "source:website") is None


def test_all_whom_a_change_moves_come_as_csv(acme: Acme, olga: Surfer) -> None:
    give(acme, "Source Admin", "label:environment:prod")
    html = olga.get("/w/acme/resources/delete?of=source:ios-prod").text
    [href] = re.findall(r'href="([^"]+)">All who gain and lose, as CSV', html)
    told = olga.get(href.replace("&amp;", "&"))
    assert told.mimetype == "text/csv"
    assert 'filename="acme-preview.csv"' in told.headers["Content-Disposition"]
    assert f"loses,{KIM},{KIM},Source Admin on source:ios-prod,no," in told.text
    shown = olga.submit(IOS, olga.get(IOS), do="preview", **{"key-environment": "dev"})
    assert 'name="do" value="csv"' in shown.text
    assert f"loses,{KIM},{KIM}," in olga.submit(IOS, shown, do="csv", **{"key-environment": "dev"}).text
    assert olga.submit(IOS, shown, do="csv", more="x").status_code == 422


def test_deleting_a_resource_that_takes_more_by_now_shows_that_first(acme: Acme, olga: Surfer) -> None:
    path = "/w/acme/resources/delete?of=source:website"
    shown = olga.get(path)
    give(acme, "Source Admin", "source:website")
    told = olga.submit(path, shown, **carried_by(shown))
    assert "Something changed while you were looking" in told.text
    assert "Delete it: 2 lose" in told.text
    assert find(acme, "source:website") is not None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"label": "environment:prod"}, ["iOS Prod"]),
        ({"label": "-"}, ["Website", "Snowflake"]),
        ({"type": "source", "label": "-"}, ["Website"]),
    ],
    ids=["a label", "none", "a kind without"],
)
def test_resources_are_filtered_by_label(acme: Acme, olga: Surfer, query: dict[str, str], names: list[str]) -> None:
    html = olga.get("/w/acme/resources", **query).text
    assert re.findall(r'href="/w/acme/resources/one[^"]*">([^<]+)</a></td>', html) == names
    assert "Sources (2)" in html
    assert "environment:prod (1)" in html


def test_pages_of_a_filter_keep_it(acme: Acme, olga: Surfer) -> None:
    for n in range(51):
        draft = ResourceDraft("function", f"F{n}", f"f{n}")
        add_resource(acme.world.context, acme.actor, "acme", draft, acme.world.now)
    [following] = re.findall(r'href="([^"]+)">Next<', olga.get("/w/acme/resources", type="function", label="-").text)
    assert "51–51 of 51" in olga.get(following.replace("&amp;", "&")).text


def test_a_resource_leads_to_its_changes_for_owners_only(olga: Surfer, acme: Acme, kim: Surfer) -> None:
    give(acme, "Source Read-only", "source:ios-prod")
    of = "source:ios-prod"
    assert "Change labels…" in olga.get("/w/acme/resources/one", of=of).text
    html = kim.get("/w/acme/resources/one", of=of).text
    assert "<code>environment:prod</code>" in html
    assert "/labels" not in html
    assert kim.get("/w/acme/resources/labels", of=of).status_code == 403
