"""ETags of answers about access: of which revision and question an answer is, and when time alone ends it.

A tag holds all that says whether the answer still stands, so that nothing has to be asked for a 304. The revision alone
would not do: a grant runs out without any change.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from bridge.domain.roles import ROLES

#: With another catalogue of roles the same facts give other answers.
_CATALOGUE = hashlib.blake2b(repr([(role.id, sorted(role.gives.items())) for role in ROLES]).encode(), digest_size=32)
_TAG = re.compile(r'"r([0-9]{1,18})-([0-9]{1,17})-([0-9a-f]{16})"')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: As many as anybody keeps of one question; a header could hold thousands.
_MOST_TAGS = 20


def fingerprint(path: str, token_id: str, body: bytes) -> str:
    """Which question it is, and who asks."""
    asked = b"\0".join((path.encode(), token_id.encode(), body))
    return hashlib.blake2b(asked, digest_size=8, key=_CATALOGUE.digest()).hexdigest()


@dataclass(frozen=True, slots=True)
class Tag:
    """The version of one answer. `until` is None where time alone ends none of it; `about`: to which question."""

    revision: int
    until: datetime | None
    about: str

    def render(self) -> str:
        """As ETag has it (RFC 9110 8.8.3): a strong one, since the same facts give the same octets."""
        until = 0 if self.until is None else (self.until - _EPOCH) // _MICROSECOND
        return f'"r{self.revision}-{until}-{self.about}"'


def parse_tags(header: str) -> Iterator[Tag]:
    """Those of an If-None-Match that are ours, weak ones too (RFC 9110 13.1.2). `*` is none: nobody has an answer that
    they were never given.
    """
    for found in islice(_TAG.finditer(header), _MOST_TAGS):
        revision, until, about = found.groups()
        yield Tag(int(revision), _EPOCH + int(until) * _MICROSECOND if int(until) else None, about)
