"""Instants and parsing."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from saml.errors import quoted
from saml.markup import parse, parse_duration, parse_instant, render_instant, text


@pytest.mark.parametrize(
    ("written", "microsecond"),
    [
        ("2026-11-21T10:58:00Z", 0),
        ("2026-11-21T10:58:00.5Z", 500_000),
        ("2026-11-21T10:58:00.123456789+00:00", 123_456),
    ],
)
def test_an_instant_in_utc_is_read(written: str, microsecond: int) -> None:
    assert parse_instant(written) == datetime(2026, 11, 21, 10, 58, 0, microsecond, UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2026-11-21",
        "2026-11-21T10:58:00",
        "2026-11-21T10:58Z",
        "2026-11-21T10:58:00+01:00",
        "2026-11-21T10:58:60Z",
        "2026-02-30T10:58:00Z",
        "-2026-11-21T10:58:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "٢٠٢٦-11-21T10:58:00Z",
        "2026-11-21T10:58:00." + "1" * 10_000 + "Z",
    ],
)
def test_anything_else_is_none(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(written)


def test_an_instant_is_written_to_the_second() -> None:
    assert render_instant(datetime(2026, 11, 21, 10, 58, 0, 999, UTC)) == "2026-11-21T10:58:00Z"


def test_the_parser_opens_no_file_and_expands_nothing() -> None:
    root = parse(b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "yy">]><r>&x;&y;</r>')
    assert "root" not in etree.tostring(root, encoding="unicode").split("]>")[-1]
    assert text(root) == ""


def test_a_quotation_is_cut_and_printable() -> None:
    assert quoted("a\x00b\u202e" + "c" * 500) == "“a?b?" + "c" * 196 + "…”"
    assert quoted("") == quoted(None) == "nothing"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("PT6H", 6 * 3600),
        ("P1D", 86_400),
        ("P1Y2M3DT4H5M6.7S", ((365 + 60 + 3) * 24 + 4) * 3600 + 306),
        (" PT0S ", 0),
        ("PT604800S", 604_800),
    ],
)
def test_a_duration_is_read(written: str, seconds: int) -> None:
    assert parse_duration(written).total_seconds() == seconds


@pytest.mark.parametrize(
    "written", ["", "P", "PT", "P1DT", "-PT1H", "6H", "PT6", "P1H", "PT" + "9" * 400 + "S", "P1D\x00"]
)
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(written)
