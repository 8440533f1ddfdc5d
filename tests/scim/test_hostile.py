"""Input meant to hurt: each is refused, or done, within a second, and nothing but a ScimError comes out.

RFC 7644 7.7 and properties 14 and 18: what can't be applied is refused, and no input takes the server down.
"""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest

from scim.errors import ScimError
from scim.filters import matches, parse_filter, parse_path
from scim.group_changes import group_changes
from scim.messages import parse_body, parse_query, parse_search
from scim.patch import MAX_USER_EFFORT, apply_to_user, parse_patch
from scim.resources import MAX_DOCUMENT, parse_group, parse_user, select_attributes
from scim.schemas import GROUP, USER
from scim.values import MAX_VALUES
from tests.costs import bounded

SECONDS = 1.0
MEBIBYTES = 50

CROWD = {"userName": "a", "emails": [{"value": f"{i}@x.org", "type": "work"} for i in range(MAX_VALUES)]}
LONG_TEXT = {"userName": "a", "emails": [{"value": "a@x.org", "display": "x" * (MAX_DOCUMENT - 100)}]}

SAME = " or ".join(['value eq "a"'] * 200)


def patch_crowd(*operations: dict[str, Any], document: dict[str, Any] = CROWD) -> None:
    apply_to_user(document, parse_patch({"Operations": list(operations)}, USER))


def misses(count: int) -> str:
    return " or ".join(f'value co "{i}@y"' for i in range(count))


def deep(n: int) -> str:
    return "(" * 48 + f'value eq "{n}"' + ")" * 48


def certified(text: str) -> dict[str, Any]:
    return {"userName": "a", "x509Certificates": [{"value": text}]}


HOSTILE: dict[str, Callable[[], object]] = {
    "a filter of 100,000 characters": lambda: parse_filter('userName eq "' + "x" * 100_000 + '"', USER),
    "10,000 brackets": lambda: parse_filter("(" * 10_000, USER),
    "10,000 square brackets": lambda: parse_filter("emails[" * 10_000, USER),
    "4,000 brackets that fit": lambda: parse_filter("(" * 4_000 + ")" * 4_000, USER),
    "many nots": lambda: parse_filter("not (" * 1_600, USER),
    "many terms": lambda: parse_filter(" or ".join(["id pr"] * 900), USER),
    "an open string of backslashes": lambda: parse_filter('userName eq "' + "\\" * 8_000, USER),
    "many quotes": lambda: parse_filter('"' * 8_000, USER),
    "a long number": lambda: parse_filter("userName eq " + "9" * 8_000, USER),
    "nothing but spaces": lambda: parse_filter(" " * 8_192, USER),
    "a long name": lambda: parse_filter("a" * 8_000 + " pr", USER),
    "a name of dots": lambda: parse_filter("a" + "." * 8_000, USER),
    "a name of colons": lambda: parse_filter("urn" + ":" * 8_000 + " pr", USER),
    "a long path": lambda: parse_path("emails[" + "(" * 100_000, USER),
    "a long path without brackets": lambda: parse_path("a.b:" * 100_000, USER),
    "a filter over many values": lambda: matches(parse_filter(misses(200), USER), CROWD),
    "a deep body": lambda: parse_body(b"[" * 1_000_000),
    "a deep object": lambda: parse_body(b'{"a":' * 500_000 + b"1" + b"}" * 500_000),
    "a wide body": lambda: parse_user(parse_body(orjson.dumps({f"k{i}": i for i in range(100_000)}))),
    "100,000 emails": lambda: parse_user({"userName": "a", "emails": [{"value": f"{i}"} for i in range(100_000)]}),
    "a name of 10 MB": lambda: parse_user({"userName": "a" * 10_000_000}),
    "a certificate of spaces": lambda: parse_user(certified(" " * 1_000_000 + "!")),
    "a certificate of spaces after its end": lambda: parse_user(certified("AA==" + " " * 1_000_000 + "!")),
    "a certificate of almost nothing but letters": lambda: parse_user(certified("A" * 1_000_000 + "!")),
    "100,000 members": lambda: parse_group(
        {"displayName": "g", "members": [{"value": f"{i}"} for i in range(100_000)]}
    ),
    "100,000 operations": lambda: patch_crowd(*[{"op": "replace", "path": "title", "value": "x"}] * 100_000),
    "as many filters as allowed": lambda: patch_crowd(
        *[{"op": "remove", "path": f"emails[{misses(100)}]"}] * (MAX_USER_EFFORT // 101)
    ),
    "as many changes of all values as allowed": lambda: patch_crowd(
        *[{"op": "replace", "path": "emails.display", "value": "x"}] * MAX_USER_EFFORT
    ),
    "as many values to remove as allowed": lambda: patch_crowd(
        {"op": "remove", "path": "emails", "value": [{"value": f"q{i}"} for i in range(MAX_VALUES)]}
    ),
    "as many values to add as allowed": lambda: patch_crowd(
        {"op": "remove", "path": "emails"}, {"op": "add", "path": "emails", "value": CROWD["emails"]}
    ),
    "long values, added in another case": lambda: patch_crowd(
        {"op": "add", "path": "phoneNumbers", "value": [{"value": "É" * 900 + f"{n}"} for n in range(125)]},
        document={"userName": "a", "phoneNumbers": [{"value": "é" * 900 + f"{n}"} for n in range(125)]},
    ),
    "a filter over a long text": lambda: patch_crowd(
        *[{"op": "remove", "path": 'emails[display co "yy"]'}] * (MAX_USER_EFFORT // 2), document=LONG_TEXT
    ),
    "a member chosen 200 times": lambda: group_changes(
        parse_patch({"Operations": [{"op": "remove", "path": f"members[{SAME}]"}]}, GROUP)
    ),
    "10,000 members, one by one": lambda: group_changes(
        parse_patch(
            {"Operations": [{"op": "remove", "path": f'members[value eq "{i}"]'} for i in range(10_000)]}, GROUP
        )
    ),
    "10,000 deep paths": lambda: parse_patch(
        {"Operations": [{"op": "remove", "path": f"members[{deep(n)}]"} for n in range(10_000)]}, GROUP
    ),
    "2,800 long paths": lambda: parse_patch(
        {"Operations": [{"op": "remove", "path": f'members[{misses(150)} or value eq "{n}"]'} for n in range(2_800)]},
        GROUP,
    ),
    "100,000 paths as keys": lambda: parse_patch(
        {"Operations": [{"op": "add", "value": {f"emails[{deep(n)}].display": "x" for n in range(100_000)}}]}, USER
    ),
    "100,000 attributes asked for": lambda: parse_search({"attributes": ["emails.value"] * 100_000}),
    "as many attributes as allowed": lambda: select_attributes(CROWD, ("emails.value",) * 200, (), USER),
    "attributes, 10,000 times": lambda: parse_query([("attributes", "title")] * 5_000 + [("attributes", "x")] * 5_000),
    "a list of attributes of 1 MB": lambda: parse_query([("attributes", "," * 1_000_000)]),
    "a start past all integers": lambda: parse_query([("startIndex", "9" * 1_000_000)]),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_it_costs_less_than_a_second(attack: str) -> None:
    def work() -> None:
        with suppress(ScimError):
            HOSTILE[attack]()

    bounded(work, SECONDS)


@pytest.mark.parametrize(
    "attack", ["10,000 brackets", "100,000 operations", "a deep body", "a deep object", "many terms"]
)
def test_it_costs_little_memory(attack: str) -> None:
    tracemalloc.start()
    with suppress(ScimError):
        HOSTILE[attack]()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEBIBYTES * 2**20


def test_nothing_long_is_remembered() -> None:
    """What is remembered of a text that was asked for is short: a token's holder can't fill the memory by asking."""
    tracemalloc.start()
    for n in range(300):
        with suppress(ScimError):
            asked = parse_search({"attributes": [f"{n}-{i}-" + "x" * 2_000 for i in range(200)]})
            select_attributes({}, asked.attributes, (), USER)
        with suppress(ScimError):
            parse_filter(f'userName eq "{n}' + "x" * 8_000 + '"', USER)
        with suppress(ScimError):
            parse_path(f'emails[value eq "{n}' + "x" * 8_000 + '"]', USER)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10 * 2**20


def test_after_all_of_it_the_next_good_request_works() -> None:
    for attack in HOSTILE.values():
        with suppress(ScimError):
            attack()
    assert matches(parse_filter('userName eq "A"', USER), parse_user({"userName": "a"}))
