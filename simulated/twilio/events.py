"""What clients are told of a person: the event types, by OpenID's RISC and CAEP profiles where they have one."""

from typing import Any

RISC = "https://schemas.openid.net/secevent/risc/event-type"
CAEP = "https://schemas.openid.net/secevent/caep/event-type"
ACCOUNT_DISABLED = f"{RISC}/account-disabled"
ACCOUNT_ENABLED = f"{RISC}/account-enabled"
ACCOUNT_PURGED = f"{RISC}/account-purged"
IDENTIFIER_CHANGED = f"{RISC}/identifier-changed"
CREDENTIAL_CHANGE = f"{CAEP}/credential-change"
SESSION_REVOKED = f"{CAEP}/session-revoked"
#: Neither profile has an event for a changed name; this one is of our own, and carries the new claims.
PROFILE_CHANGED = "https://schemas.simulated-twilio.example/secevent/event-type/profile-changed"


def caep(now: float, **more: Any) -> dict[str, Any]:
    """A CAEP event of something that the person did just now (CAEP 1.0 2)."""
    return {"event_timestamp": int(now), "initiating_entity": "user", **more}
