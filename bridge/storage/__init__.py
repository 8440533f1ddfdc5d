"""Rows and queries: the only place with SQL.

- `tables`, `columns`   every table and constraint on one page; column types both engines agree on
- `database`            engines, transactions, the queue of SQLite's writers
- `changes`             a change under way: its cause, its audit events, facts that begin and end by it
- `access`              the one query over facts that answers may they, why, who gains, who loses
- one module a topic beside them: `workspaces`, `people`, `connections`, `directory`, `mappings`, ...
- `directory_search`    a parsed SCIM filter to a WHERE clause
- `migrations/`         Alembic

Rule of the house: functions take a `Connection` (to read) or a `Change` (to write) and give domain
values; none opens a transaction, none knows HTTP. Numbers (`id`) stay in here and in flows; outside,
people and things are known by their `uid`.
"""
