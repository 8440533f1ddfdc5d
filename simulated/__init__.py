"""The outside world, for the demo and the tests: programs that speak HTTP to the bridge and import nothing of it.

`company_idp` is a company's identity provider: people sign in there by SAML, and it pushes them by SCIM.
`dialects` is how each vendor provisions: the company's IdP speaks them, and `examiner`, which is behind
`bridge simulate`, plays them against any SCIM server.

`twilio` is Twilio Unified Login with its Console, `google` the accounts that one can sign up with there; both are
`openid_provider`s. `state_file`, `serving` and `guarding` are
what these sites share: one SQLite file, a listener on loopback, and who is kept out at the door.
"""
