"""ETags and conditions (RFC 7644 3.14, RFC 9110 13.1)."""

import pytest

from scim.versions import names_number, names_version, render_version

GROUPS = [("g1", "Engineering"), ("g2", "Ops")]


def test_a_version_is_a_weak_etag_that_counts_changes() -> None:
    assert render_version(3) == 'W/"3"'
    assert render_version(3, GROUPS).startswith('W/"3.')


def test_every_difference_in_the_groups_shown_is_another_version() -> None:
    others = [[], GROUPS[:1], GROUPS[1:], [("g1", "Engineers"), GROUPS[1]], [("g3", "Engineering"), GROUPS[1]]]
    assert len({render_version(3, groups) for groups in [GROUPS, *others]}) == 6


@pytest.mark.parametrize("given", ["*", " * ", 'W/"3"', '"3"', 'W/"2", W/"3"', '"x","3"'])
def test_any_of_a_list_or_a_star_names_a_version(given: str) -> None:
    assert names_version(given, 'W/"3"')
    assert names_number(given, 3)


@pytest.mark.parametrize("given", ["", 'W/"4"', 'W/"33"', 'W/"3', "3.", 'W/""'])
def test_nothing_else_does(given: str) -> None:
    assert not names_version(given, 'W/"30"')
    assert not names_number(given, 30)


def test_a_change_is_not_held_up_by_the_groups_it_does_not_touch() -> None:
    assert names_number(render_version(3, GROUPS), 3)
    assert not names_number(render_version(4, GROUPS), 3)
    assert not names_version(render_version(3, GROUPS), render_version(3))
