"""Writing a rule: it is saved only as it was shown, and only if it still does what was shown."""

import json
import re
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_member
from bridge.flows.map_groups import MappingFacts, list_mappings
from bridge.flows.user_groups import create_user_group
from bridge.web.pages import rule_form
from tests.web.browsing import Surfer
from tests.web.pages.conftest import PRIYA, Acme, carried_by
from tests.web.pages.test_mapping import ADMIN, LABELLED, MAPPING, add_rule, text_of
from tests.world import World

NEW = f"{MAPPING}/new"
GIVES_ADMIN = json.dumps(["source_admin", ["all"]])


@pytest.fixture
def form(acme: Acme) -> dict[str, Any]:
    """A rule for eng-* that gives Source Admin, as the form carries it."""
    return {"connection": acme.world.connection.id, "how": "glob", "pattern": "eng-*", "gives": [GIVES_ADMIN]}


def rules(acme: Acme) -> list[MappingFacts]:
    return list(list_mappings(acme.world.context, "acme"))


def press(surfer: Surfer, do: str, path: str = NEW, **fields: Any) -> TestResponse:
    return surfer.submit(path, surfer.get(path), do=do, **fields)


def save(surfer: Surfer, shown: TestResponse, path: str = NEW, **fields: Any) -> TestResponse:
    """Press Save as the page says it, with what it carries."""
    carried = {name: value for name, value in carried_by(shown).items() if name in ("seen", "previewed", "external")}
    return surfer.submit(path, shown, **{**carried, "do": "save", **fields})


# -- Shown, then saved -----------------------------------------------------------------------------------------------


def test_a_rule_is_shown_and_then_saved(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    shown = press(olga, "preview", **form)
    page = text_of(shown.text)
    assert "+ 1 gains access" in page.replace("+1", "+ 1")
    assert "1 person gains Source Admin: edit all sources, 2 now and any future one" in page
    assert "Priya Raman" in page
    assert "Matches 1 group now, 1 person: IdP group eng-mobile 1" in page
    assert "Groups that are made later and fit get this too" in page
    assert "Save: 1 gains" in page
    assert rules(acme) == [], "a preview writes nothing"
    answer = save(olga, shown, **form)
    [made] = rules(acme)
    assert answer.headers["Location"] == f"{MAPPING}/rules/{made.id}"
    assert made.roles == (RoleInScope(ADMIN, EVERYWHERE),)
    assert acme.told()[-1] == "mapping.created"


def test_nothing_is_saved_that_was_not_shown(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    unseen = press(olga, "save", **form)
    assert "This isn’t what was counted. Not saved yet." in unseen.text
    shown = press(olga, "preview", **form)
    other = save(olga, shown, **{**form, "pattern": "*"})
    assert "This isn’t what was counted. Not saved yet." in other.text
    spoilt = save(olga, shown, **form, seen="spoilt")
    assert "Not saved yet" in spoilt.text
    assert rules(acme) == []
    assert save(olga, other, **{**form, "pattern": "*"}).status_code == 303


def test_when_the_world_moved_the_new_numbers_come_first(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    shown = press(olga, "preview", **form)
    ines = acme.world.push("ines@acme.example", name="Ines Duarte")
    acme.world.push_group("eng-web", ines)
    moved = save(olga, shown, **form)
    page = text_of(moved.text)
    assert "Something changed while you were looking. Not saved yet." in page
    assert "Ines Duarte" in page
    assert "Save: 2 gain" in page
    assert rules(acme) == []
    assert save(olga, moved, **form).status_code == 303


def test_who_has_as_much_already_is_counted_apart(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    given = RoleInScope(ADMIN, EVERYWHERE)
    give_to_member(acme.world.context, OPERATOR, "acme", acme.member_id(PRIYA), given, acme.world.now)
    page = text_of(press(olga, "preview", **form).text)
    assert "1 unchanged Another path gives them as much" in page
    assert "Save: nobody gains or loses" in page


def test_all_who_gain_are_listed_a_page_at_a_time(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    crowd = [acme.world.push(f"p{n:02}@acme.example") for n in range(55)]
    acme.world.push_group("eng-crowd", *crowd)
    shown = press(olga, "preview", **form)
    assert 'name="do" value="gains:"' in shown.text
    first = press(olga, "gains:", **form).text
    assert "p00@acme.example" in first
    assert "p54@acme.example" not in first
    after = first.partition('value="gains:')[2].partition('"')[0]
    assert "p54@acme.example" in press(olga, f"gains:{after}", **form).text


# -- Written piece by piece ------------------------------------------------------------------------------------------


def test_all_who_gain_come_as_csv(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    shown = press(olga, "preview", **form)
    assert 'name="do" value="csv"' in shown.text
    told = olga.submit(NEW, shown, do="csv", **form)
    assert told.mimetype == "text/csv"
    assert "gains,priya@acme.example,Priya Raman," in told.text
    assert press(olga, "csv", **{**form, "pattern": ""}).mimetype == "text/html"
    assert not rules(acme)


def test_roles_are_added_and_removed_without_script(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    add: dict[str, Any] = {"role": "source_read_only", "scope": "labels", "label": ["environment:prod"]}
    added = press(olga, "add", **form, **add).text
    assert added.count('name="gives"') == 2
    assert "Source Read-only" in text_of(added)
    assert "Save: 1 gains" in added, "what was counted while one wrote isn't lost by adding a role"
    two = [GIVES_ADMIN, json.dumps(["source_read_only", ["label:environment:prod"]])]
    dropped = press(olga, "drop:0", **{**form, "gives": two}).text
    assert dropped.count('name="gives"') == 1
    assert "Source Admin on" not in text_of(dropped.partition("Roles they get")[2].partition("If you save this")[0])
    assert "1 person gains Source Read-only" in text_of(dropped)


def test_a_chosen_role_counts_though_it_was_not_added(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    chosen = {**form, "gives": [], "role": "source_read_only", "scope": "labels", "label": ["environment:prod"]}
    shown = press(olga, "preview", **chosen)
    assert save(olga, shown, **chosen).status_code == 303
    assert [rule.roles for rule in rules(acme)] == [(LABELLED,)]


def test_what_is_wrong_is_said_beside_its_field(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    owner = press(olga, "preview", **{**form, "gives": [json.dumps(["workspace_owner", ["all"]])]})
    assert owner.status_code == 422
    assert "Ownership is given by a group" in owner.text
    nothing = press(olga, "preview", **{**form, "gives": []})
    assert "A rule gives at least one User Group or role." in nothing.text
    assert "Choose the group." in press(olga, "preview", **{**form, "how": "one"}).text
    assert "Choose at least one label." in press(olga, "add", **form, role="source_admin", scope="labels").text
    no_pattern = press(olga, "preview", **{**form, "pattern": ""})
    assert "A rule names its IdP groups in one way" in no_pattern.text
    assert rules(acme) == []


def test_while_one_writes_what_is_missing_is_no_fault(olga: Surfer, form: dict[str, Any]) -> None:
    live = press(olga, "live", **{**form, "gives": []})
    assert live.status_code == 200
    assert "is-invalid" not in live.text
    assert "Nothing is counted yet" in live.text
    assert "Save: 1 gains" in press(olga, "live", **form).text


def test_a_group_is_found_by_a_part_of_its_name_and_followed_by_its_id(olga: Surfer, acme: Acme) -> None:
    acme.world.push_group("marketing")
    chosen: dict[str, Any] = {
        "connection": acme.world.connection.id,
        "how": "one",
        "gives": [GIVES_ADMIN],
        "find": "mob",
    }
    found = press(olga, "find", **chosen).text
    assert f'value="{acme.eng.id}"' in found
    assert ">marketing <" not in found
    shown = press(olga, "preview", **chosen, group=acme.eng.id)
    assert save(olga, shown, **chosen, group=acme.eng.id).status_code == 303
    assert rules(acme)[0].match.kind == "id"


def test_a_rule_may_put_people_into_user_groups(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    create_user_group(acme.world.context, OPERATOR, "acme", "Data Guild", acme.world.now)
    joined = {**form, "gives": [], "user_group": ["Data Guild"]}
    shown = press(olga, "preview", **joined)
    assert save(olga, shown, **joined).status_code == 303
    assert rules(acme)[0].user_groups[0][1] == "Data Guild"


def test_spoilt_fields_are_no_fault(olga: Surfer, acme: Acme, form: dict[str, Any]) -> None:
    for odd in (
        {"gives": ["not json", "[]", "[1, 2]", '["source_admin", ["source:x", "all"]]', '["nonsense", ["all"]]']},
        {"connection": "nonsense"},
        {"how": "nonsense"},
        {"group": "nonsense", "how": "one"},
        {"user_group": ["nobody"]},
        {"role": "nonsense"},
    ):
        assert press(olga, "preview", **{**form, **odd}).status_code in (200, 404, 422), odd
    for do in ("gains:nonsense", "loses:", "drop:99", "drop:x", "", "nonsense"):
        assert press(olga, do, **form).status_code in (200, 422), do


# -- A rule that is there --------------------------------------------------------------------------------------------


@pytest.fixture
def rule(acme: Acme) -> str:
    return add_rule(acme, "glob", "eng-*", LABELLED)


def test_a_rule_is_changed_after_it_was_shown(olga: Surfer, acme: Acme, rule: str, form: dict[str, Any]) -> None:
    path = f"{MAPPING}/rules/{rule}/change"
    assert 'value="eng-*"' in olga.get(path).text
    shown = press(olga, "preview", path, **form)
    assert "Save: 1 gains<" in shown.text
    assert save(olga, shown, path, **form).status_code == 303
    [changed] = rules(acme)
    assert (changed.id, changed.roles) == (rule, (RoleInScope(ADMIN, EVERYWHERE),))


@pytest.mark.parametrize("what", ["delete", "switch"])
def test_what_takes_access_shows_it_first(olga: Surfer, acme: Acme, rule: str, what: str) -> None:
    path = f"{MAPPING}/rules/{rule}/{what}"
    shown = olga.get(path)
    assert "rule: 1 loses" in shown.text
    assert "Priya Raman" in shown.text
    unseen = olga.submit(path, shown, on="")
    assert "Look first at what it does." in unseen.text
    assert rules(acme)[0].enabled
    assert olga.submit(path, shown, **carried_by(shown)).status_code == 303
    assert [one.enabled for one in rules(acme)] == ([] if what == "delete" else [False])


def test_a_rule_is_switched_on_again_and_shows_who_gains(olga: Surfer, acme: Acme, rule: str) -> None:
    path = f"{MAPPING}/rules/{rule}/switch"
    off = olga.get(path)
    olga.submit(path, off, **carried_by(off))
    shown = olga.get(path)
    assert "Switch on rule: 1 gains" in shown.text
    stale = olga.submit(path, off, **carried_by(off))
    assert stale.status_code in (200, 303)
    assert not rules(acme)[0].enabled, "what was shown as switching off never switches on"
    assert olga.submit(path, shown, **carried_by(shown)).status_code == 303
    assert rules(acme)[0].enabled


def test_when_more_would_lose_by_now_it_is_shown_before_it_is_done(olga: Surfer, acme: Acme, rule: str) -> None:
    path = f"{MAPPING}/rules/{rule}/delete"
    shown = olga.get(path)
    acme.world.push_group("eng-web", acme.world.push("ines@acme.example", name="Ines Duarte"))
    moved = olga.submit(path, shown, **carried_by(shown))
    assert "Not saved yet" in moved.text
    assert "Delete rule: 2 lose" in moved.text
    assert len(rules(acme)) == 1


def test_all_who_lose_are_listed(olga: Surfer, acme: Acme, rule: str) -> None:
    crowd = [acme.world.push(f"p{n:02}@acme.example") for n in range(55)]
    acme.world.push_group("eng-crowd", *crowd)
    page = olga.get(f"{MAPPING}/rules/{rule}/delete?side=loses").text
    assert "All who lose" in page
    assert "p48@acme.example" in page
    assert "side=loses&amp;after=" in page
    assert olga.get(f"{MAPPING}/rules/{rule}/delete?side=nonsense&after=x").status_code == 200


def test_another_workspaces_rules_and_groups_are_not_reached(olga: Surfer, acme: Acme, other: World) -> None:
    theirs = other.push_group("theirs")
    taken: dict[str, Any] = {
        "connection": other.connection.id,
        "how": "one",
        "group": theirs.id,
        "gives": [GIVES_ADMIN],
    }
    page = press(olga, "preview", **taken)
    assert "theirs" not in text_of(page.text)
    assert list_mappings(other.context, "other") == ()


@pytest.mark.parametrize("most", [{"_MOST_ROLES": 1}, {"_MOST_WRITTEN": 60}], ids=["roles", "characters"])
def test_a_rule_that_gives_more_than_a_form_carries_is_changed_elsewhere(
    olga: Surfer, acme: Acme, form: dict[str, Any], monkeypatch: pytest.MonkeyPatch, most: dict[str, int]
) -> None:
    """Else the roles that it didn't carry would be taken with whatever else was changed."""
    rule = add_rule(acme, "glob", "eng-*", LABELLED, RoleInScope(ADMIN, EVERYWHERE))
    path = f"{MAPPING}/rules/{rule}/change"
    shown = olga.get(path)
    assert shown.text.count('name="gives"') == 2
    for name, value in most.items():
        monkeypatch.setattr(rule_form, name, value)
    refused = olga.get(path)
    assert (refused.status_code, "This rule gives 2 roles" in refused.text) == (422, True)
    both = re.findall(r'name="gives" value="([^"]*)"', shown.text)
    fields = {**form, "gives": [unescape(one) for one in both], "do": "save"}
    assert olga.submit(path, shown, **fields).status_code == 422
    assert len(rules(acme)[0].roles) == 2


@pytest.mark.parametrize("number", ["1e999", "-Infinity", "NaN", '"x"', "[]"], ids=str)
def test_what_was_seen_comes_back_with_no_number(olga: Surfer, acme: Acme, rule: str, number: str) -> None:
    path = f"{MAPPING}/rules/{rule}/delete"
    seen = f'{{"revision":{number},"digest":"x","gains":0,"loses":0,"gaining":null,"losing":null}}'
    answer = olga.submit(path, olga.get(path), seen=seen)
    assert "Look first at what it does." in answer.text
    assert len(rules(acme)) == 1


@pytest.mark.parametrize(
    "given",
    ["[" * 100_000, json.dumps(["source_admin", ["source:\ud800"]]), json.dumps(["source_admin", ["source:a\0b"]])],
    ids=["deep", "surrogate", "nul"],
)
def test_a_role_that_no_page_of_ours_carries_is_dropped(
    olga: Surfer, acme: Acme, form: dict[str, Any], given: str
) -> None:
    shown = press(olga, "preview", **{**form, "gives": [GIVES_ADMIN, given]})
    assert shown.status_code == 200
    assert "Save: 1 gains" in shown.text
    assert save(olga, shown, **form).status_code == 303
