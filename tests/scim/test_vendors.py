"""What each vendor sends, from files in vendor/, and what it is understood as."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from scim.filters import matches, parse_filter
from scim.patch import apply_to_user, group_changes, parse_patch
from scim.resources import parse_group, parse_user
from scim.schemas import GROUP, USER

FILES = sorted((Path(__file__).parent / "vendor").glob("*.json"))
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['what']}")
    for path in FILES
    for case in orjson.loads(path.read_bytes())["cases"]
]


def understood(case: dict[str, Any]) -> Any:
    """What a case's request comes to, in the words of its file."""
    if "user" in case:
        return parse_user(case["user"])
    if "group" in case:
        return list(parse_group(case["group"]).members)
    if "patch_user" in case:
        return apply_to_user(case["present"], parse_patch(case["patch_user"], USER))
    if "patch_group" in case:
        return [change_in_words(each) for each in group_changes(parse_patch(case["patch_group"], GROUP, "g1"))]
    return finds(case, case["finds"]) and not finds(case, case.get("not", {}))


def change_in_words(change: Any) -> list[Any]:
    (field,) = type(change).__slots__
    value = getattr(change, field)
    return [type(change).__name__, list(value) if isinstance(value, tuple) else value]


def finds(case: dict[str, Any], resource: dict[str, Any]) -> bool:
    return matches(parse_filter(case["filter"], GROUP if case.get("of") == "Group" else USER), resource)


def expected(case: dict[str, Any]) -> Any:
    return next((case[key] for key in ("document", "members", "changes") if key in case), True)


def test_every_vendor_has_its_file() -> None:
    vendors = {path.stem for path in FILES}
    assert vendors == {"entra", "google", "jumpcloud", "okta", "onelogin", "pingone", "rippling"}


@pytest.mark.parametrize("case", CASES)
def test_a_vendor_is_understood(case: dict[str, Any]) -> None:
    assert understood(case) == expected(case)
