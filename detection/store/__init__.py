"""Where events and alerts are kept: segments read by DuckDB, state in SQLite or PostgreSQL."""
