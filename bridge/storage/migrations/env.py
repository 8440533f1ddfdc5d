"""What Alembic runs for each of its commands. The connection, already in a transaction, comes from `schema`."""

from alembic import context

from bridge.storage.migrations.comparison import COMPARISON

context.configure(connection=context.config.attributes["connection"], **COMPARISON)
context.run_migrations()
