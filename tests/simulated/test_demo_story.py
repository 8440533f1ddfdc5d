"""The demo's files tell the numbers that the pages show (counted here, never copied from one file to another)."""

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "config" / "demo"


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEMO / name).read_text(encoding="utf-8"))
    return loaded


WORKSPACE, KICKS, NORD = read("workspace.json"), read("company_idp.json"), read("studio_nord_idp.json")
COMPANIES = {"okta": KICKS, "entra": NORD}


def pushed(company: dict[str, Any]) -> list[dict[str, Any]]:
    return [person for person in company["people"] if person.get("provisioned", True)]


def in_groups(company: dict[str, Any], pattern: str) -> set[str]:
    return {p["email"] for p in pushed(company) if any(fnmatchcase(group, pattern) for group in p["groups"])}


def reached_by(rule: dict[str, Any]) -> set[str]:
    return in_groups(COMPANIES[rule["connection"]], rule.get("group") or rule["pattern"])


def members_by_hand(name: str) -> set[str]:
    return next(set(group["members"]) for group in WORKSPACE["user_groups"] if group["name"] == name)


RULES = {rule["number"]: rule for rule in WORKSPACE["rules"]}
EVERYBODY = {p["email"] for company in COMPANIES.values() for p in pushed(company)}
EVERYBODY |= {first["email"] for first in WORKSPACE["first_sign_ins"]} | {WORKSPACE["owner"]["email"]}


def test_312_people_and_6_invited() -> None:
    assert len(EVERYBODY) == 312
    assert len({invite["email"] for invite in WORKSPACE["invitations"]} - EVERYBODY) == 6


@pytest.mark.parametrize(
    ("number", "people"),
    [(1, 48), (2, 54), (3, 31), (4, 64), (5, 12), (6, 27), (7, 3), (8, 14), (9, 0), (10, 9)],
)
def test_a_rule_reaches_as_many_as_its_page_says(number: int, people: int) -> None:
    assert len(reached_by(RULES[number])) == people


def test_okta_pushes_21_groups_and_entra_2() -> None:
    assert (len(KICKS["groups"]), len(NORD["groups"])) == (21, 2)
    for company in COMPANIES.values():
        assert {g for p in company["people"] for g in p["groups"]} == {g["name"] for g in company["groups"]}


def test_15_groups_give_nothing_and_23_user_groups_result() -> None:
    names = {(key, group["name"]) for key, company in COMPANIES.items() for group in company["groups"]}
    on = [rule for rule in WORKSPACE["rules"] if rule.get("enabled", True)]
    ruled = {
        (key, name)
        for key, name in names
        for rule in on
        if rule["connection"] == key and fnmatchcase(name, rule.get("group") or rule["pattern"])
    }
    assert len(names - ruled) == 15
    assert len(names - ruled) + len(WORKSPACE["user_groups"]) == 23
    linked = {(rule["connection"], rule.get("group")) for rule in on if rule.get("user_groups")}
    assert ruled - linked == {(row["connection"], row["group"]) for row in WORKSPACE["not_mirrored"]}


def test_rules_reach_188_and_nobody_reaches_124() -> None:
    reached = set().union(*(reached_by(rule) for rule in RULES.values() if rule.get("enabled", True)))
    assert (len(reached), len(EVERYBODY - reached)) == (188, 124)


def test_four_owners_three_by_a_rule() -> None:
    owners = reached_by(RULES[7])
    assert "mei.tanaka@kicks.example" in owners
    assert len(owners | {WORKSPACE["owner"]["email"]}) == 4


def test_rule_2_by_eng_pattern_gains_23_loses_4_keeps_56() -> None:
    before, after = in_groups(KICKS, "*-prod"), in_groups(KICKS, "eng-*")
    have_more, have_same = members_by_hand("On-call"), in_groups(KICKS, "analytics-eu")
    gain, lose = after - before - have_more - have_same, before - after - have_same - have_more
    assert (len(after), len(gain), len(lose), len((before | after) - gain - lose)) == (77, 23, 4, 56)
    assert {"tomas.herrera@kicks.example", "nia.okafor@kicks.example", "zoe.martin@kicks.example"} <= gain
    assert {"ravi.menon@kicks.example", "elif.kaya@kicks.example"} <= lose
    assert len((after - before) & have_more) == 6
    assert len((before - after) & have_same) == 2
    assert len(EVERYBODY - before - after) == 229


def test_leaving_okta_takes_mobile_engineering_from_29_31_and_30() -> None:
    mobile = in_groups(KICKS, "eng-mobile")
    assert len(mobile - members_by_hand("On-call")) == 29
    assert mobile & members_by_hand("Data Guild") == {"priya.raman@kicks.example"}
    assert not mobile & in_groups(KICKS, "analytics-eu")
    assert len(members_by_hand("On-call")) == 7


def test_roles_reach_as_many_as_the_picture_draws() -> None:
    prod, data, mobile = (in_groups(KICKS, name) for name in ("eng-prod", "data-prod", "eng-mobile"))
    web, analytics, marketing = (in_groups(KICKS, name) for name in ("eng-web", "analytics-eu", "marketing"))
    assert len(prod | mobile | web) == 77, "Source Admin"
    assert len(prod | data | analytics) == 79, "Source Read-only"
    assert len(mobile | analytics) == 58, "Warehouse Read-only"
    assert len(marketing | in_groups(NORD, "agency-campaigns")) == 78, "Unify Read-only + Engage User"


def test_priya_is_in_two_groups_and_everyone() -> None:
    priya = next(p for p in KICKS["people"] if p["email"] == "priya.raman@kicks.example")
    assert sorted(priya["groups"]) == ["eng-mobile", "eng-prod", "everyone"]


def test_resources_are_as_many_as_the_pages_count() -> None:
    kinds = [row["type"] for row in WORKSPACE["resources"]]
    assert [kinds.count(kind) for kind in ("source", "warehouse", "tracking_plan")] == [11, 2, 3]
    prod = [row for row in WORKSPACE["resources"] if "environment:prod" in row["labels"]]
    assert sum(row["type"] == "source" for row in prod) == 6


def test_everything_named_exists() -> None:
    targets = {f"{row['type']}:{row['name']}" for row in WORKSPACE["resources"]}
    targets |= {f"label:{label}" for label in WORKSPACE["labels"]} | {"all"}
    rows = [row for kind in ("user_groups", "rules", "invitations", "api_tokens") for row in WORKSPACE[kind]]
    gives = [given for row in rows for given in row.get("gives", ())]
    gives += WORKSPACE["grants"] + WORKSPACE["access_requests"]
    assert {target for given in gives for target in given["on"]} <= targets
    named = {group["name"] for group in WORKSPACE["user_groups"]}
    assert {name for row in rows for name in row.get("user_groups", ())} <= named
    people = {row["member"] for row in WORKSPACE["grants"] + WORKSPACE["access_requests"]}
    people |= {email for group in WORKSPACE["user_groups"] for email in group.get("members", ())}
    assert people <= EVERYBODY


def test_nobody_is_twice_in_a_company() -> None:
    for company in COMPANIES.values():
        for key in ("id", "email"):
            assert len({p[key] for p in company["people"]}) == len(company["people"])
        assert all(p["email"].endswith("@" + company["domain"]) for p in company["people"])


def test_the_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    (tmp_path / "make_people.py").write_bytes((DEMO / "make_people.py").read_bytes())
    subprocess.run([sys.executable, str(tmp_path / "make_people.py")], check=True, timeout=60)
    for name in ("company_idp.json", "studio_nord_idp.json"):
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes()
