"""The schema's history, for Alembic: one file a step in `versions/`, oldest first.

`bridge.storage.schema` runs them. Steps name tables and types in full, so that they still mean the same when
`bridge.storage.tables` has moved on. After an edit of `tables.py`, write the step that makes it so:

    python -m bridge.storage.migrations.write "add colours to labels"

and read it before committing: it was derived, not understood. Before the first release there is one step only:

    python -m bridge.storage.migrations.write --rewrite-first
"""
