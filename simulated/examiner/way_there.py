"""How a server is reached: its address, a CA of its own, the proxy of this machine. Checked before the first call."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from simulated.dialects.entra import FLAG
from simulated.dialects.speaking import DialectName


@dataclass(frozen=True, slots=True)
class WayThere:
    """`url`: the base address, without a query. `ca_file`: a PEM file instead of the public CAs. `proxies`: an address
    by scheme.
    """

    dialect: DialectName
    url: str
    ca_file: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)


def read_way(dialect: DialectName, scim_url: str, ca_file: str | None) -> WayThere:
    """Entra's flag may sit in the address's query, and then says how Entra speaks. Raises ValueError."""
    parts = urlsplit(scim_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{scim_url} isn't an http or https address.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("A base address holds no name and no password: the token is read from stdin.")
    if dialect == "entra" and f"?{parts.query}" == FLAG:
        dialect = "entra-compliant"
    elif parts.query or parts.fragment:
        raise ValueError(f"A base address has no query, but for Entra's {FLAG}.")
    if ca_file is not None:
        _check_ca_file(ca_file, parts.scheme)
    proxies = {} if _is_this_machine(parts.hostname) else get_environ_proxies(scim_url)
    return WayThere(dialect, scim_url.partition("?")[0], ca_file, proxies)


def _check_ca_file(path: str, scheme: str) -> None:
    if scheme != "https":
        raise ValueError("--ca-file is for https addresses.")
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError(
            f"{path} holds no certificate in PEM: it must have the CA's, from -----BEGIN CERTIFICATE----- on."
        ) from None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None


def _is_this_machine(host: str) -> bool:
    """A proxy never leads back to where it was asked from."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
