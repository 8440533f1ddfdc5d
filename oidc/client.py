"""Client: our side of a connection, the relying party."""

from dataclasses import dataclass, field

from oidc.errors import InvalidRequest

TOKEN_AUTH = ("client_secret_basic", "client_secret_post", "private_key_jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The bridge as one provider's client.

    `token_auth` is one of `TOKEN_AUTH`, and says which of `client_secret` and `private_key` (PEM, RSA; `key_id` its
    kid there) is needed. `clock_skew` is in seconds and applies to every instant of a token. `hosted_domain`: the
    Google Workspace domain that people must be of; None where nobody asks.
    """

    client_id: str
    redirect_uri: str
    token_auth: str = "client_secret_basic"  # noqa: S105
    client_secret: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    key_id: str | None = None
    clock_skew: int = 60
    hosted_domain: str | None = None

    def __post_init__(self) -> None:
        """Raises `InvalidRequest` for a way of authenticating that isn't known or lacks its secret."""
        if self.token_auth not in TOKEN_AUTH:
            raise InvalidRequest(f"There is no way of authenticating called {self.token_auth!r}.")
        if not (self.private_key if self.token_auth == "private_key_jwt" else self.client_secret):  # noqa: S105
            raise InvalidRequest("The connection has no secret to authenticate with. Set its client secret or key.")
