"""Authlib's provider side, told where things are kept, and what is stricter here than there."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfoEndpoint
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.rpinitiated import EndSessionEndpoint
from joserfc.jwk import KeySet, RSAKey

from simulated.openid_provider.clients import Client
from simulated.openid_provider.grants import TOKEN_SECONDS, Authentication, Code, Token
from simulated.openid_provider.keys import ALGORITHM

if TYPE_CHECKING:
    from simulated.openid_provider.provider import Provider

#: Where the form of the page goes that asks whether to log out.
LOGOUT_CONFIRMED = "/oauth2/logout/confirmed"


def make_server(app: Any, provider: "Provider") -> AuthorizationServer:
    """The server of Core 3.1 for an application."""

    def save_token(token: dict[str, Any], request: Any) -> None:
        provider.grants.keep_token(token["access_token"], request.authorization_code, request.client.client_id)

    server = AuthorizationServer(app, provider.clients.find, save_token)
    server.register_token_generator("default", _AccessToken(provider))
    server.register_grant(_with(_CodeGrant, provider), [_S256(required=True), _IdToken(provider)])
    server.register_extension(_Issuer(provider))
    server.register_endpoint(_EndSession(server, provider))
    protector = ResourceProtector()
    protector.register_token_validator(_AccessTokenValidator(provider))
    server.register_endpoint(_TellsPerson(server, protector, provider))
    return server


def _with(grant: type, provider: "Provider") -> type:
    """Authlib makes a grant a request, so it finds the provider on its class."""
    return type(grant.__name__, (grant,), {"provider": provider})


class _Issuer(IssuerParameter):  # type: ignore[misc]
    def __init__(self, provider: "Provider") -> None:
        self._provider = provider

    def get_issuer(self) -> str:
        return self._provider.issuer


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    provider: "Provider"

    def save_authorization_code(self, code: str, request: Any) -> None:
        client: Client = request.client
        self.provider.grants.keep_code(code, client.client_id, request.payload.data, request.scope, request.user)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return self.provider.grants.redeem(code, client.client_id)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was spent when it was found."""

    def authenticate_user(self, authorization_code: Code) -> Authentication | None:
        authentication = authorization_code.authentication
        found = self.provider.host.find_claims(authentication.subject, ())
        return None if found is None else authentication


class _S256(CodeChallenge):  # type: ignore[misc]
    """PKCE of every client, confidential ones too, by S256 alone (RFC 9700 2.1.1); Authlib would let `plain` pass."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge by S256 is required (RFC 7636).")
        if "openid" not in (asked.get("scope") or "").split():
            raise InvalidRequestError("The scope has to name openid (OpenID Connect Core 3.1.2.1).")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: "Provider") -> None:
        super().__init__()
        self._provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """A nonce is the client's to compare (Core 15.5.2); a code, which carries it, works once."""
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return self._provider.keys.current()

    def get_client_algorithm(self, client: Client) -> str:
        return ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": ALGORITHM, "kid": str(self._provider.keys.current().kid), "typ": "JWT"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._provider.issuer, "aud": client.client_id}

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        by = authorization_code.authentication
        claims = {"nonce": authorization_code.nonce, "auth_time": by.at, "sid": by.sid, "amr": list(by.amr)}
        return {name: value for name, value in claims.items() if value}

    def generate_user_info(self, user: Authentication, scope: str) -> dict[str, Any]:
        return self._provider.claims_of(user.subject, scope)


class _AccessToken(JWTBearerTokenGenerator):  # type: ignore[misc]
    """RFC 9068, so that it says whose it is; what counts is that it is known here (`Grants.find_token`)."""

    def __init__(self, provider: "Provider") -> None:
        super().__init__(provider.issuer, ALGORITHM, expires_generator=lambda client, grant_type: TOKEN_SECONDS)
        self._provider = provider

    def get_jwks(self) -> KeySet:
        return KeySet([self._provider.keys.current()])

    def get_audiences(self, client: Client, user: Authentication, scope: str) -> str:
        return f"{self._provider.issuer}/oauth2/userinfo"


class _AccessTokenValidator(BearerTokenValidator):  # type: ignore[misc]
    def __init__(self, provider: "Provider") -> None:
        super().__init__()
        self._provider = provider

    def authenticate_token(self, token_string: str) -> Token | None:
        token = self._provider.grants.find_token(token_string)
        gone = token is None or self._provider.host.find_claims(token.subject, ()) is None
        return None if gone else token


class _TellsPerson(UserInfoEndpoint):  # type: ignore[misc]
    """Core 5.3. The token names subject and client by itself."""

    def __init__(self, server: AuthorizationServer, protector: ResourceProtector, provider: "Provider") -> None:
        super().__init__(server, protector)
        self._provider = provider

    def __call__(self, request: Any) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        token: Token = self.resource_protector.acquire_token("openid")
        claims = self._provider.claims_of(token.subject, token.scope)
        return 200, claims, [("Content-Type", "application/json"), ("Cache-Control", "no-store")]


class _EndSession(EndSessionEndpoint):  # type: ignore[misc]
    """RP-Initiated Logout 1.0; `endpoints` asks the person and ends the session."""

    def __init__(self, server: AuthorizationServer, provider: "Provider") -> None:
        super().__init__(server)
        self._provider = provider

    def get_server_jwks(self) -> KeySet:
        return self._provider.keys.published()

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def is_post_logout_redirect_uri_legitimate(self, request: Any, *_: Any) -> bool:
        """Without an ID token it leads to a registered address only who said yes on our own page, which names the
        client (RP-Initiated Logout 1.0 3).
        """
        return bool(urlsplit(request.uri).path == LOGOUT_CONFIRMED)

    def end_session(self, end_session_request: Any) -> None:
        """`endpoints` has done so."""
