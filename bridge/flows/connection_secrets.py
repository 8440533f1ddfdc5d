"""What a connection keeps secret, sealed: our SAML keys, an OpenID Connect client's secret.

Of a SAML connection: {"private_key", "certificates": [that key's], "next": {"private_key", "certificate"} while a
rotation is under way}, all PEM. Which rows hold what is said at the top of `bridge.flows.connect`.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.domain.errors import DomainError
from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.storage import connections
from bridge.storage.secret_box import CannotDecrypt

_PURPOSE = "connections.secrets_enc"


def seal(context: Context, secrets: Mapping[str, Any]) -> bytes:
    """Secrets as they are stored."""
    return context.secrets.encrypt(orjson.dumps(dict(secrets)), purpose=_PURPOSE)


def read_secrets(context: Context, connection: Any, found: Connection) -> dict[str, Any]:
    """The secrets of a connection, in clear. Raises DomainError where it has none, or where they can't be read."""
    return open_secrets(context, found, connections.find_secrets(connection, found.key))


def open_secrets(context: Context, found: Connection, sealed: bytes | None) -> dict[str, Any]:
    """The same of secrets as they are stored."""
    if sealed is None:
        raise DomainError(f"{found.name} has no key of its own. Delete it and make it again.")
    try:
        opened = context.secrets.decrypt(sealed, purpose=_PURPOSE)
    except CannotDecrypt as error:
        raise DomainError(
            f"The keys of {found.name} can't be read. The operator's `bridge doctor` says why."
        ) from error
    kept: dict[str, Any] = orjson.loads(opened)
    return kept
