"""Slugs: the short names that stand in addresses."""

import re

from bridge.domain.errors import Invalid

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")


def parse_slug(text: str) -> str:
    """A workspace's slug: 1 to 63 small letters, digits and hyphens, none at its ends. Raises Invalid."""
    if not _SLUG.fullmatch(text):
        raise Invalid(
            f"{text[:80]!r} can't stand in an address. A slug has small letters, digits and hyphens, begins and "
            "ends with a letter or digit, and has at most 63 characters.",
            field="slug",
        )
    return text


def make_slug(name: str) -> str:
    """A slug from a name, as good as it gets: `iOS Prod` to `ios-prod`, and `resource` where nothing is left."""
    return _NOT_ALLOWED.sub("-", name.casefold()).strip("-")[:63].rstrip("-") or "resource"
