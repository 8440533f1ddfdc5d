"""One attempt as pages show it: a line of the list, and the whole of it with its explanation on top."""

from datetime import datetime
from typing import Any

from bridge.domain.sentences import counted
from bridge.domain.sign_in_explanations import Explanation, explain
from bridge.domain.sign_in_log import SignInAttempt, WouldHappen
from bridge.flows.context import Context
from bridge.flows.read_sign_in_log import Alike
from bridge.flows.saml_connection import addresses
from bridge.web.pages.agents import browser_named
from bridge.web.pages.filters import moment, when
from bridge.web.pages.views import AttemptCard, AttemptRow, Fact, Fix, Note, Status, TraceStep, WouldBox

_KINDS = {
    "saml": "SAML",
    "oidc": "OpenID Connect",
    "password": "Password",
    "passkey": "Passkey",
    "twilio": "Twilio",
    "break_glass": "Break-glass code",
    "reset": "Mailed link",
}
#: The guides of docs/guides by their headings, for SAML by preset.
GUIDES = {
    "okta": "Connect Okta",
    "entra": "Connect Microsoft Entra ID",
    "google": "Connect Google Workspace by SAML",
    "onelogin": "Connect OneLogin by SAML",
}
OIDC_GUIDE = "Connect by OpenID Connect"
#: What a login by a connection goes through after each place where it may stop, for "not reached".
_STAGES = (
    ("shape", "the answer’s shape"),
    ("signature", "its signature"),
    ("addressee", "for whom it was made"),
    ("subject", "whom it names"),
    ("times", "its times"),
    ("attributes", "email and groups"),
    ("our_request", "the request it answers"),
    ("person", "the account"),
    ("session", "the session"),
)


def row_of(one: SignInAttempt, href: str) -> AttemptRow:
    """A line of the list."""
    return AttemptRow(
        who=one.email or "unknown",
        at=one.at,
        status=_status(one),
        how=_how(one),
        href=href,
        times=one.times,
    )


def _how(one: SignInAttempt) -> str:
    return one.connection or _KINDS[one.kind]


def _status(one: SignInAttempt) -> Status:
    if one.outcome == "refused":
        found = explain(one.code, one.preset, one.connection, one.kind)
        return Status("bad", f"{'Test refused' if one.test else 'Refused'}: {found.title if found else one.code}")
    if one.kind == "break_glass":
        return Status("warn", "Came in by a break-glass code")
    if one.outcome == "password_reset":
        return Status("warn", "Password reset")
    return Status("ok", "Test passed" if one.test else "Signed in")


def card_of(context: Context, one: SignInAttempt, alike: Alike | None, now: datetime) -> AttemptCard:
    """All that is kept of one attempt, and what to do about it."""
    found = explain(one.code, one.preset, one.connection, one.kind) if one.outcome == "refused" else None
    return AttemptCard(
        title=_title(one),
        about=_about(one),
        ref=one.ref,
        status=Status("bad", "Refused") if one.outcome == "refused" else _status(one),
        explanation=_note(one, found, alike, now),
        steps=_steps(one, found),
        fix=_fix(context, one, found) if found else None,
        message=one.message,
        agent=one.agent,
        would=_would(one, one.would) if one.would else None,
    )


def _title(one: SignInAttempt) -> str:
    who = one.email or "Somebody"
    if one.test:
        return f"{who} {'couldn’t sign in' if one.outcome == 'refused' else 'could sign in'}"
    if one.kind == "break_glass":
        did = "couldn’t come in" if one.outcome == "refused" else "came in"
        return f"{who} {did} by a break-glass code"
    if one.outcome == "password_reset":
        return f"{who} chose a new password"
    return f"{who} couldn’t sign in" if one.outcome == "refused" else f"{who} signed in"


def _about(one: SignInAttempt) -> str:
    way = f"{one.connection} ({_KINDS[one.kind]})" if one.connection else _KINDS[one.kind]
    parts = (moment(one.at), way, browser_named(one.agent), one.address)
    return " · ".join(part for part in parts if part)


def _note(one: SignInAttempt, found: Explanation | None, alike: Alike | None, now: datetime) -> Note | None:
    if one.outcome != "refused" and one.kind == "break_glass":
        text = "If nobody meant to, revoke their codes on the page Security, which closes it too, and ask them."
        return Note("warn", f"{one.email} came in past single sign-on", text)
    if one.outcome != "refused":
        return Note("ok", "The test went all the way", "What a sign-in would do is below.") if one.test else None
    more = [one.text]
    if one.times > 1:
        more.append(
            f"{counted(one.times - 1, 'more attempt')} like it came, the latest {when(one.last_at, now)}; only this "
            "one is kept."
        )
    if alike:
        more.append(
            f"{counted(alike.count, 'attempt')} through this connection ended so since {when(alike.since, now)}."
        )
    return Note("bad", found.title if found else "Refused", " ".join(more))


def _fix(context: Context, one: SignInAttempt, found: Explanation) -> Fix:
    ours: dict[str, Any] = {}
    if one.connection_id is not None and one.kind == "saml":
        urls = addresses(context, one.connection_id)
        ours = {"sp_entity_id": urls.sp_entity_id, "acs_url": urls.acs_url, "slo_url": urls.slo_url}
    there = found.where is not None or found.value is not None
    return Fix(
        heading=f"What to change in {one.connection}"
        if there and found.turn == "idp" and one.connection
        else "What to do",
        text=found.todo,
        where=found.where,
        value=ours.get(found.value or ""),
        guide=(OIDC_GUIDE if one.kind == "oidc" else GUIDES.get(one.preset)) if there else None,
    )


# -- Steps -------------------------------------------------------------------------------------------


def _steps(one: SignInAttempt, found: Explanation | None) -> tuple[TraceStep, ...]:
    taken = tuple(
        TraceStep(
            "warn" if step.warning else "ok",
            step.title(one.connection or "The identity provider"),
            step.detail,
            f"{step.at:%H:%M:%S}.{step.at.microsecond // 1000:03}" if step.at else "",
        )
        for step in one.steps
    )
    if one.outcome != "refused":
        return taken
    by = f"Refused by the check {one.check}." if one.check else "Refused here."
    return (*taken, TraceStep("bad", found.title if found else "Refused", by), *_not_reached(one))


def _not_reached(one: SignInAttempt) -> tuple[TraceStep, ...]:
    """What an answer would have had to go through still; nothing for a password."""
    if one.connection_id is None:
        return ()
    taken = {step.name for step in one.steps}
    last = max((n for n, (name, _) in enumerate(_STAGES) if name in taken), default=-1)
    # The one after the last is what stopped it.
    rest = [text for _, text in _STAGES[last + 2 :]]
    return (TraceStep("off", f"Not reached: {', '.join(rest)}"),) if rest else ()


# -- What a test found out ---------------------------------------------------------------------------


def _would(one: SignInAttempt, would: WouldHappen) -> WouldBox:
    return WouldBox(
        heading=f"What {one.connection} said",
        said=(
            Fact("Subject", would.subject),
            Fact("Email", would.email),
            Fact("Name", would.name),
            Fact("Groups", ", ".join(would.groups) or "none"),
        ),
        would=(
            Fact("Account", would.account),
            Fact("Membership", would.membership),
            Fact("Signed in", "nobody, this was a test"),
        ),
        rules=would.rules,
        access=would.access,
    )
