"""OpenID Connect, the relying party's side: bytes in, values out. No storage, no HTTP, no clock: `now` is an argument.

Once a connection, and whenever its keys change:

    oidc.provider.discovery_url(issuer), parse_discovery(body, issuer)     Provider, or InvalidProvider
    oidc.provider.parse_keys(body)                                         Keys; those that can't be used are left out

Asking somebody in, and taking the answer:

    oidc.authorization_request.build(provider, client, state=…, nonce=…)   the address to send the browser to
    oidc.authorization_answer.parse(pairs, provider)                       (code, state), or a Refused that says why
    oidc.token_request.build(provider, client, code, verifier, now, jti)   TokenRequest: url, headers, body
    oidc.token_answer.parse(status, content_type, body)                    TokenAnswer: the tokens, not looked into
    oidc.id_token.validate(answer, provider, keys, client, nonce=…)        IdToken; UnknownKey: read the keys anew, once
    oidc.userinfo.parse(content_type, body, id_token, …)                   Userinfo, where claims.needs_userinfo
    oidc.claims.read(id_token, userinfo, oidc.claims.PRESETS["okta"])      AssertedNames: subject, email, name, groups
    oidc.transcript.read(token)                                            what it says, unverified, for a log alone

Signing out:

    oidc.logout_request.build(provider, client, id_token_hint, state)      the address, or None
    oidc.logout_token.validate(text, provider, keys, client, now=…)        LogoutToken: whom, and an id against replay

What a provider tells by itself:

    oidc.security_event.validate(text, provider, keys, client, now=…)      SecurityEvent (RFC 8417): what, to whom

The other side, where a program asks us (RFC 6749 4.4):

    oidc.token_endpoint.parse_token_request(authorization, media_type, address, form, scope)   ClientSecret: who says so

How a token is validated, from outside in; each step sees only what the one before let through:

    token        what no provider sends never reaches a library     GATE, a table of named checks
    keys         which of the provider's own keys may have signed    nothing that the token brings or points to
    toolkit      the signature, under one key and one algorithm
    json_text    the verified bytes, read strictly: no duplicate names, no NaN, bounded
    rules        OpenID Connect, paragraph by paragraph              CHECKS of id_token, logout_token, security_event

Its rule: what is read is what was signed, what is absent is refused as what is wrong is, and trust comes from
configuration only.

Libraries: `toolkit` alone imports Authlib and joserfc, which Authlib brings for signatures and keys.
"""
