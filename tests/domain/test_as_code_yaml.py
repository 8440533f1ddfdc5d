"""YAML as workspaces are written in: hostile files end soon and say where, and every text comes back as it was."""

import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.as_code_yaml import LARGEST, BadFile, Fault, Fields, Items, Scalar, read_yaml, write_text, write_yaml
from tests.costs import bounded

DEEP = 400_000

HOSTILE = {
    "a bomb of aliases": (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", 1, "Anchors"),
    "an anchor alone": (b"a: &a 1", 1, "Anchors"),
    "a merge": (b"a: {b: 1}\nc:\n  <<: *a", 3, "aliases"),
    "a tag that makes objects": (b"a: !!python/object/apply:os.system [id]", 1, "Tags"),
    "a tag of its own": (b"version: 1\na: !secret x", 2, "Tags"),
    "two keys of one name": (b"a: 1\nb: 2\na: 3", 3, "there already"),
    "two keys of one name, deeper": (b"a:\n  - b: 1\n    b: 2", 3, "there already"),
    "a key that is a list": (b"? [a]\n: b", 1, "one word"),
    "lists in lists without end": (b"[" * DEEP, 1, "deeper"),
    "records in records without end": (b"{a: " * DEEP, 1, "deeper"),
    "dashes without end": (b"- " * DEEP, 1, "deeper"),
    "tabs for spaces": (b"a:\n\t- b", 2, "That is a tab"),
    "a pattern without quotation marks": (b"a: *-prod", 1, '"*-prod"'),
    "a text that begins with what YAML keeps": ("ü: ü\r\na: @b".encode(), 2, "begins with @ is"),
    "a text with a colon": (b"a: b: c", 1, "colon"),
    "a list that isn't closed": (b"a: [b", 2, "isn't YAML"),
    "a quotation that isn't closed": (b'a: "b', 1, "isn't YAML"),
    "a second document": (b"a: 1\n---\nb: 2", 2, "second document"),
    "nothing": (b"", 1, "empty"),
    "comments only": (b"# a\n", 1, "empty"),
    "a NUL": (b"a: \0", 0, "isn't YAML"),
    "no UTF-8": (b"a: 1\nb: \xff\xfe", 2, "UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), 1, "UTF-8"),
    "more than is read": (b"a: " + b"b" * LARGEST, 0, "MB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_such_file_is_refused_with_its_line_and_soon(name: str) -> None:
    body, line, words = HOSTILE[name]
    [fault] = bounded(lambda: _faults(body), 1.0)
    assert fault.line == line
    assert words in fault.text
    tracemalloc.start()
    try:
        _faults(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(body) + 2**20


def _faults(body: bytes) -> tuple[Fault, ...]:
    with pytest.raises(BadFile) as refused:
        read_yaml(body)
    return refused.value.faults


def test_scalars_are_read_as_they_are_written_and_told_apart_from_quoted_ones() -> None:
    assert read_yaml(b"a: no\nb: 'no'\nc: [1e3]\n") == Fields(
        (
            (Scalar("a", False, 1), Scalar("no", False, 1)),
            (Scalar("b", False, 2), Scalar("no", True, 2)),
            (Scalar("c", False, 3), Items((Scalar("1e3", False, 3),), 3)),
        ),
        1,
    )


#: What YAML 1.1 or 1.2, or somebody who splits lines, takes for something else.
TRICKY = (
    *("no", "Yes", "on", "y", "null", "~", "", "true", "1", "1e3", "0x1f", "1_000", ".5", ".inf", "12:30:45"),
    *(
        "2026-11-22",
        "- x",
        "? x",
        ": x",
        "a: b",
        "a #b",
        "#a",
        "[a",
        "{a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
    ),
    *(
        " a",
        "a ",
        "a\nb",
        "a\n",
        "\n",
        "\t",
        "a\tb",
        "\x85",
        "\u2028",
        "\ufeff",
        "\x7f",
        "\x1b[31m",
        "<<",
        "=",
        '"',
        "'",
    ),
    *("😀", "köln", "日本", "\u202eabc", "a\\b", "a,b", "a]", "source:orders", "label:environment:prod", "---", "..."),
)
TEXTS = st.sampled_from(TRICKY) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(TEXTS)
def test_every_text_is_written_so_that_all_readers_read_just_that(text: str) -> None:
    written = f"key: {write_text(text)}\nlist: [{write_text(text)}, b]\n"
    node = read_yaml(written.encode())
    assert isinstance(node, Fields)
    assert node.nodes[0][1] == Scalar(text, node.nodes[0][1].quoted, 1)  # type: ignore[union-attr]
    assert yaml.safe_load(written) == {"key": text, "list": [text, "b"]}


PLAIN = st.recursive(
    st.booleans() | st.none() | st.integers(-1000, 1000) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["one", "two", "three"]), PLAIN))
def test_what_is_written_is_read_the_same_by_others(plain: dict[str, object]) -> None:
    assert yaml.safe_load("\n".join(write_yaml(plain))) == (plain or None)


def test_a_certificate_is_written_as_a_block() -> None:
    assert list(write_yaml({"a": "-----BEGIN X-----\nabc\n-----END X-----\n"})) == [
        *("a: |", "  -----BEGIN X-----", "  abc", "  -----END X-----")
    ]
