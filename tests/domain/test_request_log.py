"""The request log's sentences: who did what to whom, and what followed, in plain words."""

from typing import Any

import pytest

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope
from bridge.domain.labels import parse_label
from bridge.domain.request_log import (
    Effect,
    Event,
    about_change,
    name_grant,
    take_apart,
    tell_change,
    tell_read,
    tell_refusal,
    tell_unchanged,
)
from bridge.domain.roles import get_role

TOMAS = {"name": "Tomás Herrera", "user_name": "tomas@kicks.example", "active": True}


def moved(kind: str, *names: str, count: int | None = None) -> Event:
    people = [{"id": name, "name": name} for name in names]
    after = {"group": "eng-mobile", "people": people, "count": count or len(names)}
    return Event(f"idp_group.members_{kind}", {}, after)


def event(kind: str, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> Event:
    return Event(kind, before or {}, after or {})


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([event("directory_user.created", after=TOMAS)], "Okta added Tomás Herrera."),
        (
            [event("membership.revived"), event("directory_user.created", after=TOMAS | {"active": False})],
            "Okta added Tomás Herrera, who is a member again, as inactive.",
        ),
        (
            [event("directory_user.created", after=TOMAS | {"linked": False, "email": None})],
            "Okta added Tomás Herrera, without an account since it has no email address.",
        ),
        ([event("directory_user.deactivated", TOMAS, TOMAS)], "Okta deactivated Tomás Herrera, who is out at once."),
        ([event("directory_user.deactivated", TOMAS, TOMAS | {"linked": False})], "Okta deactivated Tomás Herrera."),
        ([event("directory_user.deleted", TOMAS | {"linked": False})], "Okta deleted Tomás Herrera."),
        ([event("directory_user.reactivated", TOMAS, TOMAS)], "Okta activated Tomás Herrera again."),
        ([event("directory_user.changed", TOMAS, TOMAS)], "Okta changed details of Tomás Herrera."),
        (
            [event("directory_user.changed", TOMAS | {"email": "a", "external_id": "1"}, TOMAS)],
            "Okta changed email and external id of Tomás Herrera.",
        ),
        (
            [event("directory_user.changed", TOMAS, TOMAS | {"name": "Tom"})],
            "Okta renamed Tomás Herrera to Tom.",
        ),
        ([event("directory_user.deleted", TOMAS)], "Okta deleted Tomás Herrera, who is out for good."),
        (
            [
                event("directory_user.deleted", TOMAS),
                event("membership.revived"),
                event("directory_user.changed", TOMAS | {"linked": False}, TOMAS),
            ],
            "Okta deleted one of two records of Tomás Herrera and linked Tomás Herrera with their account, "
            "who is a member now.",
        ),
        (
            [event("idp_group.created", after={"name": "eng-mobile"}), moved("added", "Ann", "Bo")],
            "Okta made the IdP group eng-mobile and added Ann and Bo to eng-mobile.",
        ),
        (
            [event("idp_group.changed", {"name": "eng"}, {"name": "eng-mobile"}), event("user_group.renamed")],
            "Okta renamed the IdP group eng to eng-mobile.",
        ),
        (
            [event("idp_group.deleted", {"name": "eng", "members": 9, "gave": ["Source Admin on iOS Prod"]})],
            "Okta deleted the IdP group eng, which had 9 people and gave Source Admin on iOS Prod.",
        ),
        (
            [moved("removed", "Ann"), moved("added", *"ABC", count=10_000)],
            "Okta removed Ann from eng-mobile and added A, B and 9,998 more people to eng-mobile.",
        ),
        ([event("something.new")], "Okta changed something.new."),
    ],
)
def test_a_change_is_told_by_who_did_what_to_whom(events: list[Event], sentence: str) -> None:
    assert tell_change("Okta", events) == sentence


IOS = "Source Admin on iOS Prod"


@pytest.mark.parametrize(
    ("effects", "told"),
    [
        ([Effect("lose", IOS, 1, 1)], "; Source Admin on iOS Prod is lost."),
        ([Effect("gain", IOS, 1, 1), Effect("gain", "B", 1, 1)], "; Source Admin on iOS Prod and B are gained."),
        ([Effect("lose", IOS, 2, 2)], "; all 2 lose Source Admin on iOS Prod."),
        ([Effect("lose", IOS, 1, 3)], "; 1 of 3 loses Source Admin on iOS Prod."),
        ([Effect("lose", IOS, 1, 3), Effect("lose", "B", 2, 3)], "; some of them lose Source Admin on iOS Prod and B."),
        ([Effect("gain", IOS, None, 900)], "; what comes by it: Source Admin on iOS Prod."),
        ([Effect("lose", IOS, None, 0)], "; Source Admin on iOS Prod comes by it no more."),
        ([Effect("still_out", "held out by Entra", 1, 1)], "; still out: held out by Entra."),
        ([Effect("gain", name, None, 0) for name in "AB"], "; A and B come by it now."),
        ([Effect("lose", str(n), 1, 1) for n in range(5)], "; 0, 1 and 3 more roles are lost."),
    ],
)
def test_what_followed_for_access_is_told_of_a_few_then_counted(effects: list[Effect], told: str) -> None:
    assert tell_change("Okta", [moved("removed", "Ann")], effects) == f"Okta removed Ann from eng-mobile{told}"


def test_a_role_is_told_with_where_it_holds() -> None:
    admin, ios = get_role("Source Admin"), ResourceRef("source", "ios")
    assert name_grant(RoleInScope(admin, EVERYWHERE), {}) == "Source Admin on all sources"
    assert name_grant(RoleInScope(admin, Scope("list", frozenset([ios]))), {ios: "iOS Prod"}) == IOS
    labels = frozenset([parse_label("environment:prod")])
    assert name_grant(RoleInScope(admin, Scope("labels", labels=labels)), {}) == (
        "Source Admin on sources with environment:prod"
    )
    assert name_grant(RoleInScope(get_role("Identity Admin"), EVERYWHERE), {}) == "Identity Admin"


@pytest.mark.parametrize(
    ("method", "path", "found", "shown", "sentence"),
    [
        ("GET", "/Users", 312, 100, "Okta read 100 of 312 people."),
        ("GET", "/Users?startIndex=1&count=2", 0, 0, "Okta read none of 0 people."),
        ("GET", '/Users?filter=userName eq "a"', 0, 0, 'Okta looked for people with userName eq "a": found none.'),
        ("GET", "/Groups?count=1", 1, 1, "Okta read 1 of 1 IdP group."),
        ("POST", "/.search", 2, 2, "Okta read 2 of 2 people and IdP groups."),
        ("GET", "/Users/1", None, None, "Okta read Ann."),
        ("GET", "/ServiceProviderConfig", None, None, "Okta asked what the bridge supports."),
        ("GET", "/Schemas", 5, 5, "Okta asked what the bridge supports."),
    ],
)
def test_a_read_is_told_by_what_was_looked_for(
    method: str, path: str, found: int | None, shown: int | None, sentence: str
) -> None:
    assert tell_read("Okta", take_apart(method, path, "Ann"), found, shown) == sentence


@pytest.mark.parametrize(
    ("method", "path", "name", "sentence"),
    [
        ("POST", "/Users", "Ann", "Okta couldn’t add Ann: the name is taken."),
        ("POST", "/Users", "", "Okta couldn’t add a person: the name is taken."),
        ("PATCH", "/Groups/1", "eng", "Okta couldn’t change eng: the name is taken."),
        ("DELETE", "/Users/1", "", "Okta couldn’t delete a person: the name is taken."),
        ("GET", "/Users", "", "Okta couldn’t look for people: the name is taken."),
        ("POST", "/Users/.search", "", "Okta couldn’t look for people: the name is taken."),
        ("GET", "/Nowhere", "", "Okta couldn’t look for people and IdP groups: the name is taken."),
    ],
)
def test_a_refusal_is_told_with_what_was_tried_and_why_not(method: str, path: str, name: str, sentence: str) -> None:
    assert tell_refusal("Okta", take_apart(method, path, name), "the name is taken.") == sentence


def test_a_write_of_what_is_so_already_says_that_nothing_changed() -> None:
    said = tell_unchanged("Okta", take_apart("PATCH", "/Users/1", "Ann"))
    assert said == "Okta sent what the bridge knew already of Ann: nothing changed."


def test_no_sentence_grows_with_what_was_sent() -> None:
    long = "x" * 10_000
    assert len(tell_change("Okta", [event("directory_user.created", after={"name": long})])) < 200
    assert len(tell_refusal("Okta", take_apart("POST", "/Users", long), long)) < 500
    assert len(tell_read("Okta", take_apart("GET", f"/Users?filter={long}"), 0, 0)) < 300


def test_a_change_is_found_by_every_name_in_it() -> None:
    about = about_change(
        [event("directory_user.created", after=TOMAS | {"email": "T@K.example"}), moved("added", "Ann")]
    )
    assert all(word in about for word in ("tomás herrera", "tomas@kicks.example", "t@k.example", "ann", "eng-mobile"))
