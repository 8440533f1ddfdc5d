"""ETags of resources, and what a condition says of them (RFC 7644 3.14, RFC 9110 8.8.3 and 13.1).

A version is weak and in two parts: a number, which counts the resource's own changes, and a digest of the groups that
are shown with it. Reading compares both, so that 304 hides nothing. A change compares the number alone: it cannot undo
what it does not touch.
"""

from collections.abc import Collection
from zlib import crc32

_WEAK = "W/"
_BEFORE_DIGEST = "."


def render_version(number: int, groups: Collection[tuple[str, str]] = ()) -> str:
    """The ETag of a resource that is shown with these groups, each an id and a name: W/"3", W/"3.5f0a91c2"."""
    if not groups:
        return f'{_WEAK}"{number}"'
    shown = "\n".join([f"{group_id} {name}" for group_id, name in groups])
    return f'{_WEAK}"{number}{_BEFORE_DIGEST}{crc32(shown.encode()):08x}"'


def names_version(given: str, version: str) -> bool:
    """Whether `given`, a list of ETags or `*`, names the version: compared weakly, as ours are weak."""
    return given.strip() == "*" or _opaque(version) in _tags(given)


def names_number(given: str, number: int) -> bool:
    """The same for a change: whatever groups the version was shown with."""
    return given.strip() == "*" or str(number) in {tag.partition(_BEFORE_DIGEST)[0] for tag in _tags(given)}


def _tags(given: str) -> set[str]:
    return {_opaque(tag.strip()) for tag in given.split(",")}


def _opaque(tag: str) -> str:
    return tag.removeprefix(_WEAK).strip('"')
