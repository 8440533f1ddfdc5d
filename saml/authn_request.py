"""AuthnRequest: asking the identity provider to sign somebody in (SAML Core 3.4.1), by Redirect or by
POST."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Send the browser to `url` by GET (SAML Bindings 3.4)."""

    url: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Let the browser POST `fields` to `url` (SAML Bindings 3.5)."""

    url: str
    fields: Mapping[str, str]
