"""IdentityProvider: the company's side of a connection, and `parse_metadata`, which reads one from SAML
metadata."""

from dataclasses import dataclass

from saml.markup import UNSPECIFIED


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An identity provider as the bridge trusts it: all of this is configuration, nothing comes from a
    message.

    `certificates` are PEM, in the order they were given; a signature by any of them is good, and with none of
    them everybody is refused. `name_id_format` is what an AuthnRequest asks for; `UNSPECIFIED` asks for
    nothing.
    """

    entity_id: str
    sso_redirect_url: str | None
    sso_post_url: str | None
    slo_url: str | None
    certificates: tuple[str, ...]
    name_id_format: str = UNSPECIFIED
    want_requests_signed: bool = False
