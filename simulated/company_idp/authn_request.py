"""Sign-in requests as they arrive: read, and checked against the one service provider that is registered.

An AuthnRequest (SAML Core 3.4.1) comes deflated in a query (Bindings 3.4) or as a form field (Bindings 3.5). It says
where to answer, but the answer only ever goes to the registered address: a request that names another is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulated.company_idp.bindings import Incoming, open_post, open_redirect
from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.safe_xml import NS, POST, tag
from simulated.company_idp.service_provider import ServiceProvider


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A checked request: its id, the opaque RelayState to give back, and whether to log in even who has."""

    id: str
    relay_state: str | None = None
    force_authn: bool = False
    signed: bool = False


def read_redirect(query: str, sp: ServiceProvider, sso_url: str) -> AuthnRequest:
    """Reads the raw query of a GET. Raises SamlRequestRefused. A signature is checked if the SP has a certificate."""
    return _checked(open_redirect(query, sp), sp, sso_url)


def read_post(form: Mapping[str, str], sp: ServiceProvider, sso_url: str) -> AuthnRequest:
    """Reads the form of a POST. Raises SamlRequestRefused."""
    return _checked(open_post(form, sp), sp, sso_url)


def _checked(incoming: Incoming, sp: ServiceProvider, sso_url: str) -> AuthnRequest:
    root = incoming.root
    request_id = root.get("ID")
    if root.tag != tag("samlp:AuthnRequest") or not request_id or root.get("Version") != "2.0":
        raise SamlRequestRefused("That isn't a SAML 2.0 AuthnRequest with an ID.")
    if sp.signs_requests and not incoming.signed:
        raise SamlRequestRefused("The request isn't signed, and this service provider says that it signs its requests.")
    issuer = (root.findtext("saml:Issuer", namespaces=NS) or "").strip()
    if issuer != sp.entity_id:
        raise SamlRequestRefused(f"{issuer[:200] or 'Nobody'} isn't registered here; {sp.entity_id} is.")
    if root.get("AssertionConsumerServiceURL", sp.acs_url) != sp.acs_url:
        raise SamlRequestRefused("The request asks for an answer at another address than the one registered here.")
    if root.get("ProtocolBinding", POST) != POST:
        raise SamlRequestRefused("Answers are sent by the POST binding only.")
    if root.get("Destination", sso_url) != sso_url:
        raise SamlRequestRefused("The request was meant for another address.")
    forced = root.get("ForceAuthn") in ("true", "1")
    return AuthnRequest(request_id, incoming.relay_state, forced, incoming.signed)
