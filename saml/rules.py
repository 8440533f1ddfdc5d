"""The service provider's rules for a response by the Web Browser SSO Profile, over a message whose signature
is good.

Each rule is a small function that reads like the profile and names its paragraph: "Profiles" is SAML 2.0
Profiles, "Core" SAML 2.0 Core, "Bindings" SAML 2.0 Bindings. A rule looks at a `Proof` and raises a
`Refused`; what is absent is refused as what is wrong is. `RULES` is data: `validate(…, rules=…)` takes
another table, so that the tests can switch each one off.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from saml.errors import (
    Expired,
    InResponseToMismatch,
    MalformedMessage,
    MissingExpiry,
    MissingSubject,
    NeverValid,
    NotConfirmed,
    NotOneAuthentication,
    NotYetValid,
    Refused,
    UnknownCondition,
    Unsolicited,
    UnusableSessionIndex,
    WrongAudience,
    WrongAuthnContext,
    WrongDestination,
    WrongIssuer,
    WrongRecipient,
    WrongSubjectQualifier,
    WrongVersion,
    quoted,
)
from saml.identity_provider import IdentityProvider
from saml.markup import ENTITY, NAMESPACES, Element, children, parse_instant, tag, text
from saml.service_provider import ServiceProvider
from saml.witness import NOBODY, Passed, Witness

_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_CONDITIONS = {tag("saml:AudienceRestriction"), tag("saml:OneTimeUse"), tag("saml:ProxyRestriction")}
_LONGEST_NAME_ID = 1024
_LONGEST_SESSION_INDEX = 1024


@dataclass(frozen=True, slots=True)
class Proof:
    """A message with good signatures, and what it is held against.

    `assertion` was read anew from the bytes that a signature covers, and from nothing else. `response` is the
    envelope, which may be unsigned: its attributes are compared, so that they can refuse, but nothing is
    taken from it.
    """

    response: Element
    assertion: Element
    idp: IdentityProvider
    sp: ServiceProvider
    now: datetime
    allow_unsolicited: bool
    _confirmation: Element | None = field(init=False, repr=False, compare=False)  # looked for once: most rules ask
    _firsts: dict[str, Element | None] = field(init=False, repr=False, compare=False, default_factory=dict)  # as above

    @property
    def earliest(self) -> datetime:
        """Now, by the slowest clock that is put up with: what ended before it is over."""
        return self.now - timedelta(seconds=self.sp.clock_skew)

    @property
    def latest(self) -> datetime:
        """Now, by the fastest clock that is put up with: what begins after it isn't valid yet."""
        return self.now + timedelta(seconds=self.sp.clock_skew)

    def first(self, path: str) -> Element | None:
        """The first element below the assertion at `path` (`saml:Subject/saml:NameID`), or None."""
        if path not in self._firsts:
            self._firsts[path] = next(iter(children(self.assertion, path)), None)
        return self._firsts[path]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_confirmation", None)
        object.__setattr__(self, "_confirmation", self._find_confirmation())

    def confirmation(self) -> Element | None:
        """The SubjectConfirmationData of the bearer confirmation that holds: one must, as a whole (SAML Profiles
        4.1.4.2). Where none does, of the one addressed to us, else of the first, for the refusal; or None."""
        return self._confirmation

    def bearer_confirmations(self) -> list[Element]:
        """The SubjectConfirmationData of every bearer confirmation, in order."""
        bearers = [
            one
            for one in children(self.assertion, "saml:Subject/saml:SubjectConfirmation")
            if one.get("Method") == _BEARER
        ]
        return [one for bearer in bearers for one in children(bearer, "saml:SubjectConfirmationData")]

    def _find_confirmation(self) -> Element | None:
        found = self.bearer_confirmations()
        if len(found) < 2:
            return next(iter(found), None)
        ours = [one for one in found if one.get("Recipient") == self.sp.acs_url]
        return next((one for one in ours if self._is_confirmed_by(one)), next(iter(ours or found)))

    def _is_confirmed_by(self, confirmation: Element) -> bool:
        """Whether every rule about a confirmation holds of this one."""
        supposed = copy(self)
        object.__setattr__(supposed, "_confirmation", confirmation)
        try:
            for check in _ABOUT_CONFIRMATION:
                check(supposed)
        except Refused:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold; `check` raises a `Refused` when it doesn't. `about`: which step it is part of."""

    name: str
    paragraph: str
    check: Callable[[Proof], None]
    about: Passed


# -- who and to whom --------------------------------------------------------------------------------------------------


def version_is_2(proof: Proof) -> None:
    """Response and assertion are SAML 2.0."""
    if {proof.response.get("Version"), proof.assertion.get("Version")} != {"2.0"}:
        raise WrongVersion


def response_issuer_is_the_idp(proof: Proof) -> None:
    """The response's Issuer is the identity provider. The profile lets an unsigned response omit it; no IdP
    does."""
    _check_issuer(next(iter(children(proof.response, "saml:Issuer")), None), proof.idp)


def assertion_issuer_is_the_idp(proof: Proof) -> None:
    """The assertion's Issuer is the identity provider."""
    _check_issuer(proof.first("saml:Issuer"), proof.idp)


def _check_issuer(issuer: Element | None, idp: IdentityProvider) -> None:
    if issuer is None or text(issuer) != idp.entity_id or issuer.get("Format", ENTITY) != ENTITY:
        raise WrongIssuer(idp.entity_id, text(issuer))


def destination_is_ours(proof: Proof) -> None:
    """Destination is the very address that the response was delivered to. Demanded of unsigned responses, too."""
    if proof.response.get("Destination") != proof.sp.acs_url:
        raise WrongDestination(proof.sp.acs_url)


def audience_is_ours(proof: Proof) -> None:
    """At least one audience restriction, and each of them names us: several are conditions that all must
    hold."""
    restrictions = children(proof.assertion, "saml:Conditions/saml:AudienceRestriction")
    audiences = [tuple(text(one) for one in children(restriction, "saml:Audience")) for restriction in restrictions]
    if not audiences or any(proof.sp.entity_id not in named for named in audiences):
        raise WrongAudience(proof.sp.entity_id, tuple(name for named in audiences for name in named))


def conditions_are_understood(proof: Proof) -> None:
    """Exactly one Conditions, and no condition in it that we don't know: its validity would be
    indeterminate."""
    conditions = children(proof.assertion, "saml:Conditions")
    if len(conditions) != 1 or any(one.tag not in _CONDITIONS for one in conditions[0]):
        raise UnknownCondition


# -- whom it names ----------------------------------------------------------------------------------------------------


def subject_is_named(proof: Proof) -> None:
    """One NameID with text that can be shown."""
    name_id = text(proof.first("saml:Subject/saml:NameID"))
    if not name_id or len(name_id) > _LONGEST_NAME_ID or not name_id.isprintable():
        raise MissingSubject


def subject_is_named_for_us(proof: Proof) -> None:
    """SPNameQualifier, where given, is ours."""
    name_id = proof.first("saml:Subject/saml:NameID")
    if name_id is not None and name_id.get("SPNameQualifier", proof.sp.entity_id) != proof.sp.entity_id:
        raise WrongSubjectQualifier


def subject_is_confirmed_for_bearer(proof: Proof) -> None:
    """At least one subject confirmation by the bearer method, with its data."""
    if proof.confirmation() is None:
        raise NotConfirmed


def recipient_is_ours(proof: Proof) -> None:
    """Recipient is the assertion consumer service, exactly."""
    found = _confirmed(proof, "Recipient")
    if found != proof.sp.acs_url:
        raise WrongRecipient(proof.sp.acs_url, found)


def _confirmed(proof: Proof, attribute: str) -> str | None:
    data = proof.confirmation()
    return None if data is None else data.get(attribute)


# -- which request ----------------------------------------------------------------------------------------------------


def request_is_one(proof: Proof) -> None:
    """Response and confirmation name the same request, or both none. Only the second is sure to be signed."""
    if proof.response.get("InResponseTo") != _confirmed(proof, "InResponseTo"):
        raise InResponseToMismatch


def request_was_made(proof: Proof) -> None:
    """A response that answers no request is taken only where the connection allows it."""
    if not _confirmed(proof, "InResponseTo") and not proof.allow_unsolicited:
        raise Unsolicited


# -- when -------------------------------------------------------------------------------------------------------------


def confirmation_has_not_expired(proof: Proof) -> None:
    """The confirmation says until when it may be delivered, and that is to come."""
    _check_end(proof, proof.confirmation(), "NotOnOrAfter", "The answer's delivery time", demanded=True)


def confirmation_is_valid_already(proof: Proof) -> None:
    """The profile forbids a bearer confirmation a NotBefore; those who send one are taken at their word."""
    _check_begin(proof, proof.confirmation(), "NotBefore", "The answer's delivery time")


def conditions_have_not_expired(proof: Proof) -> None:
    """The assertion says until when it is valid, and that is to come. Core leaves it optional; we don't."""
    _check_end(proof, proof.first("saml:Conditions"), "NotOnOrAfter", "The assertion's validity", demanded=True)


def conditions_are_valid_already(proof: Proof) -> None:
    """NotBefore, where given, is past."""
    _check_begin(proof, proof.first("saml:Conditions"), "NotBefore", "The assertion's validity")


def times_leave_room(proof: Proof) -> None:
    """Where NotBefore and NotOnOrAfter are both given, the first comes first. Clock skew, which is granted at both
    ends, doesn't open a time that never was."""
    for element in (proof.first("saml:Conditions"), proof.confirmation()):
        begin, end = instant(element, "NotBefore"), instant(element, "NotOnOrAfter")
        if begin is not None and end is not None and begin >= end:
            raise NeverValid


def response_is_not_from_the_future(proof: Proof) -> None:
    """The response's IssueInstant is past."""
    _check_begin(proof, proof.response, "IssueInstant", "The response's time")


def assertion_is_not_from_the_future(proof: Proof) -> None:
    """The assertion's IssueInstant is past."""
    _check_begin(proof, proof.assertion, "IssueInstant", "The assertion's time")


def authenticated_once(proof: Proof) -> None:
    """Exactly one AuthnStatement: with two, it would be open which session and which time counts."""
    if len(children(proof.assertion, "saml:AuthnStatement")) != 1:
        raise NotOneAuthentication


def authenticated_already(proof: Proof) -> None:
    """AuthnInstant is past."""
    _check_begin(proof, proof.first("saml:AuthnStatement"), "AuthnInstant", "The sign-in at the identity provider")


def authenticated_as_asked(proof: Proof) -> None:
    """Where the connection asks for certain kinds of sign-in, it was one of them."""
    statement, asked = proof.first("saml:AuthnStatement"), proof.sp.authn_contexts
    path = "saml:AuthnContext/saml:AuthnContextClassRef"
    found = None if statement is None else text(statement.find(path, NAMESPACES)) or None
    if asked and found not in asked:
        raise WrongAuthnContext(asked, found)


def session_has_not_ended(proof: Proof) -> None:
    """SessionNotOnOrAfter, where given, is to come."""
    _check_end(
        proof,
        proof.first("saml:AuthnStatement"),
        "SessionNotOnOrAfter",
        "The session at the identity provider",
        demanded=False,
    )


def session_index_can_be_kept(proof: Proof) -> None:
    """SessionIndex, where given, is printable and at most 1,024 characters: a logout request has to name it again."""
    statement = proof.first("saml:AuthnStatement")
    index = "" if statement is None else statement.get("SessionIndex", "")
    if len(index) > _LONGEST_SESSION_INDEX or not index.isprintable():
        raise UnusableSessionIndex


def _check_end(proof: Proof, element: Element | None, attribute: str, what: str, *, demanded: bool) -> None:
    end = instant(element, attribute)
    if end is not None and end <= proof.earliest:
        raise Expired(what, end, proof.now)
    if end is None and demanded:
        raise MissingExpiry(what)


def _check_begin(proof: Proof, element: Element | None, attribute: str, what: str) -> None:
    begin = instant(element, attribute)
    if begin is not None and begin > proof.latest:
        raise NotYetValid(what, begin, proof.now)


def instant(element: Element | None, attribute: str) -> datetime | None:
    """An attribute as an instant; None if it or the element is absent. Raises `MalformedMessage`."""
    written = None if element is None else element.get(attribute)
    if written is None:
        return None
    try:
        return parse_instant(written)
    except ValueError:
        raise MalformedMessage(f"{attribute} isn't a time in UTC (like 2026-11-21T10:58:00Z).") from None


#: What must hold of one and the same confirmation; each is a rule below, too.
_ABOUT_CONFIRMATION: tuple[Callable[[Proof], None], ...] = (
    recipient_is_ours,
    request_is_one,
    request_was_made,
    confirmation_has_not_expired,
    confirmation_is_valid_already,
    times_leave_room,
)

RULES: tuple[Rule, ...] = (
    Rule("version-is-2", "Core 2.3.3, 3.2.2", version_is_2, "addressee"),
    Rule("response-issuer-is-the-idp", "Profiles 4.1.4.2", response_issuer_is_the_idp, "addressee"),
    Rule("assertion-issuer-is-the-idp", "Profiles 4.1.4.2", assertion_issuer_is_the_idp, "addressee"),
    Rule("destination-is-ours", "Bindings 3.5.5.2", destination_is_ours, "addressee"),
    Rule("conditions-are-understood", "Core 2.5.1", conditions_are_understood, "addressee"),
    Rule("audience-is-ours", "Profiles 4.1.4.2, Core 2.5.1.4", audience_is_ours, "addressee"),
    Rule("subject-is-named", "Profiles 4.1.4.2, Core 2.4.1", subject_is_named, "subject"),
    Rule("subject-is-named-for-us", "Core 2.2.2, 8.3.7", subject_is_named_for_us, "subject"),
    Rule("subject-is-confirmed-for-bearer", "Profiles 4.1.4.2", subject_is_confirmed_for_bearer, "subject"),
    Rule("recipient-is-ours", "Profiles 4.1.4.2, 4.1.4.3", recipient_is_ours, "subject"),
    Rule("request-is-one", "Profiles 4.1.4.3", request_is_one, "request"),
    Rule("request-was-made", "Profiles 4.1.4.3, 4.1.5", request_was_made, "request"),
    Rule("confirmation-has-not-expired", "Profiles 4.1.4.2, 4.1.4.3", confirmation_has_not_expired, "times"),
    Rule("confirmation-is-valid-already", "Core 2.4.1.2", confirmation_is_valid_already, "times"),
    Rule("conditions-have-not-expired", "Core 2.5.1.2", conditions_have_not_expired, "times"),
    Rule("conditions-are-valid-already", "Core 2.5.1.2", conditions_are_valid_already, "times"),
    Rule("times-leave-room", "Core 2.4.1.2, 2.5.1.2", times_leave_room, "times"),
    Rule("response-is-not-from-the-future", "Core 3.2.2", response_is_not_from_the_future, "times"),
    Rule("assertion-is-not-from-the-future", "Core 2.3.3", assertion_is_not_from_the_future, "times"),
    Rule("authenticated-once", "Profiles 4.1.4.2", authenticated_once, "times"),
    Rule("authenticated-already", "Core 2.7.2", authenticated_already, "times"),
    Rule("authenticated-as-asked", "Core 3.3.2.2.1, 3.4.1", authenticated_as_asked, "times"),
    Rule("session-has-not-ended", "Profiles 4.1.4.3", session_has_not_ended, "times"),
    Rule("session-index-can-be-kept", "Core 2.7.2", session_index_can_be_kept, "times"),
)


def check_all(rules: tuple[Rule, ...], proof: Proof, witness: Witness = NOBODY) -> None:
    """Every rule in turn; the first that doesn't hold raises its `Refused`, with `check` set to the rule's
    name. The witness hears of each group of rules that held."""
    for about, group in groupby(rules, key=lambda rule: rule.about):
        for rule in group:
            _check(rule, proof)
        witness.note(about, _DETAILS[about](proof))


def _check(rule: Rule, proof: Proof) -> None:
    try:
        rule.check(proof)
    except Refused as refusal:
        refusal.check = rule.name
        raise


def _issued(proof: Proof) -> str:
    """How old the message is, by both clocks: one that runs ahead is put up with, up to a limit, and should be seen."""
    issued = instant(proof.assertion, "IssueInstant")
    if issued is None:
        return ""
    age = round((proof.now - issued).total_seconds())
    by_clock = (
        f"{-age} s ahead of our clock, which is allowed up to {proof.sp.clock_skew} s" if age < 0 else f"{age} s ago"
    )
    return f"Issued {by_clock}."


_DETAILS: Mapping[Passed, Callable[[Proof], str]] = {
    "addressee": lambda proof: f"Issued by {quoted(proof.idp.entity_id)} for {quoted(proof.sp.entity_id)}.",
    "subject": lambda proof: f"Subject {quoted(text(proof.first('saml:Subject/saml:NameID')))}.",
    "request": lambda proof: "Response and assertion name the same request, or both none.",
    "times": _issued,
}
