"""What a token says, read for a log before anybody has verified it. Nothing that is read here decides anything."""

import base64
import binascii
from typing import Any

from oidc.json_text import NotJson, TooMuch, parse_object

_LARGEST = 64_000


def read(token: str) -> dict[str, dict[str, Any]]:
    """The `header` and the `claims` of a JWT, without its signature; what can't be read is left out."""
    parts = dict(zip(("header", "claims"), token.split(".")[:2], strict=False)) if len(token) <= 2 * _LARGEST else {}
    read = {name: _part(written) for name, written in parts.items()}
    return {name: members for name, members in read.items() if members is not None}


def _part(written: str) -> dict[str, Any] | None:
    try:
        octets = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
        return dict(parse_object(octets, most_bytes=_LARGEST))
    except (binascii.Error, ValueError, NotJson, TooMuch):
        return None
