"""Bodies, media types, queries and paging (RFC 7644 3.1, 3.4.2, 3.4.3)."""

from collections.abc import Mapping
from typing import Any

import pytest

from scim.errors import (
    InvalidCount,
    InvalidCursor,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    UnsupportedMediaType,
)
from scim.messages import (
    SEARCH_REQUEST_SCHEMA,
    ListResponse,
    Paging,
    SearchQuery,
    check_media_type,
    named,
    parse_body,
    parse_paging,
    parse_query,
    parse_search,
    parse_selection,
)
from scim.schemas import GROUP, USER
from scim.sorting import Order

# -- Bodies ------------------------------------------------------------------------------------------------------


def test_a_body_is_a_json_object() -> None:
    assert parse_body(b'{"userName": "Bj\\u00f8rn \xf0\x9f\x90\x9d"}') == {"userName": "Bjørn 🐝"}


def test_a_key_given_twice_keeps_its_last_value() -> None:
    assert parse_body(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"5",
        b"{",
        b'{"a":}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":1}x',
        b"\xff\xfe{}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\n"}',
        b"\x00",
        b"<xml/>",
        b'{"a":01}',
    ],
)
def test_what_is_no_json_object_is_invalid_syntax(body: bytes) -> None:
    with pytest.raises(InvalidSyntax):
        parse_body(body)


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_invalid_syntax(depth: int, opening: bytes, closing: bytes) -> None:
    with pytest.raises(InvalidSyntax):
        parse_body(b'{"a":' + opening * depth + b"1" + closing * depth + b"}")


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_body(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "application/scim+json",
        "application/scim+json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        " application/json ",
    ],
)
def test_json_in_either_name_is_taken(content_type: str | None) -> None:
    check_media_type(content_type)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])
def test_any_other_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        check_media_type(content_type)


def test_the_exact_spelling_of_a_name_wins() -> None:
    assert named({"OPERATIONS": 1, "Operations": 2}, "Operations") == 2
    assert named({"operations": 1}, "Operations") == 1
    assert named({}, "Operations") is None


# -- Lists and paging --------------------------------------------------------------------------------------------


def test_an_empty_list_has_its_resources() -> None:
    assert ListResponse([], 0).render() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


def test_a_page_says_how_many_it_holds() -> None:
    rendered = ListResponse([{"id": "7"}, {"id": "8"}], 9, 7).render()
    assert (rendered["totalResults"], rendered["startIndex"], rendered["itemsPerPage"]) == (9, 7, 2)


@pytest.mark.parametrize(
    ("start", "count", "page"),
    [
        (None, None, Paging(1, 100)),
        ("", "", Paging(1, 100)),
        ("1", "2", Paging(1, 2)),
        (3, 4, Paging(3, 4)),
        ("0", "10", Paging(1, 10)),
        ("-5", "10", Paging(1, 10)),
        ("2", "-1", Paging(2, 0)),
        ("2", "0", Paging(2, 0)),
        (" 2 ", "+3", Paging(2, 3)),
        ("1", "5000", Paging(1, 1000)),
        ("999999999999999999", "1", Paging(2**53, 1)),
        ("9" * 400, "9" * 400, Paging(2**53, 1000)),
        ("-" + "9" * 300, "-" + "9" * 300, Paging(1, 0)),
        (2**63, -(2**63), Paging(2**53, 0)),
    ],
)
def test_paging_is_bent_into_range(start: object, count: object, page: Paging) -> None:
    assert parse_paging(start, count) == page


@pytest.mark.parametrize("given", ["x", "1.5", "1e3", "0x1", "٣", "9" * 5_000, 1.5, True, [], {}, "1 2", "--1"])
def test_what_is_no_integer_is_refused(given: object) -> None:
    with pytest.raises(InvalidValue):
        parse_paging(given, None)
    with pytest.raises(InvalidValue):
        parse_paging(None, given)


def test_the_offset_counts_what_comes_before() -> None:
    assert (Paging(1, 10).offset, Paging(11, 10).offset) == (0, 10)


# -- Queries -----------------------------------------------------------------------------------------------------

QUERY = {
    "filter": 'userName eq "bob"',
    "attributes": "userName, name.givenName,",
    "sortBy": "userName",
    "sortOrder": "Descending",
    "startIndex": "3",
    "count": "7",
}
SEARCH = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
    **QUERY,
    "attributes": ["userName", "name.givenName"],
    "startIndex": 3,
    "count": 7,
}
WANTED = SearchQuery('userName eq "bob"', ("userName", "name.givenName"), (), "userName", True, Paging(3, 7))


def queried(arguments: Mapping[str, str]) -> SearchQuery:
    return parse_query(arguments.items())


def test_a_url_and_a_search_body_ask_the_same() -> None:
    assert queried(QUERY) == parse_search(SEARCH) == WANTED


def test_an_empty_query_asks_for_the_first_page_of_all() -> None:
    assert queried({}) == parse_search({}) == SearchQuery()


def test_blank_and_unknown_parameters_say_nothing() -> None:
    blank = {"filter": " ", "sortBy": "", "attributes": ",", "aadOptscim062020": "", "": "", "count": ""}
    assert queried(blank) == SearchQuery()


def test_parameter_names_have_any_case() -> None:
    assert queried({"startindex": "2", "COUNT": "3", "excludedattributes": "members"}) == SearchQuery(
        excluded_attributes=("members",), paging=Paging(2, 3)
    )


@pytest.mark.parametrize("name", ["filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"])
def test_what_is_given_twice_is_refused_where_it_differs(name: str) -> None:
    """One of two filters dropped would find those whom the other leaves out."""
    with pytest.raises(InvalidValue, match="twice"):
        parse_query([(name, "1"), (name.upper(), "2")])
    with pytest.raises(InvalidValue, match="twice"):
        parse_search({name: "1", name.upper(): "2"})
    assert parse_query([("count", "1"), ("COUNT", "1"), ("x", "1"), ("x", "2")]) == queried({"count": "1"})


def test_a_list_of_attributes_may_come_in_parts() -> None:
    assert parse_query([("attributes", "a,b"), ("Attributes", "c")]).attributes == ("a", "b", "c")
    assert parse_selection([("filter", "1"), ("filter", "2"), ("attributes", "a"), ("attributes", "b")]) == (
        ("a", "b"),
        (),
    )


@pytest.mark.parametrize(
    "body",
    [
        {"filter": 5},
        {"attributes": 5},
        {"attributes": [5]},
        {"attributes": ["userName"] * 201},
        {"attributes": ["x" * 251]},
        {"attributes": ["userName"], "Attributes": ["title"]},
        {"attributes": {"a": "b"}},
        {"attributes": ["userName"], "excludedAttributes": ["emails"]},
        {"sortBy": ["userName"]},
        {"sortBy": "userName", "sortOrder": "upwards"},
        {"count": "many"},
        {"startIndex": None, "count": 2.5},
    ],
)
def test_a_parameter_of_the_wrong_form_is_an_invalid_value(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        parse_search(body)


def test_another_message_is_no_search() -> None:
    with pytest.raises(InvalidSyntax):
        parse_search({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]})


@pytest.mark.parametrize("urns", [[], [SEARCH_REQUEST_SCHEMA.upper()], ["urn:scim:schemas:core:1.0"]])
def test_a_search_is_known_by_where_it_is_sent(urns: list[str]) -> None:
    assert parse_search({"schemas": urns, "count": 3}) == SearchQuery(paging=Paging(1, 3))


@pytest.mark.parametrize("cursor", ["", "VZUTiyhEQJ94IR"])
def test_a_cursor_with_and_without_a_value_asks_for_a_walk(cursor: str) -> None:
    in_url = queried({"Cursor": cursor, "count": "10"})
    assert (in_url.cursor, in_url.paging) == (cursor, Paging(1, 10))
    assert parse_search({"cursor": cursor, "count": 10}) == in_url


def test_without_a_cursor_pages_are_by_index() -> None:
    assert queried({}).cursor is None
    assert parse_search({"cursor": None}).cursor is None


@pytest.mark.parametrize("cursor", [5, True, ["x"], {}])
def test_a_cursor_that_is_no_string_is_refused(cursor: object) -> None:
    with pytest.raises(InvalidCursor):
        parse_search({"cursor": cursor})


@pytest.mark.parametrize("count", ["x", 1.5, True, []])
def test_a_count_that_is_no_integer_is_invalid_count_in_a_walk(count: object) -> None:
    with pytest.raises(InvalidCount):
        parse_search({"cursor": "", "count": count})


@pytest.mark.parametrize(("count", "page"), [("-1", 0), ("0", 0), ("5000", 1000)])
def test_a_count_in_a_walk_is_bent_into_range(count: str, page: int) -> None:
    assert queried({"cursor": "", "count": count}).paging.count == page


def test_start_index_and_cursor_are_not_both() -> None:
    with pytest.raises(InvalidValue):
        queried({"cursor": "", "startIndex": "1"})


def test_everything_but_cursor_and_count_is_in_the_fingerprint() -> None:
    base = {"filter": "id pr", "attributes": "id", "sortBy": "id", "sortOrder": "ascending"}
    prints = {queried(base | {"cursor": each, "count": each or "1"}).fingerprint for each in ("", "7")}
    assert len(prints) == 1
    for name, other in (("filter", "id eq 1"), ("attributes", "meta"), ("sortBy", "meta"), ("sortOrder", "descending")):
        assert queried(base | {name: other}).fingerprint not in prints
    assert queried({"excludedAttributes": "id"}).fingerprint != queried({"attributes": "id"}).fingerprint


def path_of(order: Order | None) -> str:
    assert order is not None
    return str(order.path)


def test_a_sort_key_is_resolved_in_each_type() -> None:
    by_name = SearchQuery(sort_by="DISPLAYNAME")
    assert path_of(by_name.order(USER)) == path_of(by_name.order(GROUP)) == "displayName"
    assert SearchQuery().order(USER) is None


def test_a_complex_attribute_sorts_by_its_value() -> None:
    assert path_of(SearchQuery(sort_by="emails").order(USER)) == "emails.value"


@pytest.mark.parametrize("name", ["name", "addresses", "password", "nothing", "meta", "emails.x", ""])
def test_what_has_no_order_is_an_invalid_path(name: str) -> None:
    with pytest.raises(InvalidPath):
        SearchQuery(sort_by=name).order(USER)
