"""The keys of OpenID providers, and Twilio's discovery document, as last read, so that not each login asks for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.tables import provider_keys, twilio_documents

TwilioDocument = Literal["discovery", "keys"]


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """A JWK Set, or a discovery document, as it stood at `url`."""

    url: str
    body: bytes
    read_at: datetime


def find_keys(connection: Any, connection_key: int | None) -> KeptKeys | None:
    """What was last read for a connection; None: for Twilio."""
    if connection_key is None:
        return find_document(connection, "keys")
    columns = provider_keys.c
    chosen = select(columns.url, columns.body, columns.read_at).where(columns.connection_id == connection_key)
    row = connection.execute(chosen).first()
    return None if row is None else KeptKeys(*row)


def keep_keys(connection: Any, connection_key: int | None, kept: KeptKeys) -> None:
    """Keep what was read now, in the place of what was before."""
    if connection_key is None:
        keep_document(connection, "keys", kept)
    else:
        _keep(connection, provider_keys, {"connection_id": connection_key}, kept)


def find_document(connection: Any, name: TwilioDocument) -> KeptKeys | None:
    """What was last read of Twilio's."""
    columns = twilio_documents.c
    row = connection.execute(select(columns.url, columns.body, columns.read_at).where(columns.name == name)).first()
    return None if row is None else KeptKeys(*row)


def keep_document(connection: Any, name: TwilioDocument, kept: KeptKeys) -> None:
    """Keep what was read of Twilio's."""
    _keep(connection, twilio_documents, {"name": name}, kept)


def _keep(connection: Any, table: Table, named: dict[str, Any], kept: KeptKeys) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"url": kept.url, "body": kept.body, "read_at": kept.read_at}
    row = dialect.insert(table).values(**named, **values)
    connection.execute(row.on_conflict_do_update(index_elements=list(named), set_=values))
