"""AuthnRequest: asking the identity provider to sign somebody in (SAML Core 3.4.1), by Redirect or by POST.

The bridge signs its requests, unless the connection is set otherwise: the Redirect binding over the query (SAML
Bindings 3.4.4.1), the POST binding within the XML (3.5.5.1). Which of the two is used is the caller's: `build`
needs `idp.sso_redirect_url`, `build_form` `idp.sso_post_url`.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from saml import toolkit
from saml.algorithms import RSA_SHA256
from saml.errors import InvalidRequest
from saml.identity_provider import IdentityProvider
from saml.keys import private_key
from saml.markup import HTTP_POST, UNSPECIFIED, make, render_instant
from saml.service_provider import ServiceProvider

_LONGEST_RELAY_STATE = 80  # bytes, SAML Bindings 3.4.3


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Send the browser to `url` by GET (SAML Bindings 3.4)."""

    url: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Let the browser POST `fields` to `url` (SAML Bindings 3.5)."""

    url: str
    fields: Mapping[str, str]


def build(
    idp: IdentityProvider,
    sp: ServiceProvider,
    request_id: str,
    now: datetime,
    *,
    relay_state: str | None,
    force_authn: bool = False,
) -> RedirectTo:
    """An AuthnRequest by the Redirect binding, its query signed with RSA-SHA256 where `sp` signs its requests.

    `request_id` is an xs:ID that nobody can guess: it begins with a letter or `_`. `relay_state` is an opaque
    token, never an address. `force_authn` asks for a sign-in now, whatever session there is. Raises
    `InvalidRequest`.
    """
    if idp.sso_redirect_url is None:
        raise InvalidRequest("The identity provider has no sign-in address by HTTP-Redirect.")
    _check_relay_state(relay_state)
    xml = _render(idp.sso_redirect_url, idp, sp, request_id, now, force_authn)
    query = _query(SAMLRequest=base64.b64encode(_deflate(xml)).decode(), RelayState=relay_state)
    if sp.sign_requests:
        query += "&" + _query(SigAlg=RSA_SHA256)
        query += "&" + _query(Signature=_signature(query, sp))
    return RedirectTo(idp.sso_redirect_url + ("&" if "?" in idp.sso_redirect_url else "?") + query)


def build_form(
    idp: IdentityProvider,
    sp: ServiceProvider,
    request_id: str,
    now: datetime,
    *,
    relay_state: str | None,
    force_authn: bool = False,
) -> PostForm:
    """The same by the POST binding, with an enveloped XML signature. Raises `InvalidRequest`."""
    if idp.sso_post_url is None:
        raise InvalidRequest("The identity provider has no sign-in address by HTTP-POST.")
    _check_relay_state(relay_state)
    xml = _render(idp.sso_post_url, idp, sp, request_id, now, force_authn)
    if sp.sign_requests:
        xml = toolkit.sign(xml, sp)
    fields = {"SAMLRequest": base64.b64encode(xml).decode()}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return PostForm(idp.sso_post_url, MappingProxyType(fields))


def _render(
    destination: str,
    idp: IdentityProvider,
    sp: ServiceProvider,
    request_id: str,
    now: datetime,
    force_authn: bool,
) -> bytes:
    request = make(
        "samlp:AuthnRequest",
        make("saml:Issuer", sp.entity_id),
        ID=request_id,
        Version="2.0",
        IssueInstant=render_instant(now),
        Destination=destination,
        AssertionConsumerServiceURL=sp.acs_url,
        ProtocolBinding=HTTP_POST,
    )
    if force_authn:
        request.set("ForceAuthn", "true")
    if idp.name_id_format != UNSPECIFIED:
        request.append(make("samlp:NameIDPolicy", Format=idp.name_id_format, AllowCreate="true"))
    if sp.authn_contexts:
        classes = (make("saml:AuthnContextClassRef", name) for name in sp.authn_contexts)
        request.append(make("samlp:RequestedAuthnContext", *classes, Comparison="exact"))
    return etree.tostring(request)


def _check_relay_state(relay_state: str | None) -> None:
    if relay_state is not None and len(relay_state.encode()) > _LONGEST_RELAY_STATE:
        raise InvalidRequest(f"RelayState may have {_LONGEST_RELAY_STATE} bytes.")


def _query(**parameters: str | None) -> str:
    return "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items() if value is not None)


def _deflate(xml: bytes) -> bytes:
    """Raw DEFLATE, no zlib header (SAML Bindings 3.4.4.1)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(xml) + deflater.flush()


def _signature(query: str, sp: ServiceProvider) -> str:
    signature = private_key(sp.private_key_pem).sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()
