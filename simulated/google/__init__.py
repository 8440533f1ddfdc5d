"""Google's accounts, simulated: a small OpenID Provider with a chooser of accounts, for "Sign up with Google".

    python -m simulated.google --port 8003 --state DIR [--clients FILE] [--people FILE]

A web application of its own, over `simulated.openid_provider`: its state is one SQLite file in DIR, its cookies begin
with `google_`, it listens on 127.0.0.1. Nobody here has a password: the chooser shows every account, and one click is
somebody. A client is registered as at `simulated.twilio`: FILE is a list of their metadata; people are a list of
`email`, `given_name` and `family_name`.

| module | subject |
|---|---|
| `accounts` | state: accounts, and which browser is logged in as whom |
| `site` | all parts in one value, and what the provider asks of it |
| `app` | HTTP in and out: the chooser, and the door |
"""
