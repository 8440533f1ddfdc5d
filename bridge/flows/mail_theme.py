"""What every mail of the bridge looks like: one letter, rendered as plain text and as HTML by one pair of templates.

The HTML asks for nothing from elsewhere (no images, fonts or sheets), stands in tables with styles in place, as
Outlook needs, and turns dark where the reader does. Names come from people and from IdPs: in the HTML they are
escaped, and nowhere does one begin a new line, so that no name can add a header, a paragraph or a link.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bridge.domain.mail import Mail

#: In characters: what a reader's list of mails can show of a subject with long names in it.
LONGEST_SUBJECT = 150
FOOTER = "Sent by the bridge, by itself: nobody reads answers to this address."
#: Turn the direction of what follows, so that a text can be made to look like another (Unicode TR 36, 3.2).
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "mail_frame"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing to do: a button's text, and the address that it opens."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's words, without its look. There is at least one paragraph."""

    subject: str
    paragraphs: Sequence[str]
    action: Action | None = None


def render_mail(to: str, letter: Letter) -> Mail:
    """The letter as a mail to one address, its text and its HTML saying the same."""
    action = letter.action and Action(one_line(letter.action.text), one_line(letter.action.address))
    clean = Letter(_short(one_line(letter.subject)), tuple(map(one_line, letter.paragraphs)), action)
    return Mail(to, clean.subject, _fill("letter.txt", clean), _fill("letter.html", clean))


def one_line(text: str) -> str:
    """The text on one line, without control characters and what turns the direction of writing."""
    kept = (" " if unicodedata.category(one) in _UNPRINTABLE else one for one in text if one not in _TURNING)
    return " ".join("".join(kept).split())


def _fill(template: str, letter: Letter) -> str:
    return _templates.get_template(template).render(letter=letter, footer=FOOTER)


def _short(subject: str) -> str:
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1].rstrip()}…"


# -- What the words of mails are written with --------------------------------------------------------


def write(to: str, subject: str, paragraphs: Sequence[str], link: tuple[str, str] | None = None) -> Mail:
    """A mail of these words; `link` is the one thing to do: a button's text, and its address."""
    return render_mail(to, Letter(subject, paragraphs, Action(*link) if link else None))


def listed(phrases: Sequence[str]) -> str:
    """`one, two and three`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def date_of(moment: datetime) -> str:
    """`3 October 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def minute_of(moment: datetime) -> str:
    """`3 October 2026, 10:58 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
