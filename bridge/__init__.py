"""The bridge: companies' identity providers on one side, a multi-workspace product on the other.

Protocols parse, domain decides, storage records, flows order, web speaks.

    app -> web | cli -> flows -> storage -> domain (and the pure packages saml, oidc, scim)

- `domain/`   the rules of the product, pure
- `storage/`  tables and queries, the only place with SQL
- `flows/`    what the bridge does: one function, one transaction, its audit events
- `web/`      HTTP in and out; `cli/` the `bridge` command
- `outside/`  mail, HTTP and DNS that the bridge itself sends
- `settings.py`, `wiring.py` (settings in, an open house out), `app.py` (the web application), `server.py`
  (its processes), `lines.py` (one of them, and who is connected), `worker.py`
"""
