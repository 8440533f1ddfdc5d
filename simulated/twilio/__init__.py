"""Twilio Unified Login, simulated: an OpenID Provider with sign-up, second factor, settings, and a Console with the
Product Switcher.

    python -m simulated.twilio serve --port 8002 --state DIR [--clients FILE] [--people FILE] [--google FILE]

It is a web application of its own: its state is one SQLite file in DIR, its cookies begin with `twilio_`, it listens on
127.0.0.1 (the bridge is on localhost, another site to a browser), and all it knows of the bridge is what a client's
registration says. The rule: nothing here imports the bridge or its protocol packages, so that the two can only agree by
speaking the standards. What it speaks is `simulated.openid_provider`.

To register a client, write its metadata into a file (the secret too: it never is an argument), and
`python -m simulated.twilio register --state DIR FILE`, or `-` for stdin; `--clients FILE` at the start takes a list:

    {"client_id": "segment", "client_secret": "…32 characters or more, by chance…", "client_name": "Segment",
     "redirect_uris": ["http://localhost:8000/twilio/callback"],
     "initiate_login_uri": "http://localhost:8000/twilio/login", "target_link_uri": "http://localhost:8000/",
     "post_logout_redirect_uris": ["http://localhost:8000/login"],
     "backchannel_logout_uri": "http://localhost:8000/twilio/backchannel-logout",
     "event_endpoint": "http://localhost:8000/twilio/events", "event_token": "…"}

What a client with an `event_endpoint` is sent there, for each person who has ever used it: a Security Event Token
(RFC 8417, `typ` secevent+jwt, `aud` its client id) a change, by push (RFC 8935), signed like ID tokens. `sub_id` is
`{"format": "iss_sub", "iss", "sub"}` if not said otherwise:

| event type | when | what else it says |
|---|---|---|
| risc `identifier-changed` | a new address was proved | `new-value`, `account` (iss_sub); `sub_id` is the old email |
| risc `account-disabled`, `account-enabled` | the operator's `disable` and `enable` | |
| risc `account-purged` | the account was closed | |
| caep `credential-change` | password or second factor | `credential_type` (password, app, phone-sms), `change_type` |
| caep `session-revoked` | ended from elsewhere | `sub_id` is complex: `user`, `session` (opaque: the `sid`) |
| `PROFILE_CHANGED` | a new name | `claims`: name, given_name, family_name |

The types' full addresses are in `events`. An event is taken by 202 and refused by 400 with `err`; anything else is
tried again, after 1, 2, 4 … 3600 seconds, and what comes later waits. A logout token goes to `backchannel_logout_uri`
when a session that signed in there ends.

| module | subject |
|---|---|
| `accounts`, `sessions`, `messages`, `attempts`, `people`, `tables`, `request_log` | state |
| `passwords`, `second_factor`, `events`, `google` | rules, and Google as its relying party sees it |
| `changes` | what a person changes: one function, one transaction, and whom it tells |
| `site`, `app`, `going_on` | all parts in one value; wiring and guards; cookies and the way on |
| `login_pages`, `sign_up_pages`, `console_pages`, `outside_pages` | HTTP in and out |
"""
