"""A company's identity provider, simulated: SAML 2.0 sign-in, SCIM 2.0 pushes in a vendor's dialect, a console.

    python -m simulated.company_idp --port 8001 --state DIR --story config/demo/company_idp.json

It is a web application of its own: its state is one SQLite file and one key file in DIR, its cookie is
`company_idp_session`, it listens on 127.0.0.1, and all it knows of the bridge are addresses, certificates and a
token in its settings. The rule: nothing here imports the bridge or its protocol packages, so that the two can only
agree by speaking the standards.

| route | what |
|---|---|
| `/metadata`, `/sso` | the SAML identity provider; `/sso` takes requests by Redirect and by POST |
| `/login`, `/logout`, `/apps` | a person's own session; `/apps` starts a sign-in from here (IdP-initiated) |
| `/slo` | single logout, asked for there or here; every message of it is signed |
| `/console/…` | the admin's pages: people, groups, provisioning, settings |
| `/api/…` | the same as JSON, for seeding and tests |
| `/healthz` | 200 when up |

| module | subject |
|---|---|
| `database`, `directory`, `journal`, `sessions`, `settings`, `story` | state: people, pushes, sessions |
| `safe_xml`, `service_provider`, `bindings`, `authn_request`, `saml_response`, `logout`, `signing_key` | SAML, pure |
| `provisioning` | changes the directory, pushes that in one of `simulated.dialects`, writes down what came back |
| `company`, `app`, `sign_in_pages`, `logout_pages`, `console`, `json_api` | HTTP in and out |
"""
