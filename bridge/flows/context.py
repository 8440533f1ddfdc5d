"""What every flow is handed: where rows are, how secrets are kept, and what the operator has set."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bridge.domain.errors import Conflict
from bridge.flows.request_buffer import RequestBuffer
from bridge.storage.changes import Change, Collision, changing
from bridge.storage.database import Database
from bridge.storage.secret_box import SecretBox
from bridge.storage.time_limit import TimeLimit

#: Actors as the audit trail names them; people, connections and tokens are `user:ID`, `connection:ID`, `token:ID`.
OPERATOR = "operator"
SYSTEM = "system"

LOST_THE_RACE = "Somebody else is changing the same records. Try again."

#: How often a transaction that lost a race is run again.
TRIES = 3

Told = TypeVar("Told")


#: Sees a change at its end, inside its transaction, and may write into it; called anew where it is run again.
Witness = Callable[[Change], None]


@dataclass(frozen=True, slots=True)
class TwilioClient:
    """How the bridge is known at Twilio Unified Login."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """Made once a process by `app`; the first argument of every flow.

    A SCIM call is given one of its own, whose `witness` logs what `change` does (see `log_requests`), and whose
    `search_limit` counts for all its searches together.
    """

    database: Database
    secrets: SecretBox = field(repr=False)
    public_url: str
    session_lifetime: timedelta = timedelta(days=7)
    invite_lifetime: timedelta = timedelta(days=3)
    asserted_groups_days: int = 7
    scim_log_days: int = 30
    sign_in_log_days: int = 90
    audit_days: int = 90
    metadata_refresh_every: timedelta = timedelta(hours=24)
    scim_search_seconds: float = 1
    twilio: TwilioClient | None = None
    request_buffer: RequestBuffer = field(default_factory=RequestBuffer, repr=False, compare=False)
    witness: Witness | None = field(default=None, repr=False, compare=False)
    search_limit: TimeLimit | None = field(default=None, repr=False, compare=False)

    def limit_of_search(self) -> TimeLimit:
        """How long a search may work: what is left of its request's time, or all of it."""
        return self.search_limit or TimeLimit(self.scim_search_seconds)

    @property
    def scim_url(self) -> str:
        """Where IdPs push to; the locations of all SCIM resources begin with it."""
        return f"{self.public_url}/scim/v2"

    @contextmanager
    def changing(self, actor: str, now: datetime, *, durable: bool = True) -> Iterator[Change]:
        """One transaction with its audit events under one cause; when the block raises, nothing happened.

        Not `durable`: what a power cut may take, since whoever asked would begin anew.
        Raises Conflict where another transaction was quicker; a flow that should look again uses `change`.
        """
        try:
            with changing(self.database, actor, now, durable=durable) as change:
                yield change
        except Collision as collision:
            raise Conflict(LOST_THE_RACE) from collision

    def change(self, actor: str, now: datetime, do: Callable[[Change], Told]) -> Told:
        """Run `do` in one transaction. Who loses a race for a unique row looks again, and sees the winner's.

        Raises Conflict where it lost every time.
        """
        for _ in range(TRIES):
            try:
                with changing(self.database, actor, now) as change:
                    done = do(change)
                    if self.witness is not None:
                        self.witness(change)
                    return done
            except Collision as collision:
                lost = collision
        raise Conflict(LOST_THE_RACE) from lost
