"""The OpenID Provider behind `simulated.twilio` and `simulated.google`: Authlib's provider side, over SQLite.

Who people are and how they log in is the host's, a `Host`; this package speaks the protocol:

| route | what |
|---|---|
| `/.well-known/openid-configuration` | OpenID Connect Discovery 1.0 |
| `/oauth2/jwks` | the public keys; a rotated key stays until all it signed has expired |
| `/oauth2/authorize` | code flow only, PKCE S256 always; `prompt`, `max_age`, `login_hint`; `iss` in each answer |
| `/oauth2/token` | ID token and JWT access token (RFC 9068), both RS256; a code works once, a second use revokes |
| `/oauth2/userinfo` | Core 5.3 |
| `/oauth2/logout` | RP-Initiated Logout 1.0; asks the person unless the hint is of their own session |

What a host's people did, and that a session ended, goes to clients through the `outbox`, in order, until they take it:
Security Event Tokens (RFC 8417) pushed by RFC 8935, and logout tokens (Back-Channel Logout 1.0).

| module | subject |
|---|---|
| `clients`, `keys`, `grants`, `outbox` | state: who may ask, what signs, codes and tokens, what is still to be told |
| `authorization` | Authlib, told where things are and what is stricter here |
| `provider` | all of it in one value; `Host`, what an application must answer |
| `endpoints` | HTTP in and out |
"""
