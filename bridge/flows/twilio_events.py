"""What Twilio tells by itself, without anybody logging in: somebody left, changed something, or closed their account.

By back-channel logout (OpenID Connect Back-Channel Logout 1.0), and by Security Event Tokens that it pushes (RFC 8417,
RFC 8935). Either is proved by its signature before anything of it counts, and counts once.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from bridge.domain.sign_in_refusals import LogoutRepeated
from bridge.domain.web_calls import Ask
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import SYSTEM, Context
from bridge.flows.everywhere import record_everywhere
from bridge.flows.oidc_logout import prove_logout
from bridge.flows.provider_keys import prove_by_keys
from bridge.flows.twilio import Twilio
from bridge.flows.twilio_account import Said, follow
from bridge.flows.twilio_link import unlink_closed
from bridge.flows.twilio_login import note_ended, note_ended_before
from bridge.storage import pending, twilio
from bridge.storage.changes import Change
from bridge.storage.twilio import TwilioLink
from oidc import security_event
from oidc.security_event import SecurityEvent

_RISC: Final = "https://schemas.openid.net/secevent/risc/event-type"
_CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type"
IDENTIFIER_CHANGED: Final = f"{_RISC}/identifier-changed"
ACCOUNT_DISABLED: Final = f"{_RISC}/account-disabled"
ACCOUNT_PURGED: Final = f"{_RISC}/account-purged"
CREDENTIAL_CHANGE: Final = f"{_CAEP}/credential-change"
SESSION_REVOKED: Final = f"{_CAEP}/session-revoked"
#: Of no profile: neither has an event for a changed name.
PROFILE_CHANGED: Final = "https://schemas.simulated-twilio.example/secevent/event-type/profile-changed"


def end_by_token(context: Context, ours: Twilio, token: str, ask: Ask, now: datetime) -> int:
    """End what a logout token names. Returns how many sessions that were; none isn't wrong: they may have gone before.

    Raises `oidc.errors.Refused`, InvalidKeys, OutsideFailed, LogoutRepeated.
    """
    named = prove_logout(context, ours, token, ask, now)

    def do(change: Change) -> int:
        if not pending.remember(change, digest(f"twilio-logout:{named.id}"), named.until):
            raise LogoutRepeated
        note_ended(change, sid=named.session_id)
        if named.subject is not None and named.session_id is None:
            note_ended_before(change, named.subject, named.at)
        if named.subject is None:
            return twilio.end_twilio_session(change, named.session_id or "")
        link = twilio.hold_by_subject(change, named.subject, alone=True)
        return twilio.end_twilio_logins(change, link.user.key, named.session_id) if link else 0

    return context.change(SYSTEM, now, do)


# -- Events ------------------------------------------------------------------------------------------


def take_event(context: Context, ours: Twilio, token: str, ask: Ask, now: datetime) -> None:
    """Do what a Security Event Token says. One that came before, is of a kind that nobody here knows, or is about
    somebody whom nobody here is linked to, is taken and changes nothing.

    Raises `oidc.errors.Refused`, InvalidKeys, OutsideFailed.
    """
    event = prove_by_keys(
        context,
        ours,
        ask,
        now,
        lambda keys: security_event.validate(token, ours.provider, keys, ours.client, now=now),
        stranger=True,
    )
    context.change(SYSTEM, now, lambda change: _take(context, change, event))


def _take(context: Context, change: Change, event: SecurityEvent) -> None:
    if not pending.remember(change, digest(f"twilio-event:{event.id}"), event.until):
        return
    _note_ended(change, event)
    link = twilio.hold_by_subject(change, event.subject, alone=True) if event.subject else None
    if link is not None and not link.closed:
        _obey(context, replace(change, actor=f"user:{link.user.id}"), event, link)


def _note_ended(change: Change, event: SecurityEvent) -> None:
    """What is on its way from before opens nothing afterwards, also of who isn't linked yet."""
    if event.type == ACCOUNT_PURGED:
        note_ended(change, subject=event.subject)
    elif event.type == SESSION_REVOKED and event.session_id:
        note_ended(change, sid=event.session_id)
    elif event.type in (ACCOUNT_DISABLED, SESSION_REVOKED) and event.subject:
        note_ended_before(change, event.subject, event.at)


def _obey(context: Context, change: Change, event: SecurityEvent, link: TwilioLink) -> None:
    if event.type in (PROFILE_CHANGED, IDENTIFIER_CHANGED):
        follow(context, change, link, Said(event.at, event.name, event.email))
    elif event.type == ACCOUNT_PURGED:
        unlink_closed(context, change, link.user)
    elif event.type == ACCOUNT_DISABLED:
        twilio.end_twilio_logins(change, link.user.key)
        record_everywhere(change, link.user, "user.twilio_disabled")
    elif event.type == SESSION_REVOKED:
        twilio.end_twilio_logins(change, link.user.key, event.session_id)
    elif event.type == CREDENTIAL_CHANGE:
        record_everywhere(change, link.user, "user.twilio_credentials_changed")
