"""HTTP in and out: parse, call one flow, render. Nothing is decided here, and nothing is stored.

- `saml_login`, `oidc_login`, `password_login`     ways in; `prove_account` where one has to show that an account
  is theirs
- `provider_login`   what a login by `oidc_login` and one by Twilio have in common
- `twilio_login`, `twilio_events`    the way by Twilio; what it tells by itself
- `passkey_login`                    `/login/passkey`: a passkey alone
- `login_factor`                     `/login/factor`: the second factor, between the password and the session;
  `factor_step`: on the way there
- `saml_logout`, `oidc_logout`       an IdP says that somebody signed out there, or hears that they did here
- `password_reset`                   a forgotten password
- `session`                          `/session`, and the way out
- `scim_api`       `/scim/v2`; `scim_addresses`: what may be done where; `scim_search`: lists; `scim_operations`: what
  one operation does; `scim_bulk`: many in one request; `scim_resources`: resources <-> domain values
- `scim_oauth`     `/scim/oauth2/token`: access tokens for OAuth clients that push
- `scim_log`       what the request log is told of it; `unread`: what is refused before any of this is called
- `access_api`     `/access`: applications ask who may do what; `access_json`: checks <-> JSON; `access_tags`: how long
  an answer stands; `access_openapi`: described for machines
- `pages/`                           what people see
- `health`                           `/healthz`, `/readyz`
- `workspace_schema`                 `/workspace.schema.json`: what may stand in a workspace's file
- `current`, `cookies`               the request's context, session and time; what browsers keep for us
- `statuses`, `error_pages`          which refusal has which status, and what people are told
- `refusals`                         a refused login: into the sign-in log, and told with its reference
- `arrival`                          a login that is through: signed in, asked for proof, or a test's result
- `headers`, `return_path`           what every answer says to the browser; never a way to another site
"""
