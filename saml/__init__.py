"""SAML 2.0, the service provider's side: bytes in, values out. No storage, no HTTP, no clock: `now` is an argument.

Asking somebody in, and taking the answer:

    idp = saml.identity_provider.parse_metadata(xml)                      IdentityProvider, or InvalidMetadata
    saml.authn_request.build(idp, sp, request_id, now, relay_state=…)     RedirectTo; build_form gives a PostForm
    saml.response.validate(form, idp, sp, now, allow_unsolicited=…)       Assertion, or a Refused that says why
    saml.attributes.read(assertion, saml.attributes.PRESETS["okta"])      AssertedNames: subject, email, name, groups
    saml.logout.receive_query(raw, idp, sp, now), receive_form            LogoutRequest or LogoutResponse, or a Refused
    saml.logout.build_request(…), build_response(…)                       always signed
    saml.service_provider.render_metadata(sp), make_key_pair(name, now)   our own side

How `validate` works, from outside in; each step sees only what the one before let through:

    gate         what no identity provider sends never reaches a library       GATE, a table of named items
    toolkit      every signature, under the connection's certificates alone
    encryption   an encrypted assertion in clear, then gate and toolkit again; one error for every failure
    encrypted_name   an encrypted name identifier in clear, after the signature over it was verified
    rules        the profile, paragraph by paragraph, over the verified bytes  RULES, a table of named rules
    assertion    the proof; only `validate` makes one

A `witness` may listen to what a message passes, for a log; `transcript` gives what of it may be kept.

Metadata that is held to a certificate is read from what `metadata_signature` finds signed by it.

How messages travel is `bindings`: Redirect and POST, and QUERY, the table that a signed query is opened by.

Its rule: what is read is what was signed. The assertion is written out in canonical form after its signature has
been verified, and read anew from those bytes; the envelope around it may refuse, but gives nothing. What is absent is
refused as what is wrong is. Trust comes from configuration only: no key, address or algorithm of a message is followed.

Libraries: `toolkit` alone imports python3-saml (`onelogin`), and it alone verifies, with xmlsec. lxml is used where
there is XML (`markup` has the one parser), cryptography for keys, certificates, decryption and query signatures
(`keys`, `certificates`, `service_provider`, `encryption`, `algorithms`, `bindings`).
"""
