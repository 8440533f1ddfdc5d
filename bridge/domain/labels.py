"""Labels of resources: `key:value`, one value a key on one resource (product.md 1.5)."""

import re
from dataclasses import dataclass

from bridge.domain.errors import Invalid

_PART = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """One `key:value`."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}:{self.value}"


#: Labels that every workspace has from its first moment.
BUILT_IN = (Label("environment", "dev"), Label("environment", "prod"))


LONGEST_DESCRIPTION = 250


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """A label as its owners see it: how many resources carry it, and how many grants name it."""

    label: Label
    description: str
    resources: int
    grants: int

    @property
    def built_in(self) -> bool:
        """Whether every workspace has it, always."""
        return self.label in BUILT_IN


def clean_description(text: str) -> str:
    """What a label is for, in one line; may be empty. Raises Invalid."""
    cleaned = " ".join(text.split())
    if len(cleaned) > LONGEST_DESCRIPTION or not cleaned.isprintable():
        raise Invalid(f"A description has at most {LONGEST_DESCRIPTION} printable characters.", field="description")
    return cleaned


def parse_label(text: str) -> Label:
    """`key:value` to a Label. Each part begins with a letter and holds letters, digits, hyphens."""
    key, colon, value = text.strip().partition(":")
    if not colon or not _PART.fullmatch(key) or not _PART.fullmatch(value):
        raise Invalid(
            f"{text[:80]!r} is not a label. A label is key:value; each part begins with a letter and holds "
            "letters, digits and hyphens, such as environment:prod.",
            field="label",
        )
    return Label(key, value)


def check_one_value_a_key(labels: frozenset[Label]) -> frozenset[Label]:
    """The labels, if no key has two values (no resource could carry them all). Raises Invalid."""
    keys = [label.key for label in labels]
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise Invalid(f"A label key has one value: {', '.join(doubled)} is given twice.", field="label")
    return labels
