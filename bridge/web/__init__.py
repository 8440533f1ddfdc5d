"""HTTP in and out: parse, call one flow, render. Nothing is decided here, and nothing is stored.

- `saml_login`, `password_login`, `session`   ways in, `/session`, the way out
- `scim_api`, `scim_resources`                `/scim/v2`
- `pages/`                                    what people see
- `current`                                   the request's context, session and time
- `error_pages`                               what people are told when something is refused
"""
