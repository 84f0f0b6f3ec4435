"""Alembic's environment: runs the migrations on the connection that soc_api/migrate.py hands over."""

from alembic import context

from soc_api.migrate import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SCHEMA,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
