"""How the pages write times, numbers and labels, and that the vendored files are what their list says."""

import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from bridge.web.pages import filters

NOW = datetime(2025, 11, 21, 10, 58, tzinfo=UTC)
VENDOR = Path(filters.__file__).parent / "static" / "vendor"
NOT_SERVED = {"README.md", "LICENSE.htmx.txt", "LICENSE.inter.txt", "LICENSE.tabler.txt"}


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2025, 11, 21, 0, 5, tzinfo=UTC), "today 00:05"),
        (datetime(2025, 11, 20, 23, 59, tzinfo=UTC), "yesterday 23:59"),
        (datetime(2025, 11, 22, 1, 0, tzinfo=UTC), "tomorrow 01:00"),
        (datetime(2025, 10, 3, 9, 0, tzinfo=UTC), "3 Oct"),
        (datetime(2024, 10, 3, 9, 0, tzinfo=UTC), "3 Oct 2024"),
    ],
)
def test_when_names_near_days_with_the_time_and_far_ones_without(at: datetime, written: str) -> None:
    assert filters.when(at, NOW) == written


def test_times_of_other_zones_are_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert filters.when(datetime(2025, 11, 21, 8, 30, tzinfo=tokyo), NOW) == "yesterday 23:30"
    assert filters.moment(datetime(2025, 11, 21, 19, 58, tzinfo=tokyo)) == "21 Nov 2025, 10:58 UTC"


@pytest.mark.parametrize(
    ("days", "written"),
    [(0, "today 10:58"), (1, "tomorrow"), (2, "in 2 days"), (14, "in 14 days"), (15, "6 Dec"), (60, "20 Jan 2026")],
)
def test_until_counts_days_for_two_weeks_and_then_names_the_day(days: int, written: str) -> None:
    assert filters.until(NOW + timedelta(days=days), NOW) == written


def test_numbers_are_exact_and_nouns_agree() -> None:
    assert filters.number(1312) == "1,312"
    assert filters.counted(1, "person", "people") == "1 person"
    assert filters.counted(100_000, "person", "people") == "100,000 people"
    assert filters.counted(0, "member") == "0 members"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Priya Raman", "PR"),
        ("Anna Maria van der Berg", "AB"),
        ("Cher", "C"),
        ("łukasz żak", "ŁŻ"),
        ("marcus@kicks.example", "M"),
        ("", ""),
        ("???", ""),
    ],
)
def test_initials_are_one_or_two_capitals(name: str, letters: str) -> None:
    assert filters.initials(name) == letters


def test_labels_are_set_in_code_type() -> None:
    written = filters.labels_as_code("Read 6 sources, all with environment:prod.")
    assert written == "Read 6 sources, all with <code>environment:prod</code>."


@pytest.mark.parametrize("text", ["at 10:58", "https://bridge.example", "mailto:a@b", "a:b:c", "no label: here"])
def test_times_and_addresses_are_no_labels(text: str) -> None:
    assert "<code>" not in filters.labels_as_code(text)


def test_text_around_a_label_is_escaped() -> None:
    written = filters.labels_as_code("<script>x:y</script> & region:eu")
    assert written == "&lt;script&gt;<code>x:y</code>&lt;/script&gt; &amp; <code>region:eu</code>"


def test_asset_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("one")
    first = filters.asset_url(tmp_path, "/static")("a.css")
    (tmp_path / "a.css").write_text("two")
    second = filters.asset_url(tmp_path, "/static")("a.css")
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{10}", first)
    assert first != second


def test_vendored_files_are_exactly_those_listed_with_their_checksums() -> None:
    listed = dict(
        re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    found = {
        file.name: sha256(file.read_bytes()).hexdigest() for file in VENDOR.iterdir() if file.name not in NOT_SERVED
    }
    assert found == listed
