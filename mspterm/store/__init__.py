"""What was last known: SQLite in WAL mode, one writer at a time."""
