"""Single logout (SAML Profiles 4.4): the service provider's requests and answers, read; and our own, made.

All of them are signed: one that isn't is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from simulated.company_idp.bindings import Incoming
from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.safe_xml import NS, tag
from simulated.company_idp.saml_response import IdentityProvider, add, set_attributes, written_time
from simulated.company_idp.service_provider import ServiceProvider

LIFETIME = timedelta(minutes=5)
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True, slots=True)
class NamedSession:
    """A session at the service provider, as our assertion named it."""

    name_id: str
    name_id_format: str
    session_index: str


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked request: end this person's sessions, only those that `session_indexes` names where it names any."""

    id: str
    name_id: str
    session_indexes: tuple[str, ...]
    relay_state: str | None


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """A checked answer to a request of ours. `done`: everybody was signed out there."""

    in_response_to: str
    done: bool


def read(incoming: Incoming, sp: ServiceProvider, slo_url: str) -> LogoutRequest | LogoutResponse:
    """What arrived at `slo_url`. Raises SamlRequestRefused."""
    root = incoming.root
    message_id = root.get("ID")
    if root.tag not in (tag("samlp:LogoutRequest"), tag("samlp:LogoutResponse")) or not message_id:
        raise SamlRequestRefused("That is neither a LogoutRequest nor a LogoutResponse.")
    if not incoming.signed:
        raise SamlRequestRefused("The logout message isn't signed.")
    if (root.findtext("saml:Issuer", namespaces=NS) or "").strip() != sp.entity_id:
        raise SamlRequestRefused(f"The logout message isn't from {sp.entity_id}, which is registered here.")
    if root.get("Destination") != slo_url:
        raise SamlRequestRefused("The logout message was meant for another address.")
    if root.tag == tag("samlp:LogoutResponse"):
        codes = [code.get("Value") for code in root.iter(tag("samlp:StatusCode"))]
        return LogoutResponse(root.get("InResponseTo", ""), codes == [_SUCCESS])
    name_id = (root.findtext("saml:NameID", namespaces=NS) or "").strip()
    indexes = tuple((one.text or "").strip() for one in root.findall("samlp:SessionIndex", NS))
    return LogoutRequest(message_id, name_id, indexes, incoming.relay_state)


def render_request(
    named: Sequence[NamedSession], idp: IdentityProvider, sp: ServiceProvider, now: datetime, message_id: str
) -> bytes:
    """A LogoutRequest for the sessions of one person at the service provider."""
    root = _message("samlp:LogoutRequest", idp, sp, now, message_id)
    set_attributes(root, NotOnOrAfter=written_time(now + LIFETIME))
    add(root, "saml:NameID", named[0].name_id, Format=named[0].name_id_format)
    for one in named:
        add(root, "samlp:SessionIndex", one.session_index)
    return etree.tostring(root)


def render_response(
    request: LogoutRequest, idp: IdentityProvider, sp: ServiceProvider, now: datetime, new_id: Callable[[], str]
) -> bytes:
    """The LogoutResponse: done."""
    root = _message("samlp:LogoutResponse", idp, sp, now, new_id())
    set_attributes(root, InResponseTo=request.id)
    add(add(root, "samlp:Status"), "samlp:StatusCode", Value=_SUCCESS)
    return etree.tostring(root)


def _message(name: str, idp: IdentityProvider, sp: ServiceProvider, now: datetime, message_id: str) -> etree._Element:
    root = etree.Element(tag(name), nsmap={"samlp": NS["samlp"], "saml": NS["saml"]})
    set_attributes(root, ID=message_id, Version="2.0", IssueInstant=written_time(now), Destination=sp.slo_url)
    add(root, "saml:Issuer", idp.entity_id)
    return root
