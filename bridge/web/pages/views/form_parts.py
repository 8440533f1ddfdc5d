"""Parts of forms."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Field:
    """One line or block of text to fill in. `error` says what is wrong and what to do."""

    name: str
    label: str
    value: str = ""
    kind: Literal["text", "email", "password", "search", "textarea", "url", "number", "date"] = "text"
    help: str | None = None
    error: str | None = None
    required: bool = True
    autocomplete: str = "off"
    placeholder: str | None = None
    suggestions: tuple[str, ...] = ()
    depends: bool = False
    """Needed or not by what else is chosen: so neither required by the browser nor called optional."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `unavailable` is the reason why it can't be chosen here."""

    value: str
    text: str
    selected: bool = False
    help: str | None = None
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One field with options: a select in filters and short forms, radio buttons or checkboxes elsewhere."""

    name: str
    label: str
    options: tuple[Option, ...]
    help: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Options under a heading, e.g. the sources, or the roles of one area."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ScopePicker:
    """Where a role applies. Posts `scope` (all, listed, labels), and any number of `resource` and `label`."""

    chosen: Literal["all", "listed", "labels"] = "all"
    all_text: str = "Everything of its kind, now and in future"
    resources: tuple[OptionGroup, ...] = ()
    labels: tuple[Option, ...] = ()
    error: str | None = None
