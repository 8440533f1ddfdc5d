"""The dialect of a name, connected to a server as that vendor connects."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from simulated.dialects import entra, okta, onelogin
from simulated.dialects.dialect import Dialect
from simulated.dialects.scim_client import Exchange, ScimClient

DialectName = Literal["okta", "okta-wizard", "entra", "entra-compliant", "onelogin"]

#: What people call each vendor.
NAMES: Mapping[DialectName, str] = {
    "okta": okta.Okta.name,
    "okta-wizard": okta.Okta.name,
    "entra": entra.Entra.name,
    "entra-compliant": entra.Entra.name,
    "onelogin": onelogin.OneLogin.name,
}


def connect(
    name: DialectName,
    url: str,
    token: str,
    on_exchange: Callable[[Exchange], None],
    make_client: Callable[..., ScimClient] = ScimClient,
) -> Dialect:
    """Speaks to the SCIM server at `url` over real HTTP."""
    client = partial(make_client, url, token, on_exchange=on_exchange)
    if name in ("okta", "okta-wizard"):
        spoken = client(user_agent=okta.USER_AGENT, content_type=okta.CONTENT_TYPE)
        return okta.Okta(spoken, wizard_app=name == "okta-wizard")
    if name == "onelogin":
        return onelogin.OneLogin(
            client(user_agent=onelogin.USER_AGENT, content_type=onelogin.CONTENT_TYPE, trailing_mark=True)
        )
    compliant = name == "entra-compliant"
    return entra.Entra(client(user_agent=entra.USER_AGENT, query=entra.FLAG if compliant else ""), compliant=compliant)
