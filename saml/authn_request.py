"""AuthnRequest: asking the identity provider to sign somebody in (SAML Core 3.4.1), by Redirect or by POST.

The bridge signs its requests, unless the connection is set otherwise: the Redirect binding over the query (SAML
Bindings 3.4.4.1), the POST binding within the XML (3.5.5.1). Which of the two is used is the caller's: `build`
needs `idp.sso_redirect_url`, `build_form` `idp.sso_post_url`.
"""

from datetime import datetime

from lxml import etree

from saml.bindings import PostForm, RedirectTo, check_relay_state, send_post, send_redirect
from saml.errors import InvalidRequest
from saml.identity_provider import IdentityProvider
from saml.markup import HTTP_POST, UNSPECIFIED, make, render_instant
from saml.service_provider import ServiceProvider

_FIELD = "SAMLRequest"


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
    check_relay_state(relay_state)
    xml = _render(idp.sso_redirect_url, idp, sp, request_id, now, force_authn)
    return send_redirect(idp.sso_redirect_url, _FIELD, xml, sp, relay_state, sign=sp.sign_requests)


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
    check_relay_state(relay_state)
    xml = _render(idp.sso_post_url, idp, sp, request_id, now, force_authn)
    return send_post(idp.sso_post_url, _FIELD, xml, sp, relay_state, sign=sp.sign_requests)


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
