"""Assertion: what a verified response says. Only `saml.response.validate` makes one.

Whoever holds an `Assertion` holds proof: its signature, its addressee and its times were checked. So that
this can't be got round by accident, the constructor asks for a seal that only `validate` holds: a call
without it, or `dataclasses.replace`, raises `TypeError` or `ValueError`. (Python can't stop somebody who
means to; a test holds that no other module of the repository names the seal.) Tests that need one sign a
response with `tests.saml.idp` and validate it.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final

SEAL: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A verified SAML 2.0 assertion of the Web Browser SSO Profile (SAML Profiles 4.1.4.2). All instants are
    aware, in UTC.

    `in_response_to` is the ID of the AuthnRequest that it answers, None if it was unsolicited: the flow still
    has to find that request among the pending ones of this browser and connection. `not_on_or_after` is until
    when, clock skew included, `id` must be remembered so that the assertion isn't taken twice.
    """

    id: str
    issued_at: datetime
    response_id: str
    issuer: str
    name_id: str
    name_id_format: str
    name_qualifier: str | None
    sp_name_qualifier: str | None
    session_index: str | None
    session_not_on_or_after: datetime | None
    authn_instant: datetime
    authn_context: str | None
    in_response_to: str | None
    not_on_or_after: datetime
    attributes: Mapping[str, tuple[str, ...]]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise TypeError("only saml.response.validate makes an Assertion")
