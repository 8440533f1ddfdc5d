"""Single logout (SAML Profiles 4.4): the identity provider ends sessions here, and hears of those that end here.

    receive_query(raw, idp, sp, now), receive_form(form, idp, sp, now)   LogoutRequest or LogoutResponse, or a Refused
    build_request(idp, sp, id, now, whose)                               RedirectTo or PostForm, as the IdP takes it
    build_response(idp, sp, id, now, request, status)

A message is taken only signed by the identity provider: by Redirect over the query as it arrived (`saml.bindings`), by
POST within the XML, after those items of the gate that fit any message. Then `RULES`, a table like that of
`saml.rules`, over what the signature covers. Ours are always signed. What needs rows is the flow's: whose session
that is, whether a request came before, whether a response answers one of ours.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from lxml import etree

from saml import gate as gates
from saml import toolkit
from saml.bindings import LARGEST_INFLATED, QUERY, PostForm, QueryItem, RedirectTo, open_query, send_post, send_redirect
from saml.encrypted_name import open_name
from saml.errors import (
    Expired,
    ForbiddenEncryption,
    InvalidRequest,
    MalformedMessage,
    MissingResponse,
    MissingSubject,
    NoCertificate,
    NotSigned,
    NotYetValid,
    Refused,
    TooLarge,
    Unsolicited,
    WrongIssuer,
    WrongLogoutDestination,
    WrongSubjectQualifier,
    WrongVersion,
)
from saml.gate import Item, Stage
from saml.identity_provider import IdentityProvider
from saml.markup import ENTITY, SAYS_NOTHING, UNSPECIFIED, Element, children, make, parse, render_instant, tag, text
from saml.rules import instant
from saml.service_provider import ServiceProvider

Status = Literal["success", "partial", "failed"]

#: A request says when it was made, and need not say until when it counts: this long, at most.
COUNTS_FOR = timedelta(minutes=10)

_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
_LONGEST_NAME_ID = 1024
_MOST_SESSIONS = 100
_REASON = "urn:oasis:names:tc:SAML:2.0:logout:user"


@dataclass(frozen=True, slots=True)
class SessionName:
    """Whose session: the NameID as the identity provider gave it at sign-in, qualifiers and all, and which one."""

    name_id: str
    name_id_format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    session_index: str | None = None


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A verified request: end this person's sessions, or, where `session_indexes` names any, those.

    `name_id_format` is None where it says nothing. `until` is when, clock skew included, the rules refuse it by
    themselves: until then its `id` must be remembered. `expires_at` is the IdP's own limit, if it gave one: until then
    an assertion counts as ended that was issued before `issued_at` (SAML Core 3.7.3.2).
    """

    id: str
    name_id: str
    session_indexes: tuple[str, ...]
    issued_at: datetime
    until: datetime
    expires_at: datetime | None = None
    name_id_format: str | None = None
    name_qualifier: str | None = None
    relay_state: str | None = None


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """A verified answer to a request of ours: everybody signed the person out, or not everybody, or it failed."""

    in_response_to: str
    status: Status


@dataclass(frozen=True, slots=True)
class Message:
    """A message with a good signature, read from what that covers, and what it is held against."""

    root: Element
    field: str
    idp: IdentityProvider
    sp: ServiceProvider
    now: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold; `check` raises a `Refused` when it doesn't."""

    name: str
    paragraph: str
    check: Callable[[Message], None]


# -- the gate, for a message that comes by POST, or out of a verified query -------------------------------------------


def root_is_logout(root: Element) -> None:
    """A samlp:LogoutRequest or samlp:LogoutResponse (SAML Core 3.7.1, 3.7.2)."""
    if root.tag not in (tag("samlp:LogoutRequest"), tag("samlp:LogoutResponse")):
        raise MalformedMessage("The message is neither a logout request nor a logout response.")


def form_is_short(encoded: str) -> None:
    """A size cap before anything is decoded."""
    if len(encoded) > 2 * LARGEST_INFLATED:
        raise TooLarge("The message is larger than the bridge accepts.")


def only_the_name_is_encrypted(root: Element) -> None:
    """One EncryptedData with one EncryptedKey, in the EncryptedID of the request."""
    encrypted, keys = list(root.iter(tag("xenc:EncryptedData"))), list(root.iter(tag("xenc:EncryptedKey")))
    named = children(root, "saml:EncryptedID/xenc:EncryptedData")
    if encrypted != named or len(keys) != len(encrypted):
        raise ForbiddenEncryption


GATE: tuple[Item, ...] = (
    Item("form-is-short", Stage.TEXT, form_is_short),
    Item("strict-base64", Stage.TEXT, gates.strict_base64),
    Item("utf8-only", Stage.OCTETS, gates.utf8_only),
    Item("no-doctype", Stage.OCTETS, gates.no_doctype),
    Item("xml-1-0", Stage.OCTETS, gates.xml_1_0),
    Item("root-is-logout", Stage.TREE, root_is_logout),
    Item("bounded", Stage.TREE, gates.bounded),
    Item("unbroken-text", Stage.TREE, gates.unbroken_text),
    Item("no-instructions", Stage.TREE, gates.no_instructions),
    Item("no-schema-hints", Stage.TREE, gates.no_schema_hints),
    Item("unique-ids", Stage.TREE, gates.unique_ids),
    Item("signatures-in-place", Stage.TREE, gates.signatures_in_place),
    Item("signatures-cover-their-parent", Stage.TREE, gates.signatures_cover_their_parent),
    Item("nothing-beside-signatures", Stage.TREE, gates.nothing_beside_signatures),
    Item("keys-are-not-fetched", Stage.TREE, gates.keys_are_not_fetched),
    Item("transforms-allowed", Stage.TREE, gates.transforms_allowed),
    Item("signature-algorithms-allowed", Stage.TREE, gates.signature_algorithms_allowed),
    Item("only-the-name-is-encrypted", Stage.TREE, only_the_name_is_encrypted),
    Item("ciphertext-is-here", Stage.TREE, gates.ciphertext_is_here),
    Item("encryption-algorithms-allowed", Stage.TREE, gates.encryption_algorithms_allowed),
    Item("fits-schema", Stage.TREE, gates.fits_schema),
)


# -- the rules --------------------------------------------------------------------------------------------------------


def version_is_2(message: Message) -> None:
    """The message is SAML 2.0."""
    if message.root.get("Version") != "2.0":
        raise WrongVersion


def message_is_where_it_belongs(message: Message) -> None:
    """A request comes as SAMLRequest, a response as SAMLResponse."""
    if message.field != ("SAMLRequest" if _is_request(message.root) else "SAMLResponse"):
        raise MalformedMessage("The message came under the wrong parameter name.")


def issuer_is_the_idp(message: Message) -> None:
    """Issuer is there, and is the identity provider."""
    issuer = next(iter(children(message.root, "saml:Issuer")), None)
    if issuer is None or text(issuer) != message.idp.entity_id or issuer.get("Format", ENTITY) != ENTITY:
        raise WrongIssuer(message.idp.entity_id, text(issuer))


def destination_is_ours(message: Message) -> None:
    """Destination is the very address that the message was delivered to: a signed one must have it."""
    if message.sp.slo_url is None or message.root.get("Destination") != message.sp.slo_url:
        raise WrongLogoutDestination(message.sp.slo_url)


def issued_already(message: Message) -> None:
    """IssueInstant is past."""
    issued = _issued(message)
    if issued > message.now + _skew(message):
        raise NotYetValid("The logout message's time", issued, message.now)


def issued_lately(message: Message) -> None:
    """IssueInstant is ten minutes ago at most, so that what was seen need not be remembered for ever."""
    if _issued(message) + COUNTS_FOR <= message.now - _skew(message):
        raise Expired("The logout message's time", _issued(message) + COUNTS_FOR, message.now)


def request_has_not_expired(message: Message) -> None:
    """NotOnOrAfter, where given, is to come."""
    end = instant(message.root, "NotOnOrAfter")
    if end is not None and end <= message.now - _skew(message):
        raise Expired("The logout request's validity", end, message.now)


def person_is_named(message: Message) -> None:
    """A request has one NameID with text that can be shown."""
    if not _is_request(message.root):
        return
    named = children(message.root, "saml:NameID")
    name_id = text(named[0]) if len(named) == 1 else ""
    if not name_id or len(name_id) > _LONGEST_NAME_ID or not name_id.isprintable():
        raise MissingSubject


def person_is_named_for_us(message: Message) -> None:
    """SPNameQualifier, where given, is ours."""
    for name_id in children(message.root, "saml:NameID"):
        if name_id.get("SPNameQualifier", message.sp.entity_id) != message.sp.entity_id:
            raise WrongSubjectQualifier


def sessions_are_named(message: Message) -> None:
    """SessionIndex may come up to a hundred times, and then says something: an empty one would mean all or none."""
    named = children(message.root, "samlp:SessionIndex")
    if len(named) > _MOST_SESSIONS or not all(text(one) for one in named):
        raise MalformedMessage("The logout request names its sessions in a way that can't be followed.")


def response_names_its_request(message: Message) -> None:
    """A response says which request it answers; an unsolicited one answers nothing that we asked."""
    if not _is_request(message.root) and not message.root.get("InResponseTo"):
        raise Unsolicited("The logout response doesn't say which request it answers.")


RULES: tuple[Rule, ...] = (
    Rule("version-is-2", "Core 3.2.1, 3.2.2", version_is_2),
    Rule("message-is-where-it-belongs", "Bindings 3.4.3, 3.5.3", message_is_where_it_belongs),
    Rule("issuer-is-the-idp", "Profiles 4.4.4.1, 4.4.4.2", issuer_is_the_idp),
    Rule("destination-is-ours", "Bindings 3.4.5.2, 3.5.5.2", destination_is_ours),
    Rule("issued-already", "Core 3.2.1, 3.2.2", issued_already),
    Rule("issued-lately", "Core 3.2.1, 3.2.2", issued_lately),
    Rule("request-has-not-expired", "Core 3.7.1", request_has_not_expired),
    Rule("person-is-named", "Core 3.7.1, Profiles 4.4.4.1", person_is_named),
    Rule("person-is-named-for-us", "Core 2.2.2, 8.3.7", person_is_named_for_us),
    Rule("sessions-are-named", "Core 3.7.1, Profiles 4.4.4.1", sessions_are_named),
    Rule("response-names-its-request", "Profiles 4.4.3.4", response_names_its_request),
)


# -- receiving --------------------------------------------------------------------------------------------------------


def receive_query(
    raw: bytes,
    idp: IdentityProvider,
    sp: ServiceProvider,
    now: datetime,
    *,
    query: tuple[QueryItem, ...] = QUERY,
    gate: tuple[Item, ...] = GATE,
    rules: tuple[Rule, ...] = RULES,
) -> LogoutRequest | LogoutResponse:
    """The verified message in a query as it arrived (SAML Bindings 3.4). `now` is an aware datetime.

    Raises a `Refused`, one class a reason; no input raises anything else.
    """
    if not idp.certificates:
        raise NoCertificate
    opened = open_query(raw, idp.certificates, query)
    root = _admitted(opened.octets, gate)
    return _read(Message(root, opened.field, idp, sp, now), opened.relay_state, rules)


def receive_form(
    form: Mapping[str, str],
    idp: IdentityProvider,
    sp: ServiceProvider,
    now: datetime,
    *,
    gate: tuple[Item, ...] = GATE,
    rules: tuple[Rule, ...] = RULES,
) -> LogoutRequest | LogoutResponse:
    """The same for the fields of a form (SAML Bindings 3.5), signed within the XML."""
    if not idp.certificates:
        raise NoCertificate
    fields = [name for name in ("SAMLRequest", "SAMLResponse") if form.get(name)]
    if len(fields) != 1:
        raise MissingResponse("There must be one logout message: a SAMLRequest or a SAMLResponse.")
    encoded = form[fields[0]]
    gates.check(encoded, Stage.TEXT, gate)
    try:
        root = _admitted(base64.b64decode(encoded), gate)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedMessage("The message isn't base64.") from None
    covered = _covered(root, idp.certificates)
    return _read(Message(covered, fields[0], idp, sp, now), form.get("RelayState"), rules)


def _admitted(octets: bytes, gate: tuple[Item, ...]) -> Element:
    gates.check(octets, Stage.OCTETS, gate)
    root = gates.parse_message(octets)
    gates.check(root, Stage.TREE, gate)
    return root


def _covered(root: Element, certificates: tuple[str, ...]) -> Element:
    """The message anew from its canonical form, which its good signature covers."""
    signatures = children(root, "ds:Signature")
    if not signatures:
        raise NotSigned(
            "The logout message isn't signed. Switch on signing of logout messages at the identity provider; the "
            "bridge signs nobody out on an unsigned word."
        )
    toolkit.verify(root, certificates)
    root.remove(signatures[0])
    try:
        return parse(etree.tostring(root, method="c14n", exclusive=True, with_comments=False))
    except (etree.LxmlError, ValueError):
        raise MalformedMessage from None


def _read(message: Message, relay_state: str | None, rules: tuple[Rule, ...]) -> LogoutRequest | LogoutResponse:
    open_name(message.root, message.sp.private_keys)  # its signature is verified by now
    for rule in rules:
        try:
            rule.check(message)
        except Refused as refusal:
            refusal.check = rule.name
            raise
    root = message.root
    if not _is_request(root):
        return LogoutResponse(root.get("InResponseTo", ""), _status(root))
    named = next(iter(children(root, "saml:NameID")), None)
    return LogoutRequest(
        id=root.get("ID", ""),
        name_id=text(named),
        session_indexes=tuple(text(one) for one in children(root, "samlp:SessionIndex")),
        issued_at=_issued(message),
        until=_issued(message) + COUNTS_FOR + _skew(message),
        expires_at=instant(root, "NotOnOrAfter"),
        name_id_format=None if named is None else specific_format(named.get("Format")),
        name_qualifier=None if named is None else named.get("NameQualifier") or None,
        relay_state=relay_state,
    )


def specific_format(written: str | None) -> str | None:
    """The Format of a NameID, None where it says nothing (SAML Core 2.2.2, 8.3.1): a name is the same by any other."""
    return None if not written or written in SAYS_NOTHING else written


def _is_request(root: Element) -> bool:
    return root.tag == tag("samlp:LogoutRequest")


def _issued(message: Message) -> datetime:
    issued = instant(message.root, "IssueInstant")
    if issued is None:
        raise MalformedMessage("The logout message doesn't say when it was made.")
    return issued


def _skew(message: Message) -> timedelta:
    return timedelta(seconds=message.sp.clock_skew)


def _status(root: Element) -> Status:
    """Success, with PartialLogout below it or in its place (SAML Core 3.7.3.2, 3.2.2.2); anything else failed."""
    codes = [code.get("Value") for code in root.iter(tag("samlp:StatusCode"))]
    if f"{_STATUS}PartialLogout" in codes:
        return "partial"
    return "success" if codes[:1] == [f"{_STATUS}Success"] else "failed"


# -- sending ----------------------------------------------------------------------------------------------------------


def build_request(
    idp: IdentityProvider, sp: ServiceProvider, request_id: str, now: datetime, whose: SessionName
) -> RedirectTo | PostForm:
    """Tell the identity provider that this session has ended here (SAML Profiles 4.4.4.1), always signed.

    `request_id` is an xs:ID that nobody can guess. Raises `InvalidRequest` where it has no logout address.
    """
    url = _logout_url(idp)
    root = make(
        "samlp:LogoutRequest",
        make("saml:Issuer", sp.entity_id),
        _name_id(whose),
        ID=request_id,
        Version="2.0",
        IssueInstant=render_instant(now),
        NotOnOrAfter=render_instant(now + COUNTS_FOR),
        Destination=url,
        Reason=_REASON,
    )
    if whose.session_index:
        root.append(make("samlp:SessionIndex", whose.session_index))
    return _send(idp, sp, url, "SAMLRequest", root, None)


def build_response(
    idp: IdentityProvider,
    sp: ServiceProvider,
    response_id: str,
    now: datetime,
    request: LogoutRequest,
    status: Status = "success",
) -> RedirectTo | PostForm:
    """Answer a request of the identity provider's (SAML Profiles 4.4.4.2), always signed, with its RelayState.

    Raises `InvalidRequest` where it has no logout address.
    """
    url = idp.slo_answer_url or _logout_url(idp)
    root = make(
        "samlp:LogoutResponse",
        make("saml:Issuer", sp.entity_id),
        make("samlp:Status", _status_code(status)),
        ID=response_id,
        Version="2.0",
        IssueInstant=render_instant(now),
        Destination=url,
        InResponseTo=request.id,
    )
    return _send(idp, sp, url, "SAMLResponse", root, request.relay_state)


def _logout_url(idp: IdentityProvider) -> str:
    if idp.slo_url is None:
        raise InvalidRequest("The identity provider has no address for single logout.")
    return idp.slo_url


def _send(
    idp: IdentityProvider, sp: ServiceProvider, url: str, field: str, root: Element, relay_state: str | None
) -> RedirectTo | PostForm:
    send = send_post if idp.slo_by_post else send_redirect
    return send(url, field, etree.tostring(root), sp, relay_state, sign=True)


def _name_id(whose: SessionName) -> Element:
    given = {
        "Format": None if whose.name_id_format == UNSPECIFIED else whose.name_id_format,
        "NameQualifier": whose.name_qualifier,
        "SPNameQualifier": whose.sp_name_qualifier,
    }
    return make("saml:NameID", whose.name_id, **{name: value for name, value in given.items() if value})


def _status_code(status: Status) -> Element:
    if status == "success":
        return make("samlp:StatusCode", Value=f"{_STATUS}Success")
    inner = [make("samlp:StatusCode", Value=f"{_STATUS}PartialLogout")] if status == "partial" else []
    return make("samlp:StatusCode", *inner, Value=f"{_STATUS}Responder")
