"""What an event of the audit trail says, as a sentence."""

import re
from pathlib import Path
from string import Formatter

import pytest

from bridge.domain.audit_sentences import _SAYS, tell_event

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "audit-events.md").read_text()


def test_it_knows_no_event_that_there_isnt() -> None:
    assert _SAYS.keys() <= set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE, flags=re.MULTILINE))


@pytest.mark.parametrize("kind", _SAYS)
def test_details_are_named_not_numbered(kind: str) -> None:
    assert all(name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(_SAYS[kind]))


def test_who_did_what_to_whom() -> None:
    after = {"group": "eng", "count": 3, "people": [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]}
    said = tell_event("idp_group.members_added", "Okta", "G", None, after)
    assert said == "Okta put Ann, Bob and 1 more into the IdP group eng"


@pytest.mark.parametrize("count", [{}, {"count": 1_200}], ids=["all named", "counted"])
def test_of_very_many_people_three_are_named(count: dict[str, int]) -> None:
    after = {"people": [{"id": str(n), "name": f"P{n}"} for n in range(1_200)], "group": "eng", **count}
    said = tell_event("idp_group.members_added", "Okta", "G", None, after)
    assert said == "Okta put P0, P1, P2 and 1,197 more into the IdP group eng"


def test_people_without_a_count_are_all_there_are() -> None:
    said = tell_event("user_group.members_removed", "Olga", "G", None, {"people": ["a", "b"], "name": "Guild"})
    assert said == "Olga took a, b out of the User Group Guild"


def test_what_is_after_counts_over_what_was_before() -> None:
    said = tell_event("workspace.plan_set", "The operator", "W", {"plan": "team"}, {"plan": "free"})
    assert said == "The operator put the workspace on the plan free"


def test_a_list_is_written_out_and_an_empty_one_named() -> None:
    said = tell_event("idp_groups.named_at_login", "Okta", "M", None, {"came_into": ["a", "b"], "left": []})
    assert said == "Okta named other IdP groups at a sign-in: new a, b; no more none"


@pytest.mark.parametrize(
    ("kind", "after"),
    [("grant.given", None), ("grant.given", {"role": "R"}), ("grant.given", ["labels"]), ("token.revoked", {})],
    ids=["no details", "some of them", "of another shape", "of another kind"],
)
def test_of_what_it_doesnt_know_it_says_the_kind(kind: str, after: object) -> None:
    assert tell_event(kind, "Olga", "S", None, after) == f"Olga: {kind.replace('.', ' ')}"


def test_braces_in_a_name_are_left_alone() -> None:
    said = tell_event("mapping.created", "Olga {x}", "M", None, {"rule": "People in {0} groups get it"})
    assert said == "Olga {x} made the rule: People in {0} groups get it"
