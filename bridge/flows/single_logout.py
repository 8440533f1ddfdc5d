"""Somebody signed out at their IdP: what it vouched for here ends, and nothing else (product.md 2.7).

Whatever protocol said so has proved it before: `Ended` names a connection's own authentications only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.domain.errors import NotFound
from bridge.domain.identity import Replay, Whose
from bridge.domain.sign_in_refusals import Replayed
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.flows.login_results import ended_hash, unpack
from bridge.storage import connections, ended_logins, pending, sessions
from bridge.storage.changes import Change

#: An ID token of more than an hour ago isn't taken (oidc.rules), nor do clocks differ by more than minutes.
_LONGEST_ON_THE_WAY: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Ended:
    """Whose authentications end, and `replay`, what may not come twice.

    `said_at`: when the IdP said so, where a statement that it made before may still arrive. Such a one signs nobody in
    until `remembered_until` (SAML Core 3.7.3.2).
    """

    connection_id: str
    replay: Replay
    whose: Whose
    said_at: datetime | None = None
    remembered_until: datetime | None = None


def end_by_idp(context: Context, ended: Ended, now: datetime) -> int:
    """End what the IdP ended. Returns of how many people; none isn't wrong: they may have gone before.

    An authentication of the person whose IdP named no session then can't be told from the one that ended: it ends,
    too; and so does a login that is under way, proved but not fetched yet (SAML Core 3.7.3.2).

    Raises NotFound, Replayed.
    """
    actor = f"connection:{ended.connection_id}"
    return context.change(actor, now, lambda change: _end(change, ended))


def _end(change: Change, ended: Ended) -> int:
    found = connections.find_by_uid(change.connection, ended.connection_id)
    if found is None:
        raise NotFound("There is no such connection.")
    if not pending.remember(change, digest(f"logout:{found.id}:{ended.replay.key}"), ended.replay.until):
        raise Replayed
    whose = ended.whose
    if ended.said_at is not None and ended.remembered_until is not None:
        ended_logins.remember_end(change, found.key, whose, ended.said_at, ended.remembered_until)
    for session_index in whose.session_indexes if found.kind == "oidc" else ():
        pending.remember(change, ended_hash(found.id, session_index), change.now + _LONGEST_ON_THE_WAY)
    logins = pending.find_logins(change.connection, found.key)
    pending.drop_pending(change, [key for key, result in logins if whose.includes(unpack(result["identity"]))])
    people = sessions.end_authentications(change, found.key, whose)
    for uid in people:
        change.record(found.workspace_key, "session.ended", uid, after={"by": found.kind, "connection": found.id})
    return len(people)
