"""The sign-in log: each attempt under a reference that the person sees when it was refused (product.md 2.10)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.identity import LoginKind
from bridge.domain.sign_in import Client
from bridge.domain.workspace import Connection
from bridge.flows.context import SYSTEM, Context
from bridge.storage.changes import Change
from bridge.storage.connections import find_by_uid
from bridge.storage.sign_in import Attempt, insert_attempt

# Without letters and digits that are taken for one another, read aloud or written down.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one login was refused: a code for programs, a text for the admin. Neither holds a secret."""

    kind: LoginKind
    code: str
    text: str
    email: str | None = None
    connection_id: str | None = None
    steps: Sequence[str] = ()


def log_refused(context: Context, refusal: Refusal, client: Client, now: datetime) -> str:
    """Keep a refused attempt, in a transaction of its own. Returns its reference."""
    ref = new_reference()
    with context.changing(SYSTEM, now) as change:
        through = find_by_uid(change.connection, refusal.connection_id) if refusal.connection_id else None
        attempt = Attempt(
            ref=ref,
            kind=refusal.kind,
            outcome="refused",
            code=refusal.code,
            text=refusal.text[:_LONGEST_TEXT],
            address=client.address,
            email=refusal.email,
            workspace_key=through.workspace_key if through else None,
            connection_key=through.key if through else None,
            steps=refusal.steps,
        )
        insert_attempt(change, attempt)
    return ref


def log_signed_in(
    change: Change,
    kind: LoginKind,
    email: str,
    client: Client,
    through: Connection | None = None,
    steps: Sequence[str] = (),
) -> None:
    """Keep a good attempt, in the transaction that makes the session."""
    attempt = Attempt(
        ref=new_reference(),
        kind=kind,
        outcome="signed_in",
        code="signed_in",
        text="Signed in.",
        address=client.address,
        email=email,
        workspace_key=through.workspace_key if through else None,
        connection_key=through.key if through else None,
        steps=steps,
    )
    insert_attempt(change, attempt)


def new_reference() -> str:
    """Eight letters and digits, as `7F3K-92QX`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
