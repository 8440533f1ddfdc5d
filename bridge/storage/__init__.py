"""Rows and queries: the only place with SQL.

- `tables`, `columns`   every table and constraint on one page; column types both engines agree on
- `database`            engines, transactions, the queue of SQLite's writers
- `prepared`            statements compiled once, for what each request says: how to declare and call them
- `changes`             a change under way: its cause, its audit events, facts that begin and end by it
- `access`              the one query over facts that answers may they, and why; `moves`: who gains, who loses;
  `moves_by_person`: the same, person by person
- `access_backwards`    from a resource to the people who may
- `idp_groups`          one IdP group, and the rules that take it
- `as_code`             what was given by hand, for a workspace's file
- `held_grants`         grants as they are looked at, whether or not they give anything
- `nearly`              what is there for one person, whether or not it counts: for why not;
                        `nearly_past`: of a moment that is past
- `access_past`         the same of a moment that is past; `access_history`: when something changed, and by which events
- `ends`                when time alone next takes something away, in a whole workspace
- `forgetting`          ended facts and audit events that are too old
- `origins`             who made the links of paths that are shown; `origins_past`: who had, at a moment that is past;
                        `label_makers`: who put a resource's labels on
- one module a topic beside them: `workspaces`, `people`, `accounts`, `connections`, `directory`, `mappings`, ...
- `own_account`         what one's own account page shows and changes
- `connection_overview`   what hangs on each connection; `connection_removal`: all of it goes
- `directory_people`, `directory_members`   what an IdP pushed: people; groups, and who is in them
- `waiting_records`, `tied_groups`   who has no account, and why; what pushed groups are tied to
- `picture`             what the picture of access is drawn from
- `people_in_groups`    how many people are in IdP groups, as access counts them
- `idp_records`         groups and people of all connections, as they are looked at
- `directory_many`      people and groups by the thousand, for an import
- `directory_search`    a parsed SCIM filter to a WHERE clause; `document_text`: of what only a document says
- `directory_pages`     who matches, page by page; `directory_order`: in which order; `directory_lean`: what is asked;
  `time_limit`: how long it may take
- `scim_clients`  OAuth clients and their access tokens
- `sign_in_attempts`        the sign-in log's lines
- `provisioning_requests`   the request log's lines; `effects`: what a push gives or takes, for their sentences
- `statistics`          has PostgreSQL count its rows after an import
- `secret_box`          secrets at rest, encrypted
- `migrations/`         Alembic; `schema` brings a database to this version, `snapshots` copies the embedded one

Rule of the house: functions take a `Connection` (to read) or a `Change` (to write) and give domain values; none but
`changes.changing` opens a transaction, none knows HTTP. Numbers (`id`) stay in here and in flows; outside, people and
things are known by their `uid`.
"""
