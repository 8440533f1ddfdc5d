"""What the bridge's mails look like: each as a file, and what no name in one may do (product.md 1.7)."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.mail import Mail
from bridge.flows.mail_theme import LONGEST_SUBJECT, Action, Letter, one_line, render_mail
from bridge.outside.mail import FolderMailer
from tests.flows.mails import FOLDER, all_mails, sample

_EACH = all_mails()
_VOID = {"meta", "br", "img", "hr", "link"}
Make = Callable[..., Mail]


class Reader(HTMLParser):
    """Reads a mail's HTML: its elements, what they ask for, and the text that shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.shown: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are closed in the order in which they were opened"

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.shown.append(data)

    def links(self) -> list[str | None]:
        """Where it leads."""
        return [attributes.get("href") for tag, attributes in self.elements if tag == "a"]


def read(mail: Mail) -> Reader:
    assert mail.html is not None
    return Reader(mail.html)


@pytest.mark.parametrize("name", sorted(_EACH))
def test_each_mail_is_as_its_files_say(name: str) -> None:
    mail = sample(_EACH[name])
    again = "if this is meant: python -m tests.flows.mails"
    assert (FOLDER / f"{name}.txt").read_text("utf-8") == f"Subject: {mail.subject}\n\n{mail.text}", again
    assert (FOLDER / f"{name}.html").read_text("utf-8") == mail.html, again


def test_no_file_is_left_of_a_mail_that_is_gone() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(_EACH)
    assert {file.stem for file in FOLDER.glob("*.html")} == set(_EACH)


@pytest.mark.parametrize("make", _EACH.values(), ids=_EACH.keys())
def test_html_asks_for_nothing_from_elsewhere(make: Make) -> None:
    for tag, attributes in read(sample(make)).elements:
        assert tag not in ("img", "link", "script", "iframe", "object", "form", "input", "svg", "base"), tag
        assert not attributes.keys() & {"src", "background", "srcset"}
        assert not any(name.startswith("on") for name in attributes)
        assert "url(" not in (attributes.get("style") or "")


@pytest.mark.parametrize("make", _EACH.values(), ids=_EACH.keys())
def test_text_and_html_say_the_same(make: Make) -> None:
    mail = sample(make)
    shown = " ".join(" ".join(read(mail).shown).split())
    for paragraph in mail.text.split("\n\n-- \n")[0].split("\n\n"):
        words, _, address = paragraph.partition(": https://")
        assert one_line(words) in shown
        assert address in shown


NASTY = '"/><script>alert(1)</script>&amp;\r\nBcc: all@kicks.example\r\n\r\nPay here\u202egro.live\u2028x'


@pytest.mark.parametrize("make", _EACH.values(), ids=_EACH.keys())
def test_no_name_adds_a_header_a_line_or_an_element(make: Make, tmp_path: Path) -> None:
    plain, nasty = sample(make, "Ann"), sample(make, NASTY)
    assert nasty.subject.isprintable()
    assert nasty.text.count("\n") == plain.text.count("\n")
    assert [tag for tag, _ in read(nasty).elements] == [tag for tag, _ in read(plain).elements]
    assert read(nasty).links() == read(plain).links()
    assert "\u202e" not in nasty.text
    FolderMailer(tmp_path, "bridge@bridge.example").send(nasty)
    [file] = tmp_path.glob("*.eml")
    head = file.read_text("utf-8").split("\n\n")[0]
    assert not re.search(r"(?mi)^bcc:", head)


@given(name=st.text(min_size=1, max_size=300), link=st.text(max_size=80))
def test_whatever_a_name_is_the_mail_stays_one(name: str, link: str) -> None:
    mail = render_mail("a@b.example", Letter(name, (name,), Action("Open", f"https://bridge.example/{link}")))
    assert len(mail.subject) <= LONGEST_SUBJECT
    assert not re.search(r"[\r\n\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", mail.subject)
    mail.text.encode()
    assert mail.html is not None
    mail.html.encode()
    reader = read(mail)
    assert reader.open == []
    assert len(reader.links()) == 2
    assert len(mail.text.splitlines()) == 6


def test_letters_of_every_script_stay() -> None:
    name = "Łukasz 株式会社 مريم 👩‍👩‍👧 O’Neil"
    mail = render_mail("a@b.example", Letter(name, (name,)))
    assert mail.subject == name
    assert name in mail.text
    assert name in (mail.html or "")


def test_a_long_subject_is_cut_and_the_text_is_not() -> None:
    mail = render_mail("a@b.example", Letter("n" * 400, ("n" * 400,)))
    assert mail.subject == "n" * (LONGEST_SUBJECT - 1) + "…"
    assert "n" * 400 in mail.text


def test_it_turns_dark_where_the_reader_does_and_names_its_language() -> None:
    html = sample(_EACH["invitation"]).html or ""
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<html lang="en">' in html
