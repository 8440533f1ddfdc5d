"""What a password may be (product.md 2.8; NIST SP 800-63B 3.1.1.2): long enough, none of the common ones, and nothing
that whoever knows its person would try first. No rules of composition.
"""

import re
import unicodedata
from collections.abc import Collection

from bridge.domain.errors import Invalid

SHORTEST, LONGEST = 12, 1024
#: What everybody who sees the sign-in page would try.
_PRODUCT = ("bridge",)
#: At most four characters become one, so what is longer is too long.
_LONGEST_TYPED = 4 * LONGEST + 1
_SHORTEST_WORD = 3
#: So much of a password has to be more than its person's own names.
_LEFT = 6


def normalize(password: str) -> str:
    """The form in which a password is kept and compared, whatever keyboard it was typed on (NFKC; NIST SP 800-63B
    3.1.1.2): one sends "ä" as one character, another as an "a" and two dots. Far more than a password may have is cut
    off, since what it takes to bring marks in order grows with the square of their number.
    """
    return unicodedata.normalize("NFKC", password[:_LONGEST_TYPED])


def fold_password(password: str) -> str:
    """The form in which a password is compared with common ones: without case."""
    return password.casefold()


def check_length(password: str) -> None:
    """Raises Invalid unless it has 12 to 1,024 characters."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has at least {SHORTEST} characters, and at most {LONGEST:,}.", field="password")


def check_uncommon(password: str, common: Collection[str]) -> None:
    """Raises Invalid where it is one of these, which are folded already."""
    if fold_password(password) in common:
        raise Invalid("This password is one of those that are tried first. Choose another.", field="password")


def check_not_own(password: str, own: Collection[str]) -> None:
    """Raises Invalid where it is hardly more than its person's email or name, or the product's."""
    left = fold_password(password)
    for word in sorted(_words(own), key=len, reverse=True):
        left = left.replace(word, " ")
    if len(left) < len(password) and sum(map(str.isalnum, left)) < _LEFT:
        raise Invalid("This password is little more than your name, your email or the product’s name.", "password")


def _words(own: Collection[str]) -> set[str]:
    """The texts, what stands before and behind an address's @, and every word of them."""
    texts = [fold_password(text) for text in (*own, *_PRODUCT)]
    parts = [part for text in texts for part in (text, *text.split("@"), *re.split(r"[\W_]+", text))]
    return {part for part in parts if len(part) >= _SHORTEST_WORD}
